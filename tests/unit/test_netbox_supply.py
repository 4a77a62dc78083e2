"""Names and classes of found hosts, and which snapshot serves."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from netbox_modules import (
    a_record,
    ages,
    classes,
    faults,
    gate,
    query,
    reading,
    settle,
    snapshot,
    snapshot_fleet,
    supply,
)

RULE = classes.ClassRule((), {}, "bedplate_class", "colo")
QUERY = query.Query(("device", "virtual_machine"), {}, ("active",))


def found(name: object, number: int, created: str = "", kind: str = "device", **values: object) -> "reading.FoundHost":
    return reading.FoundHost({**a_record(**values), "name": name, "id": number, "type": kind}, created)


def settled(*hosts: "reading.FoundHost") -> tuple[dict[str, object], str]:
    notices = faults.Notices()
    return settle.settle(hosts, RULE, notices), "\n".join(notices.sentences())


def test_the_oldest_object_keeps_the_name_and_the_others_are_named_after_their_id() -> None:
    hosts, notices = settled(
        found("web01", 1, "2026-03-01"),
        found("web01", 9, "2026-01-01"),
        found("web01", 4, "2026-02-01", "virtual_machine"),
    )
    assert {name: record["id"] for name, record in hosts.items()} == {
        "web01": 9, "web01__device_1": 1, "web01__virtual_machine_4": 4,
    }  # fmt: skip
    assert all(record["name"] == name for name, record in hosts.items())
    assert "web01__device_1" in notices
    assert "device 9" in notices


def test_a_name_does_not_change_when_another_object_takes_it_later() -> None:
    one = found("web01", 1, "2026-01-01", "virtual_machine")
    before, _ = settled(one)
    after, _ = settled(found("web01", 1, "2026-02-01"), one)
    assert before["web01"]["type"] == after["web01"]["type"] == "virtual_machine"


@pytest.mark.parametrize("name", [None, "", "  "])
def test_objects_without_a_name_are_left_out_and_told(name: object) -> None:
    hosts, notices = settled(found(name, 7), found("web01", 1))
    assert list(hosts) == ["web01"]
    assert "device 7" in notices


def test_config_context_that_is_no_dictionary_is_told() -> None:
    hosts, notices = settled(found("web01", 1, config_context=[1]))
    assert hosts["web01"]["config_context"] == {}
    assert "web01" in notices


class Fleet:
    """A source that answers with what it was told, or fails."""

    url = "https://netbox.example.com"

    def __init__(self, *names: str, kind: str = "device") -> None:
        self.names = names
        self.kind = kind
        self.fault: faults.InventoryError | None = None
        self.reads = 0

    def read(self, _query: object, _notices: object) -> "reading.Reading":
        self.reads += 1
        if self.fault:
            raise self.fault
        return reading.Reading([found(name, number, kind=self.kind) for number, name in enumerate(self.names)], "4.6.8")


class Served:
    """Serves again and again from one place."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.warnings: list[str] = []

    def __call__(self, source: Fleet, *, refresh: bool = False, **limits: object) -> "snapshot.Snapshot":
        options = gate.Limits(**{"cache_ttl": 0, **limits})
        kept = snapshot_fleet.SnapshotFleet(source, QUERY, RULE, faults.Notices(), str(self.path))
        return supply.Supply(kept, options, path=str(self.path), refresh=refresh).serve(self.warnings.append)

    def age(self, **past: float) -> None:
        """Make the last snapshot older."""
        last = snapshot.read_snapshot(str(self.path))
        last.taken_at = datetime.now(UTC) - timedelta(**past)
        snapshot.write_snapshot(str(self.path), last)


@pytest.fixture
def serve(tmp_path: Path) -> Served:
    return Served(tmp_path / "snapshots" / "s.json")


def fleet(count: int, kind: str = "device") -> Fleet:
    return Fleet(*(f"h{number:03d}" for number in range(count)), kind=kind)


def test_what_was_read_is_kept(serve: Served) -> None:
    served = serve(fleet(3))
    kept = snapshot.read_snapshot(str(serve.path))
    assert list(kept.hosts) == list(served.hosts) == ["h000", "h001", "h002"]
    assert kept.cursor["counts"] == {"device": 3, "virtual_machine": 0}
    assert (kept.source, kept.netbox_version) == (Fleet.url, "4.6.8")


def test_a_fresh_snapshot_serves_without_a_read(serve: Served) -> None:
    source = fleet(3)
    for _ in range(3):
        serve(source, cache_ttl=300)
    assert source.reads == 1
    serve(source, cache_ttl=300, refresh=True)
    assert source.reads == 2
    serve.age(seconds=301)
    serve(source, cache_ttl=300)
    assert source.reads == 3


def test_a_snapshot_of_another_query_or_source_does_not_serve(serve: Served) -> None:
    serve(fleet(30))
    last = snapshot.read_snapshot(str(serve.path))
    last.cursor = {"query": "another"}
    snapshot.write_snapshot(str(serve.path), last)
    assert len(serve(fleet(2), cache_ttl=300).hosts) == 2
    elsewhere = fleet(1)
    elsewhere.url = "https://other.example.com"
    assert len(serve(elsewhere, cache_ttl=300).hosts) == 1


def test_no_host_is_an_error_unless_it_is_allowed(serve: Served) -> None:
    with pytest.raises(faults.InventoryError, match="no host at all"):
        serve(fleet(0))
    assert not serve.path.exists()
    assert serve(fleet(0), allow_empty=True).hosts == {}


@pytest.mark.parametrize(
    ("before", "after", "refused"), [(100, 90, False), (100, 89, True), (6, 1, False), (20, 14, True)]
)
def test_a_fleet_that_shrank_by_more_than_the_limit_is_refused(
    serve: Served, before: int, after: int, *, refused: bool
) -> None:
    serve(fleet(before))
    if not refused:
        assert len(serve(fleet(after)).hosts) == after
        return
    with pytest.raises(faults.InventoryError, match=rf"{before - after} of {before} hosts are gone.*h{after:03d}"):
        serve(fleet(after))
    assert len(snapshot.read_snapshot(str(serve.path)).hosts) == before
    assert len(serve(fleet(after), accept_shrink=True).hosts) == after


def test_a_type_that_vanished_is_noticed_in_a_large_fleet(serve: Served) -> None:
    both = Fleet()
    machines = [found(f"vm{number}", number, kind="virtual_machine") for number in range(8)]
    devices = [found(f"srv{number}", number) for number in range(200)]
    both.read = lambda _query, _notices: reading.Reading(devices + machines, "4.6.8")
    serve(both)
    both.read = lambda _query, _notices: reading.Reading(devices, "4.6.8")
    with pytest.raises(faults.InventoryError, match="8 of 8 virtual machines are gone"):
        serve(both)


def test_renamed_hosts_are_not_gone(serve: Served) -> None:
    serve(fleet(50))
    assert len(serve(Fleet(*(f"new{number}" for number in range(50)))).hosts) == 50


def test_a_failing_netbox_is_an_error_that_offers_the_last_good_snapshot_with_its_age(serve: Served) -> None:
    source = fleet(3)
    source.fault = faults.SourceError("no connection", where=Fleet.url)
    with pytest.raises(faults.InventoryError, match="no connection") as caught:
        serve(source)
    assert "snapshot" not in str(caught.value)
    serve(fleet(3))
    serve.age(hours=5)
    with pytest.raises(faults.InventoryError, match=r"no connection.*5 hours old.*3 hosts.*BEDPLATE_INVENTORY_STALE=1"):
        serve(source)


def test_the_last_good_snapshot_serves_on_request_and_says_how_old_it_is(serve: Served) -> None:
    source = fleet(3)
    serve(source)
    serve.age(hours=5)
    source.fault = faults.SourceError("no connection")
    assert len(serve(source, stale_if_error=True).hosts) == 3
    assert "no connection" in serve.warnings[0]
    assert "5 hours" in serve.warnings[0]
    with pytest.raises(faults.InventoryError, match=r"stale_max_age.*4 hours"):
        serve(source, stale_if_error=True, stale_max_age=4)


def test_a_shrunk_fleet_is_refused_even_where_a_stale_one_may_serve(serve: Served) -> None:
    serve(fleet(100))
    with pytest.raises(faults.InventoryError, match="gone"):
        serve(fleet(10), stale_if_error=True)


def test_a_damaged_last_snapshot_is_told_and_replaced(serve: Served) -> None:
    serve(fleet(3))
    serve.path.write_bytes(serve.path.read_bytes()[:-30])
    assert len(serve(fleet(3), cache_ttl=300).hosts) == 3
    assert str(serve.path) in serve.warnings[0]
    assert len(snapshot.read_snapshot(str(serve.path)).hosts) == 3


def test_an_unwritable_place_is_a_warning_but_an_error_of_a_refresh(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    serve = Served(tmp_path / "file" / "s.json")
    assert len(serve(fleet(3)).hosts) == 3
    assert "cannot write the snapshot" in serve.warnings[0]
    with pytest.raises(faults.InventoryError, match="cannot write the snapshot"):
        serve(fleet(3), refresh=True)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 seconds"), (1, "1 second"), (61, "1 minute"), (7200, "2 hours"), (90000, "1 day"), (3 * 86400, "3 days")],
)
def test_ages_for_people(seconds: float, text: str) -> None:
    assert ages.readable_age(seconds) == text


@pytest.mark.parametrize(("ahead", "reads"), [(30, 1), (3600, 2)])
def test_a_snapshot_of_a_clock_ahead_of_ours_is_not_fresh(serve: Served, ahead: float, reads: int) -> None:
    source = fleet(3)
    serve(source)
    serve.age(seconds=-ahead)
    assert list(serve(source, cache_ttl=300).hosts) == ["h000", "h001", "h002"]
    assert source.reads == reads
