"""nmap on ports of a host, from hosts beside it: just what the firewall promises may answer."""

from __future__ import annotations

import re

from audit.hosts import AuditError, Host
from audit.verdicts import Finding, Verdict

# From where a port answers by the role firewall, on hosts to which NetBox gives no further services.
SSH, EXPORTER, LOGS, PROMETHEUS, ALERTMANAGER = 22, 9100, 2514, 9090, 9093
# The index of a lab's image holds only what the image carries.
_NMAP = """
export DEBIAN_FRONTEND=noninteractive
exec 9>/run/audit-nmap.lock && flock 9
dpkg-query --show nmap >/dev/null 2>&1 || {{
    rm -rf /var/lib/apt/lists/* && apt-get -q update && apt-get -q -y --no-install-recommends install nmap
}} >/dev/null
nmap --version | sed -n 's/^Nmap version \\([^ ]*\\).*/\\1/p'
nmap -Pn -n -sS -sU -p T:1-65535,U:1-1024 --min-rate 3000 --max-retries 2 -oG - {address}
"""
_PORT = re.compile(r"(\d+)/(open|closed)/(tcp|udp)/")


Port = tuple[str, int]


def promised(host: Host, viewer: Host) -> set[Port]:
    """Return the ports of a host that the firewall lets another host reach: protocol and number."""
    if viewer.name == host.observer.name:
        return {("tcp", SSH), ("tcp", EXPORTER)}
    return {("tcp", LOGS)} if host.name == host.observer.name else set()


def read_nmap(report: str) -> tuple[str, set[Port], set[Port]]:
    """Return nmap's version, the open ports, and all that answer: one that is closed and not dropped does too.

    Of UDP, what gives no answer is not known to be open, and that is how it should be.
    """
    version, _, scan = report.partition("\n")
    if "# Nmap done" not in scan:
        raise AuditError(f"nmap did not finish: {report.strip()}")
    if "Ignored State: closed" in scan:
        raise AuditError(f"no firewall drops anything: {scan.strip()}")
    answers = {(protocol, int(port)): state for port, state, protocol in _PORT.findall(scan)}
    return version, {port for port, state in answers.items() if state == "open"}, set(answers)


def nmap(host: Host) -> Verdict:
    """What answers, on all TCP ports and 1,024 of UDP: to the observer, and to a host that is nothing to it."""
    version, findings, seen = "", [], []
    for viewer in (host.neighbor, host.observer):
        if viewer.name == host.name:
            continue
        version, opened, answering = read_nmap(viewer.run(_NMAP.format(address=host.address[0])))
        due = promised(host, viewer)
        seen.append(f"{viewer.name} sees {', '.join(map(_named, sorted(opened))) or 'nothing'}")
        findings += [Finding(f"nmap {_named(port)}", f"answers {viewer.name}") for port in sorted(answering - due)]
        findings += [Finding(f"nmap {_named(port)}", f"is closed to {viewer.name}") for port in sorted(due - opened)]
    return Verdict("nmap", version, host.name, "; ".join(seen), not findings, tuple(findings))


def _named(port: Port) -> str:
    protocol, number = port
    return str(number) if protocol == "tcp" else f"{number}/{protocol}"
