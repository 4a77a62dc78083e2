"""Executing an accepted run in a process of its own."""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bedplate.content import Content
from bedplate.errors import BedplateError, EngineError, InventoryError
from bedplate.execution.executor import RunEnd, RunObserver, StopControl
from bedplate.execution.files import folder_of
from bedplate.launch.request import PreparedRun
from bedplate.runs import Run
from bedplate.settings import Settings
from bedplate.store import open_drift, open_seals, open_store

if TYPE_CHECKING:
    from bedplate.launch.launcher import Launcher

_LOG = "detached.log"


@dataclass(frozen=True)
class DetachedOrder:
    """What the process needs to know; it is handed over in memory."""

    content: Content
    settings: Settings
    inventory: Path
    exit_codes: Mapping[RunEnd, int]
    prepared: PreparedRun


def start_detached(order: DetachedOrder) -> int:
    """Start the process, in a session of its own, and return its number.

    Raises:
        EngineError: it cannot be started.
    """
    folder = folder_of(order.prepared.run)
    memory = os.memfd_create("bedplate-order", 0)
    try:
        os.write(memory, pickle.dumps(order))
        command = [sys.executable, "-P", "-m", __package__, str(memory)]
        log = str(folder / _LOG)
        return os.posix_spawn(
            sys.executable,
            command,
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
    except OSError as error:
        raise EngineError(f"the background process cannot be started: {error.strerror}") from error
    finally:
        os.close(memory)


def main() -> int:
    """Execute the order whose place in memory is named on the command line."""
    from bedplate.launch.launcher import Launcher  # noqa: PLC0415 (it imports this module)

    memory = int(sys.argv[1])
    content = os.pread(memory, os.fstat(memory).st_size, 0)
    os.close(memory)
    order: DetachedOrder = pickle.loads(content)  # noqa: S301 (the memory of the process that started us)
    store = open_store(order.settings)
    launcher = Launcher(order.content, order.settings, order.inventory, store, order.exit_codes, tell=_write_line)
    control = StopControl()
    with control.signals():
        if order.prepared.run.product in {*order.settings.drift.seal_after, *order.settings.drift.renew_after}:
            with contextlib.suppress(InventoryError):  # the run has its own copy
                launcher.adapter.read_variables()
        ended = launcher.execute(order.prepared, control=control)
        _seal(launcher, ended, control)
    return ended.exit_code or 0


def _seal(launcher: Launcher, ended: Run, control: StopControl) -> None:
    """Seal the hosts of a run that ended well, where that is wanted; the log says what came of it."""
    from bedplate.launch.seal_following import SealFollowing  # noqa: PLC0415 (as above)
    from bedplate.launch.seal_keeping import SealKeeping  # noqa: PLC0415 (only needed here)
    from bedplate.launch.seal_renewal import SealRenewal  # noqa: PLC0415 (as above)

    def execute(prepared: PreparedRun, observers: Sequence[RunObserver]) -> Run:
        return launcher.execute(prepared, observers, control)

    seals = open_seals(launcher.settings)
    keeping = SealKeeping(launcher, seals, open_drift(launcher.settings), execute)
    renewal = SealRenewal(launcher, seals, execute)
    failures: dict[str, str] = {}
    try:
        if keeping.is_due(ended):
            failures |= keeping.seal_after(ended).failures
        if renewal.is_due(ended):
            failures |= renewal.renew(ended.hosts).failures
            failures |= SealFollowing(launcher, seals, execute).follow(ended).failures
    except BedplateError as error:
        sys.stderr.write(f"not sealed: {error}\n")
    sys.stderr.writelines(f"not sealed: {host}: {reason}\n" for host, reason in failures.items())


def _write_line(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
