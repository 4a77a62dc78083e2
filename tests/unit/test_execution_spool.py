"""What the store does not take is kept, in order, and written later."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bedplate.errors import NotFoundError, StoreError
from bedplate.execution import recorder as recorder_module
from bedplate.execution.executor import ExecutionOutcome, RunEnd
from bedplate.execution.recorder import RunRecorder
from bedplate.execution.records import Record, run_from_json, run_to_json
from bedplate.execution.spool import Spool
from bedplate.runs import Event, EventQuery, HostResult, Run, RunMode, RunStatus
from bedplate.settings import Settings
from bedplate.store import open_store

NOW = datetime(2026, 11, 22, 15, 0, 0, 123456, tzinfo=UTC)
RUN = Run(
    id="20261122-150000-abcd", product="p", status=RunStatus.QUEUED, mode=RunMode.CHECK, requester="me",
    created_at=NOW, hosts=("a", "b"), parameters={"n": 1}, folder=Path("/nowhere"), host_id="h", boot_id="b", pid=1,
)  # fmt: skip
EVENT = Event(1, "runner_on_ok", NOW, host="a", changed=True, data={"res": {"msg": "Grüße"}}, stdout="x\ny")
CODES = {end: number for number, end in enumerate(RunEnd)}


class Failing:
    """A store that can be away."""

    def __init__(self, home: Path) -> None:
        self.store = open_store(Settings(home))
        self.away = False
        self.refused = 0

    def __getattr__(self, name: str) -> Any:
        if self.away:
            self.refused += 1
            raise StoreError("is away")
        return getattr(self.store, name)


@pytest.fixture
def store(tmp_path: Path) -> Failing:
    store = Failing(tmp_path / "home")
    store.add(RUN)
    return store


def test_records_survive_json() -> None:
    record = Record([EVENT], [HostResult("a", ok=1)], {"status": RunStatus.RUNNING, "started_at": NOW, "error": None})
    assert Record.from_json(record.to_json()) == record
    assert run_from_json(run_to_json(RUN)) == replace(RUN, hosts=["a", "b"])


def test_what_waits_is_written_once_and_forgotten(store: Failing, tmp_path: Path) -> None:
    spool = Spool(RUN, tmp_path / "spool")
    assert not spool.waiting
    spool.keep(Record([EVENT]))
    spool.keep(Record([replace(EVENT, counter=2)], [HostResult("a", ok=2)], {"tasks": 1}))
    (file,) = (tmp_path / "spool").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    (found,) = Spool.waiting_in(tmp_path / "spool")
    found.save(store)
    assert not spool.waiting
    assert [event.counter for event in store.events(RUN.id, EventQuery())] == [1, 2]
    assert store.get(RUN.id).tasks == 1
    assert store.host_results(RUN.id) == [HostResult("a", ok=2)]


def test_a_run_that_the_store_lost_is_added_again(store: Failing, tmp_path: Path) -> None:
    lost = replace(RUN, id="20261122-150000-lost")
    spool = Spool(lost, tmp_path / "spool")
    spool.keep(Record([EVENT], changes={"status": RunStatus.SUCCESSFUL}))
    spool.save(store)
    assert store.get(lost.id).status is RunStatus.SUCCESSFUL


def test_a_line_that_was_cut_off_is_left_out(store: Failing, tmp_path: Path) -> None:
    spool = Spool(RUN, tmp_path / "spool")
    spool.keep(Record([EVENT]))
    with (tmp_path / "spool" / f"{RUN.id}.jsonl").open("a") as stream:
        stream.write('{"events": [{"coun')
    spool.save(store)
    assert [event.counter for event in store.events(RUN.id, EventQuery())] == [1]


def test_an_unreadable_spool_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("no json\n")
    assert list(Spool.waiting_in(tmp_path)) == []
    assert (tmp_path / "x.jsonl").exists()


def test_a_spool_that_cannot_be_written_waits_in_memory(store: Failing, tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file in the way")
    spool = Spool(RUN, tmp_path / "spool")
    spool.keep(Record([EVENT]))
    assert spool.waiting
    spool.save(store)
    assert not spool.waiting
    assert [event.counter for event in store.events(RUN.id, EventQuery())] == [1]


def test_nothing_is_lost_while_the_store_is_away(
    store: Failing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "_INTERVAL", 0.01)
    monkeypatch.setattr(recorder_module, "_RETRY", 0.05)
    monkeypatch.setattr(recorder_module, "BATCH", 10)
    recorder = RunRecorder(store, RUN, tmp_path / "spool", CODES)
    recorder.started(RUN)
    refused = threading.Event()
    for counter in range(1, 2001):
        store.away = 500 <= counter < 1500
        recorder.event(replace(EVENT, counter=counter))
        if counter == 1000:
            while not store.refused:
                refused.wait(0.01)
    recorder.finished(ExecutionOutcome(RunEnd.FAILED, [HostResult("a", failed=1)], 3, "1 of 2 hosts failed"))
    assert not recorder.unsaved
    assert [event.counter for event in store.events(RUN.id, EventQuery())] == list(range(1, 2001))
    ended = store.get(RUN.id)
    assert (ended.status, ended.exit_code, ended.tasks) == (RunStatus.FAILED, CODES[RunEnd.FAILED], 3)
    assert recorder.run.status is RunStatus.FAILED


def test_a_store_that_stays_away_gets_it_all_later(store: Failing, tmp_path: Path) -> None:
    recorder = RunRecorder(store, RUN, tmp_path / "spool", CODES, patience=0.0)
    store.away = True
    recorder.started(RUN)
    recorder.event(EVENT)
    recorder.finished(ExecutionOutcome(RunEnd.DONE, [HostResult("a", ok=1)], 1))
    assert recorder.unsaved
    store.away = False
    (spool,) = Spool.waiting_in(tmp_path / "spool")
    spool.save(store)
    ended = store.get(RUN.id)
    assert ended.status is RunStatus.SUCCESSFUL
    assert ended.started_at is not None
    with pytest.raises(NotFoundError):
        store.get("another")
