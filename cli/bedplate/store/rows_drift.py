"""Between findings, checks and waivers, and their rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row

from bedplate.drift import CheckOutcome, Observation, RoleCoverage, Severity
from bedplate.drift.check import DriftCheck, FindingCounts, HostState
from bedplate.drift.finding import (
    Cause,
    CheckKind,
    Finding,
    FindingEvent,
    FindingState,
    Since,
    Transition,
    finding_id,
)
from bedplate.drift.night import Message, Night, NightPhase
from bedplate.drift.observation import By, Confidence
from bedplate.drift.waivers import Scope, Waiver
from bedplate.store.columns import plain_text
from bedplate.store.payload import pack_document, unpack_document
from bedplate.store.tables_drift import CHECK_COUNTS, CHECK_OUTCOMES

_CHECK_FIELDS = (
    "id", "product", "requester", "started_at", "finished_at", "content_digest", "git_commit", "judged",
    "unverifiable",
)  # fmt: skip
_STATE_FIELDS = ("host", "product", "checked_at", "judged_at", "reason", "site", "owner")
_FINDING_FIELDS = (
    "product", "first_seen", "opened_at", "last_seen", "times_seen", "resolved_at", "owner",
)  # fmt: skip
_NIGHT_FIELDS = ("id", "product", "inventory", "started_at", "finished_at", "run_id", "error")


def row_of_check(check: DriftCheck) -> dict[str, Any]:
    """Return the row of a check."""
    return {
        **{name: getattr(check, name) for name in _CHECK_FIELDS},
        "kind": check.kind.value,
        "host_limit": check.limit,
        **{column: check.outcomes.get(outcome, 0) for outcome, column in CHECK_OUTCOMES.items()},
        **{f"findings_{name}": getattr(check.findings, name) for name in CHECK_COUNTS},
    }


def check_of(row: Row[Any]) -> DriftCheck:
    """Return the check of a row of drift_checks."""
    outcomes = {outcome: getattr(row, column) for outcome, column in CHECK_OUTCOMES.items()}
    return DriftCheck(
        **{name: getattr(row, name) for name in _CHECK_FIELDS},
        kind=CheckKind(row.kind),
        limit=row.host_limit,
        outcomes={outcome: count for outcome, count in outcomes.items() if count},
        findings=FindingCounts(**{name: getattr(row, f"findings_{name}") for name in CHECK_COUNTS}),
    )


def row_of_state(state: HostState) -> dict[str, Any]:
    """Return the row of how a host stood."""
    coverage = [[part.role, part.judged, list(part.unverifiable)] for part in state.coverage]
    return {
        **{name: getattr(state, name) for name in _STATE_FIELDS},
        "check_id": state.check,
        "outcome": state.outcome.value,
        "coverage": pack_document(coverage),
    }


def state_of(row: Row[Any]) -> HostState:
    """Return how a host stood, of a row of drift_hosts."""
    parts: Any = unpack_document(row.coverage) if row.coverage else []
    return HostState(
        **{name: getattr(row, name) for name in _STATE_FIELDS},
        check=row.check_id,
        outcome=CheckOutcome(row.outcome),
        coverage=tuple(RoleCoverage(role, judged, tuple(names)) for role, judged, names in parts),
    )


def row_of_finding(finding: Finding) -> dict[str, Any]:
    """Return the row of a finding. Its id is that of what it observed, whatever a database makes of odd names."""
    seen = finding.observed
    by = finding.by and _row_of_by(finding.by)
    bulk = [seen.host, seen.kind, seen.key, seen.attribute, seen.before, seen.after, seen.task, seen.diff, by]
    return {
        **{name: getattr(finding, name) for name in _FINDING_FIELDS},
        "id": finding_id(seen.identity),
        "host": plain_text(seen.host),
        "kind": seen.kind,
        "resource": plain_text(seen.key),
        "attribute": seen.attribute,
        "role": seen.role,
        "severity": seen.severity.value,
        "check_kind": finding.check.value,
        "state": finding.state.value,
        "cause": finding.cause.value,
        "not_before": finding.since.not_before,
        "not_after": finding.since.not_after,
        "bulk": pack_document(bulk),
    }


def finding_of(row: Row[Any]) -> Finding:
    """Return the finding of a row of findings."""
    unpacked: Any = unpack_document(row.bulk)
    host, kind, key, attribute, before, after, task, diff, by = unpacked
    observed = Observation(host, kind, key, attribute, before, after, row.role, task, Severity(row.severity), diff)
    return Finding(
        **{name: getattr(row, name) for name in _FINDING_FIELDS},
        observed=observed,
        check=CheckKind(row.check_kind),
        state=FindingState(row.state),
        cause=Cause(row.cause),
        since=Since(row.not_before, row.not_after),
        by=_by_of(*by) if by else None,
    )


def _row_of_by(by: By) -> list[str | None]:
    time = by.time.isoformat() if by.time else None
    return [by.user, by.command, by.evidence, time, by.source, by.confidence.value if by.confidence else None]


def _by_of(user: str | None, command: str | None, evidence: str | None, *more: str | None) -> By:
    time, source, confidence = more or (None, None, None)
    moment = datetime.fromisoformat(time) if time else None
    return By(user, command, evidence, moment, source, Confidence(confidence) if confidence else None)


def row_of_finding_event(event: FindingEvent) -> dict[str, Any]:
    """Return the row of a step in a finding's life."""
    return {
        "finding_id": event.finding,
        "check_id": event.check,
        "at": event.at,
        "transition": event.transition.value,
        "after": event.after,
    }


def finding_event_of(row: Row[Any]) -> FindingEvent:
    """Return the step of a row of finding_events."""
    return FindingEvent(row.finding_id, row.at, Transition(row.transition), row.check_id, row.after)


def row_of_waiver(waiver: Waiver) -> dict[str, Any]:
    """Return the row of a waiver."""
    return {
        "id": waiver.id,
        "reason": waiver.reason,
        "owner": waiver.owner,
        "created_by": waiver.created_by,
        "created_at": waiver.created_at,
        "expires": waiver.expires,
    }


def waiver_of(row: Row[Any]) -> Waiver:
    """Return the waiver of a row of waivers."""
    return Waiver(Scope.parse(row.id), row.reason, row.owner, row.created_by, row.created_at, row.expires)


def row_of_night(night: Night) -> dict[str, Any]:
    """Return the row of a night."""
    return {
        **{name: getattr(night, name) for name in _NIGHT_FIELDS},
        "phase": night.phase.value,
        "message": night.message and night.message.value,
        "fleet": None if night.fleet is None else pack_document(dict(night.fleet)),
    }


def night_of(row: Row[Any]) -> Night:
    """Return the night of a row of nights."""
    fleet: Any = None if row.fleet is None else unpack_document(row.fleet)
    return Night(
        **{name: getattr(row, name) for name in _NIGHT_FIELDS},
        phase=NightPhase(row.phase),
        message=Message(row.message) if row.message else None,
        fleet=fleet,
    )
