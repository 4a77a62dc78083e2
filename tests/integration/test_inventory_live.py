"""Inventories that ask NetBox: the snapshot they leave, refresh, what changed, and NetBox that fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from bedplate.content import find_content
from bedplate.execution.inventory import InventoryAdapter
from bedplate.execution.inventory_frozen import freeze
from bedplate.settings import Settings
from integration.command_line import Said, bedplate
from integration.netbox_server import (
    DEVICES,
    PREFIXES,
    V1_TOKEN,
    Answer,
    NetBoxServer,
    netbox_server,
    recorded_error,
)

Command = Callable[..., Said]


@pytest.fixture
def netbox() -> Iterator[NetBoxServer]:
    with netbox_server() as server:
        yield server


@pytest.fixture
def live(tmp_path: Path, netbox: NetBoxServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "live"
    folder.mkdir()
    config = {"plugin": "bedplate.datacenter.netbox", "api_endpoint": netbox.url, "retries": 0}
    (folder / "netbox.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NETBOX_TOKEN", V1_TOKEN)
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def command(live: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*arguments: str) -> Said:
        return bedplate(capsys, "-i", live, "inventory", *arguments)

    return run


class TestLive:
    def test_a_host_of_this_minute_is_seen_where_that_is_wanted(
        self, live: Path, netbox: NetBoxServer, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def hosts(*options: str) -> list[str]:
            said = bedplate(capsys, "-i", live, "run", "ping", "--dry-run", "-o", "json", *options)
            return list(json.loads(said.out)["hosts"])

        before = hosts()
        netbox.lists[DEVICES].append({**netbox.lists[DEVICES][0], "id": 999, "name": "brand-new"})
        netbox.log("dcim.device", 999)
        assert hosts() == before, "what was read minutes ago serves"
        assert {*hosts("--refresh")} == {*before, "brand-new"}
        assert {*hosts()} == {*before, "brand-new"}
        netbox.before = lambda _path: Answer(500, b"{}")
        assert bedplate(capsys, "-i", live, "run", "ping", "--dry-run", "--refresh").code == 7

    def test_netbox_is_asked_once_for_one_command(self, live: Path, netbox: NetBoxServer, tmp_path: Path) -> None:
        adapter = InventoryAdapter(find_content(), Settings(home=tmp_path / "home"), live)
        hosts = adapter.resolve()
        asked = netbox.paths().count(DEVICES)
        assert adapter.resolve("class_cloud")
        assert adapter.host(hosts[0])
        frozen = freeze(adapter, hosts[:1], "hosts", tmp_path / "frozen")
        assert netbox.paths().count(DEVICES) == asked
        before = len(netbox.requests)
        again = InventoryAdapter(find_content(), Settings(home=tmp_path / "home"), frozen)
        assert again.resolve() == hosts[:1]
        assert len(netbox.requests) == before
        kept = [file.read_text(errors="replace") for file in (tmp_path / "home").rglob("*") if file.is_file()]
        assert not any(V1_TOKEN in text for text in kept)

    def test_refresh_tells_what_changed_and_keeps_what_was(self, command: Command, netbox: NetBoxServer) -> None:
        first = command("refresh", "-o", "json").document("inventory_diff")
        assert len(first["added"]) == first["after"]["hosts"] > 0
        gone = netbox.lists[DEVICES].pop()
        changed = netbox.lists[DEVICES][0]
        changed["serial"] = "NEW-SERIAL"
        second = command("refresh", "-o", "json").document("inventory_diff")
        assert len(second["removed"]) == 1, gone["name"]
        attributes = [one for change in second["changed"] for one in change["attributes"]]
        assert [one["after"] for one in attributes if one["attribute"] == "serial"] == ["NEW-SERIAL"]
        again = command("diff", "-o", "json").document("inventory_diff")
        assert (again["removed"], again["changed"]) == (second["removed"], second["changed"])

    def test_refresh_says_how_it_read(self, command: Command, netbox: NetBoxServer) -> None:
        assert "read: in full, by GraphQL; there was no snapshot" in command("refresh").err
        assert "read: nothing changed" in command("refresh").err
        netbox.change(DEVICES, 1, serial="NEW")
        netbox.log("dcim.device", 1)
        assert "read: 1 changed objects, by GraphQL" in command("refresh").err
        assert "read: in full, by GraphQL; as asked" in command("refresh", "--full").err

    def test_verify_compares_what_changed_with_all(self, command: Command, netbox: NetBoxServer) -> None:
        command("refresh")
        netbox.change(DEVICES, 1, serial="NEW")
        netbox.log("dcim.device", 1)
        same = command("refresh", "--verify", "-o", "json")
        assert same.code == 0
        assert same.document("inventory_diff")["changed"] == []
        netbox.device(2)["serial"] = "WRITTEN-PAST-EVERYTHING"
        differs = command("refresh", "--verify", "-o", "json")
        assert differs.code == 6
        (change,) = differs.document("inventory_diff")["changed"]
        assert change["attributes"][0]["after"] == "WRITTEN-PAST-EVERYTHING"
        assert command("refresh", "--verify").code == 0

    def test_snapshot_says_where_it_is(self, command: Command, tmp_path: Path, netbox: NetBoxServer) -> None:
        shown = command("snapshot", "-o", "json").document("inventory_snapshot")
        assert (shown["live"], shown["source"]) == (True, netbox.url)
        file = Path(shown["file"])
        assert file.parent == tmp_path / "home" / "snapshots"
        assert file.stat().st_mode & 0o777 == 0o600

    def test_diff_live_asks_netbox_and_keeps_the_snapshot(
        self, command: Command, netbox: NetBoxServer, live: Path
    ) -> None:
        config = yaml.safe_load((live / "netbox.yml").read_text())
        (live / "netbox.yml").write_text(yaml.safe_dump({**config, "snapshot_path": "kept.json"}))
        command("refresh")
        kept = (live / "kept.json").read_bytes()
        netbox.lists[DEVICES][0]["serial"] = "NEW-SERIAL"
        for _ in range(2):
            told = command("diff", "--live", "-o", "json").document("inventory_diff")
            assert [one["after"] for change in told["changed"] for one in change["attributes"]] == ["NEW-SERIAL"]
        assert (live / "kept.json").read_bytes() == kept

    def test_check_reads_the_snapshot(self, command: Command) -> None:
        assert command("check", "-o", "json").document("inventory_check")["hosts"] > 0

    def test_check_looks_for_addresses_in_netboxs_own_prefixes(self, command: Command, netbox: NetBoxServer) -> None:
        site = netbox.device(1)["site"]["slug"]
        netbox.lists[PREFIXES] = [
            {"id": 1, "prefix": "10.0.0.0/8", "scope_type": None, "scope": None},
            {"id": 2, "prefix": "10.16.0.10/32", "scope_type": "dcim.site", "scope": {"id": 9, "slug": "elsewhere"}},
        ]
        netbox.device(2)["primary_ip4"]["address"] = "192.0.2.9/24"
        said = command("check", "-o", "json")
        found = said.document("inventory_check")
        strays = {fault["host"]: fault["message"] for fault in found["faults"] if fault["kind"] == "outside_prefix"}
        assert strays.pop(netbox.device(1)["name"]) == (
            f"is at {site} and has 10.16.0.10, but 10.16.0.10/32 is of elsewhere"
        )
        assert strays == {netbox.device(2)["name"]: "has 192.0.2.9, which is in no prefix"}
        assert (said.code, found["prefixes"]) == (2, 2)
        netbox.fail(PREFIXES, recorded_error(0))
        again = command("check", "-o", "json")
        assert again.document("inventory_check")["faults"] == found["faults"]
        assert "the prefixes are not those of now" in again.err


class TestNetBoxFails:
    @pytest.mark.parametrize(
        "answer",
        [
            recorded_error(1),
            Answer(500, b"<html>oops</html>", {"Content-Type": "text/html"}),
            Answer(200, b"<html>login</html>", {"Content-Type": "text/html"}),
            Answer(200, b'{"count": 9, "results": [{"id"', cut=20),
        ],
        ids=["403", "500", "html", "cut"],
    )
    def test_refresh_exits_7_and_offers_the_last_good_snapshot(
        self, command: Command, netbox: NetBoxServer, answer: Answer, tmp_path: Path
    ) -> None:
        command("refresh")
        kept = {file: file.read_bytes() for file in (tmp_path / "home" / "snapshots").glob("*.json")}
        netbox.fail(DEVICES, answer)
        said = command("refresh")
        assert (said.code, said.out) == (7, "")
        assert "last good snapshot is" in said.err
        assert "hosts" in said.err
        assert len(said.err.strip().splitlines()) == 1
        assert {file: file.read_bytes() for file in kept} == kept

    def test_without_a_snapshot_there_is_no_fleet(self, command: Command, netbox: NetBoxServer) -> None:
        netbox.authorizations.clear()
        said = command("list", "-o", "json")
        assert (said.code, said.out) == (7, "")

    def test_a_stale_snapshot_is_no_refresh(self, command: Command, netbox: NetBoxServer, live: Path) -> None:
        config = yaml.safe_load((live / "netbox.yml").read_text())
        (live / "netbox.yml").write_text(yaml.safe_dump({**config, "stale_if_error": True, "cache_ttl": 0}))
        assert command("refresh").code == 0
        netbox.authorizations.clear()
        assert command("refresh").code == 7
        listed = command("list")
        assert listed.code == 0
        assert "last good snapshot serves instead" in listed.err

    def test_a_shrunken_fleet_stops_and_the_settings_say_by_how_much(
        self, command: Command, netbox: NetBoxServer, live: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        config = yaml.safe_load((live / "netbox.yml").read_text())
        (live / "netbox.yml").write_text(yaml.safe_dump({**config, "shrink_minimum": 0}))
        command("refresh")
        del netbox.lists[DEVICES][2:]
        said = command("refresh")
        assert said.code == 7
        assert "are gone since the last good snapshot" in said.err
        monkeypatch.setenv("BEDPLATE_INVENTORY_SHRINK_PERCENT", "100")
        assert command("refresh").code == 0

    def test_two_live_sources_need_files_of_their_own(self, command: Command, live: Path, tmp_path: Path) -> None:
        (live / "b.netbox.yml").write_text((live / "netbox.yml").read_text())
        said = command("list")
        assert said.code == 7
        assert "snapshot_path" in said.err
        for name in ("netbox.yml", "b.netbox.yml"):
            config = yaml.safe_load((live / name).read_text())
            (live / name).write_text(yaml.safe_dump({**config, "snapshot_path": str(tmp_path / f"{name}.json")}))
        assert command("list").code == 0
        assert json.loads((tmp_path / "b.netbox.yml.json").read_text())["schema"] == 1
