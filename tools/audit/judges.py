"""The judges. A further one is a function from a host to a verdict, and a line in JUDGES."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from audit.hosts import AuditError, Host
from audit.observers import promtool
from audit.ports import nmap
from audit.tls import sslyze
from audit.verdicts import Finding, Verdict

SSH_AUDIT = Path(__file__).resolve().parents[2] / ".venv-audit" / "bin" / "ssh-audit"
# Seconds: an emulated machine answers late.
_PATIENCE = "60"
LEAST_INDEX = {"container": 80, "metal": 85}
_LYNIS = """
dpkg-query --show lynis >/dev/null 2>&1 ||
    DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install lynis >/dev/null
cd / && lynis audit system --cronjob --quiet --no-log --report-file /run/lynis-report.dat >/dev/null 2>&1
cat /run/lynis-report.dat && rm /run/lynis-report.dat
"""


def read_lynis(report: str) -> tuple[str, int, list[Finding]]:
    """Return the version, the hardening index, and the suggestions and warnings of a Lynis report."""
    values, findings = {}, []
    for line in report.splitlines():
        name, _, value = line.partition("=")
        if name in ("suggestion[]", "warning[]"):
            key, text, detail = [*value.split("|"), "", ""][:3]
            # Of sshd's settings each one has a reason of its own; the text begins with its keyword.
            keyword = detail.split(" ")[0] if key == "SSH-7408" else ""
            findings.append(Finding(f"{key} {keyword}".strip(), f"{text} {detail}".strip(" -")))
        else:
            values[name] = value
    if "hardening_index" not in values:
        raise AuditError("Lynis gave no hardening index")
    return values["lynis_version"], int(values["hardening_index"]), findings


def lynis(host: Host) -> Verdict:
    """The hardening index of Lynis, with all of its tests."""
    version, index, findings = read_lynis(host.run(_LYNIS))
    least = LEAST_INDEX["container" if host.is_container else "metal"]
    return Verdict("lynis", version, host.name, f"{index} of {least}", index >= least, tuple(findings))


def read_ssh_audit(report: str) -> tuple[list[Finding], list[Finding]]:
    """Return what ssh-audit fails and what it warns of, from its JSON report."""
    found: dict[str, list[Finding]] = {"fail": [], "warn": []}
    document = json.loads(report)
    for kind in ("kex", "key", "enc", "mac"):
        for entry in document[kind]:
            for level, findings in found.items():
                for note in entry.get("notes", {}).get(level, []):
                    findings.append(Finding(f"ssh-audit {entry['algorithm']}", f"{kind}: {note}"))
    return found["fail"], found["warn"]


def ssh_audit(host: Host) -> Verdict:
    """What ssh-audit says of the algorithms of sshd, from the control node."""
    name, port = host.address
    # Its exit code tells of warnings; whether it could do its work is seen from its report.
    done = subprocess.run(
        [SSH_AUDIT, "-j", "-t", _PATIENCE, f"{name}:{port}"], capture_output=True, text=True, check=False
    )
    try:
        fails, warnings = read_ssh_audit(done.stdout)
    except (json.JSONDecodeError, KeyError) as error:
        raise AuditError(f"{host.name}: ssh-audit gave no report: {(done.stderr or done.stdout).strip()}") from error
    ask = "import importlib.metadata; print(importlib.metadata.version('ssh-audit'))"
    version = subprocess.run([SSH_AUDIT.with_name("python"), "-c", ask], capture_output=True, text=True, check=True)
    score = f"{len(fails)} fail, {len(warnings)} warn"
    return Verdict(
        "ssh-audit", version.stdout.strip(), host.name, score, not (fails or warnings), tuple(fails + warnings)
    )


JUDGES: tuple[Callable[[Host], Verdict | None], ...] = (lynis, ssh_audit, sslyze, promtool, nmap)
