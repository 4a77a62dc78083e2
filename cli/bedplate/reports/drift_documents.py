"""Findings and checks as the documents that `-o json` shows; docs/schemas/ describes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bedplate.drift import CheckOutcome
from bedplate.drift.check import DriftCheck, HostState, coverage_percent
from bedplate.drift.finding import Finding, FindingEvent
from bedplate.drift.waivers import Waiver

SCHEMA = 1


def finding_document(
    finding: Finding, waiver: Waiver | None = None, history: Sequence[FindingEvent] | None = None
) -> dict[str, Any]:
    """Return a finding as a document; with `history` also the steps of its life."""
    seen = finding.observed
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "id": finding.id,
        "host": seen.host,
        "kind": seen.kind,
        "key": seen.key,
        "attribute": seen.attribute,
        "product": finding.product,
        "role": seen.role,
        "task": seen.task,
        "before": seen.before,
        "after": seen.after,
        "diff": seen.diff,
        "severity": seen.severity,
        "cause": finding.cause,
        "state": finding.state,
        "check": finding.check,
        "first_seen": finding.first_seen,
        "opened_at": finding.opened_at,
        "last_seen": finding.last_seen,
        "times_seen": finding.times_seen,
        "resolved_at": finding.resolved_at,
        "since": {"not_before": finding.since.not_before, "not_after": finding.since.not_after},
        "by": finding.by,
        "owner": finding.owner,
        "waiver": waiver_document(waiver) if waiver else None,
    }
    if history is not None:
        document["history"] = [
            {"at": event.at, "transition": event.transition, "check": event.check, "after": event.after}
            for event in history
        ]
    return document


def waiver_document(waiver: Waiver) -> dict[str, Any]:
    """Return a waiver as a document."""
    return {
        "id": waiver.id,
        "resource": waiver.scope.resource,
        "hosts": waiver.scope.hosts,
        "group": waiver.scope.group,
        "reason": waiver.reason,
        "owner": waiver.owner,
        "expires": waiver.expires,
        "created_by": waiver.created_by,
        "created_at": waiver.created_at,
    }


def check_document(
    check: DriftCheck, states: Sequence[HostState] | None = None, findings: Sequence[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Return a check as a document; with `states` and `findings` also what it says of each host."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "id": check.id,
        "product": check.product,
        "kind": check.kind,
        "requester": check.requester,
        "limit": check.limit,
        "started_at": check.started_at,
        "finished_at": check.finished_at,
        "content_digest": check.content_digest,
        "git_commit": check.git_commit,
        "outcomes": {outcome.value: check.outcomes.get(outcome, 0) for outcome in CheckOutcome},
        "findings": check.findings,
        "coverage": {"percent": check.coverage, "judged": check.judged, "unverifiable": check.unverifiable},
    }
    if states is not None:
        document["hosts"] = [host_document(state) for state in states]
    if findings is not None:
        document["open"] = list(findings)
    return document


def host_document(state: HostState) -> dict[str, Any]:
    """Return how a host stood after a check as a document."""
    judged, lacking = host_coverage(state)
    roles = [
        {
            "role": part.role,
            "percent": coverage_percent(part.judged, len(part.unverifiable)),
            "judged": part.judged,
            "unverifiable": list(part.unverifiable),
        }
        for part in state.coverage
    ]
    return {
        "host": state.host,
        "outcome": state.outcome,
        "reason": state.reason,
        "owner": state.owner,
        "site": state.site,
        "checked_at": state.checked_at,
        "judged_at": state.judged_at,
        "coverage": {"percent": coverage_percent(judged, lacking), "judged": judged, "unverifiable": lacking},
        "roles": roles,
    }


def host_coverage(state: HostState) -> tuple[int, int]:
    """Return how many tasks (or resources) of a host could, and could not, be judged."""
    return sum(part.judged for part in state.coverage), sum(len(part.unverifiable) for part in state.coverage)
