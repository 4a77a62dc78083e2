"""Parts of a read: how many requests at once, shared config contexts, one refresh at a time, and what may be lost."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netbox_modules import a_record, contexts, faults, gate, graphql, kept, lock, pace, rows, snapshot

LOCAL = st.none() | st.just({}) | st.fixed_dictionaries({"local": st.integers(0, 2), "deep": st.just({"b": 1})})
HOST = st.fixed_dictionaries({"site": st.integers(1, 3), "role": st.integers(1, 2), "local": LOCAL})


class TestPace:
    def test_more_requests_while_that_gives_more(self) -> None:
        found = pace.Pace()
        for _ in range(60):
            found.note(1.0)  # an answer takes as long however many are under way
        assert found.allowed > pace.FEWEST
        assert found.allowed <= pace.MOST

    def test_no_more_than_two_where_the_server_cannot_do_more(self) -> None:
        found = pace.Pace()
        highest = 0
        for _ in range(60):
            found.note(float(found.allowed))  # twice as many take twice as long
            highest = max(highest, found.allowed)
        assert highest == pace.FEWEST + 1
        assert found.allowed == pace.FEWEST

    def test_results_come_by_name_and_in_order(self) -> None:
        tasks = {"a": [lambda: 1, lambda: 2], "b": [lambda: 3], "c": []}
        assert pace.gather(tasks, pace.Pace()) == {"a": [1, 2], "b": [3], "c": []}

    def test_the_first_failure_ends_it(self) -> None:
        begun = []

        def fail() -> None:
            raise faults.SourceError("no")

        tasks = [fail, *[lambda number=number: begun.append(number) for number in range(50)]]
        with pytest.raises(faults.SourceError, match="no"):
            pace.gather({"a": tasks}, pace.Pace())
        assert len(begun) < 50


def host(number: int, drawn: dict[str, Any]) -> dict[str, Any]:
    row = dict.fromkeys(rows.REFERENCES)
    return {**row, "id": number, "name": f"h{number}", "tags": [], "local_context_data": drawn["local"], **drawn}


class TestContexts:
    @given(drawn=st.lists(HOST, min_size=1, max_size=12), hidden=st.booleans())
    def test_each_host_gets_what_netbox_would_render(self, drawn: list[dict[str, Any]], *, hidden: bool) -> None:
        table = {number: host(number, one) for number, one in enumerate(drawn, 1)}

        def rendered(row: dict[str, Any]) -> dict[str, Any]:
            shared = {"site": row["site"], "deep": {"a": row["site"]}, **({"role": row["role"]} if hidden else {})}
            return contexts.merged(shared, row["local_context_data"] or {})

        by_site = [{"sites": [{"id": 1}], **{name: [] for name in contexts.FIELDS.split(",")[3:] if name != "sites"}}]
        contexts.render_all(
            {"device": table},
            contexts.Assignment(by_site),
            lambda _kind, numbers: {number: rendered(table[number]) for number in numbers},
        )
        assert all(row["config_context"] == rendered(row) for row in table.values())

    def test_hosts_that_are_alike_are_rendered_once(self) -> None:
        table = {number: host(number, {"site": 1, "role": 1, "local": None}) for number in range(1, 1001)}
        asked: list[int] = []

        def render(_kind: str, numbers: list[int]) -> dict[int, dict[str, Any]]:
            asked.extend(numbers)
            return {number: {"a": 1} for number in numbers}

        contexts.render_all({"device": table}, contexts.Assignment(None), render)
        assert len(asked) == 2
        assert table[1]["config_context"] is table[1000]["config_context"]

    def test_a_host_that_is_gone_meanwhile_fails_the_read(self) -> None:
        with pytest.raises(faults.SourceError, match="no config context for host h1"):
            contexts.render_each({1: host(1, {"site": 1, "role": 1, "local": None})}, lambda _numbers: {})


class TestRanges:
    @given(st.integers(0, 5000), st.integers(0, 100_000), st.integers(1, 1000))
    def test_ranges_cover_every_id_once(self, count: int, last: int, page_size: int) -> None:
        spans = graphql.ranges(count, last, page_size)
        assert spans[0][0] == 1
        assert all(before[1] == after[0] for before, after in pairwise(spans))
        assert spans[-1][1] > 10**15
        assert len(spans) <= max(1, -(-count // page_size)) + 1


class TestLock:
    def test_who_comes_second_waits_and_is_told(self, tmp_path: Path) -> None:
        path, told = str(tmp_path / "s.json"), []

        def second() -> None:
            with lock.refresh_lock(path, 10) as waited:
                told.append(waited)

        with lock.refresh_lock(path, 1) as waited:
            assert not waited
            other = threading.Thread(target=second)
            other.start()
            time.sleep(0.2)
            assert told == []
        other.join()
        assert told == [True]

    def test_a_refresh_that_hangs_is_not_waited_for_without_end(self, tmp_path: Path) -> None:
        path = str(tmp_path / "s.json")
        with (
            lock.refresh_lock(path, 1),
            pytest.raises(faults.InventoryError, match="another refresh"),
            lock.refresh_lock(path, 0.1),
        ):
            pass

    def test_where_no_lock_can_be_there_is_none(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with lock.refresh_lock(str(tmp_path / "file" / "s.json"), 1) as waited:
            assert not waited


def fleet(count: int = 100, **values: Any) -> snapshot.Snapshot:
    hosts = {f"h{number:03d}": a_record(f"h{number:03d}", id=number, **values) for number in range(count)}
    return snapshot.Snapshot(hosts, datetime.now(UTC), "https://netbox.example.com", "4.6.8")


class TestGate:
    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"class": "cloud"}, "hosts of class colo are gone from it"),
            ({"class": None}, "hosts of class colo are gone from it"),
            ({"site": None}, "hosts with sites have none"),
            ({"tags": []}, "hosts with tags have none"),
            ({"region": []}, "hosts with regions have none"),
        ],
    )
    def test_what_hosts_lost_is_noticed(self, change: dict[str, Any], told: str) -> None:
        fresh = fleet()
        for name in list(fresh.hosts)[:11]:
            fresh.hosts[name] = {**fresh.hosts[name], **change}
        with pytest.raises(faults.InventoryError, match=f"11 of 100 {told}"):
            gate.check_shrink(fleet(), fresh, gate.Limits())
        fresh.hosts["h010"] = fleet().hosts["h010"]
        gate.check_shrink(fleet(), fresh, gate.Limits())

    def test_groups_that_are_gone_are_noticed(self) -> None:
        last, fresh = fleet(), fleet()
        for number, record in enumerate(last.hosts.values()):
            record["rack"] = f"r{number}"
        with pytest.raises(faults.InventoryError, match="100 of 100 racks are gone"):
            gate.check_shrink(last, fresh, gate.Limits())

    def test_a_class_may_change_its_hosts(self) -> None:
        last, fresh = fleet(), fleet()
        for number, name in enumerate(last.hosts):
            last.hosts[name]["class"] = "colo" if number < 50 else "cloud"
            fresh.hosts[name]["class"] = "cloud" if number < 50 else "colo"
        gate.check_shrink(last, fresh, gate.Limits())


class TestKept:
    def test_tables_come_back_as_they_were(self, tmp_path: Path) -> None:
        tables, shared = rows.Tables(), {"a": [1, {"b": "ß\ud800"}]}
        row = host(1, {"site": 1, "role": 1, "local": None})
        tables.hosts = {"device": {1: {**row, "config_context": shared}, 2: {**row, "id": 2, "config_context": shared}}}
        tables.related["sites"] = {1: {"slug": "fra1"}}
        tables.services = {7: {"kind": "device", "host": 1, "shown": {"name": "ssh"}}}
        kept.write_tables(str(tmp_path / "s.json"), tables, "mark")
        found = kept.read_tables(str(tmp_path / "s.json"), "mark")
        assert found is not None
        assert (found.hosts, found.related, found.services) == (tables.hosts, tables.related, tables.services)
        assert found.hosts["device"][1]["config_context"] is found.hosts["device"][2]["config_context"]
        assert kept.read_tables(str(tmp_path / "s.json"), "another") is None

    @pytest.mark.parametrize("count", [3, 3000])
    def test_a_snapshot_is_confirmed_without_writing_its_hosts_anew(self, tmp_path: Path, count: int) -> None:
        path = str(tmp_path / "s.json")
        first = fleet(count)
        snapshot.write_snapshot(path, first)
        later = snapshot.Snapshot(first.hosts, datetime(2027, 1, 1, tzinfo=UTC), first.source, "4.7.0", {"read": "x"})
        snapshot.write_again(path, later)
        found = snapshot.read_snapshot(path)
        assert (found.hosts, found.taken_at, found.cursor) == (first.hosts, later.taken_at, later.cursor)

    @pytest.mark.parametrize("count", [3, 3000])
    @pytest.mark.parametrize("is_another", [False, True])
    def test_only_hosts_that_are_not_as_they_were_are_written_anew(
        self, tmp_path: Path, count: int, *, is_another: bool
    ) -> None:
        path, whole = str(tmp_path / "s.json"), str(tmp_path / "whole.json")
        first = fleet(count)
        first.cursor = {"read": "in full"}
        snapshot.write_snapshot(path, first)
        last = snapshot.read_snapshot(path)
        if is_another:  # the file is not what was read
            snapshot.write_snapshot(path, snapshot.Snapshot({}, first.taken_at, first.source, "4.6.8", {"read": "x"}))
        names = sorted(last.hosts)[:: count // 2]
        hosts = {**last.hosts, **{name: {**last.hosts[name], "serial": "NEW"} for name in names}}
        later = snapshot.Snapshot(hosts, datetime(2027, 1, 1, tzinfo=UTC), first.source, "4.7.0", {"read": "changes"})
        snapshot.write_altered(path, later, last, names)
        found = snapshot.read_snapshot(path)
        assert (found.hosts, found.taken_at, found.cursor["read"]) == (hosts, later.taken_at, "changes")
        snapshot.write_snapshot(whole, later)
        assert Path(whole).read_bytes() == Path(path).read_bytes()
