"""Keeping what a check saw: every host's findings go one step on, and all of it is stored at once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bedplate.drift.check import CheckRecord, DriftCheck, FindingCounts, HostState
from bedplate.drift.finding import (
    CheckKind,
    Finding,
    FindingEvent,
    FindingState,
    HostFacts,
    Identity,
    Intent,
    Transition,
)
from bedplate.drift.lifecycle import Background, HostLife, Step
from bedplate.drift.observation import By, HostCheck
from bedplate.drift.repository import DriftRepository
from bedplate.drift.waivers import Waivers
from bedplate.watch.background import FleetBackground
from bedplate.watch.waiver_file import WaiverBook


@dataclass(frozen=True)
class CheckResult:
    """What a check came to.

    Attributes:
        open: findings that no waiver accepts, the new ones too.
        waived: open findings that one does.
        resolved: findings that this check resolved.
    """

    check: DriftCheck
    states: Sequence[HostState]
    open: Sequence[Finding]
    waived: Sequence[Finding]
    resolved: Sequence[Finding]


class Recording:
    """Takes what checks saw into the store.

    Args:
        background: what else is known of the hosts.
        book: the waivers.
    """

    def __init__(self, drift: DriftRepository, background: FleetBackground, book: WaiverBook) -> None:
        self._drift = drift
        self._background = background
        self._book = book

    def record(
        self, check: DriftCheck, seen: Sequence[HostCheck], at: datetime, *, fully: Collection[str] = ()
    ) -> CheckResult:
        """Keep a check with all that it saw; harmless when repeated with the same id.

        Args:
            check: the check, without what it came to.
            seen: what it says of each host, each host once.
            at: when it ended.
            fully: hosts of a fast check that were sent to the full check.

        Raises:
            StoreError: the store cannot be written; nothing of the check was kept then.
            InventoryError: there is no usable inventory.
        """
        hosts = [one.host for one in seen]
        facts = self._background.facts(check.product, hosts)
        states = {state.host: state for state in self._drift.host_states(check.product, hosts)}
        intents = self._background.intents(check.product, hosts)
        known: dict[str, dict[Identity, Finding]] = defaultdict(dict)
        for finding in self._drift.known(hosts):
            known[finding.observed.host][finding.identity] = finding
        steps: list[Step] = []
        after: list[HostState] = []
        for one in seen:
            before, intent = states.get(one.host), intents.get(one.host)
            judged_at = before.judged_at if before else None
            background = Background(
                facts[one.host], judged_at, intent, self._background.moved(intent), self._recorded(one, intent)
            )
            kind = CheckKind.FULL if one.host in fully else check.kind
            steps += HostLife(replace(check, kind=kind), at, one, background).steps(known[one.host])
            after.append(_state(check, one, facts[one.host], judged_at, at))
        waivers = Waivers(self._book.all(), at.date(), facts)
        result = _result(check, at, steps, after, waivers)
        self._drift.record(_record(result, steps, at))
        return result

    def _recorded(self, seen: HostCheck, intent: Intent | None) -> By | None:
        """Return who changed what NetBox says of a host, where something there moved and is looked at in full."""
        if seen.stale is None or not seen.stale.variables or not seen.observations:
            return None
        return self._background.recorded(seen.host, intent.brought_at if intent else None)


def _state(
    check: DriftCheck, seen: HostCheck, facts: HostFacts, judged_at: datetime | None, at: datetime
) -> HostState:  # fmt: skip
    return HostState(
        host=seen.host,
        product=check.product,
        check=check.id,
        outcome=seen.outcome,
        checked_at=at,
        judged_at=at if seen.outcome.judged else judged_at,
        reason=seen.reason,
        site=facts.site,
        owner=facts.owner,
        coverage=seen.coverage,
    )


def _result(
    check: DriftCheck, at: datetime, steps: Sequence[Step], states: Sequence[HostState], waivers: Waivers
) -> CheckResult:
    findings = [step.finding for step in steps if step.finding.state.is_open]
    waived = [finding for finding in findings if waivers.of(finding) is not None]
    ids = {finding.id for finding in waived}
    left = [finding for finding in findings if finding.id not in ids]
    resolved = [step.finding for step in steps if step.transition is Transition.RESOLVED]
    counted = Counter(finding.state for finding in left)
    parts = [part for state in states for part in state.coverage]
    done = replace(
        check,
        finished_at=at,
        outcomes=dict(Counter(state.outcome for state in states)),
        findings=FindingCounts(
            new=counted[FindingState.NEW],
            reopened=counted[FindingState.REOPENED],
            resolved=len(resolved),
            staying=counted[FindingState.OPEN],
            waived=len(waived),
        ),
        judged=sum(part.judged for part in parts),
        unverifiable=sum(len(part.unverifiable) for part in parts),
    )
    return CheckResult(done, states, left, waived, resolved)


def _record(result: CheckResult, steps: Sequence[Step], at: datetime) -> CheckRecord:
    events: list[FindingEvent] = [event for step in steps if (event := step.event(result.check, at))]
    return CheckRecord(
        check=result.check,
        states=result.states,
        changed=[step.finding for step in steps if not step.only_seen],
        seen=[step.finding.id for step in steps if step.only_seen],
        events=events,
    )
