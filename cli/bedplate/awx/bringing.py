"""Bringing one ended job in: its run, its events, what it did to each host. Done again, it changes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bedplate.awx.client import AwxClient
from bedplate.awx.endings import ending_of
from bedplate.awx.executions import Execution
from bedplate.awx.faults import AwxError
from bedplate.awx.following import Follower
from bedplate.awx.foreign_runs import end_of_status, run_of
from bedplate.awx.retelling import Retelling
from bedplate.catalog import Product
from bedplate.engine_runs import EngineRun, EngineRunRepository
from bedplate.errors import NotFoundError, StoreError
from bedplate.execution.executor import ExecutionOutcome, RunEnd, StopControl
from bedplate.execution.redaction import Redactor
from bedplate.execution.results import HostTally
from bedplate.execution.teller import LastErrors
from bedplate.runs import Event, Run, RunRepository

_LATE_EVENTS = 5.0


class Bringing:
    """Writes jobs to the store. Two at once, on the same job, come to the same.

    Args:
        exit_codes: what to keep as exit code for each end.
    """

    def __init__(
        self,
        client: AwxClient,
        store: RunRepository,
        kept: EngineRunRepository,
        exit_codes: Mapping[RunEnd, int],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._store = store
        self._kept = kept
        self._exit_codes = exit_codes
        self._sleep = sleep

    def bring(self, listed: Execution, name: str, product: Product | None, link: EngineRun | None) -> Run:
        """Bring in a job that has ended and return the run that it is.

        Args:
            listed: the job, as AWX lists it.
            name: the product's name.
            link: the run that it is known to be; None for a job that is new here.

        Raises:
            EngineError: AWX cannot be reached or refuses.
            StoreError: the store cannot be written.
        """
        run = self._run(listed, name, product, link)
        notes = _Notes(self._store, run, () if link is None else run.hosts)
        outcome, execution = self._outcome(listed, notes)
        self._store.put_host_results(run.id, outcome.results)
        self._store.update(run.id, **self._end(run, execution, outcome, new=link is None))
        self._kept.settle(self._client.root, listed.number)
        return self._store.get(run.id)

    def _run(self, listed: Execution, name: str, product: Product | None, link: EngineRun | None) -> Run:
        wanted = run_of(listed, name, product)
        claimed = link or self._kept.claim(self._client.root, listed.number, wanted.id)
        run = replace(wanted, id=claimed.run_id)
        try:
            return self._store.get(run.id)
        except NotFoundError:
            pass
        try:
            self._store.add(run)
        except StoreError:
            return self._store.get(run.id)  # another sync was faster
        return run

    def _outcome(self, listed: Execution, notes: _Notes) -> tuple[ExecutionOutcome, Execution]:
        follower = Follower(
            self._client,
            listed.number,
            take=notes.take,
            control=StopControl(),
            sleep=self._sleep,
            patience=0.0,
            late_events=_LATE_EVENTS,
        )
        try:
            execution = follower.follow()
        except AwxError as fault:
            if fault.status != 404:
                raise
            end = end_of_status(listed.status)
            error = "AWX deleted its job before all of it was brought in"
            return ExecutionOutcome(end, notes.tally.results, notes.tally.tasks, error, listed.revision), listed
        return ending_of(execution, notes.tally, notes.errors.lines, notes.retelling.refusal), execution

    def _end(self, run: Run, execution: Execution, outcome: ExecutionOutcome, *, new: bool) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "status": outcome.status,
            "exit_code": self._exit_codes[outcome.end],
            "error": outcome.error,
            "tasks": outcome.tasks,
            "git_commit": execution.revision or run.git_commit,
        }
        if new:
            return {**fields, "hosts": tuple(result.host for result in outcome.results)}
        # AWX's clock may differ from ours, which said when it began: only how long it took counts.
        if run.started_at is not None:
            fields["finished_at"] = run.started_at + timedelta(seconds=float(execution.body.get("elapsed") or 0))
        return fields


class _Notes:
    """Writes events as they come, and counts."""

    def __init__(self, store: RunRepository, run: Run, hosts: Sequence[str]) -> None:
        self._store = store
        self._run = run
        self._events: list[Event] = []
        self.tally = HostTally(hosts)
        self.errors = LastErrors()
        self.retelling = Retelling(Redactor(), self._note)

    def take(self, entries: list[dict[str, Any]]) -> None:
        self.retelling.take(entries)
        self._store.add_events(self._run.id, self._events)
        self._events = []

    def _note(self, event: Event) -> None:
        self._events.append(event)
        self.tally.add(event)
        self.errors.add(event)
