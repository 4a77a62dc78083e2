"""A run's life in the store against a model of it, with any order of calls."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test

from bedplate.errors import NotFoundError
from bedplate.runs import Event, EventQuery, HostResult, Run, RunQuery, RunRepository, RunStatus
from integration.store.places import NOW, Place, make_events, make_run

_HOSTS = ("web-1", "web-2", "db-1")
_RESULTS = st.lists(
    st.builds(HostResult, host=st.sampled_from(_HOSTS), ok=st.integers(0, 3), failed=st.integers(0, 1)), max_size=4
)


@dataclass
class Kept:
    """What the store should know of a run."""

    run: Run
    events: dict[int, Event] = field(default_factory=dict)
    results: dict[str, HostResult] = field(default_factory=dict)


class RunLife(RuleBasedStateMachine):
    """Every call on runs of a product of its own, so that examples share one store."""

    store: RunRepository
    runs = Bundle("runs")

    def __init__(self) -> None:
        super().__init__()
        self.product = f"product-{secrets.token_hex(8)}"
        self.model: dict[str, Kept] = {}

    @rule(target=runs, status=st.sampled_from(RunStatus), hosts=st.lists(st.sampled_from(_HOSTS), unique=True))
    def add(self, status: RunStatus, hosts: list[str]) -> str:
        created = NOW + timedelta(seconds=len(self.model))
        run = make_run(
            id=f"{self.product}-{len(self.model)}-{secrets.token_hex(4)}",
            product=self.product, status=status, hosts=tuple(hosts), created_at=created,
        )  # fmt: skip
        self.store.add(run)
        self.model[run.id] = Kept(run)
        return run.id

    @rule(run_id=runs, only_from=st.sets(st.sampled_from(RunStatus)), status=st.sampled_from(RunStatus))
    def change(self, run_id: str, only_from: set[RunStatus], status: RunStatus) -> None:
        kept = self.model[run_id]
        fits = not only_from or kept.run.status in only_from
        assert self.store.update(run_id, only_from=only_from, status=status) is fits
        if fits:
            kept.run = replace(kept.run, status=status)

    @rule(run_id=runs, seconds=st.integers(0, 9))
    def stop(self, run_id: str, seconds: int) -> None:
        kept = self.model[run_id]
        at = NOW + timedelta(seconds=seconds)
        assert self.store.request_stop(run_id, at) is not kept.run.status.ended
        if not kept.run.status.ended:
            kept.run = replace(kept.run, stop_requested_at=kept.run.stop_requested_at or at)

    @rule(run_id=runs, first=st.integers(1, 30), number=st.integers(0, 15), host=st.sampled_from(_HOSTS))
    def report(self, run_id: str, first: int, number: int, host: str) -> None:
        events = make_events(range(first, first + number), host=host)
        self.store.add_events(run_id, events)
        for event in events:
            self.model[run_id].events.setdefault(event.counter, event)

    @rule(run_id=runs, results=_RESULTS)
    def sum_up(self, run_id: str, results: Sequence[HostResult]) -> None:
        self.store.put_host_results(run_id, results)
        self.model[run_id].results.update({result.host: result for result in results})

    @rule(run_id=consumes(runs))
    def delete(self, run_id: str) -> None:
        assume(self.model[run_id].run.status.ended)
        assert self.store.delete([run_id]) == 1
        del self.model[run_id]
        with pytest.raises(NotFoundError):
            self.store.host_results(run_id)

    @rule(run_id=runs)
    def keep(self, run_id: str) -> None:
        assume(not self.model[run_id].run.status.ended)
        assert self.store.delete([run_id]) == 0

    @invariant()
    def the_store_knows_what_the_model_knows(self) -> None:
        found = {run.id: run for run in self.store.find(RunQuery(product=self.product, limit=None))}
        assert set(found) == set(self.model)
        for run_id, kept in self.model.items():
            outcomes = [result.outcome for result in kept.results.values()]
            counted = {outcome: outcomes.count(outcome) for outcome in outcomes}
            assert found[run_id] == replace(kept.run, outcomes=counted)
            assert self.store.stop_requested(run_id) is (kept.run.stop_requested_at is not None)
            events = list(self.store.events(run_id, EventQuery()))
            assert events == [kept.events[counter] for counter in sorted(kept.events)]
            assert self.store.host_results(run_id) == [kept.results[host] for host in sorted(kept.results)]

    @invariant()
    def hosts_find_their_runs(self) -> None:
        for host in _HOSTS:
            found = self.store.find(RunQuery(product=self.product, host=host, limit=None))
            meant = {run_id for run_id, kept in self.model.items() if host in kept.run.hosts or host in kept.results}
            assert {run.id for run in found} == meant


def test_any_order_of_calls_keeps_the_store_true(place: Place) -> None:
    with place.opened() as opened:
        machine = type("RunLifeHere", (RunLife,), {"store": opened})
        checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
        options = settings(max_examples=8, stateful_step_count=15, deadline=None, suppress_health_check=checks)
        run_state_machine_as_test(machine, settings=options)
