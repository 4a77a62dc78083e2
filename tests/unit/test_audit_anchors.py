"""Where the end of the audit log is said: in a file, and in a syslog that listens."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bedplate.guardrails.audit import GENESIS, AuditRecord, anchor, chain, read_anchors
from bedplate.launch.auditing import tell
from bedplate.settings import AuditSettings

KEY = b"0123456789abcdef"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ENTRY = chain(AuditRecord("asked", NOW, "ada", "ada", "machine"), 1, GENESIS)
# The system's log is a socket of a fixed name, so this process gets a /dev of its own.
NAMESPACE = ["unshare", "--mount", "--map-root-user", "--propagation", "private"]
LISTENER = """
import socket, subprocess, sys
subprocess.run(["mount", "-t", "tmpfs", "none", "/dev"], check=True)
system = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
system.bind("/dev/log")
system.settimeout(10)
from unit.test_audit_anchors import ENTRY, KEY, NOW, AuditSettings, anchor, tell
tell(AuditSettings(syslog=True), anchor(ENTRY, KEY, NOW))
print(system.recv(4096).decode())
"""


def test_a_file_has_one_signed_line_for_each_entry(tmp_path: Path) -> None:
    file = tmp_path / "anchors"
    for _ in range(2):
        tell(AuditSettings(anchor_file=str(file)), anchor(ENTRY, KEY, NOW))
    anchors, faults = read_anchors(file.read_text(encoding="utf-8").splitlines(), KEY)
    assert (anchors, faults) == ([anchor(ENTRY, KEY, NOW)] * 2, [])
    assert file.stat().st_mode & 0o777 & ~0o640 == 0


def test_syslog_hears_the_signed_line() -> None:
    own = subprocess.run([*NAMESPACE, "mount", "-t", "tmpfs", "none", "/dev"], capture_output=True, check=False)
    if own.returncode:
        pytest.skip("this machine lets nobody have a /dev of their own")
    said = subprocess.run(
        [*NAMESPACE, sys.executable, "-c", LISTENER],
        cwd=Path(__file__).parents[1], capture_output=True, check=True, encoding="utf-8",
    ).stdout  # fmt: skip
    assert said.startswith("<37>"), "a notice of the log for authorisation"
    assert "bedplate[" in said
    assert read_anchors([said], KEY) == ([anchor(ENTRY, KEY, NOW)], [])
