"""Executing an accepted run for a person, who sees it as it goes and can end it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from bedplate.commands.context import App
from bedplate.commands.output import console

if TYPE_CHECKING:
    from bedplate.launch import PreparedRun, RunObserver
    from bedplate.runs import Run

# What is said when a person ends a run, once and twice.
_STOPS = {
    "local": ("stopping: the tasks under way end; Ctrl-C again ends them at once", "killing"),
    "awx": ("AWX is asked to cancel its job; Ctrl-C again waits for it no longer", "left to AWX"),
}


def executed(app: App, prepared: PreparedRun, observers: Sequence[RunObserver]) -> Run:
    """Execute an accepted run, showing it as it goes; Ctrl-C stops it in order."""
    from bedplate.launch import StopControl

    control = StopControl(_tell_stop(prepared.run.engine))
    with control.signals():
        return app.launcher.execute(prepared, [_progress(prepared), *observers], control)


def _progress(prepared: PreparedRun) -> RunObserver:
    from bedplate.commands.run_progress import LiveProgress, PlainProgress

    out = console(stderr=True)
    return LiveProgress(out, prepared.expected) if out.is_terminal else PlainProgress(out)


def _tell_stop(engine: str) -> Callable[[str], None]:
    first, second = _STOPS[engine]

    def tell(what: str) -> None:
        sys.stderr.write(f"\nbedplate: {first if what == 'stop' else second}\n")

    return tell
