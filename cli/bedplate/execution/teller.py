"""Tells of events: to the log, to who counts hosts, and to observers."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from bedplate.execution.executor import ExecutionOutcome, RunObserver
from bedplate.execution.files import open_private
from bedplate.execution.results import HostTally
from bedplate.runs import Event

# In the run's folder: what ansible printed.
LOG = "stdout.log"
_ERRORS = frozenset({"error", "verbose", "system_warning"})
_KEPT_LINES = 40


class LastErrors:
    """The last lines of what ansible says of errors.

    Attributes:
        lines: oldest first.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, event: Event) -> None:
        """Keep what an event says of an error."""
        if event.kind in _ERRORS:
            self.lines = [*self.lines, *event.stdout.splitlines()][-_KEPT_LINES:]


class Teller:
    """Passes events on, one after another.

    Args:
        tally: counts what happened to each host.
        log: where what ansible printed goes, without secrets.
    """

    def __init__(self, tally: HostTally, observers: Sequence[RunObserver], log: Path) -> None:
        self._tally = tally
        self._observers = list(observers)
        self._log: TextIO = open_private(log)
        self.error: BaseException | None = None
        self._last_errors = LastErrors()

    @property
    def last_errors(self) -> list[str]:
        """The last lines of errors."""
        return self._last_errors.lines

    def tell(self, event: Event) -> None:
        """Pass an event on. An observer that fails hears no more; what it raised is in `error`."""
        self._last_errors.add(event)
        if event.stdout:
            with contextlib.suppress(OSError):  # a full disk ends no run: the store has what was printed, too
                self._log.write(event.stdout + "\n")
        self._tally.add(event)
        for observer in tuple(self._observers):
            self._tell(observer, event)

    def flush(self) -> None:
        """Let those who read the log see all of it."""
        with contextlib.suppress(OSError):
            self._log.flush()

    def close(self) -> None:
        """Close the log."""
        with contextlib.suppress(OSError):
            self._log.close()

    def _tell(self, observer: RunObserver, event: Event) -> None:
        try:
            observer.event(event)
        except BaseException as error:  # noqa: BLE001 (it is raised when the run has ended)
            self.error = self.error or error
            self._observers.remove(observer)


def tell_finished(observers: Sequence[RunObserver], outcome: ExecutionOutcome) -> BaseException | None:
    """Tell all observers of the end, whatever one of them does. Return the first error."""
    errors = []
    for observer in observers:
        try:
            observer.finished(outcome)
        except BaseException as error:  # noqa: BLE001 (it is raised when all have heard)
            errors.append(error)
    return errors[0] if errors else None
