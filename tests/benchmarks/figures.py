"""What a benchmark reports: ours against a reference, as a ratio with a limit."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
_PACKAGES = ("ansible-core", "ansible-runner", "click", "SQLAlchemy", "rich")


@dataclass(frozen=True)
class Figure:
    """One comparison.

    Attributes:
        name: what was measured.
        unit: of ours and reference: `s`, `MB`, or what is counted.
        ours, reference: medians of the samples.
        limit: what `ratio` may be at most; None where there is only something to report.
        samples: how many pairs were taken.
    """

    name: str
    unit: str
    ours: float
    reference: float
    ratio: float
    limit: float | None
    samples: int
    note: str = ""

    @property
    def within(self) -> bool:
        return self.limit is None or self.ratio <= self.limit


def compare(
    name: str,
    ours: Sequence[float],
    reference: Sequence[float],
    *,
    limit: float | None,
    unit: str = "s",
    note: str = "",
) -> Figure:
    """Return the figure of paired samples: its ratio is the median of the pairs' ratios."""
    ratio = statistics.median(a / b for a, b in zip(ours, reference, strict=True))
    medians = statistics.median(ours), statistics.median(reference)
    return Figure(name, unit, *(round(m, 4) for m in medians), round(ratio, 4), limit, len(ours), note)


def seconds(command: Sequence[str], env: Mapping[str, str] | None = None, cwd: Path | None = None) -> float:
    """Return how long a command takes, start to end; it must exit with 0."""
    begun = time.perf_counter()
    subprocess.run(command, env=env, cwd=cwd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begun


def record(benchmark: str, figures: Sequence[Figure], file: Path = RESULTS) -> None:
    """Put a benchmark's figures into the file of results, with the versions that they were measured with."""
    benchmarks = json.loads(file.read_text(encoding="utf-8"))["benchmarks"] if file.exists() else {}
    benchmarks[benchmark] = {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
        "machine": {"system": platform.platform(), "cores": len(os.sched_getaffinity(0))},
        "figures": [{**asdict(figure), "within": figure.within} for figure in figures],
    }
    document = {"schema": 2, "benchmarks": benchmarks}
    file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def page(text: str, results: Path = RESULTS) -> str:
    """Return the text of the documentation's page with the table of all that was measured."""
    benchmarks = json.loads(results.read_text(encoding="utf-8"))["benchmarks"]
    known = [field.name for field in fields(Figure)]
    rows = [Figure(**{key: row[key] for key in known}) for each in benchmarks.values() for row in each["figures"]]
    before, begin, rest = text.partition("<!-- figures: begin -->\n")
    _, end, after = rest.partition("<!-- figures: end -->")
    return f"{before}{begin}{table(rows)}\n{end}{after}"


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as a Markdown table."""
    lines = ["| what | ours | reference | ratio | limit | |", "|---|---|---|---|---|---|"]
    for figure in figures:
        limit = "" if figure.limit is None else f"{figure.limit:g}"
        verdict = "ok" if figure.within else "OVER"
        values = f"{figure.ours:.3g} {figure.unit} | {figure.reference:.3g} {figure.unit} | {figure.ratio:.3f}"
        lines.append(f"| {figure.name} | {values} | {limit} | {verdict}{'; ' + figure.note if figure.note else ''} |")
    return "\n".join(lines)
