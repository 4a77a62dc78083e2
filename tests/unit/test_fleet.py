"""Snapshots: reading, cutting, comparing, and what is wrong with them."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedplate.errors import InventoryError, NotFoundError
from bedplate.fleet import (
    FailureDomain,
    FaultLevel,
    HostClass,
    HostRecord,
    Snapshot,
    compare,
    find_faults,
    parse_prefixes,
)

TAKEN = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
TEXTS = st.sampled_from([None, "", "fra1", "Zürich", "{{ x }}", "a\nb"])
TREES = st.sampled_from([{}, {"a": None}, {"a": {"b": [1, "x"]}}, {"a": True}, {"a": 1, "ü": {"c": 2.5}}])
FEW = settings(deadline=None, max_examples=40)


@st.composite
def records(draw: st.DrawFn) -> HostRecord:
    return HostRecord(
        name="overwritten",
        type=draw(st.sampled_from(["device", "virtual_machine"])),
        id=draw(st.none() | st.integers(1)),
        host_class=draw(st.none() | st.sampled_from([*HostClass, "odd"]).map(str)),
        region=tuple(draw(st.lists(NAMES, max_size=2))),
        site=draw(TEXTS),
        position=draw(st.none() | st.integers(1, 42) | st.just(7.5)),
        tags=tuple(draw(st.lists(NAMES, max_size=2))),
        custom_fields=draw(TREES),
        config_context=draw(TREES),
        services=tuple(draw(st.lists(TREES, max_size=1))),
        interfaces=draw(st.none() | st.lists(TREES, max_size=1).map(tuple)),
        last_updated=draw(TEXTS),
        context_only=draw(st.booleans()),
    )


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    hosts = draw(st.dictionaries(NAMES, records(), max_size=5))
    named = {name: replace(record, name=name) for name, record in hosts.items()}
    taken = TAKEN + timedelta(seconds=draw(st.integers(0, 10**6)))
    return Snapshot(taken, draw(TEXTS) or "", "4.6.8", draw(TREES), named)


def record(name: str, **values: Any) -> HostRecord:
    known = {
        "type": "device",
        "status": "active",
        "host_class": "colo",
        "region": ("emea",),
        "site": "fra1",
        "rack": "fra1-r01",
        "platform": "debian-12",
        "primary_ip4": f"10.0.0.{len(name)}",
    }
    return HostRecord(name=name, **{**known, **values})


def snapshot(*hosts: HostRecord) -> Snapshot:
    return Snapshot(TAKEN, "https://netbox.example.com", hosts={host.name: host for host in hosts})


class TestReading:
    @FEW
    @given(snapshots())
    def test_what_was_written_is_read_again(self, fleet: Snapshot) -> None:
        assert Snapshot.parse(fleet.to_bytes()) == fleet

    @FEW
    @given(snapshots())
    def test_gzip_is_read_too(self, fleet: Snapshot) -> None:
        assert Snapshot.parse(gzip.compress(fleet.to_bytes())) == fleet

    @FEW
    @given(snapshots(), st.data())
    def test_a_part_is_never_read_as_a_small_fleet(self, fleet: Snapshot, data: st.DataObject) -> None:
        content = fleet.to_bytes()
        with pytest.raises(InventoryError, match=r"cut short|is empty|is no JSON|not text"):
            Snapshot.parse(content[: data.draw(st.integers(0, len(content) - 1))])

    @pytest.mark.parametrize("keep", [1, 30, -1])
    def test_a_cut_gzip_says_so(self, keep: int) -> None:
        content = gzip.compress(snapshot(record("a"), record("bb")).to_bytes())
        with pytest.raises(InventoryError, match=r"fleet\.json: is (cut short|no JSON|not text|damaged)"):
            Snapshot.parse(content[:keep], "fleet.json")

    @pytest.mark.parametrize(
        ("document", "said"),
        [
            ([1, 2], "no snapshot"),
            ({"devices": []}, "no snapshot"),
            ({"schema": 2, "hosts": {}}, "schema 2; this version of Bedplate reads up to 1"),
            ({"schema": "1", "hosts": {}}, "schema: must be a whole number"),
            ({"schema": 1, "hosts": []}, "hosts: must be a mapping"),
            ({"schema": 1, "hosts": {}, "taken_at": "today"}, "taken_at: must be a time"),
            ({"schema": 1, "hosts": {"a": 3}}, "a: must be a record, not a number"),
            ({"schema": 1, "hosts": {"a": {"type": "switch"}}}, "a: type: must be device or virtual_machine"),
            ({"schema": 1, "hosts": {"a": {"type": "device", "tags": "x"}}}, "a: tags: must be a list, not text"),
            ({"schema": 1, "hosts": {"a": {"type": "device", "site": 3}}}, "a: site: must be text, not a number"),
            (
                {"schema": 1, "hosts": {"a": {"type": "device", "config_context": [1]}}},
                "a: config_context: must be a mapping",
            ),
        ],
    )
    def test_what_is_no_snapshot_is_named(self, document: object, said: str) -> None:
        with pytest.raises(InventoryError) as caught:
            Snapshot.parse(json.dumps(document).encode(), "fleet.json")
        assert str(caught.value).startswith("fleet.json")
        assert said in str(caught.value)

    def test_unknown_keys_of_a_record_are_kept(self) -> None:
        document = snapshot(record("a")).to_document()
        document["hosts"]["a"]["colour"] = "red"
        assert Snapshot.from_document(document).to_document() == document

    def test_a_host_that_is_not_there_is_named(self) -> None:
        with pytest.raises(NotFoundError, match="no host b"):
            snapshot(record("a")).host("b")


class TestCut:
    @FEW
    @given(snapshots(), st.data())
    def test_only_the_wanted_hosts_stay(self, fleet: Snapshot, data: st.DataObject) -> None:
        wanted = data.draw(st.sets(st.sampled_from(sorted(fleet.hosts))) if fleet.hosts else st.just(set()))
        cut = fleet.cut(wanted)
        assert set(cut.hosts) == wanted
        assert all(cut.hosts[name] == fleet.hosts[name] for name in wanted)

    @FEW
    @given(snapshots(), st.data())
    def test_hosts_of_the_context_stay_and_are_marked(self, fleet: Snapshot, data: st.DataObject) -> None:
        some = st.sets(st.sampled_from(sorted(fleet.hosts))) if fleet.hosts else st.just(set())
        wanted, context = data.draw(some), data.draw(some)
        cut = fleet.cut(wanted, context)
        assert list(cut.hosts) == [name for name in fleet.hosts if name in wanted | context]
        for name, host in cut.hosts.items():
            assert host.context_only or name in wanted
            assert replace(host, context_only=fleet.hosts[name].context_only) == fleet.hosts[name]

    @FEW
    @given(snapshots())
    def test_all_hosts_is_the_whole(self, fleet: Snapshot) -> None:
        assert fleet.cut(fleet.hosts) == fleet


class TestCompare:
    @FEW
    @given(snapshots())
    def test_nothing_changes_in_itself(self, fleet: Snapshot) -> None:
        assert not compare(fleet, fleet)

    @FEW
    @given(snapshots(), snapshots())
    def test_forward_and_back_say_the_same(self, one: Snapshot, other: Snapshot) -> None:
        there, back = compare(one, other), compare(other, one)
        assert there.added == back.removed
        assert there.removed == back.added
        assert [change.host for change in there.changed] == [change.host for change in back.changed]
        for change, turned in zip(there.changed, back.changed, strict=True):
            assert [(a.attribute, a.before, a.after) for a in change.attributes] == [
                (a.attribute, a.after, a.before) for a in turned.attributes
            ]

    def test_a_change_is_told_attribute_by_attribute(self) -> None:
        before = record("a", config_context={"ntp": {"servers": ["x"], "pool": True}})
        after = replace(before, site="ash1", config_context={"ntp": {"servers": ["y"], "pool": True}})
        (change,) = compare(snapshot(before), snapshot(after)).changed
        assert [(one.attribute, one.before, one.after) for one in change.attributes] == [
            ("config_context.ntp.servers", ["x"], ["y"]),
            ("site", "fra1", "ash1"),
        ]
        assert [one.attribute for one in change.moved] == ["site"]

    def test_true_and_one_are_not_the_same(self) -> None:
        before, after = record("a", custom_fields={"x": 1}), record("a", custom_fields={"x": True})
        assert not compare(snapshot(before), snapshot(replace(before))).changed
        assert before == after  # Python's own view
        assert compare(snapshot(before), snapshot(after)).changed

    def test_when_a_record_was_touched_does_not_count(self) -> None:
        assert not compare(snapshot(record("a", last_updated="1")), snapshot(record("a", last_updated="2")))

    def test_loss_is_of_the_hosts_before(self) -> None:
        diff = compare(snapshot(record("a"), record("bb")), snapshot(record("a"), record("ccc")))
        assert (diff.added, diff.removed, diff.lost_percent) == (("ccc",), ("bb",), 50.0)


class TestFaults:
    def test_a_good_fleet_has_none(self) -> None:
        assert find_faults(snapshot(record("a"), record("bb"))) == []

    @pytest.mark.parametrize(
        ("values", "kind", "level"),
        [
            ({"primary_ip4": None}, "no_address", FaultLevel.ERROR),
            ({"primary_ip4": None, "dns_name": "a.example.com"}, "no_address", FaultLevel.WARNING),
            ({"host_class": None}, "no_class", FaultLevel.ERROR),
            ({"host_class": "blade"}, "unknown_class", FaultLevel.ERROR),
            ({"platform": None}, "no_platform", FaultLevel.WARNING),
            ({"platform": "windows-2022"}, "unknown_platform", FaultLevel.WARNING),
            ({"site": None}, "no_site", FaultLevel.WARNING),
            ({"rack": None}, "no_rack", FaultLevel.WARNING),
            ({"type": "virtual_machine"}, "no_cluster", FaultLevel.WARNING),
            ({"status": "planned"}, "odd_status", FaultLevel.WARNING),
        ],
    )
    def test_each_fault_is_found(self, values: dict[str, Any], kind: str, level: FaultLevel) -> None:
        (fault,) = find_faults(snapshot(record("a", **values)))
        assert (fault.host, fault.kind, fault.level) == ("a", kind, level)

    def test_a_name_that_is_a_pattern(self) -> None:
        assert [fault.kind for fault in find_faults(snapshot(record("a*b")))] == ["bad_name"]

    def test_two_hosts_at_one_address_name_each_other(self) -> None:
        faults = find_faults(snapshot(record("a", primary_ip4="10.0.0.1"), record("b", primary_ip4="10.0.0.1")))
        assert [(fault.host, fault.kind) for fault in faults] == [
            ("a", "duplicate_address"),
            ("b", "duplicate_address"),
        ]
        assert "as has b" in faults[0].message

    def test_errors_come_first(self) -> None:
        faults = find_faults(snapshot(record("a", platform=None), record("bb", host_class=None)))
        assert [fault.host for fault in faults] == ["bb", "a"]


class TestFailureDomain:
    def test_path_goes_from_the_outside_in(self) -> None:
        assert record("a", region=("emea", "de")).failure_domain.path == "emea/de/fra1/fra1-r01"

    def test_a_region_contains_its_racks(self) -> None:
        rack = record("a").failure_domain
        assert FailureDomain(("emea",)).contains(rack)
        assert FailureDomain(("emea",), "fra1").contains(rack)
        assert not FailureDomain(("emea",), "ams1").contains(rack)
        assert not FailureDomain(("amer",)).contains(rack)
        assert not rack.contains(FailureDomain(("emea",), "fra1"))

    def test_who_is_told(self) -> None:
        owned = record("a", tenant="web", custom_fields={"owner": {"id": 3, "name": "payments"}}, host_class=None)
        hosts = snapshot(owned, record("bb", tenant="web", host_class=None), record("ccc", host_class=None))
        assert [fault.owner for fault in find_faults(hosts)] == ["payments", "web", None]

    @pytest.mark.parametrize(
        ("one", "other", "kinds"),
        [
            ({"oob_ip": "10.9.9.9"}, {"oob_ip": "10.9.9.9"}, ["duplicate_address", "duplicate_address"]),
            ({"oob_ip": "10.0.0.2"}, {"primary_ip4": "10.0.0.2"}, ["duplicate_address", "duplicate_address"]),
            ({"config_context": {"dns": ["a"]}}, {"config_context": {"dns": None}}, []),
            ({"config_context": {"ansible_user": "x"}}, {}, ["context_key"]),
            ({"config_context": {"bedplate_site": "x"}}, {}, ["context_key"]),
            ({"config_context": {"no-name": "x"}}, {}, ["context_key"]),
            ({"config_context": {"ansible_host": "10.0.0.9"}}, {}, ["context_address"]),
            ({"config_context": {"ansible_host": "10.0.0.1", "ansible_port": 22}}, {}, []),
        ],
    )
    def test_faults_beside_another_host(self, one: Any, other: Any, kinds: list[str]) -> None:
        assert [fault.kind for fault in find_faults(snapshot(record("a", **one), record("bb", **other)))] == kinds

    def test_names_that_are_not_one_hosts_own(self) -> None:
        twin = record("a__device_7", id=7)
        faults = find_faults(
            snapshot(record("a", id=1), twin, record("b__device_9", id=9), record("AAAA"), record("aaaa"))
        )
        assert [(fault.host, fault.kind) for fault in faults if "name" in fault.kind] == [
            ("a", "duplicate_name"),
            ("a__device_7", "duplicate_name"),
            ("AAAA", "similar_name"),
            ("aaaa", "similar_name"),
        ]

    def test_a_key_that_is_another_kind_of_value_elsewhere(self) -> None:
        hosts = [record("a" * n, config_context={"dns": ["x"]}) for n in (1, 2, 3)]
        (fault,) = find_faults(snapshot(*hosts, record("odd1", config_context={"dns": "x"})))
        assert (fault.host, fault.kind, fault.level) == ("odd1", "context_conflict", FaultLevel.WARNING)
        assert "has a text in dns, that of 3 hosts a list" in fault.message


PREFIXES = {
    "count": 4,
    "next": None,
    "results": [
        {"prefix": "10.0.0.0/8"},
        {"prefix": "10.0.0.0/24", "scope_type": "dcim.site", "scope": {"slug": "fra1"}},
        {"prefix": "10.0.1.0/24", "site": {"slug": "ams1"}},
        {"prefix": "2001:db8::/32", "scope_type": "dcim.region", "scope": {"slug": "fra1"}},
    ],
}


class TestPrefixes:
    @pytest.mark.parametrize(
        ("address", "told"),
        [
            ("10.0.0.7", None),
            ("10.7.0.1", None),
            ("2001:db8::7", None),
            ("10.0.1.7", "10.0.1.0/24 is of ams1"),
            ("192.0.2.7", "in no prefix"),
            ("2001:db9::1", "in no prefix"),
            ("web.example.com", "no address"),
        ],
    )
    def test_the_narrowest_prefix_decides(self, address: str, told: str | None) -> None:
        version = "primary_ip6" if ":" in address else "primary_ip4"
        host = record("a", **{"primary_ip4": None, version: address})
        faults = find_faults(snapshot(host), parse_prefixes(PREFIXES, "prefixes.json"))
        assert [fault.kind for fault in faults] == (["outside_prefix"] if told else [])
        assert told is None or told in faults[0].message

    def test_without_prefixes_no_address_is_outside(self) -> None:
        assert find_faults(snapshot(record("a", primary_ip4="192.0.2.7"))) == []

    @pytest.mark.parametrize(
        ("document", "told"),
        [
            ({"detail": "no"}, "no list of prefixes"),
            ({"results": [{}], "next": "http://x", "count": 9}, "only 1 of 9"),
            ([{"prefix": "10.0.0.1/24"}], "entry 1: has no prefix"),
            (["x"], "entry 1"),
        ],
    )
    def test_answers_that_are_none(self, document: Any, told: str) -> None:
        with pytest.raises(InventoryError) as caught:
            parse_prefixes(document, "prefixes.json")
        assert told in str(caught.value)
