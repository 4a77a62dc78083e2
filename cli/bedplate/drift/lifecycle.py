"""The life of findings: what a check of a host opens, sees again, resolves and reopens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bedplate.drift.check import DriftCheck
from bedplate.drift.finding import (
    Cause,
    CheckKind,
    Finding,
    FindingEvent,
    FindingState,
    HostFacts,
    Identity,
    Intent,
    Since,
    Transition,
)
from bedplate.drift.observation import RECORD_KIND, UPDATE_KIND, By, HostCheck, Observation, Staleness

# What only a full check can name: it has no resource that the seal could hold.
TASK_KIND = "task"
# What tasks hardly ever look at.
_SEEN_BY_FAST_ONLY = frozenset({"acl", "attributes", "capabilities", "configuration", "selection", "version"})


@dataclass(frozen=True, slots=True)
class Step:
    """A finding after a check.

    Args:
        transition: None where it was seen once more with the same value.
        only_seen: nothing but when and how often it was seen has changed.
    """

    finding: Finding
    transition: Transition | None
    only_seen: bool = False

    def event(self, check: DriftCheck, at: datetime) -> FindingEvent | None:
        """Return what is kept of this step; None where nothing is."""
        if self.transition is None:
            return None
        return FindingEvent(self.finding.id, at, self.transition, check.id, self.finding.observed.after)


@dataclass(frozen=True, slots=True)
class MovedContent:
    """What of the content is another than it was.

    Args:
        roles: by name.
        common: whether anything that all roles use.
        changes: by role, the last change of it.
    """

    roles: frozenset[str] = frozenset()
    common: bool = False
    changes: Mapping[str, By] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Background:
    """What is known of a host when a check of it is judged.

    Args:
        judged_at: when the host could last be judged before this check; None if it never could.
        intent: what a run last brought the host to; None if none did.
        moved: what of the content differs from that of `intent`; None where nobody can say.
        recorded: the last change of what the inventory says of the host; None where nobody can say.
    """

    facts: HostFacts = field(default_factory=HostFacts)
    judged_at: datetime | None = None
    intent: Intent | None = None
    moved: MovedContent | None = None
    recorded: By | None = None


class HostLife:
    """Applies one check of one host to the findings that are known of it.

    Args:
        check: the check; `at` is the moment from which on what it saw is known.
        seen: what it says of the host.
        background: what else is known of the host.
    """

    def __init__(self, check: DriftCheck, at: datetime, seen: HostCheck, background: Background) -> None:
        self._check = check
        self._at = at
        self._seen = seen
        self._background = background

    def steps(self, known: Mapping[Identity, Finding]) -> Iterator[Step]:
        """Yield what becomes of each finding that this check opens, sees again or resolves.

        Args:
            known: all findings of the host, the resolved ones too, by identity.
        """
        observed = {observation.identity: observation for observation in self._seen.observations}
        for identity, observation in observed.items():
            finding = known.get(identity)
            if finding is None:
                yield Step(self._opened(observation), Transition.OPENED)
            elif finding.state.is_open:
                yield self._seen_again(finding, observation)
            else:
                yield Step(self._reopened(finding, observation), Transition.REOPENED)
        for identity, finding in known.items():
            if identity not in observed and finding.state.is_open and self._judges(finding):
                gone = replace(finding, state=FindingState.RESOLVED, resolved_at=self._at)
                yield Step(gone, Transition.RESOLVED)

    def _opened(self, observation: Observation) -> Finding:
        cause, by = self._why(observation)
        return Finding(
            observed=observation,
            product=self._check.product,
            check=self._check.kind,
            state=FindingState.NEW,
            cause=cause,
            first_seen=self._at,
            opened_at=self._at,
            last_seen=self._at,
            since=self._since(),
            by=by,
            owner=self._background.facts.owner,
        )

    def _reopened(self, finding: Finding, observation: Observation) -> Finding:
        opened = replace(self._opened(observation), state=FindingState.REOPENED, first_seen=finding.first_seen)
        times = [time for time in (opened.since.not_before, finding.resolved_at) if time is not None]
        return replace(opened, since=replace(opened.since, not_before=max(times, default=None)))

    def _seen_again(self, finding: Finding, observation: Observation) -> Step:
        same = replace(
            finding, state=FindingState.OPEN, last_seen=self._at, times_seen=finding.times_seen + 1
        )  # fmt: skip
        moved = observation.after != finding.observed.after
        again = replace(
            same,
            observed=observation,
            product=self._check.product,
            check=self._check.kind,
            by=observation.by if moved else finding.by or observation.by,
            owner=self._background.facts.owner,
        )
        return Step(again, Transition.CHANGED if moved else None, only_seen=again == same)

    def _judges(self, finding: Finding) -> bool:
        """Whether this check would have seen the finding if it still held: what nobody looked at is not resolved."""
        if not self._seen.outcome.judged or finding.product != self._check.product:
            return False
        observed = finding.observed
        if observed.kind == RECORD_KIND:
            return self._seen.recorded
        lacking = self._unverifiable(observed.role)
        if not lacking.isdisjoint((observed.task, observed.key, f"{observed.kind}:{observed.key}")):
            return False
        if self._check.kind is CheckKind.FULL:
            return finding.check is CheckKind.FULL or _is_seen_by_both(observed)
        # Of a task that could not be sealed a fast check says the reason, too.
        unsealed = any(name.startswith(f"{observed.task}: ") for name in lacking)
        return observed.kind != TASK_KIND and not unsealed

    def _unverifiable(self, role: str | None) -> set[str]:
        """Return what could not be judged of a role; of what no role manages, all that could not."""
        parts = (part for part in self._seen.coverage if role is None or part.role == role)
        return {name for part in parts for name in part.unverifiable}

    def _why(self, observation: Observation) -> tuple[Cause, By | None]:
        """Return why something is not as agreed, and who or what brought that about."""
        if observation.kind == UPDATE_KIND:
            return Cause.EXPECTED, observation.by
        if observation.kind == RECORD_KIND:
            return Cause.UNKNOWN, observation.by
        stale = self._seen.stale
        if stale is not None and _can_be_sealed(observation, stale):
            return self._why_of_stale(observation, stale)
        if stale is not None and stale.variables:
            return Cause.UNKNOWN, None
        cause = self._cause(observation)
        return cause, self._change_of(observation) if cause is Cause.INTENTIONAL else observation.by

    def _why_of_stale(self, observation: Observation, stale: Staleness) -> tuple[Cause, By | None]:
        """Where the host is as it was sealed, it did not move: what is agreed did."""
        for difference in stale.differences:
            if difference.identity == observation.identity:
                return Cause.CORRECTIVE, difference.by
        moved = self._background.moved
        if stale.content and moved is not None and observation.role in moved.roles:
            return Cause.INTENTIONAL, self._change_of(observation)
        if stale.variables:
            return Cause.INTENTIONAL, self._background.recorded
        return Cause.INTENTIONAL if moved is None or moved.common else Cause.UNKNOWN, None

    def _change_of(self, observation: Observation) -> By | None:
        moved = self._background.moved
        return moved.changes.get(observation.role or "") if moved else None

    def _cause(self, observation: Observation) -> Cause:
        intent, moved = self._background.intent, self._background.moved
        if intent is None:
            return Cause.UNKNOWN
        if intent.content_digest == self._check.content_digest:
            return Cause.CORRECTIVE
        if moved is None or observation.role is None:
            return Cause.UNKNOWN
        if observation.role in moved.roles:
            return Cause.INTENTIONAL
        return Cause.UNKNOWN if moved.common else Cause.CORRECTIVE

    def _since(self) -> Since:
        brought = self._background.intent.brought_at if self._background.intent else None
        times = [time for time in (self._background.judged_at, brought) if time is not None]
        return Since(max(times, default=None), self._at)


def _can_be_sealed(observed: Observation, stale: Staleness) -> bool:
    """Whether a seal would tell of this, if it had been agreed when the host was sealed."""
    if (observed.kind, observed.key) in stale.sealed:
        return True
    return observed.kind != TASK_KIND and observed.task not in stale.unsealed


def _is_seen_by_both(observed: Observation) -> bool:
    """Whether a full check sees this, too: not what nobody manages, what came besides, or a right that no task sets."""
    if observed.role is None or observed.attribute in _SEEN_BY_FAST_ONLY:
        return False
    return observed.attribute != "presence" or observed.before != "absent"
