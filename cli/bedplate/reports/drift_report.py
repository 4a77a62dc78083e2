"""What every report on drift is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bedplate.drift.check import DriftCheck, HostState
from bedplate.drift.finding import Finding
from bedplate.drift.waivers import Waiver
from bedplate.reports.drift_documents import check_document, finding_document


@dataclass(frozen=True)
class DriftReport:
    """How the hosts of one product stand.

    Attributes:
        check: the last check.
        states: how each host stood after the last check of it.
        open: findings that nobody accepted, the gravest and then the oldest first.
        waived: open findings that somebody did, each with the waiver.
        resolved: findings that the last check found gone.
        trend: checks, oldest first.
    """

    at: datetime
    check: DriftCheck
    states: Sequence[HostState]
    open: Sequence[Finding]
    waived: Sequence[tuple[Finding, Waiver]] = ()
    resolved: Sequence[Finding] = ()
    trend: Sequence[DriftCheck] = ()

    @property
    def owners(self) -> Mapping[str, Sequence[Finding]]:
        """The open findings by who answers for them, by name."""
        owners: dict[str, list[Finding]] = {}
        for finding in self.open:
            owners.setdefault(finding.owner or "nobody", []).append(finding)
        return dict(sorted(owners.items()))

    @property
    def coverage(self) -> Mapping[str, tuple[int, int]]:
        """By role, how many tasks could, and could not, be judged over all hosts."""
        roles: dict[str, tuple[int, int]] = {}
        for part in (part for state in self.states for part in state.coverage):
            judged, lacking = roles.get(part.role, (0, 0))
            roles[part.role] = (judged + part.judged, lacking + len(part.unverifiable))
        return roles


def report_document(report: DriftReport) -> dict[str, Any]:
    """Return the report as a document: the check with all hosts and open findings, then the rest."""
    findings = [finding_document(finding) for finding in report.open]
    return {
        **check_document(report.check, report.states, findings),
        "waived": [finding_document(finding, waiver) for finding, waiver in report.waived],
        "resolved": [finding_document(finding) for finding in report.resolved],
        "trend": [check_document(check) for check in report.trend],
    }
