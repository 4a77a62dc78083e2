"""sslyze on what a host offers by TLS, seen from the observer, which the firewall lets in."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from audit.hosts import AuditError, Host
from audit.verdicts import Finding, Verdict

SSLYZE = Path(__file__).resolve().parents[2] / ".venv-audit" / "bin" / "sslyze"
# What Mozilla's profile does not list without calling it weak.
NOT_WEAK = ("tls_curves",)
_TLS = "/etc/bedplate/tls"
_LISTENING = "ss --no-header --listening --tcp --numeric"
_NOTE = re.compile(r"^\s+\* ([a-z_]+): (.+)$", re.MULTILINE)
_START_SECONDS = 20


def open_ports(sockets: str, ssh_port: int) -> list[int]:
    """Return the TCP ports that others may reach, but for that of sshd, from what `ss` lists."""
    ends = [line.split()[3].rpartition(":") for line in sockets.splitlines() if line.strip()]
    outside = {int(port) for address, _, port in ends if not address.strip("[]").startswith(("127.", "::1"))}
    return sorted(outside - {ssh_port})


def read_sslyze(port: int, report: dict[str, Any], compliance: str) -> list[Finding]:
    """Return what sslyze does not like of one port: what Mozilla's intermediate profile has against it, and its chain.

    Args:
        report: what sslyze wrote as JSON.
        compliance: what it printed.
    """
    scanned = report["server_scan_results"][0]
    if scanned["scan_result"] is None:
        lines = (scanned["connectivity_error_trace"] or "").strip().splitlines() or ["no answer"]
        return [Finding(f"sslyze {port} no_tls", f"no TLS with it: {lines[-1]}")]
    if "COMPLIANCE" not in compliance or "Scan did not run successfully" in compliance:
        raise AuditError(f"sslyze could not finish with port {port}")
    _, _, said = compliance.partition("COMPLIANCE AGAINST")
    findings = [Finding(f"sslyze {name}", f"port {port}: {text}") for name, text in _NOTE.findall(said)]
    for deployment in scanned["scan_result"]["certificate_info"]["result"]["certificate_deployments"]:
        ours = [
            each for each in deployment["path_validation_results"] if each["trust_store"]["name"] == "Supplied CA file"
        ]
        findings += [
            Finding("sslyze chain", f"port {port}: {each['validation_error']}")
            for each in ours
            if not each["was_validation_successful"]
        ]
    return findings


def sslyze(host: Host) -> Verdict:
    """What sslyze says of every TLS port of a host: protocols, ciphers, chain, known holes."""
    address, ssh_port = host.address
    ports = open_ports(host.run(_LISTENING), ssh_port)
    findings = []
    with TemporaryDirectory() as folder:
        # Exporters and receivers speak only with who has a certificate of the fleet.
        for name in ("ca.pem", "host.pem", "host.key"):
            file = Path(folder) / name
            file.touch(mode=0o600)
            file.write_text(host.observer.run(f"cat {_TLS}/{name}"), encoding="ascii")
        for port in ports:
            with tunnel(host.observer, address, port) as near:
                findings += _scan(host, port, near, Path(folder))
    version = subprocess.run([SSLYZE.with_name("python"), "-c", _VERSION], capture_output=True, text=True, check=True)
    weak = [finding for finding in findings if not finding.key.endswith(NOT_WEAK)]
    score = f"ports {', '.join(map(str, ports))}: {len(weak)} weak"
    return Verdict("sslyze", version.stdout.strip(), host.name, score, not weak, tuple(findings))


_VERSION = "import importlib.metadata; print(importlib.metadata.version('sslyze'))"


def _scan(host: Host, port: int, near: int, folder: Path) -> list[Finding]:
    report = folder / f"{port}.json"
    words = ["--mozilla_config=intermediate", "--slow_connection", f"--certinfo_ca_file={folder / 'ca.pem'}"]
    words += ["--cert", str(folder / "host.pem"), "--key", str(folder / "host.key"), f"--json_out={report}"]
    # The name that its certificate is for, at this end of the tunnel.
    command = [SSLYZE, *words, f"{host.name}:{near}{{127.0.0.1}}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not report.is_file():
        raise AuditError(f"{host.name}: sslyze gave no report of port {port}: {(done.stderr or done.stdout).strip()}")
    return read_sslyze(port, json.loads(report.read_text(encoding="utf-8")), done.stdout)


@contextmanager
def tunnel(via: Host, address: str, port: int) -> Iterator[int]:
    """Yield a port of this machine that leads to a port of a host, as if it were asked by another host."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        near: int = probe.getsockname()[1]
    forward = ["-N", "-L", f"127.0.0.1:{near}:{address}:{port}", "-o", "ExitOnForwardFailure=yes"]
    ssh = subprocess.Popen(["ssh", "-F", via.ssh_config, "-o", "ControlPath=none", *forward, via.name])
    try:
        _wait_for(near, ssh)
        yield near
    finally:
        ssh.terminate()
        ssh.wait()


def _wait_for(port: int, ssh: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError as error:
            if ssh.poll() is not None or time.monotonic() > deadline:
                raise AuditError(f"no tunnel came up on port {port}: {error}") from error
            time.sleep(0.1)
        else:
            return
