"""Locks, approvals and the audit log, on both databases and between real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from bedplate.errors import NotFoundError
from bedplate.execution.machine import EXPIRED, Machine, expire_dead_runs
from bedplate.guardrails.approvals import Approval, Decision
from bedplate.guardrails.audit import Anchor, AuditRecord, anchor, verify
from bedplate.guardrails.locks import Claim, Holder
from bedplate.runs import RunStatus
from bedplate.store import SqlLedger, open_ledger
from bedplate.store.address import address_of
from bedplate.store.connections import Database
from integration.store.places import NOW, Place, make_run

_KEY = b"a key that is not in the store"


@contextmanager
def _ledger(place: Place) -> Iterator[SqlLedger]:
    ledger = open_ledger(place.settings)
    try:
        yield ledger
    finally:
        ledger.close()


def _edit(place: Place, statement: str) -> None:
    database = Database(address_of(place.settings), 5)
    with database.writing() as connection:
        connection.execute(text(statement))
    database.close()


class TestLocks:
    def test_one_run_has_a_host(self, place: Place) -> None:
        with place.opened() as store, _ledger(place) as ledger:
            store.add(make_run(id="first"))
            store.add(make_run(id="second"))
            assert not ledger.take(Claim("first", "baseline", ["web-1", "web-2"]))
            wanted = Claim("second", "baseline", ["web-2", "web-3"])
            others = ledger.take(wanted)
            assert others.hosts == {"web-2": Holder("first", "baseline", "ada")}
            assert ledger.occupied(wanted) == others
            assert not ledger.occupied(Claim("third", "baseline", ["web-3"])), "nothing of a claim is taken in part"
            assert not ledger.occupied(Claim("first", "baseline", ["web-1", "web-2"])), "its own are not others'"

    @pytest.mark.parametrize("status", [status for status in RunStatus if status.ended])
    def test_an_ended_run_has_nothing(self, place: Place, status: RunStatus) -> None:
        with place.opened() as store, _ledger(place) as ledger:
            store.add(make_run(id="first"))
            store.add(make_run(id="second"))
            ledger.take(Claim("first", "baseline", ["web-1"]))
            store.update("first", status=status)
            assert not ledger.occupied(Claim("second", "baseline", ["web-1"]))
            assert not ledger.take(Claim("second", "baseline", ["web-1"]))

    def test_what_is_released_is_free(self, place: Place) -> None:
        with place.opened() as store, _ledger(place) as ledger:
            store.add(make_run(id="first"))
            store.add(make_run(id="second"))
            ledger.take(Claim("first", "baseline", ["web-1"], 1))
            ledger.release("first")
            assert not ledger.take(Claim("second", "baseline", ["web-1"], 1))

    def test_a_deleted_run_leaves_no_lock(self, place: Place) -> None:
        with place.opened() as store, _ledger(place) as ledger:
            store.add(make_run(id="first"))
            ledger.take(Claim("first", "baseline", ["web-1"]))
            store.update("first", status=RunStatus.FAILED)
            store.delete(["first"])
            assert not ledger.occupied(Claim("second", "baseline", ["web-1"]))

    def test_a_product_has_so_many_places(self, place: Place) -> None:
        with place.opened() as store, _ledger(place) as ledger:
            for name in ("first", "second", "third", "fourth"):
                store.add(make_run(id=name))
            assert not ledger.take(Claim("first", "patch", (), 2))
            assert not ledger.take(Claim("second", "patch", (), 2))
            assert ledger.take(Claim("third", "patch", (), 2)).running == ("first", "second")
            assert not ledger.take(Claim("fourth", "ping", (), 2)), "another product has its own places"
            store.update("first", status=RunStatus.SUCCESSFUL)
            assert not ledger.take(Claim("third", "patch", (), 2))

    def test_many_hosts(self, place: Place) -> None:
        hosts = [f"host-{number}" for number in range(2000)]
        with place.opened() as store, _ledger(place) as ledger:
            store.add(make_run(id="first"))
            store.add(make_run(id="second"))
            assert not ledger.take(Claim("first", "baseline", hosts))
            assert len(ledger.take(Claim("second", "baseline", hosts)).hosts) == 2000

    def test_a_run_that_is_not_in_the_store_takes_nothing(self, place: Place) -> None:
        with _ledger(place) as ledger, pytest.raises(NotFoundError):
            ledger.take(Claim("nobody", "baseline", ["web-1"]))

    def test_of_many_processes_in_the_same_moment_one_gets_it(self, place: Place) -> None:
        with place.opened() as store:
            for number in range(6):
                store.add(make_run(id=f"run-{number}"))
        processes = [_taker(place, f"run-{number}") for number in range(6)]
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        answers = [process.communicate(timeout=120)[0].strip() for process in processes]
        assert sorted(answers) == ["got it"] + ["occupied"] * 5

    def test_a_killed_owner_does_not_keep_it(self, place: Place) -> None:
        machine = Machine.this()
        owner = _taker(place, "first", wait=True)
        now = datetime.now(UTC)
        with place.opened() as store, _ledger(place) as ledger:
            store.add(
                make_run(
                    id="first", status=RunStatus.RUNNING, pid=owner.pid, host_id=machine.host_id,
                    boot_id=machine.boot_id, created_at=now, heartbeat_at=now,
                )
            )  # fmt: skip
            store.add(make_run(id="second", created_at=now))
            assert owner.stdin is not None
            assert owner.stdout is not None
            owner.stdin.write("\n")
            owner.stdin.flush()
            assert owner.stdout.readline() == "got it\n"
            claim = Claim("second", "baseline", ["web-1"])
            expire_dead_runs(store, machine, datetime.now(UTC), 9)
            assert ledger.take(claim), "its owner lives"
            os.kill(owner.pid, signal.SIGKILL)
            owner.communicate()
            assert [run.id for run in expire_dead_runs(store, machine, datetime.now(UTC), 9)] == ["first"]
            assert store.get("first").error == EXPIRED
            assert not ledger.take(claim)


def _taker(place: Place, run_id: str, *, wait: bool = False) -> subprocess.Popen[str]:
    """Start a process that takes web-1 for a run when it is told to."""
    code = (
        "import sys; from pathlib import Path; from bedplate.settings import *; from bedplate.store import *\n"
        "from bedplate.guardrails.locks import Claim\n"
        "store = StoreSettings(url=sys.argv[2], busy_timeout=60)\n"
        "ledger = open_ledger(Settings(home=Path(sys.argv[1]), store=store))\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "print('occupied' if ledger.take(Claim(sys.argv[3], 'baseline', ['web-1'])) else 'got it', flush=True)\n"
        + ("sys.stdin.readline()\n" if wait else "")
    )
    command = [sys.executable, "-c", code, str(place.settings.home), place.settings.store.url, run_id]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


class TestApprovals:
    def test_the_last_word_of_each_person_counts(self, place: Place) -> None:
        with place.opened() as store, _ledger(place) as ledger:
            store.add(make_run(id="first"))
            first = Approval("first", "bob", Decision.APPROVE, NOW, "d1", "fine")
            later = Approval("first", "bob", Decision.REJECT, NOW + timedelta(hours=1), "d1", None)
            other = Approval("first", "eve", Decision.APPROVE, NOW, "d2", None)
            for approval in (first, other, later):
                ledger.decide(approval)
            assert ledger.approvals("first") == [other, later]
            assert ledger.approvals("second") == []

    def test_of_no_run_there_is_none(self, place: Place) -> None:
        with _ledger(place) as ledger, pytest.raises(NotFoundError):
            ledger.decide(Approval("nobody", "bob", Decision.APPROVE, NOW, "d"))

    def test_a_store_on_a_server_is_shared(self, place: Place) -> None:
        with _ledger(place) as ledger:
            assert ledger.shared is (place.server is not None)

    def test_a_folder_of_a_group_is_shared(self, place: Place) -> None:
        with place.opened(), _ledger(place) as ledger:
            if place.server is None:
                place.settings.home.chmod(0o2770)
            assert ledger.shared


class TestAudit:
    @pytest.fixture
    def anchors(self, place: Place) -> list[Anchor]:
        """The anchors of a log with four entries."""
        with _ledger(place) as ledger:
            return [anchor(ledger.append(_record(f"run-{number}")), _KEY, NOW) for number in range(4)]

    def test_a_log_that_nobody_touched_is_right(self, place: Place, anchors: list[Anchor]) -> None:
        with _ledger(place) as ledger:
            entries = list(ledger.entries())
            assert verify(entries, anchors) == []
            assert [entry.record for entry in entries] == [_record(f"run-{number}") for number in range(4)]
            assert [entry.number for entry in ledger.entries(newest_first=True)] == [4, 3, 2, 1]

    def test_an_edited_entry_is_named(self, place: Place, anchors: list[Anchor]) -> None:
        _edit(place, "UPDATE audit SET body = replace(body, 'ada', 'eve') WHERE number = 2")
        with _ledger(place) as ledger:
            (fault,) = verify(ledger.entries(), anchors)
        assert (fault.number, fault.sentence) == (2, "entry 2 was edited")

    def test_a_cut_tail_is_found(self, place: Place, anchors: list[Anchor]) -> None:
        _edit(place, "DELETE FROM audit WHERE number > 2")
        with _ledger(place) as ledger:
            assert verify(ledger.entries()) == [], "the chain alone does not show it"
            (fault,) = verify(ledger.entries(), anchors)
        assert "entries 3 to 4 were anchored and are gone" in fault.sentence

    def test_a_missing_entry_is_found(self, place: Place, anchors: list[Anchor]) -> None:
        _edit(place, "DELETE FROM audit WHERE number = 3")
        with _ledger(place) as ledger:
            faults = verify(ledger.entries(), anchors)
        assert {fault.number for fault in faults} == {3, 4}

    def test_a_chain_that_was_written_anew_is_found(self, place: Place, anchors: list[Anchor]) -> None:
        _edit(place, "DELETE FROM audit")
        with _ledger(place) as ledger:
            for number in range(4):
                ledger.append(_record(f"other-{number}"))
            assert verify(ledger.entries()) == [], "the chain alone does not show it"
            faults = verify(ledger.entries(), anchors)
        assert [fault.number for fault in faults] == [1, 2, 3, 4]
        assert all("written anew" in fault.sentence for fault in faults)

    def test_many_processes_append_one_chain(self, place: Place) -> None:
        code = (
            "import sys; from pathlib import Path; from datetime import *; from bedplate.settings import *\n"
            "from bedplate.store import *; from bedplate.guardrails.audit import AuditRecord\n"
            "ledger = open_ledger(Settings(home=Path(sys.argv[1]), "
            "store=StoreSettings(url=sys.argv[2], busy_timeout=60)))\n"
            "for _ in range(20): ledger.append(AuditRecord('asked', datetime.now(UTC), 'a', 'a', 'm'))"
        )
        with place.opened():
            pass
        command = [sys.executable, "-c", code, str(place.settings.home), place.settings.store.url]
        processes = [subprocess.Popen(command) for _ in range(4)]
        assert [process.wait(timeout=240) for process in processes] == [0] * 4
        with _ledger(place) as ledger:
            entries = list(ledger.entries())
        assert (len(entries), verify(entries)) == (80, [])


def _record(run: str) -> AuditRecord:
    return AuditRecord("asked", NOW, "ada", "ada", "there", run, "baseline", {"hosts": ["ü", "\0", 1, None]})
