# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Looks at the services that teams have on this host, and shows what it sees as metrics.

The module service_deploy installs this file on hosts as a program of its own, which a timer starts. It needs the
standard library only. Each look is one check of each service: whether its unit is active and its health check answers.
"""

from __future__ import annotations

import glob
import json
import os
import re
import socket
import subprocess
import sys
import urllib.request

RECORDS = "/etc/bedplate/services"
STATE = "/var/lib/bedplate/services.json"
METRICS = "bedplate_services.prom"
UNIT = "bedplate-services"
PROGRAM = "/usr/local/sbin/bedplate-services"
_SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: -?[0-9]+)?$")
_OURS = re.compile(r"(?:^|,)\s*(service|team|cost_center|host|site|region|class|role|tenant)=")
_MOST_SAMPLES = 1000
_PATIENCE = 3.0


def records() -> list[dict]:
    """Return what is known of each service of this host, by name."""
    found = []
    for path in sorted(glob.glob(os.path.join(RECORDS, "*.json"))):
        with open(path, encoding="utf-8") as file:
            found.append(json.load(file))
    return found


def is_well(record: dict) -> bool:
    """Return whether a service's unit is active and its health check answers."""
    unit = "{0}.service".format(record["name"])
    if subprocess.run(["systemctl", "is-active", "--quiet", unit], check=False).returncode != 0:
        return False
    return not record["health"] or _fetch(record["health"]) is not None


def _fetch(address: str) -> str | None:
    """Return what an address answers, as text; None when it does not answer, or with an error."""
    try:
        if not address.startswith(("http://", "https://")):
            host, _, port = address.rpartition(":")
            socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()
            return ""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(address, timeout=_PATIENCE) as answer:
            return answer.read(4_000_000).decode("utf-8", "replace")
    except (OSError, ValueError):
        return None


def samples(text: str, labels: str) -> list[str]:
    """Return a service's own metrics under names of their own (`service_…`), with the labels that say whose they are.

    Names of their own, because two programs on one host may call different things by one name; what clashes with the
    labels of the target is left out.
    """
    found = []
    for line in text.splitlines():
        match = _SAMPLE.match(line.strip())
        if match is None or line.startswith("#"):
            continue
        name, own, value = match.groups()
        if not own or not _OURS.search(own):
            found.append("service_{0}{{{1}}} {2}".format(name, ",".join(filter(None, (labels, own))), value))
    # All of a name together, as the format wants it.
    return sorted(found[:_MOST_SAMPLES], key=lambda line: line.partition("{")[0])


def look(counts: dict) -> str:
    """Look at each service once; return the metrics, with `counts` brought up to date."""
    own: dict[str, list[str]] = {}
    measured: list[str] = []
    for record in records():
        labels = 'service="{name}",team="{team}",cost_center="{cost_center}"'.format(**record)
        well = is_well(record)
        count = counts.setdefault(record["name"], {"checks": 0, "failures": 0})
        count["checks"] += 1
        count["failures"] += not well
        values = {"up": int(well), "objective_ratio": record["objective"]}
        values.update(checks_total=count["checks"], check_failures_total=count["failures"])
        for name, value in values.items():
            own.setdefault(name, []).append("bedplate_service_{0}{{{1}}} {2}".format(name, labels, value))
        if record["metrics"]:
            measured += samples(_fetch(record["metrics"]) or "", labels)
    lines = [line for name in sorted(own) for line in own[name]]
    return "".join(line + "\n" for line in lines + sorted(measured, key=lambda line: line.partition("{")[0]))


def write(path: str, text: str, mode: int) -> None:
    """Replace a file in one step."""
    temporary = os.path.join(os.path.dirname(path), ".{0}.new".format(os.path.basename(path)))
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
        os.fchmod(file.fileno(), mode)
    os.rename(temporary, path)


def main(folder: str) -> None:
    """Look, and write the metrics into the folder of text files, where there is one."""
    try:
        with open(STATE, encoding="utf-8") as file:
            before = json.load(file)
    except (FileNotFoundError, ValueError):
        before = {}
    names = {record["name"] for record in records()}
    counts = {name: count for name, count in before.items() if name in names}
    text = look(counts)
    os.makedirs(os.path.dirname(STATE), exist_ok=True)
    write(STATE, json.dumps(counts), 0o600)
    if os.path.isdir(folder):
        write(os.path.join(folder, METRICS), text, 0o644)


if __name__ == "__main__":
    main(sys.argv[1])
