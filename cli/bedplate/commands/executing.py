"""Executing an accepted run for a person, who sees it as it goes and can end it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from bedplate.commands.context import App
from bedplate.commands.output import console
from bedplate.errors import BedplateError

if TYPE_CHECKING:
    from bedplate.launch import PreparedRun, RunObserver, StopControl
    from bedplate.runs import Run

# What is said when a person ends a run, once and twice.
_STOPS = {
    "local": ("stopping: the tasks under way end; Ctrl-C again ends them at once", "killing"),
    "awx": ("AWX is asked to cancel its job; Ctrl-C again waits for it no longer", "left to AWX"),
}


def executed(app: App, prepared: PreparedRun, observers: Sequence[RunObserver], *, look: bool = False) -> Run:
    """Execute an accepted run, showing it as it goes; Ctrl-C stops it in order.

    Args:
        look: whether hosts that a look finds as they were sealed are left alone.
    """
    from bedplate.launch import StopControl

    control = StopControl(_tell_stop(prepared.run.engine))
    with control.signals():
        looking = partial(_settled, app) if look else None
        return app.launcher.execute(prepared, [_progress(prepared), *observers], control, looking)


def _settled(app: App, prepared: PreparedRun, control: StopControl) -> dict[str, str]:
    """Look which hosts of a run have nothing to do. Where that cannot be told, all have."""
    from bedplate.launch.settling import Settling

    def execute(looking: PreparedRun, observers: Sequence[RunObserver]) -> Run:
        return app.launcher.execute(looking, [_progress(looking), *observers], control)

    try:
        settled = Settling(app.launcher, app.seals, execute).settled(prepared)
    except BedplateError as error:
        click.echo(f"bedplate: not looked whether there is anything to do: {error}", err=True)
        return {}
    if settled and not control.stop_requested:
        hosts = f"{len(settled)} of {len(prepared.run.hosts)} hosts"
        click.echo(f"Nothing to do on {hosts}: they are as they were sealed (--no-look does it all the same)", err=True)
    return settled


def _progress(prepared: PreparedRun) -> RunObserver:
    from bedplate.commands.run_progress import LiveProgress, PlainProgress

    out = console(stderr=True)
    return LiveProgress(out, prepared.expected) if out.is_terminal else PlainProgress(out)


def _tell_stop(engine: str) -> Callable[[str], None]:
    first, second = _STOPS[engine]

    def tell(what: str) -> None:
        sys.stderr.write(f"\nbedplate: {first if what == 'stop' else second}\n")

    return tell
