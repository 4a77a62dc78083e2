"""What a check exits with, and how much findings matter."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bedplate.commands.drift_check import exit_code_of_check
from bedplate.drift import CheckOutcome, Observation, Severity
from bedplate.drift.check import HostState
from bedplate.drift.finding import Cause, CheckKind, Finding, FindingState, Since
from bedplate.drift.observation import UPDATE_KIND
from bedplate.drift.severities import is_break_in, severity_of

AT = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
CLEAN = HostState("a", "baseline", "c1", CheckOutcome.CLEAN, AT)
STALE = replace(CLEAN, outcome=CheckOutcome.STALE, reason="since the seal, roles and playbooks changed")
AWAY = replace(CLEAN, outcome=CheckOutcome.UNKNOWN, reason="could not be reached: no route to host")
UNSEALED = replace(CLEAN, outcome=CheckOutcome.UNKNOWN, reason="there is no seal of it")
DRIFT = Finding(
    Observation("a", "file", "/etc/motd", "content"), "baseline", CheckKind.FAST, FindingState.NEW, Cause.CORRECTIVE,
    AT, AT, AT, Since(None, AT),
)  # fmt: skip
UPDATE = replace(DRIFT, observed=Observation("a", UPDATE_KIND, "curl", "version"), cause=Cause.EXPECTED)


@pytest.mark.parametrize(
    ("states", "findings", "code"),
    [
        ([CLEAN], [], 0),
        ([CLEAN], [UPDATE], 0),
        ([STALE, CLEAN], [], 0),
        ([CLEAN], [UPDATE, DRIFT], 6),
        ([AWAY, CLEAN], [DRIFT], 4),
        ([UNSEALED, AWAY], [DRIFT], 5),
        ([UNSEALED], [], 5),
    ],
)
def test_hosts_that_could_not_be_judged_outrank_drift(
    states: list[HostState], findings: list[Finding], code: int
) -> None:
    assert exit_code_of_check(states, findings, []) == code


def test_who_could_get_in_matters_most() -> None:
    assert severity_of("file", "/etc/sudoers.d/x", "content") is Severity.CRITICAL
    assert severity_of("package", "telnet", "presence", managed=False) is Severity.LOW
    assert severity_of("package", "auditd", "presence") is Severity.MEDIUM
    assert is_break_in("user", {"presence": "absent"}, {"uid": "0"})
    assert not is_break_in("user", {"uid": "0", "shell": "/bin/sh"}, {"uid": "0", "shell": "/bin/bash"})
    assert is_break_in("module", {"presence": "absent"}, {"tree": "foreign"})
    assert not is_break_in("file", {"uid": "1"}, {"uid": "0"})
