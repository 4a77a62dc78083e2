"""Writing and reading snapshots."""

import gzip
import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netbox_modules import ROOT, a_record, faults, snapshot

TAKEN = datetime(2026, 11, 20, 6, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def a_snapshot(hosts: dict[str, object] | None = None) -> "snapshot.Snapshot":
    hosts = {"web01": a_record()} if hosts is None else hosts
    return snapshot.Snapshot(hosts, TAKEN, "https://netbox.example.com", "4.6.8", {"query": "x"})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(name=st.text(min_size=1), fields=st.dictionaries(st.text(), JSON), tags=st.lists(st.text()))
def test_what_is_written_is_read_again(tmp_path: Path, name: str, fields: dict[str, object], tags: list[str]) -> None:
    hosts = {name: a_record(name, custom_fields=fields, tags=tags)}
    snapshot.write_snapshot(str(tmp_path / "s.json"), a_snapshot(hosts))
    again = snapshot.read_snapshot(str(tmp_path / "s.json"))
    assert again.document() == a_snapshot(hosts).document()


def test_the_file_is_for_its_owner_only_and_so_are_new_folders(tmp_path: Path) -> None:
    file = tmp_path / "new" / "folder" / "s.json"
    snapshot.write_snapshot(str(file), a_snapshot())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (file.parent, file.parent.parent)} == {0o700}
    assert [entry.name for entry in file.parent.iterdir()] == ["s.json"]


def test_large_snapshots_are_gzipped(tmp_path: Path) -> None:
    large = a_snapshot({f"h{number}": a_record(f"h{number}") for number in range(2000)})
    snapshot.write_snapshot(str(tmp_path / "s.json"), large)
    assert (tmp_path / "s.json").read_bytes()[:2] == b"\x1f\x8b"
    assert snapshot.read_snapshot(str(tmp_path / "s.json")).document() == large.document()


def test_what_was_there_stays_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "s.json"
    snapshot.write_snapshot(str(file), a_snapshot())
    before = file.read_bytes()

    def full_disk(_source: str, _target: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full_disk)
    with pytest.raises(faults.InventoryError, match="No space left"):
        snapshot.write_snapshot(str(file), a_snapshot({}))
    assert file.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["s.json"]


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(faults.InventoryError, match="state"):
        snapshot.write_snapshot(str(tmp_path / "state" / "s.json"), a_snapshot())


def whole() -> bytes:
    return json.dumps(a_snapshot().document()).encode()


def changed(**values: object) -> bytes:
    return json.dumps({**a_snapshot().document(), **values}).encode()


def host(**values: object) -> bytes:
    return changed(hosts={"web01": {**a_record(), **values}})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (whole()[:-40], "no whole JSON"),
        (gzip.compress(whole(), mtime=0)[:-20], "truncated or damaged"),
        (gzip.compress(whole(), mtime=0)[:30] + b"xx", "truncated or damaged"),
        (b"", "no whole JSON"),
        (b"\x80{}", "truncated or damaged"),
        (b"[]", "no snapshot"),
        (b'{"hosts": {}}', "no schema number"),
        (b'{"_meta": {"hostvars": {}}, "all": {}}', "no schema number"),
        (changed(schema=2), "schema 2, newer than the 1"),
        (changed(schema=True), "no schema number"),
        (changed(hosts=[]), "'hosts' is missing or of a wrong type"),
        (changed(taken_at="yesterday"), "taken_at"),
        (changed(hosts={"web01": []}), "host 'web01' is no dictionary"),
        (changed(hosts={"web01": {"name": "web01"}}), "host 'web01' lacks"),
        (changed(hosts={"web02": a_record()}), "'web01'"),
        (host(type="rack"), "unknown type 'rack'"),
        (host(tags="baseline"), "tags"),
        (host(region=[1]), "region"),
        (host(services=["ssh"]), "services"),
        (host(site=["fra1"]), "site"),
        (host(custom_fields=[]), "custom_fields"),
    ],
)
def test_what_is_no_snapshot_is_told_with_the_file(tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / "s.json"
    file.write_bytes(content)
    with pytest.raises(faults.InventoryError, match=told) as caught:
        snapshot.read_snapshot(str(file))
    assert str(file) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(faults.InventoryError, match=r"gone\.json.*No such file"):
        snapshot.read_snapshot(str(tmp_path / "gone.json"))


def test_the_age_is_never_negative() -> None:
    assert a_snapshot().age(TAKEN + timedelta(hours=2)) == 7200
    assert a_snapshot().age(TAKEN - timedelta(hours=2)) == 0


def test_the_lab_fleet_is_a_snapshot() -> None:
    fleet = snapshot.read_snapshot(str(ROOT / "inventories" / "lab" / ".snapshot.json"))
    assert {record["class"] for record in fleet.hosts.values()} == {"bare_metal", "colo", "cloud"}
    assert set(fleet.hosts) == {
        "fra1-colo-01", "fra1-colo-02", "ash1-cloud-01", "ash1-cloud-02", "ams1-metal-01", "fra1-obs-01",
    }  # fmt: skip
