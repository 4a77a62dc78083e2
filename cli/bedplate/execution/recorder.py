"""Keeps a run in the store while it goes on, from a thread of its own: the run never waits for the store."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bedplate.errors import NotFoundError, StoreError
from bedplate.execution.executor import ExecutionOutcome, RunEnd
from bedplate.execution.records import Record
from bedplate.execution.results import HostTally
from bedplate.execution.spool import Spool
from bedplate.runs import Event, Run, RunRepository, RunStatus

BATCH = 500
_INTERVAL = 1.0
_RETRY = 5.0


class RunRecorder:
    """Observes a run and keeps its events, host results and end.

    What the store does not take waits on disk, and goes to the store later: by this recorder, or by the next command.

    Args:
        spool_folder: where what the store does not take waits.
        exit_codes: what to keep as exit code for each end.
        patience: seconds to go on trying to save at the end.
    """

    def __init__(
        self,
        store: RunRepository,
        run: Run,
        spool_folder: Path,
        exit_codes: Mapping[RunEnd, int],
        *,
        patience: float = 15.0,
    ) -> None:
        self._store = store
        self.run = run
        self._spool = Spool(run, spool_folder)
        self._exit_codes = exit_codes
        self._patience = patience
        self._tally = HostTally(run.hosts)
        self._events: list[Event] = []
        self._changes: dict[str, Any] = {}
        self._wake = threading.Condition()
        self._closing = False
        self._retry_at = 0.0
        self._thread = threading.Thread(target=self._work, name="bedplate-recorder", daemon=True)

    @property
    def unsaved(self) -> bool:
        """Whether something still waits for the store."""
        return self._spool.waiting

    def started(self, _run: Run) -> None:
        now = datetime.now(UTC)
        self._change(status=RunStatus.RUNNING, started_at=now, heartbeat_at=now, pid=os.getpid())
        self._thread.start()

    def event(self, event: Event) -> None:
        with self._wake:
            self._events.append(event)
            self._tally.add(event)
            if len(self._events) == BATCH:
                self._wake.notify()

    def finished(self, outcome: ExecutionOutcome) -> None:
        self._stop()
        now = datetime.now(UTC)
        code = self._exit_codes[outcome.end]
        self._change(
            status=outcome.status, finished_at=now, heartbeat_at=now, exit_code=code, error=outcome.error,
            tasks=outcome.tasks, **_origin(outcome, self.run),
        )  # fmt: skip
        self._save(Record(self._events, outcome.results, self._changes))
        deadline = time.monotonic() + self._patience
        while self._spool.waiting and time.monotonic() < deadline:
            time.sleep(0.5)
            self._retry_at = 0.0
            self._save_spool()

    def _stop(self) -> None:
        if self._thread.is_alive():
            with self._wake:
                self._closing = True
                self._wake.notify()
            self._thread.join()

    def _change(self, **fields: Any) -> None:  # noqa: ANN401
        self._changes |= fields
        self.run = replace(self.run, **fields)

    def _work(self) -> None:
        while not self._closing:
            with self._wake:
                self._wake.wait_for(lambda: self._closing or len(self._events) >= BATCH, _INTERVAL)
                events, self._events = self._events, []
                record = Record(events, self._tally.take_touched(), self._changes)
                self._changes = {}
            if record.events or record.results or record.changes:
                self._save(record)
            elif self._spool.waiting:
                self._save_spool()

    def _save(self, record: Record) -> None:
        if self._spool.waiting and not self._save_spool():
            self._spool.keep(record)
            return
        try:
            record.save(self._store, self.run.id)
        except (StoreError, NotFoundError):
            self._retry_at = time.monotonic() + _RETRY
            self._spool.keep(record)

    def _save_spool(self) -> bool:
        """Write what waits, unless that failed a moment ago. Return whether nothing waits any more."""
        if time.monotonic() < self._retry_at:
            return False
        try:
            self._spool.save(self._store)
        except (StoreError, NotFoundError):
            self._retry_at = time.monotonic() + _RETRY
        return not self._spool.waiting


def _origin(outcome: ExecutionOutcome, run: Run) -> dict[str, Any]:
    """What changes of a run whose content an engine took from elsewhere: what ran is not what is here."""
    if outcome.revision is None or outcome.revision == run.git_commit:
        return {}
    return {"git_commit": outcome.revision or None, "content_digest": ""}
