"""What executes a run, what it is told, and who hears of it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

from bedplate.runs import Event, HostResult, Run, RunStatus


class RunEnd(StrEnum):
    """How an execution ended; the command layer gives each an exit code. The worst that holds.

    `refused` never began: a guardrail said no after it was accepted.
    """

    DONE = "done"
    UNREACHABLE = "unreachable"
    FAILED = "failed"
    CANCELED = "canceled"
    BROKEN = "broken"
    REFUSED = "refused"

    @property
    def status(self) -> RunStatus:
        if self in {RunEnd.DONE, RunEnd.REFUSED}:
            return RunStatus.SUCCESSFUL if self is RunEnd.DONE else RunStatus.REFUSED
        return RunStatus.CANCELED if self is RunEnd.CANCELED else RunStatus.FAILED


@dataclass(frozen=True)
class ExecutionRequest:
    """All that an executor needs to know.

    Attributes:
        run: the run, with id, product, mode, hosts and its private folder.
        playbook: name (FQCN) or path.
        inventory: the frozen inventory.
        environment: variables that ansible needs to read the inventory.
        variables: extra variables, plain data; they reach ansible as text that is never a template.
        secrets: texts that must appear nowhere.
        limit: a pattern of the same hosts, for an engine that has an inventory of its own.
        settled: hosts of the run that nothing is done to.
    """

    run: Run
    playbook: str
    inventory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict, repr=False)
    secrets: Sequence[str] = field(default=(), repr=False)
    limit: str = ""
    settled: Collection[str] = ()

    @property
    def hosts(self) -> list[str]:
        """The hosts that something is done to."""
        return [host for host in self.run.hosts if host not in self.settled]


@dataclass(frozen=True)
class ExecutionOutcome:
    """What came of an execution.

    Attributes:
        results: one for each host of the run, and for hosts that joined it on the way.
        tasks: how many tasks were started.
        error: one sentence on why it did not end well, where there is one.
        revision: the commit of the content, where the engine took the content from elsewhere; empty if it is not known.
    """

    end: RunEnd
    results: Sequence[HostResult] = ()
    tasks: int = 0
    error: str | None = None
    revision: str | None = None

    @property
    def status(self) -> RunStatus:
        return self.end.status


class RunObserver(Protocol):
    """Hears of a run. The calls come one after another, from a thread of the executor."""

    def started(self, run: Run) -> None:
        """The run begins."""

    def event(self, event: Event) -> None:
        """Something happened; secrets are taken out already."""

    def finished(self, outcome: ExecutionOutcome) -> None:
        """The run has ended; no call comes after this one."""


class StopControl:
    """How a person ends a run: in order first, at once when asked again.

    Args:
        on_change: called with `stop` or `kill` when that is asked for; may be called in a signal handler.
    """

    def __init__(self, on_change: Callable[[str], None] | None = None) -> None:
        self.stop_requested = False
        self.kill_requested = False
        self._on_change = on_change

    def stop(self) -> None:
        """Let the tasks under way end and start no new one."""
        if not self.stop_requested:
            self.stop_requested = True
            self._tell("stop")

    def kill(self) -> None:
        """End every process of the run at once."""
        self.stop_requested = True
        if not self.kill_requested:
            self.kill_requested = True
            self._tell("kill")

    def interrupt(self) -> None:
        """Stop; when asked again, kill. This is what Ctrl-C does."""
        if self.stop_requested:
            self.kill()
        else:
            self.stop()

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Take SIGINT, SIGTERM and SIGHUP as `interrupt` inside the block. Only for the main thread."""

        def handle(_number: int, _frame: FrameType | None) -> None:
            self.interrupt()

        caught = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, handle) for number in caught}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _tell(self, what: str) -> None:
        if self._on_change is not None:
            self._on_change(what)


class Executor(Protocol):
    """Executes runs."""

    def execute(
        self, request: ExecutionRequest, observers: Sequence[RunObserver], control: StopControl
    ) -> ExecutionOutcome:
        """Execute a run and return when it has ended.

        Raises:
            EngineError: it could not be started at all; no observer was told of it then.
        """
