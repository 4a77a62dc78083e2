"""Following an AWX job to its end: through lost connections, and until AWX has saved all its events."""

from __future__ import annotations

import time
from collections.abc import Callable

from bedplate.awx.client import AwxClient
from bedplate.awx.events import Entry, EventStream
from bedplate.awx.executions import Execution, read_execution
from bedplate.awx.faults import AwxError
from bedplate.errors import EngineError
from bedplate.execution.executor import StopControl

_POLL = 1.0
_AWAY_POLL = 5.0
PATIENCE = 3600.0
LATE_EVENTS = 60.0


class LeftAlone(Exception):  # noqa: N818 (it is no error)
    """A person did not want to wait for the end of a job.

    Args:
        told: whether AWX was told to cancel it.
    """

    def __init__(self, *, told: bool) -> None:
        super().__init__()
        self.told = told


class Follower:
    """Follows one job.

    Args:
        number: AWX's id of the job.
        take: called with events, each once.
        control: how a person ends the job.
        look: called with the job, as it stands, at each look.
        tell: says a sentence to people.
        sleep: waits so many seconds.
        patience: seconds for which AWX may be away.
        late_events: seconds for which events are waited for that AWX has not saved when the job has ended.
    """

    def __init__(
        self,
        client: AwxClient,
        number: int,
        *,
        take: Callable[[list[Entry]], None],
        control: StopControl,
        look: Callable[[Execution], None] = lambda _execution: None,
        tell: Callable[[str], None] = lambda _sentence: None,
        sleep: Callable[[float], None] = time.sleep,
        patience: float = PATIENCE,
        late_events: float = LATE_EVENTS,
    ) -> None:
        self._client = client
        self._number = number
        self._look = look
        self._take = take
        self._control = control
        self._tell = tell
        self._sleep = sleep
        self._patience = patience
        self._late_events = late_events
        self._cancel_asked = False
        self._away = 0.0
        self._late = 0.0

    def follow(self) -> Execution:
        """Return the job when it has ended and all its events were taken.

        Raises:
            LeftAlone: a person wanted to wait no longer.
            AwxError: 404 where somebody deleted the job; or AWX refuses.
            EngineError: AWX was away for too long.
        """
        with EventStream(self._client, self._number) as stream:
            while True:
                try:
                    execution = self._once(stream)
                except EngineError as fault:
                    self._wait_out(fault)
                    continue
                self._away = 0.0
                if execution is not None:
                    return execution
                self._sleep(_POLL)

    def _once(self, stream: EventStream) -> Execution | None:
        """Look once; return the job if that was the last time."""
        self._heed()
        execution = read_execution(self._client, self._number)
        self._look(execution)
        # Some events may have been lost on their way inside of AWX: it never says then that it has saved all.
        final = execution.complete or self._late >= self._late_events
        came = False
        for entries in stream.take(final=final):
            came = True
            self._take(entries)
            self._heed()
        if final and execution.ended:
            return execution
        self._late = self._late + _POLL if execution.ended and not came else 0.0
        return None

    def _heed(self) -> None:
        """Do what a person wants of the job."""
        if self._control.kill_requested and self._cancel_asked:
            raise LeftAlone(told=True)
        if not self._control.stop_requested or self._cancel_asked:
            return
        try:
            self._client.put(f"jobs/{self._number}/cancel/", {})
        except AwxError as fault:
            if fault.status not in {404, 405}:  # it has ended already
                raise
        self._cancel_asked = True

    def _wait_out(self, fault: EngineError) -> None:
        """Wait a while where AWX is away; raise the fault where that would not help."""
        if self._control.kill_requested:
            raise LeftAlone(told=self._cancel_asked) from fault
        passes = not isinstance(fault, AwxError) or fault.status == 429 or fault.status >= 500
        if not passes or self._away >= self._patience:
            raise fault
        if not self._away:
            self._tell(f"{fault}; the job goes on, and is followed again when AWX is back")
        self._away += _AWAY_POLL
        self._sleep(_AWAY_POLL)
