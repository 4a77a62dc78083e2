"""Looks at freezes and windows while a run goes on: what is under way ends, the next batch does not start."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from bedplate.execution.surroundings import hold_file
from bedplate.guardrails import Order, refusals
from bedplate.guardrails.times import freeze, window
from bedplate.launch.rulebooks import read_calendars
from bedplate.settings import Settings

_INTERVAL = 5.0


class Watch:
    """While inside its block: looks every few seconds whether the run may still change things.

    Calendars are read anew each time. As soon as one says no, a file in the run's folder says why; our callback
    plugin starts no further batch then.

    Args:
        order: what was judged before the run; None looks at nothing.
        calendars: the product's own freeze calendars.
    """

    def __init__(
        self,
        settings: Settings,
        order: Order | None,
        calendars: Sequence[str],
        folder: Path | None,
        *,
        interval: float = _INTERVAL,
    ) -> None:
        self._settings = settings
        self._order = order
        self._calendars = calendars
        self._folder = folder
        self._interval = interval
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if self._order is not None and not self._order.check and self._folder is not None:
            known = (self._order, self._folder)
            self._thread = threading.Thread(target=self._look, args=known, name="bedplate-watch", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _look(self, order: Order, folder: Path) -> None:
        while not self._ended.wait(self._interval):
            reason = why_not(self._settings, order, self._calendars, datetime.now(UTC))
            if reason:
                with contextlib.suppress(OSError):  # such as of a full disk: it is tried again
                    hold_file(folder).write_text(f"{reason}\n", encoding="utf-8")
                    return


def why_not(settings: Settings, order: Order, calendars: Sequence[str], now: datetime) -> str | None:
    """Return why nothing may be changed at a moment; None where it may."""
    known = read_calendars(settings, calendars)
    later = replace(order, now=now, freezes=known.at(now), calendar_faults=known.faults)
    said = refusals([freeze(later), window(later)])
    return "; ".join(verdict.sentence for verdict in said) or None
