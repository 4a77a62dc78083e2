"""From the events of a run in check mode to what it says of each host."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bedplate.drift.lifecycle import TASK_KIND
from bedplate.drift.managed import full_name, is_neutral
from bedplate.drift.modules import MODULES
from bedplate.drift.observation import UNREACHABLE, CheckOutcome, HostCheck, Observation, RoleCoverage
from bedplate.drift.resources import Seen
from bedplate.drift.severities import severity_of
from bedplate.runs import Event, HostOutcome, HostResult

_ENDED_WELL = frozenset({"runner_on_ok", "runner_item_on_ok"})
_FAILED = frozenset({"runner_on_failed", "runner_item_on_failed"})
_END = "playbook_on_stats"
_PLAY_TASKS = "(play)"
_REASONS = {
    HostOutcome.UNREACHABLE: UNREACHABLE,
    HostOutcome.FAILED: "failed",
    HostOutcome.UNKNOWN: "nothing was done to it",
    HostOutcome.SKIPPED: "every task was skipped",
}
_LOST = frozenset({HostOutcome.FAILED, HostOutcome.UNREACHABLE})
_LONGEST_REASON = 300


@dataclass(slots=True)
class _Tasks:
    """What became of the tasks of one role on one host, by name."""

    judged: set[str] = field(default_factory=set)
    unverifiable: dict[str, None] = field(default_factory=dict)

    def coverage(self, role: str) -> RoleCoverage:
        return RoleCoverage(role, len(self.judged - self.unverifiable.keys()), tuple(self.unverifiable))


@dataclass(slots=True)
class _HostReading:
    """What was read of one host so far."""

    observations: dict[tuple[str, str, str, str], Observation] = field(default_factory=dict)
    roles: dict[str, _Tasks] = field(default_factory=dict)
    reason: str | None = None


class CheckReading:
    """Reads the events of one run in check and diff mode, one by one."""

    def __init__(self) -> None:
        self._hosts: dict[str, _HostReading] = {}
        self.complete = False  # whether the whole playbook was gone through, however hosts fared

    def add(self, event: Event) -> None:
        """Take one event in."""
        if event.kind == _END:
            self.complete = True
        if event.host is None or not event.kind.startswith("runner_"):
            return
        reading = self._hosts.setdefault(event.host, _HostReading())
        if event.failed:
            reading.reason = reading.reason or _reason(event)
        elif not is_neutral(event.action):
            self._judge(event, reading)

    def checks(self, results: Iterable[HostResult]) -> list[HostCheck]:
        """Return what the run says of each host that it was about."""
        return [self._check(result) for result in results]

    def _judge(self, event: Event, reading: _HostReading) -> None:
        role = _role(event)
        tasks = reading.roles.setdefault(role or _PLAY_TASKS, _Tasks())
        name = event.task or ""
        if event.kind in _FAILED or event.data.get("unverified"):
            tasks.unverifiable[name] = None
        elif event.kind in _ENDED_WELL:
            tasks.judged.add(name)
            for observation in _observations(event, role):
                reading.observations.setdefault(observation.identity, observation)

    def _check(self, result: HostResult) -> HostCheck:
        reading = self._hosts.get(result.host, _HostReading())
        coverage = tuple(tasks.coverage(role) for role, tasks in reading.roles.items() if tasks != _Tasks())
        found = tuple(reading.observations.values())
        judged = CheckOutcome.DRIFTED if found else CheckOutcome.CLEAN
        reason = _REASONS.get(result.outcome if coverage or result.outcome in _LOST else HostOutcome.UNKNOWN)
        outcome = CheckOutcome.UNKNOWN if reason else judged
        return HostCheck(result.host, outcome, found, (reading.reason or reason) if reason else None, coverage)


def _observations(event: Event, role: str | None) -> Iterator[Observation]:
    result = event.data.get("res")
    if not event.changed or not isinstance(result, Mapping) or _told_by_items(result):
        return
    named = [seen for naming in MODULES.get(full_name(event.action), ()) for seen in naming.read(result)]
    label = result.get("item_label")
    whole = Seen(TASK_KIND, ": ".join(filter(None, (role, event.task, str(label) if label else None))), "state")
    for seen in named or [whole]:
        yield Observation(
            host=event.host or "",
            kind=seen.kind,
            key=seen.key,
            attribute=seen.attribute,
            before=seen.agreed,
            after=seen.found,
            role=role,
            task=event.task,
            severity=severity_of(seen.kind, seen.key, seen.attribute),
            diff=None if event.data.get("truncated") else seen.diff,
        )


def _told_by_items(result: Mapping[str, Any]) -> bool:
    """Whether it sums up a loop, each of whose items has an event of its own."""
    return isinstance(result.get("results"), str)


def _role(event: Event) -> str | None:
    return event.role.rpartition(".")[2] if event.role else None


def _reason(event: Event) -> str:
    result = event.data.get("res")
    message = str(result.get("msg", "")) if isinstance(result, Mapping) else ""
    where = ": ".join(filter(None, (_role(event), event.task)))
    if event.kind == "runner_on_unreachable":
        return f"{UNREACHABLE}: {message}"[:_LONGEST_REASON]
    return f"{where}: failed: {message}"[:_LONGEST_REASON]
