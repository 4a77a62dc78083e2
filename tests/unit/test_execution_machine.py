"""Whose run it is, and whether its process lives."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bedplate.execution.machine import SILENCE, Machine, expire_dead_runs
from bedplate.runs import HostResult, Run, RunMode, RunStatus
from bedplate.settings import Settings
from bedplate.store import open_store

THIS = Machine.this()
OTHER = Machine("another-machine", "its-boot")


def _run(status: RunStatus = RunStatus.RUNNING, **fields: object) -> Run:
    now = datetime.now(UTC)
    run = Run(
        id="20261122-150000-abcd", product="p", status=status, mode=RunMode.APPLY, requester="me", created_at=now,
        started_at=now, heartbeat_at=now, hosts=("a",), host_id=THIS.host_id, boot_id=THIS.boot_id, pid=os.getpid(),
    )  # fmt: skip
    return replace(run, **fields)  # type: ignore[arg-type]


def _dead_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_a_live_process_executes_its_run() -> None:
    assert THIS.executes(_run())


@pytest.mark.parametrize(
    "fields",
    [
        {"host_id": "another"},
        {"boot_id": "before"},
        {"pid": None},
        {name: datetime(2020, 1, 1, tzinfo=UTC) for name in ("created_at", "started_at", "heartbeat_at")},
    ],
    ids=["host", "boot", "no pid", "number used again"],
)
def test_another_process_does_not(fields: dict[str, object]) -> None:
    assert not THIS.executes(_run(**fields))


def test_a_dead_process_executes_nothing() -> None:
    assert not THIS.executes(_run(pid=_dead_pid()))


def test_other_machines_are_judged_by_their_silence() -> None:
    now = datetime.now(UTC)
    run = _run(pid=_dead_pid())
    assert not OTHER.knows_dead(run, now)
    assert not OTHER.knows_dead(run, now + SILENCE - timedelta(seconds=5))
    assert OTHER.knows_dead(run, now + SILENCE + timedelta(seconds=5))


@pytest.mark.parametrize(
    ("before", "process", "host_id", "after"),
    [
        (RunStatus.RUNNING, "alive", THIS.host_id, RunStatus.RUNNING),
        (RunStatus.RUNNING, "dead", THIS.host_id, RunStatus.EXPIRED),
        (RunStatus.QUEUED, "dead", THIS.host_id, RunStatus.EXPIRED),
        (RunStatus.QUEUED, "none", THIS.host_id, RunStatus.QUEUED),
        (RunStatus.PENDING, "dead", THIS.host_id, RunStatus.PENDING),
        (RunStatus.SUCCESSFUL, "dead", THIS.host_id, RunStatus.SUCCESSFUL),
        (RunStatus.RUNNING, "dead", "another", RunStatus.RUNNING),
    ],
)
def test_a_run_expires_with_its_process(
    before: RunStatus, process: str, host_id: str, after: RunStatus, tmp_path: Path
) -> None:
    pids = {"alive": os.getpid, "dead": _dead_pid, "none": lambda: None}
    run, status = _run(before, pid=pids[process](), host_id=host_id), after
    store = open_store(Settings(tmp_path))
    store.add(run)
    store.put_host_results(run.id, [HostResult("a", ok=3)])
    expired = expire_dead_runs(store, THIS, datetime.now(UTC), 9)
    found = store.get(run.id)
    assert found.status is status
    assert bool(expired) == (status is RunStatus.EXPIRED)
    if expired:
        assert (found.exit_code, found.error) == (9, "its process died")
        assert found.finished_at == found.heartbeat_at
    assert store.host_results(run.id) == [HostResult("a", ok=3)]
    store.close()
