"""Have independent judges look at hosts at the baseline.

python tools/audit --ssh-config FILE --observer HOST --neighbor HOST --results FILE --page FILE HOST...

Each judge runs with all of its tests. What it does not like needs a reason on the page, which takes the scores too;
the exit code is 1 when a score is too low or a reason is missing.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rich.console import Console
from rich.table import Table

from audit.hosts import AuditError, Host
from audit.judges import JUDGES
from audit.verdicts import Verdict, read_reasons, with_scores


def judge(host: Host) -> list[Verdict]:
    """Have all judges look at one host, one after the other."""
    return [verdict for verdict in (ask(host) for ask in JUDGES) if verdict is not None]


def show(verdicts: list[Verdict], reasons: dict[str, str]) -> None:
    """Print the scores, and below them what has no reason."""
    table = Table("host", "judge", "version", "score", "left", "without a reason", "")
    for verdict in verdicts:
        missing = verdict.unexplained(reasons)
        state = "ok" if verdict.passed and not missing else "not ok"
        left = len(verdict.findings) - len(missing)
        table.add_row(verdict.host, verdict.judge, verdict.version, verdict.score, str(left), str(len(missing)), state)
    console = Console(soft_wrap=True)
    console.print(table)
    for verdict in verdicts:
        for finding in verdict.unexplained(reasons):
            console.print(f"{verdict.host}: {finding.key}: {finding.text}", markup=False, highlight=False)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="tools/audit", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--ssh-config", type=Path, required=True, help="how to log in to the hosts")
    parser.add_argument("--observer", required=True, help="the host that scrapes them and takes their logs")
    parser.add_argument("--neighbor", required=True, help="a host beside them that is nothing to them")
    parser.add_argument("--results", type=Path, required=True, help="where the scores go, as JSON")
    parser.add_argument("--page", type=Path, required=True, help="the page with the scores and the reasons")
    parser.add_argument("hosts", nargs="+", metavar="HOST")
    options = parser.parse_args(arguments)
    page = options.page.read_text(encoding="utf-8")
    reasons = read_reasons(page)
    hosts = [Host(name, options.ssh_config, options.observer, options.neighbor) for name in options.hosts]
    try:
        with ThreadPoolExecutor(2) as pool:
            verdicts = [verdict for found in pool.map(judge, hosts) for verdict in found]
    except AuditError as error:
        print(f"audit: {error}", file=sys.stderr)
        return 9
    show(verdicts, reasons)
    documents = [{**asdict(verdict), "unexplained": len(verdict.unexplained(reasons))} for verdict in verdicts]
    options.results.write_text(json.dumps({"schema": 1, "verdicts": documents}, indent=2) + "\n", encoding="utf-8")
    options.page.write_text(with_scores(page, verdicts), encoding="utf-8")
    return 0 if all(verdict.passed and not verdict.unexplained(reasons) for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
