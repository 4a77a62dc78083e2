"""From a run's events to what its tasks manage on each host."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bedplate.drift.managed import Resource
from bedplate.drift.seal import Managed, Unsealed, resources_of
from bedplate.runs import Event, EventQuery, HostOutcome, RunRepository

KINDS = frozenset({"runner_on_ok", "runner_item_on_ok"})
# Outcomes of hosts that a run brought to their state.
RIGHT = frozenset({HostOutcome.OK, HostOutcome.CHANGED})


@dataclass(slots=True)
class _Reading:
    """What was read of one host so far. Of two tasks that manage the same, the later one counts."""

    resources: dict[tuple[str, str], Resource] = field(default_factory=dict)
    unsealed: dict[Unsealed, None] = field(default_factory=dict)


def hosts_to_seal(store: RunRepository, run_id: str) -> list[str]:
    """Return the hosts that a run brought to their state: those that failed or were not reached are left out.

    Raises:
        StoreError: the store cannot be reached.
        NotFoundError: there is no such run.
    """
    return [result.host for result in store.host_results(run_id) if result.outcome in RIGHT]


def seal_from_run(store: RunRepository, run_id: str, host: str) -> Managed:
    """Return what a run's tasks manage on one host.

    Raises:
        StoreError: the store cannot be reached.
        NotFoundError: there is no such run.
    """
    found = managed_by(store.events(run_id, EventQuery(host=host, kinds=KINDS)))
    return found.get(host, Managed())


def managed_by(events: Iterable[Event]) -> dict[str, Managed]:
    """Return what the tasks of these events manage, by host."""
    hosts: dict[str, _Reading] = {}
    for event in events:
        if event.host is None or event.kind not in KINDS:
            continue
        role = event.role.rpartition(".")[2] if event.role else None
        reading = hosts.setdefault(event.host, _Reading())
        for resource in resources_of(role, event.task, event.data.get("manages", ())):
            reading.resources[resource.kind, resource.key] = resource
        if "unsealed" in event.data:
            reading.unsealed[Unsealed(role, event.task or "", str(event.data["unsealed"]))] = None
    return {
        host: Managed(tuple(reading.resources.values()), tuple(reading.unsealed)) for host, reading in hosts.items()
    }
