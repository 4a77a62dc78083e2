"""Show that each lab host is observable: Prometheus scrapes it, and a line logged now reaches the log receiver."""

from __future__ import annotations

import json
import secrets
import ssl
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Sequence
from typing import Any

PATIENCE = 60.0


def main() -> int:
    """Print one line a host; return 0 when all of them can be seen."""
    hosts = _json("bedplate", "lab", "status", "-o", "json")["hosts"]
    observer = next(host for host in hosts if host["name"] == "fra1-obs-01")
    trust = ssl.create_default_context(cadata=_ssh(observer, "cat", "/etc/bedplate/tls/ca.pem"))
    token = f"bedplate-demo-{secrets.token_hex(6)}"
    for host in hosts:
        _ssh(host, "logger", "-t", "bedplate-demo", f"{token} {host['name']}")
    deadline = time.monotonic() + PATIENCE
    while True:
        up = _up(observer["address"], trust)
        lines = _ssh(observer, "sudo", "grep", "-rhF", token, "/var/log/bedplate/hosts")
        seen = {host["name"]: (up.get(host["name"], False), f"{token} {host['name']}" in lines) for host in hosts}
        if all(all(pair) for pair in seen.values()) or time.monotonic() > deadline:
            break
        time.sleep(1)
    for name, (scraped, logged) in sorted(seen.items()):
        print(f"  {name:<16} metrics {'up' if scraped else 'MISSING':<8} log line {'arrived' if logged else 'MISSING'}")
    print(f"  Prometheus: https://{observer['address']}:9090/targets")
    return 0 if all(all(pair) for pair in seen.values()) else 1


def _up(address: str, trust: ssl.SSLContext) -> dict[str, bool]:
    question = urllib.parse.urlencode({"query": 'up{job="node"}'})
    url = f"https://{address}:9090/api/v1/query?{question}"
    with urllib.request.urlopen(url, timeout=10, context=trust) as answer:
        series = json.load(answer)["data"]["result"]
    return {one["metric"].get("host", ""): one["value"][1] == "1" for one in series}


def _json(*command: str) -> Any:  # noqa: ANN401
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _ssh(host: dict[str, Any], *command: str) -> str:
    options = [f"UserKnownHostsFile={host['known_hosts']}", "StrictHostKeyChecking=yes", "BatchMode=yes"]
    arguments: Sequence[str] = [part for option in options for part in ("-o", option)]
    login = ["ssh", "-i", host["key"], "-p", str(host["port"]), *arguments, f"{host['user']}@{host['address']}"]
    return subprocess.run([*login, *command], check=False, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
