"""A check of hosts: what it was, what it came to, and how each host stood after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bedplate.drift.finding import CheckKind, Finding, FindingEvent
from bedplate.drift.observation import CheckOutcome, RoleCoverage


@dataclass(frozen=True, slots=True)
class FindingCounts:
    """How many findings a check opened, opened again, resolved, and saw once more. Waived ones are not among these."""

    new: int = 0
    reopened: int = 0
    resolved: int = 0
    staying: int = 0
    waived: int = 0

    @property
    def open(self) -> int:
        return self.new + self.reopened + self.staying


@dataclass(frozen=True, slots=True)
class DriftCheck:
    """One check.

    Args:
        id: unique; a full check has the id of its run.
        limit: the pattern as it was typed.
        content_digest: of the intent that was checked against.
        outcomes: how many hosts came to each outcome.
        judged, unverifiable: tasks (or resources) over all hosts that could, and could not, be judged.
    """

    id: str
    product: str
    kind: CheckKind
    requester: str
    started_at: datetime
    finished_at: datetime | None = None
    limit: str | None = None
    content_digest: str = ""
    git_commit: str | None = None
    outcomes: Mapping[CheckOutcome, int] = field(default_factory=dict)
    findings: FindingCounts = FindingCounts()
    judged: int = 0
    unverifiable: int = 0

    @property
    def coverage(self) -> float | None:
        """How much could be judged, in percent; None where nothing was looked at."""
        return coverage_percent(self.judged, self.unverifiable)


@dataclass(frozen=True, slots=True)
class HostState:
    """How a host stood after the last check of one product.

    Args:
        judged_at: when it could last be judged; None if it never could.
    """

    host: str
    product: str
    check: str
    outcome: CheckOutcome
    checked_at: datetime
    judged_at: datetime | None = None
    reason: str | None = None
    site: str | None = None
    owner: str | None = None
    coverage: tuple[RoleCoverage, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """All that a check changes in the store, to be kept whole or not at all.

    Args:
        changed: findings that are new or differ in more than in when they were last seen.
        seen: ids of findings that were only seen once more.
    """

    check: DriftCheck
    states: Sequence[HostState] = ()
    changed: Sequence[Finding] = ()
    seen: Sequence[str] = ()
    events: Sequence[FindingEvent] = ()


def coverage_percent(judged: int, unverifiable: int) -> float | None:
    """Return how much of what was looked at could be judged, in percent with one digit; None for nothing."""
    total = judged + unverifiable
    return round(100 * judged / total, 1) if total else None
