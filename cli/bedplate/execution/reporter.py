"""One thread that turns reports into events, writes the log and tells observers."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from bedplate.execution.channel import EngineChannel
from bedplate.execution.events import Report, event_of
from bedplate.execution.executor import RunObserver
from bedplate.execution.files import open_private
from bedplate.execution.redaction import Redactor
from bedplate.execution.results import HostTally
from bedplate.execution.secrets import secrets_in
from bedplate.runs import Event

_ERRORS = frozenset({"error", "verbose", "system_warning"})
_KEPT_LINES = 40


class Reporter:
    """Takes reports from the thread that reads ansible, which must never wait.

    Args:
        log: where what ansible printed goes, without secrets.
        tally: counts what happened to each host.
    """

    def __init__(
        self,
        channel: EngineChannel,
        redactor: Redactor,
        tally: HostTally,
        observers: Sequence[RunObserver],
        *,
        log: Path,
    ) -> None:
        self._channel = channel
        self._redactor = redactor
        self._tally = tally
        self._observers = list(observers)
        self._reports: queue.SimpleQueue[Report | None] = queue.SimpleQueue()
        self._log: TextIO = open_private(log)
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="bedplate-reporter", daemon=True)
        self.last_errors: list[str] = []
        self._counter = 0

    def start(self) -> None:
        self._thread.start()

    def put(self, report: Report) -> None:
        """Hand over a report; returns at once."""
        self._reports.put(report)

    def finish(self) -> None:
        """Return when all reports are through. What was raised on the way is in `error` then."""
        self._reports.put(None)
        self._thread.join()
        with contextlib.suppress(OSError):
            self._log.close()

    def _run(self) -> None:
        try:
            while (report := self._reports.get()) is not None:
                self._handle(report)
        except BaseException as error:  # noqa: BLE001 (it is told in the thread that can raise it)
            self.error = error

    def _handle(self, report: Report) -> None:
        found = self._channel.new_secrets()
        if found:
            self._redactor.add(secret for plaintext in found for secret in secrets_in(plaintext))
        self._counter += 1
        event = event_of(self._counter, report, self._redactor)
        if event.kind in _ERRORS:
            self.last_errors = [*self.last_errors, *event.stdout.splitlines()][-_KEPT_LINES:]
        if event.stdout:
            self._write(event.stdout)
        self._tally.add(event)
        for observer in tuple(self._observers):
            self._tell(observer, event)

    def _tell(self, observer: RunObserver, event: Event) -> None:
        """Tell an observer; one that fails hears no more, and the others go on."""
        try:
            observer.event(event)
        except BaseException as error:  # noqa: BLE001 (it is told in the thread that can raise it)
            self.error = self.error or error
            self._observers.remove(observer)

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):  # a full disk ends no run: the store has what was printed, too
            self._log.write(text + "\n")
            if self._reports.empty():
                self._log.flush()
