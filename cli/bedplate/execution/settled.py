"""Hosts of a run that have nothing to do: each is told of, and nothing is done to it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from bedplate.execution.executor import (
    ExecutionOutcome,
    ExecutionRequest,
    Executor,
    RunEnd,
    RunObserver,
    StopControl,
)
from bedplate.execution.files import folder_of, open_private
from bedplate.execution.teller import LOG, tell_finished
from bedplate.runs import Event, HostResult, Run

_TASK = "Look whether there is anything to do"
_ACTION = "bedplate.datacenter.seal"


@dataclass(frozen=True)
class SettledHosts:
    """Executes runs on the other hosts. Implements `Executor`.

    A host that has nothing to do comes to the outcome `skipped`, by one event that says why. Where no other is left,
    nothing is started at all.

    Args:
        reasons: by host that has nothing to do, why.
    """

    executor: Executor
    reasons: Mapping[str, str]

    def execute(
        self, request: ExecutionRequest, observers: Sequence[RunObserver], control: StopControl
    ) -> ExecutionOutcome:
        if not self.reasons:
            return self.executor.execute(request, observers, control)
        self._log(folder_of(request.run) / LOG)
        told = [_Telling(observer, self.reasons) for observer in observers]
        if request.hosts:
            return self.executor.execute(request, told, control)
        outcome = ExecutionOutcome(RunEnd.DONE, [HostResult(host) for host in request.run.hosts])
        for each in told:
            each.started(request.run)
        error = tell_finished(told, outcome)
        if error is not None:
            raise error
        return outcome

    def _log(self, file: Path) -> None:
        with open_private(file) as log, contextlib.suppress(OSError):  # a full disk ends no run
            log.writelines(f"{_line(host, reason)}\n" for host, reason in self.reasons.items())
            log.flush()


class _Telling:
    """Tells an observer of the hosts that have nothing to do, ahead of everything else. Implements `RunObserver`."""

    def __init__(self, observer: RunObserver, reasons: Mapping[str, str]) -> None:
        self._observer = observer
        self._reasons = reasons

    def started(self, run: Run) -> None:
        self._observer.started(run)
        for number, (host, reason) in enumerate(self._reasons.items(), 1):
            self._observer.event(_event(number, host, reason))

    def event(self, event: Event) -> None:
        self._observer.event(replace(event, counter=event.counter + len(self._reasons)))

    def finished(self, outcome: ExecutionOutcome) -> None:
        results = [HostResult(one.host, skipped=1) if one.host in self._reasons else one for one in outcome.results]
        self._observer.finished(replace(outcome, results=results))


def _event(number: int, host: str, reason: str) -> Event:
    return Event(
        counter=number,
        kind="runner_on_skipped",
        created=datetime.now(UTC),
        host=host,
        task=_TASK,
        action=_ACTION,
        stdout=_line(host, reason),
        data={"res": {"changed": False, "skip_reason": reason}},
    )


def _line(host: str, reason: str) -> str:
    return f"skipping: [{host}] => {reason}"
