"""One thread that turns reports into events and tells of them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from pathlib import Path

from bedplate.execution.channel import EngineChannel
from bedplate.execution.events import Report, event_of
from bedplate.execution.executor import RunObserver
from bedplate.execution.redaction import Redactor
from bedplate.execution.results import HostTally
from bedplate.execution.secrets import secrets_in
from bedplate.execution.teller import Teller


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
        self._teller = Teller(tally, observers, log)
        self._reports: queue.SimpleQueue[Report | None] = queue.SimpleQueue()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="bedplate-reporter", daemon=True)
        self._counter = 0

    @property
    def error(self) -> BaseException | None:
        """What was raised on the way, by an observer or here."""
        return self._error or self._teller.error

    @property
    def last_errors(self) -> list[str]:
        """The last lines that ansible printed outside of tasks."""
        return self._teller.last_errors

    def start(self) -> None:
        self._thread.start()

    def put(self, report: Report) -> None:
        """Hand over a report; returns at once."""
        self._reports.put(report)

    def finish(self) -> None:
        """Return when all reports are through. What was raised on the way is in `error` then."""
        self._reports.put(None)
        self._thread.join()
        self._teller.close()

    def _run(self) -> None:
        try:
            while (report := self._reports.get()) is not None:
                self._handle(report)
        except BaseException as error:  # noqa: BLE001 (it is told in the thread that can raise it)
            self._error = error

    def _handle(self, report: Report) -> None:
        found = self._channel.new_secrets()
        if found:
            self._redactor.add(secret for plaintext in found for secret in secrets_in(plaintext))
        self._counter += 1
        self._teller.tell(event_of(self._counter, report, self._redactor))
        if self._reports.empty():
            self._teller.flush()
