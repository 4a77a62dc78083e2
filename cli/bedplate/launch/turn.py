"""A run's turn: it waits, as `queued`, until nobody else has its hosts or its product's place."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from bedplate.errors import BedplateError
from bedplate.execution.executor import ExecutionOutcome, RunEnd, StopControl
from bedplate.guardrails import Order, refusal_text, refusals
from bedplate.guardrails.consent import concurrency, host_lock
from bedplate.guardrails.locks import LockRepository, Occupied
from bedplate.launch.guarding import claim_of, digest_of
from bedplate.launch.request import LaunchRequest, PreparedRun

_INTERVAL = 2.0


class Turn:
    """Takes what a run needs for itself, as soon as it can be had.

    Whoever looks first gets it: no order is kept among runs that wait, so a run that needs many hosts may wait long.

    Args:
        judge: checks an order anew: policies, freezes and windows go by the hour.
        recover: closes runs whose process died, so that nobody waits for them.
    """

    def __init__(
        self,
        locks: LockRepository,
        judge: Callable[[LaunchRequest], PreparedRun],
        recover: Callable[[], object],
        *,
        interval: float = _INTERVAL,
    ) -> None:
        self._locks = locks
        self._judge = judge
        self._recover = recover
        self._interval = interval

    def ahead(self, prepared: PreparedRun) -> str | None:
        """Return why a run has to wait; None if it has not."""
        order = prepared.order
        if order is None:
            return None
        others = self._locks.occupied(claim_of(prepared.run, order.limits))
        return why_occupied(order, others) if others else None

    def wait(self, prepared: PreparedRun, control: StopControl) -> ExecutionOutcome | None:
        """Return None once the run has what it needs, or how it ended without.

        Raises:
            StoreError: the store cannot be reached.
        """
        order, patience = prepared.order, prepared.patience
        if order is None or patience is None:
            return None
        claim = claim_of(prepared.run, order.limits)
        until = time.monotonic() + patience.total_seconds()
        waited = False
        while others := self._locks.take(claim):
            if control.stop_requested:
                return ExecutionOutcome(RunEnd.CANCELED, error="canceled while it waited for its turn")
            if time.monotonic() >= until:
                return ExecutionOutcome(RunEnd.REFUSED, error=why_occupied(order, others))
            waited = True
            time.sleep(self._interval)
            self._recover()
        why = self._outdated(prepared) if waited else None
        return ExecutionOutcome(RunEnd.REFUSED, error=why) if why else None

    def _outdated(self, prepared: PreparedRun) -> str | None:
        """Return why a run that waited may not start any more."""
        if prepared.request is None:
            return None
        try:
            again = self._judge(replace(prepared.request, resumes=prepared.run))
        except BedplateError as error:
            return f"refused by turn: {error}"
        if digest_of(again.run) != digest_of(prepared.run):
            return "refused by turn: content, parameters or hosts changed while it waited (order it anew)"
        said = refusals(again.verdicts)
        return refusal_text(said) if said else None


def why_occupied(order: Order, others: Occupied) -> str:
    """Return what is said of an order whose hosts or place others have."""
    later = replace(order, holders=others.hosts, running=others.running)
    return refusal_text([host_lock(later), concurrency(later)])
