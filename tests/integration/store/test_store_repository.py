"""The run store, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects import sqlite

from bedplate.errors import NotFoundError, StoreError
from bedplate.runs import Event, EventQuery, HostOutcome, HostResult, Run, RunMode, RunQuery, RunRepository, RunStatus
from bedplate.store.repository import _event_page
from integration.store.places import NOW, Place, make_events, make_run, sqlite_place


@pytest.fixture
def store(place: Place) -> Iterator[RunRepository]:
    with place.opened() as store:
        yield store


def _full_run() -> Run:
    return make_run(
        status=RunStatus.FAILED,
        mode=RunMode.CHECK,
        diff=True,
        reason="quarterly “review”: 50 % 🚀",
        product_title="Baseline",
        product_digest="sha256:ab",
        content_digest="sha256:cd",
        git_commit="0123abc-dirty",
        parameters={"n": 1, "f": 1.5, "list": ["a", None, {"deep": True}], "text": "line\nline", "ünï": "\ud800 \0"},
        limit="site_fra1:&class_colo",
        hosts=("z", "a", "m"),
        engine="awx",
        inventory="inventories/lab",
        folder=Path("/var/lib/a folder/run"),
        host_id="h",
        boot_id="b",
        pid=4242,
        queued_at=NOW,
        started_at=NOW + timedelta(seconds=1),
        finished_at=NOW + timedelta(seconds=61),
        heartbeat_at=NOW + timedelta(seconds=60),
        stop_requested_at=NOW + timedelta(seconds=30),
        exit_code=5,
        error="one host failed",
        rerun_of="20261122-151403-aaaa",
        tasks=12,
    )


class TestRuns:
    def test_a_run_comes_back_with_every_field(self, store: RunRepository) -> None:
        run = _full_run()
        unset = {f.name for f in fields(Run) if not getattr(run, f.name)}
        assert unset == {"outcomes"}, "the test must set every field"
        store.add(run)
        assert store.get(run.id) == run
        assert store.find(RunQuery()) == [run]

    def test_a_run_with_nothing_but_the_necessary_comes_back(self, store: RunRepository) -> None:
        run = make_run(hosts=())
        store.add(run)
        assert store.get(run.id) == run

    def test_times_are_kept_to_the_microsecond_and_given_in_utc(self, store: RunRepository) -> None:
        there = datetime(2026, 11, 22, 5, 44, 3, 999999, tzinfo=timezone(timedelta(hours=-9, minutes=-30)))
        run = make_run(created_at=there, started_at=datetime(1969, 7, 20, 20, 17, 40, 1, tzinfo=UTC))
        store.add(run)
        kept = store.get(run.id)
        assert kept.created_at == there
        assert kept.created_at.tzinfo is UTC
        assert kept.started_at == run.started_at

    def test_a_time_without_a_zone_is_refused(self, store: RunRepository) -> None:
        with pytest.raises(Exception, match=r"without a zone"):
            store.add(make_run(created_at=datetime(2026, 1, 1)))  # noqa: DTZ001

    def test_text_that_no_database_takes_is_kept_readable(self, store: RunRepository) -> None:
        run = make_run(reason="nul \0 and byte \udcff", hosts=("web\udcff",))
        store.add(run)
        assert store.get(run.id).reason == "nul \ufffd and byte \ufffd"
        assert store.get(run.id).hosts == run.hosts

    def test_an_id_that_is_taken_is_refused(self, store: RunRepository) -> None:
        run = make_run()
        store.add(run)
        with pytest.raises(StoreError, match=f"there is a run {run.id} already"):
            store.add(replace(run, product="other"))
        assert store.get(run.id).product == "baseline"


class TestGet:
    IDS = ("20261122-151403-k7f2", "20261122-151403-zzz9", "20261122-160000-k8f2")

    @pytest.fixture(autouse=True)
    def runs(self, store: RunRepository) -> None:
        for run_id in self.IDS:
            store.add(make_run(id=run_id))

    @pytest.mark.parametrize("part", ["20261122-151403-k7f2", "k7f2", "-k7f2", "20261122-16", "20261122-151403-z"])
    def test_a_whole_id_or_its_only_beginning_or_end(self, store: RunRepository, part: str) -> None:
        assert store.get(part).id in self.IDS

    def test_a_whole_id_wins_over_beginnings(self, store: RunRepository) -> None:
        store.add(make_run(id="20261122"))
        assert store.get("20261122").id == "20261122"

    def test_an_ambiguous_part_names_the_runs(self, store: RunRepository) -> None:
        with pytest.raises(NotFoundError) as error:
            store.get("20261122-151403")
        assert "20261122-151403-k7f2" in str(error.value)
        assert "20261122-151403-zzz9" in str(error.value)

    def test_only_a_few_of_many_are_named(self, store: RunRepository) -> None:
        for number in range(20):
            store.add(make_run(id=f"many-{number}"))
        with pytest.raises(NotFoundError) as error:
            store.get("many")
        assert str(error.value).count("many-") == 5
        assert "…" in str(error.value)

    def test_a_mistyped_id_gets_what_is_near(self, store: RunRepository) -> None:
        with pytest.raises(NotFoundError, match=r"near are 20261122-151403-k7f2"):
            store.get("20261122-151403-k7g2")

    @pytest.mark.parametrize("text", ["", "%", "_", "20261122%", "k7f", "x' OR 1=1 --", "\\"])
    def test_what_is_no_part_of_an_id_is_not_found(self, store: RunRepository, text: str) -> None:
        with pytest.raises(NotFoundError):
            store.get(text)


class TestFind:
    @pytest.fixture(autouse=True)
    def runs(self, store: RunRepository) -> None:
        for number in range(10):
            run = make_run(
                id=f"run-{number}",
                product="baseline" if number % 2 else "patch",
                requester="ada" if number < 5 else "bob",
                status=list(RunStatus)[number % 8],
                created_at=NOW + timedelta(hours=number),
                hosts=("web-1",) if number < 3 else ("db-1", "web-2"),
            )
            store.add(run)

    @pytest.mark.parametrize(
        ("query", "numbers"),
        [
            (RunQuery(), "9876543210"),
            (RunQuery(limit=3), "987"),
            (RunQuery(limit=3, offset=2), "765"),
            (RunQuery(limit=None, offset=8), "10"),
            (RunQuery(product="patch"), "86420"),
            (RunQuery(requester="ada"), "43210"),
            (RunQuery(host="web-1"), "210"),
            (RunQuery(host="db-1", limit=2), "98"),
            (RunQuery(host="web"), ""),
            (RunQuery(statuses=[RunStatus.PENDING, RunStatus.EXPIRED]), "870"),
            (RunQuery(since=NOW + timedelta(hours=8)), "98"),
            (RunQuery(until=NOW + timedelta(hours=2)), "10"),
            (RunQuery(product="baseline", requester="bob", host="web-2", since=NOW + timedelta(hours=6)), "97"),
        ],
        ids=str,
    )
    def test_each_field_narrows(self, store: RunRepository, query: RunQuery, numbers: str) -> None:
        assert [run.id for run in store.find(query)] == [f"run-{number}" for number in numbers]

    def test_count_ignores_limit_and_offset(self, store: RunRepository) -> None:
        assert store.count(RunQuery(product="patch", limit=2, offset=1)) == 5

    def test_unfinished_are_those_that_have_not_ended(self, store: RunRepository) -> None:
        assert [run.id for run in store.unfinished()] == ["run-9", "run-8", "run-2", "run-1", "run-0"]

    def test_runs_of_the_same_moment_come_in_the_order_they_were_added(self, store: RunRepository) -> None:
        later = NOW + timedelta(days=1)
        for name in ("first", "second", "third"):
            store.add(make_run(id=name, created_at=later))
        assert [run.id for run in store.find(RunQuery(since=later))] == ["third", "second", "first"]


class TestUpdate:
    def test_fields_are_set(self, store: RunRepository) -> None:
        run = make_run()
        store.add(run)
        changes: dict[str, Any] = {
            "status": RunStatus.RUNNING,
            "started_at": NOW,
            "pid": 7,
            "folder": Path("/f"),
            "parameters": {"a": [1]},
            "limit": "all",
            "mode": RunMode.CHECK,
        }
        assert store.update(run.id, **changes)
        assert store.get(run.id) == replace(run, **changes)

    def test_a_status_that_does_not_fit_leaves_the_run_alone(self, store: RunRepository) -> None:
        run = make_run(status=RunStatus.CANCELED)
        store.add(run)
        assert not store.update(run.id, only_from=[RunStatus.QUEUED, RunStatus.RUNNING], status=RunStatus.FAILED)
        assert store.get(run.id) == run

    def test_new_hosts_replace_those_without_a_result(self, store: RunRepository) -> None:
        run = make_run(hosts=("a", "b"))
        store.add(run)
        store.put_host_results(run.id, [HostResult("a", ok=1)])
        assert store.update(run.id, hosts=("c", "d"))
        assert store.get(run.id).hosts == ("c", "d")
        assert {host: store.count(RunQuery(host=host)) for host in "abcd"} == {"a": 1, "b": 0, "c": 1, "d": 1}

    @pytest.mark.parametrize("field", ["id", "outcomes", "colour"])
    def test_what_cannot_be_set_is_refused(self, store: RunRepository, field: str) -> None:
        run = make_run()
        store.add(run)
        with pytest.raises(TypeError, match=field):
            store.update(run.id, **{field: "x"})

    def test_of_many_who_try_at_once_one_wins(self, store: RunRepository) -> None:
        run = make_run()
        store.add(run)
        gate = threading.Barrier(6)

        def claim(number: int) -> bool:
            gate.wait()
            return store.update(run.id, only_from=[RunStatus.QUEUED], status=RunStatus.RUNNING, pid=number)

        with ThreadPoolExecutor(6) as pool:
            won = list(pool.map(claim, range(6)))
        assert sum(won) == 1
        assert store.get(run.id).pid == won.index(True)


class TestStop:
    def test_the_first_request_counts(self, store: RunRepository) -> None:
        run = make_run(status=RunStatus.RUNNING)
        store.add(run)
        assert not store.stop_requested(run.id)
        assert store.request_stop(run.id, NOW)
        assert store.request_stop(run.id, NOW + timedelta(hours=1))
        assert store.stop_requested(run.id)
        assert store.get(run.id).stop_requested_at == NOW

    @pytest.mark.parametrize("status", [status for status in RunStatus if status.ended])
    def test_a_run_that_ended_cannot_be_stopped(self, store: RunRepository, status: RunStatus) -> None:
        run = make_run(status=status)
        store.add(run)
        assert not store.request_stop(run.id, NOW)
        assert not store.stop_requested(run.id)


class TestEvents:
    def test_an_event_comes_back_with_every_field(self, store: RunRepository) -> None:
        event = Event(
            counter=7,
            kind="runner_on_failed",
            created=NOW,
            uuid="0242ac11-0002-a1b2-c3d4-000000000007",
            parent_uuid="0242ac11-0002-a1b2-c3d4-000000000001",
            host="web-1",
            play="Baseline",
            role="time_sync",
            task="Install “chrony”",
            action="ansible.builtin.apt",
            changed=True,
            duration=1.25,
            stdout="\x1b[0;31mfatal: [web-1]\x1b[0m\r\nbyte \udcff nul \0",
            data={"res": {"msg": "Ünïcode 🚀", "rc": 1, "list": [1, None, True, 1.5], "odd": "\udcff\0"}, "n": 2**70},
        )
        run = make_run()
        store.add(run)
        store.add_events(run.id, [event])
        assert list(store.events(run.id, EventQuery())) == [event]

    def test_an_event_with_nothing_but_the_necessary_comes_back(self, store: RunRepository) -> None:
        run = make_run()
        event = Event(counter=1, kind="verbose", created=NOW)
        store.add(run)
        store.add_events(run.id, [event])
        assert list(store.events(run.id, EventQuery())) == [event]

    def test_events_that_are_there_are_left_alone(self, store: RunRepository) -> None:
        run = make_run()
        store.add(run)
        store.add_events(run.id, make_events(range(1, 6)))
        store.add_events(run.id, make_events(range(3, 9), task="Again"))
        tasks = {event.counter: event.task for event in store.events(run.id, EventQuery())}
        assert tasks == {n: "A task" if n < 6 else "Again" for n in range(1, 9)}

    def test_one_batch_may_hold_an_event_twice_and_any_order(self, store: RunRepository) -> None:
        run = make_run()
        store.add(run)
        one, two = make_events(range(1, 3))
        store.add_events(run.id, [two, one, one, two])
        assert list(store.events(run.id, EventQuery())) == [one, two]

    def test_no_events_are_no_error(self, store: RunRepository) -> None:
        run = make_run()
        store.add(run)
        store.add_events(run.id, [])
        assert list(store.events(run.id, EventQuery())) == []

    def test_runs_do_not_mix(self, store: RunRepository) -> None:
        first, second = make_run(id="first"), make_run(id="second")
        for run in (first, second):
            store.add(run)
            store.add_events(run.id, make_events(range(1, 4), task=run.id))
        assert {event.task for event in store.events("second", EventQuery())} == {"second"}

    def test_more_than_a_page_comes_in_order_and_once(self, store: RunRepository) -> None:
        run = make_run()
        store.add(run)
        store.add_events(run.id, make_events(range(1, 2502)))
        assert [event.counter for event in store.events(run.id, EventQuery())] == list(range(1, 2502))
        assert [event.counter for event in store.events(run.id, EventQuery(limit=1500))] == list(range(1, 1501))
        assert [event.counter for event in store.events(run.id, EventQuery(after=2000))] == list(range(2001, 2502))
        assert list(store.events(run.id, EventQuery(limit=0))) == []

    def test_what_is_added_while_reading_is_seen(self, store: RunRepository) -> None:
        run = make_run()
        store.add(run)
        store.add_events(run.id, make_events(range(1, 1001)))
        reader = store.events(run.id, EventQuery())
        first = next(reader)
        store.add_events(run.id, make_events(range(1001, 1003)))
        assert [first.counter, *(event.counter for event in reader)] == list(range(1, 1003))

    @pytest.mark.parametrize(
        ("query", "counters"),
        [
            (EventQuery(host="db-1"), [2, 5]),
            (EventQuery(kinds=["runner_on_skipped", "playbook_on_stats"]), [6, 7]),
            (EventQuery(only_changed=True), [2]),
            (EventQuery(only_failed=True), [3, 5, 8]),
            (EventQuery(only_failed=True, after=3, limit=1), [5]),
            (EventQuery(host="db-1", only_changed=True, only_failed=True), []),
        ],
        ids=str,
    )
    def test_each_field_narrows(self, store: RunRepository, query: EventQuery, counters: list[int]) -> None:
        run = make_run()
        store.add(run)
        shapes: list[dict[str, Any]] = [
            {"kind": "runner_on_ok"},
            {"kind": "runner_on_ok", "host": "db-1", "changed": True},
            {"kind": "runner_on_failed"},
            {"kind": "runner_on_failed", "data": {"ignore_errors": True}},
            {"kind": "runner_on_unreachable", "host": "db-1"},
            {"kind": "runner_on_skipped"},
            {"kind": "playbook_on_stats", "host": None},
            {"kind": "runner_item_on_failed"},
            {"kind": "runner_on_failed", "data": {"rescued": True}},
        ]
        for number, shape in enumerate(shapes, start=1):
            store.add_events(run.id, make_events(range(number, number + 1), **shape))
        assert [event.counter for event in store.events(run.id, query)] == counters

    def test_failures_of_a_big_run_are_found_by_their_index(self, tmp_path: Path) -> None:
        with sqlite_place(tmp_path).opened():
            pass
        statement = _event_page(1, EventQuery(only_failed=True), 0).compile(
            dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}
        )
        with closing(sqlite3.connect(tmp_path / "bedplate.db")) as connection:
            plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
        assert "INDEX events_failed" in plan[0][3]

    def test_two_writers_of_the_same_events_do_not_block_each_other(self, store: RunRepository) -> None:
        run = make_run()
        store.add(run)
        events = make_events(range(1, 2001))

        def write(step: int) -> None:
            for start in range(0, 2000, 100):
                store.add_events(run.id, events[start : start + 100][::step])

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(write, (1, -1)))
        assert list(store.events(run.id, EventQuery())) == events


class TestHostResults:
    def test_results_come_back_by_name(self, store: RunRepository) -> None:
        run = make_run()
        store.add(run)
        results = [HostResult("web-2", 1, 2, 3, 4, 5, 6, 7), HostResult("Web-1"), HostResult("delegate", ok=1)]
        store.put_host_results(run.id, results)
        assert store.host_results(run.id) == [results[1], results[2], results[0]]

    def test_a_host_without_a_result_yet_is_not_among_them(self, store: RunRepository) -> None:
        run = make_run(hosts=("a", "b"))
        store.add(run)
        store.put_host_results(run.id, [HostResult("a", ok=1)])
        assert store.host_results(run.id) == [HostResult("a", ok=1)]

    def test_later_results_replace_earlier_ones_and_the_counts_follow(self, store: RunRepository) -> None:
        run = make_run(hosts=tuple("abcd"))
        store.add(run)
        store.put_host_results(run.id, [HostResult("a", ok=1), HostResult("b", changed=1), HostResult("c", failed=1)])
        store.put_host_results(run.id, [HostResult("a", unreachable=1), HostResult("d", changed=2)])
        assert store.host_results(run.id)[0] == HostResult("a", unreachable=1)
        expected = {HostOutcome.CHANGED: 2, HostOutcome.FAILED: 1, HostOutcome.UNREACHABLE: 1}
        assert store.get(run.id).outcomes == expected
        assert store.find(RunQuery())[0].outcomes == expected

    def test_a_host_that_was_only_touched_finds_the_run(self, store: RunRepository) -> None:
        run = make_run()
        store.add(run)
        store.put_host_results(run.id, [HostResult("delegate", ok=1)])
        assert [found.id for found in store.find(RunQuery(host="delegate"))] == [run.id]


def test_durations_are_of_successful_runs_newest_first(store: RunRepository) -> None:
    def add(number: int, **changes: Any) -> None:
        values: dict[str, Any] = {
            "status": RunStatus.SUCCESSFUL,
            "created_at": NOW + timedelta(hours=number),
            "started_at": NOW,
            "finished_at": NOW + timedelta(seconds=number),
            "hosts": tuple(f"h{n}" for n in range(number)),
        }
        store.add(make_run(id=f"run-{number}", **(values | changes)))

    for number in (1, 2, 3):
        add(number)
    add(4, status=RunStatus.FAILED)
    add(5, mode=RunMode.CHECK)
    add(6, product="patch")
    add(7, started_at=None)
    store.add(
        make_run(
            id="mine",
            hosts=tuple(f"h{n}" for n in range(8)),
            created_at=NOW + timedelta(hours=8),
            started_at=NOW,
            finished_at=NOW + timedelta(seconds=8),
            status=RunStatus.SUCCESSFUL,
        )
    )
    store.put_host_results("mine", [HostResult(f"h{number}", skipped=1) for number in range(8)])
    assert store.durations("baseline", RunMode.APPLY) == [(3, 3.0), (2, 2.0), (1, 1.0)]
    assert store.durations("baseline", RunMode.APPLY, limit=1) == [(3, 3.0)]
    store.put_host_results("mine", [HostResult("h0", ok=1)])
    assert store.durations("baseline", RunMode.APPLY, limit=1) == [(1, 8.0)], "nothing was done to the others"


class TestDelete:
    def test_ended_runs_go_with_all_that_is_theirs(self, store: RunRepository) -> None:
        gone = make_run(id="gone", status=RunStatus.SUCCESSFUL)
        kept = make_run(id="kept", status=RunStatus.SUCCESSFUL)
        for run in (gone, kept):
            store.add(run)
            store.add_events(run.id, make_events(range(1, 4)))
            store.put_host_results(run.id, [HostResult("web-1", ok=1)])
        assert store.delete(["gone", "gone", "unknown"]) == 1
        assert [run.id for run in store.find(RunQuery(host="web-1"))] == ["kept"]
        assert len(list(store.events("kept", EventQuery()))) == 3
        with pytest.raises(NotFoundError):
            store.get("gone")

    def test_a_new_run_never_inherits_from_a_deleted_one(self, store: RunRepository) -> None:
        store.add(make_run(id="old", status=RunStatus.FAILED))
        store.add_events("old", make_events(range(1, 4)))
        store.delete(["old"])
        store.add(make_run(id="new"))
        assert list(store.events("new", EventQuery())) == []

    @pytest.mark.parametrize("status", [status for status in RunStatus if not status.ended])
    def test_what_has_not_ended_stays(self, store: RunRepository, status: RunStatus) -> None:
        run = make_run(status=status)
        store.add(run)
        store.add_events(run.id, make_events(range(1, 4)))
        assert store.delete([run.id]) == 0
        assert len(list(store.events(run.id, EventQuery()))) == 3

    def test_many_events_go_in_portions(self, store: RunRepository) -> None:
        run = make_run(status=RunStatus.SUCCESSFUL)
        store.add(run)
        store.add_events(run.id, make_events(range(1, 12001)))
        assert store.delete([run.id]) == 1
        assert store.count(RunQuery()) == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.update("none", pid=1),
        lambda store: store.update("none", only_from=[RunStatus.QUEUED], pid=1),
        lambda store: store.request_stop("none", NOW),
        lambda store: store.stop_requested("none"),
        lambda store: store.add_events("none", make_events(range(1, 2))),
        lambda store: list(store.events("none", EventQuery())),
        lambda store: store.put_host_results("none", [HostResult("a", ok=1)]),
        lambda store: store.host_results("none"),
    ],
)
def test_an_unknown_run_is_not_found(store: RunRepository, call: Any) -> None:
    with pytest.raises(NotFoundError, match=r"no run none"):
        call(store)


def test_a_store_can_be_used_after_it_was_closed(store: RunRepository) -> None:
    run = make_run()
    store.add(run)
    store.close()
    assert store.get(run.id) == run


def test_a_store_can_be_used_on_both_sides_of_a_fork(store: RunRepository) -> None:
    store.add(make_run(id="before"))
    child = os.fork()
    if child == 0:
        code = 1
        try:
            store.add(make_run(id="child"))
            code = 0
        finally:
            os._exit(code)
    store.add(make_run(id="parent"))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert {run.id for run in store.find(RunQuery())} == {"before", "child", "parent"}
