"""Which machine and process executes a run, and whether that process still lives."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bedplate.runs import Run, RunRepository, RunStatus

# A process that began later than this after its run's last sign of life is another one with the same number.
_CLOCK_SLACK = timedelta(seconds=10)
SILENCE = timedelta(minutes=5)
# The kernel's number for the process namespace of a machine that is no container.
_FIRST_NAMESPACE = "pid:[4026531836]"
EXPIRED = "its process died"


@dataclass(frozen=True)
class Machine:
    """A machine between two of its starts.

    Attributes:
        host_id: machine-id; in a container its process namespace too, because process numbers mean nothing outside.
        boot_id: the kernel's id of this start.
    """

    host_id: str
    boot_id: str

    @classmethod
    def this(cls) -> Machine:
        """Return the machine that we are on."""
        host_id = _read("/etc/machine-id") or _read("/var/lib/dbus/machine-id") or platform.node()
        namespace = _link("/proc/self/ns/pid")
        if namespace not in {"", _FIRST_NAMESPACE}:
            host_id = f"{host_id}/{namespace[5:-1]}"
        return cls(host_id, _read("/proc/sys/kernel/random/boot_id"))

    def executes(self, run: Run) -> bool:
        """Return whether the process that owns the run is alive here."""
        if run.host_id != self.host_id or run.boot_id != self.boot_id or run.pid is None:
            return False
        began = _process_start(run.pid)
        signs = (run.created_at, run.queued_at, run.started_at, run.heartbeat_at)
        last = max(sign for sign in signs if sign is not None)
        return began is not None and began <= last + _CLOCK_SLACK

    def knows_dead(self, run: Run, now: datetime) -> bool:
        """Return whether the run's process is gone: certain here, judged by its silence elsewhere."""
        if run.host_id == self.host_id:
            return not self.executes(run)
        last = run.heartbeat_at or run.started_at or run.queued_at or run.created_at
        return now - last > SILENCE


def expire_dead_runs(store: RunRepository, machine: Machine, now: datetime, exit_code: int) -> list[Run]:
    """Close the runs whose process died; what they had reported stays. Return them.

    Args:
        exit_code: what waiting for such a run exits with.

    Raises:
        StoreError: the store cannot be reached.
    """
    return [run for run in store.unfinished() if _expire(store, run, machine, now, exit_code)]


def _expire(store: RunRepository, run: Run, machine: Machine, now: datetime, exit_code: int) -> bool:
    waiting = run.status is RunStatus.PENDING or (run.status is RunStatus.QUEUED and run.pid is None)
    if waiting or not machine.knows_dead(run, now):
        return False
    ended = run.heartbeat_at or run.started_at or now
    return store.update(
        run.id,
        only_from=(RunStatus.QUEUED, RunStatus.RUNNING),
        status=RunStatus.EXPIRED,
        finished_at=ended,
        exit_code=exit_code,
        error=EXPIRED,
    )


def own_folders(runs: Sequence[Run], machine: Machine) -> list[Path]:
    """Return the private folders of those runs that this machine executed."""
    same = machine.host_id.partition("/")[0]
    return [run.folder for run in runs if run.folder and run.host_id and run.host_id.partition("/")[0] == same]


def _process_start(pid: int) -> datetime | None:
    """Return when a process began, to a hundredth of a second; None if there is none or it is only waited for."""
    stat = _read(f"/proc/{pid}/stat")
    if not stat:
        return None
    fields = stat.rpartition(")")[2].split()
    if fields[0] in {"Z", "X"}:
        return None
    seconds = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    up = float(_read("/proc/uptime").split()[0])
    return datetime.now(UTC) - timedelta(seconds=up - seconds)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""
