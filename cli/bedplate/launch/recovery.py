"""Putting right what a dead process or an absent store left behind."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

from bedplate.errors import NotFoundError
from bedplate.execution.machine import Machine, expire_dead_runs, own_folders
from bedplate.execution.spool import Spool
from bedplate.execution.surroundings import engine_folder, temporary_folder
from bedplate.launch.request import Recovery
from bedplate.runs import Run, RunRepository


def recover(store: RunRepository, machine: Machine, spool_folder: Path, exit_code: int) -> Recovery:
    """Write to the store what waits for it, and close the runs whose process died.

    Args:
        exit_code: what waiting for such a run exits with.

    Raises:
        StoreError: the store cannot be reached.
    """
    saved = [spool.run.id for spool in Spool.waiting_in(spool_folder) if _save(spool, store, machine)]
    expired = expire_dead_runs(store, machine, datetime.now(UTC), exit_code)
    for run in expired:
        remove_leftovers(run, machine)
    return Recovery([run.id for run in expired], saved)


def remove_leftovers(run: Run, machine: Machine) -> None:
    """Remove what a killed run may have left on this machine besides its record."""
    for folder in own_folders([run], machine):
        shutil.rmtree(engine_folder(folder), ignore_errors=True)
        shutil.rmtree(temporary_folder(run.id), ignore_errors=True)


def _save(spool: Spool, store: RunRepository, machine: Machine) -> bool:
    """Save what waits, unless the run's own process lives and does that itself."""
    try:
        run = store.get(spool.run.id)
    except NotFoundError:
        run = spool.run
    if not run.status.ended and machine.executes(run):
        return False
    spool.save(store)
    return True
