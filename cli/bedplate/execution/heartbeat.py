"""Signs of life of a run, and requests to stop it that come through the store."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from bedplate.errors import NotFoundError, StoreError
from bedplate.execution.executor import StopControl
from bedplate.runs import RunRepository

INTERVAL = 5.0


class Heartbeat:
    """While inside its block: says every few seconds that the run is alive, and asks whether it shall stop.

    A store that does not answer stops nothing.
    """

    def __init__(self, store: RunRepository, run_id: str, control: StopControl, *, interval: float = INTERVAL) -> None:
        self._store = store
        self._run_id = run_id
        self._control = control
        self._interval = interval
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="bedplate-heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._ended.wait(self._interval):
            try:
                self._store.update(self._run_id, heartbeat_at=datetime.now(UTC))
                if self._store.stop_requested(self._run_id):
                    self._control.stop()
            except (StoreError, NotFoundError):
                continue
