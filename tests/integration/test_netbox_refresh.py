"""A refresh by what changed gives what a full read gives, or says why it cannot."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from threading import Thread

import pytest

from integration.netbox_server import (
    CHANGES,
    CONTEXTS,
    DEVICES,
    GRAPHQL,
    MACHINES,
    V2_TOKEN,
    Answer,
    NetBoxServer,
    json_answer,
    netbox_server,
)
from netbox_modules import classes, client, faults, gate, private_files, query, snapshot, snapshot_fleet, source, supply

SITES, ROLES, TAGS, ADDRESSES = (
    "/api/dcim/sites/", "/api/dcim/device-roles/", "/api/extras/tags/", "/api/ipam/ip-addresses/",
)  # fmt: skip
SERVICES = "/api/ipam/services/"
RULE = classes.ClassRule(("type", "site_group"), {}, "bedplate_class", "bare_metal")
Change = Callable[[NetBoxServer], None]


class Refreshing:
    """Refreshes one snapshot again and again."""

    def __init__(self, netbox: NetBoxServer, folder: Path, transport: str) -> None:
        self.netbox = netbox
        self.folder = folder
        self.transport = transport

    def __call__(
        self, *, full: bool = False, name: str = "s.json", filters: object = None, **limits: object
    ) -> "snapshot.Snapshot":
        endpoint = client.Endpoint(self.netbox.url, token=V2_TOKEN, timeout=5, retries=0)
        asked_of = source.NetBoxSource(client.Client(endpoint), 500, self.transport)
        asked = query.Query(("device", "virtual_machine"), filters or {}, ("active", "staged"))
        options = gate.Limits(**{"cache_ttl": 0, "shrink_limit": 100, **limits})
        path = str(self.folder / name)
        fleet = snapshot_fleet.SnapshotFleet(asked_of, asked, RULE, faults.Notices(), path)
        return supply.Supply(fleet, options, path=path, refresh=True, full=full).serve(lambda _warning: None)


@pytest.fixture
def netbox() -> Iterator[NetBoxServer]:
    with netbox_server() as server:
        yield server


@pytest.fixture(params=["graphql", "rest"])
def refresh(request: pytest.FixtureRequest, netbox: NetBoxServer, tmp_path: Path) -> Refreshing:
    return Refreshing(netbox, tmp_path, request.param)


def rename_site(netbox: NetBoxServer) -> None:
    netbox.change(SITES, 1, slug="ams9")
    netbox.log("dcim.site", 1)


def move_site(netbox: NetBoxServer) -> None:
    netbox.change(SITES, 1, region={"id": 3, "slug": "apac"})
    netbox.log("dcim.site", 1)


def rename_role(netbox: NetBoxServer) -> None:
    netbox.change(ROLES, 1, slug="www")
    netbox.log("dcim.devicerole", 1)


def edit_context(netbox: NetBoxServer) -> None:
    for host in (*netbox.lists[DEVICES], *netbox.lists[MACHINES]):
        host["config_context"] = {**host["config_context"], "motd": "new"}
    netbox.log("extras.configcontext", 1)


def edit_address(netbox: NetBoxServer) -> None:
    number = netbox.device(1)["primary_ip4"]["id"]
    netbox.lists[ADDRESSES] = [{"id": number, "address": "", "dns_name": ""}]
    netbox.change(ADDRESSES, number, address="10.99.0.1/16", dns_name="new.example.com")
    netbox.log("ipam.ipaddress", number)


def delete_address(netbox: NetBoxServer) -> None:
    netbox.lists[ADDRESSES] = []
    number = netbox.device(1)["primary_ip4"]["id"]
    netbox.device(1)["primary_ip4"] = None
    netbox.log("ipam.ipaddress", number)


def delete_tag(netbox: NetBoxServer) -> None:
    gone = netbox.lists[TAGS].pop(0)["id"]
    for host in (*netbox.lists[DEVICES], *netbox.lists[MACHINES]):
        host["tags"] = [tag for tag in host["tags"] if tag["id"] != gone]
    netbox.log("extras.tag", gone)


def change_serial(netbox: NetBoxServer) -> None:
    netbox.change(DEVICES, 1, serial="NEW")
    netbox.log("dcim.device", 1)


def change_without_an_entry(netbox: NetBoxServer) -> None:
    netbox.change(MACHINES, 1, name="written-past-the-api")


def change_status(netbox: NetBoxServer) -> None:
    netbox.change(DEVICES, 1, status={"value": "offline"})
    netbox.log("dcim.device", 1)


def delete_machine(netbox: NetBoxServer) -> None:
    netbox.lists[MACHINES].remove(netbox.machine(1))
    netbox.log("virtualization.virtualmachine", 1)


def recreate_device(netbox: NetBoxServer) -> None:
    old = netbox.device(1)
    netbox.lists[DEVICES].remove(old)
    netbox.lists[DEVICES].append({**old, "id": 7000, "serial": "SECOND"})
    netbox.log("dcim.device", 1)
    netbox.log("dcim.device", 7000)


def change_service(netbox: NetBoxServer) -> None:
    service = netbox.lists[SERVICES][0]
    service["ports"] = [2222]
    netbox.log("ipam.service", service["id"])
    netbox.log("ipam.service", netbox.lists[SERVICES].pop()["id"])


def late_commit(netbox: NetBoxServer) -> None:
    """Commit a transaction that took its id in the changelog before the last one that was seen."""
    netbox.change(DEVICES, 2, serial="LATE")
    late = {**netbox.lists[CHANGES][0], "id": netbox.lists[CHANGES][-1]["id"] - 1, "changed_object_id": 2}
    netbox.lists[CHANGES].insert(0, late)
    netbox.device(2)["last_updated"] = "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "change",
    [
        rename_site, move_site, rename_role, edit_context, edit_address, delete_address, delete_tag, change_serial,
        change_without_an_entry, change_status, delete_machine, recreate_device, change_service, late_commit,
    ],
)  # fmt: skip
def test_a_change_reaches_its_hosts_as_by_a_full_read(
    netbox: NetBoxServer, refresh: Refreshing, change: Change
) -> None:
    for _ in range(3):
        netbox.log("dcim.rack", 1)
    del netbox.lists[CHANGES][-2]  # an id that is taken and not committed
    before = refresh()
    change(netbox)
    netbox.requests.clear()
    by_changes = refresh()
    assert "changed objects" in by_changes.cursor["read"]
    assert len(netbox.requests) <= 20
    in_full = refresh(name="full.json")
    assert "in full" in in_full.cursor["read"]
    assert by_changes.hosts == in_full.hosts
    assert by_changes.hosts != before.hosts


def test_when_nothing_changed_few_requests_say_so(netbox: NetBoxServer, refresh: Refreshing) -> None:
    first = refresh()
    before = (refresh.folder / "s.json").read_bytes()
    netbox.requests.clear()
    again = refresh()
    assert again.cursor["read"] == "nothing changed"
    assert again.hosts == first.hosts
    assert len(netbox.requests) <= 8
    assert snapshot.read_snapshot(str(refresh.folder / "s.json")).hosts == first.hosts
    assert (refresh.folder / "s.json").read_bytes() != before  # it says when it was confirmed


def test_what_was_seen_by_its_time_of_update_is_not_read_again(netbox: NetBoxServer, refresh: Refreshing) -> None:
    refresh()
    change_without_an_entry(netbox)
    assert "1 changed objects" in refresh().cursor["read"]
    assert refresh().cursor["read"] == "nothing changed"


def prune(netbox: NetBoxServer) -> None:
    netbox.lists[CHANGES].clear()
    netbox.log("dcim.device", 1, id=500)


def change_custom_fields(netbox: NetBoxServer) -> None:
    netbox.log("extras.customfield", 1)


def bulk_delete_without_an_entry(netbox: NetBoxServer) -> None:
    netbox.lists[DEVICES].remove(netbox.device(1))


def hide_changelog(netbox: NetBoxServer) -> None:
    netbox.fail(CHANGES, json_answer({"detail": "no permission"}, 403))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (prune, "the changelog was pruned"),
        (change_custom_fields, "custom fields were changed"),
        (bulk_delete_without_an_entry, "another number of hosts than the changes explain"),
    ],
)
def test_what_cannot_be_told_exactly_is_read_in_full_and_said(
    netbox: NetBoxServer, refresh: Refreshing, change: Change, why: str
) -> None:
    refresh()
    change(netbox)
    found = refresh()
    assert "in full" in found.cursor["read"]
    assert why in found.cursor["read"]
    assert found.hosts == refresh(name="full.json").hosts


@pytest.mark.parametrize("transport", ["graphql", "rest"])
def test_a_role_that_no_entry_names_is_not_lost(netbox: NetBoxServer, tmp_path: Path, transport: str) -> None:
    refresh = Refreshing(netbox, tmp_path, transport)
    refresh()
    role = {**netbox.lists[ROLES][0], "id": 900, "name": "Unseen", "slug": "unseen"}
    netbox.lists[ROLES].append(role)
    netbox.change(DEVICES, 1, role=role)
    netbox.log("dcim.device", 1)
    found = refresh()
    told = "hosts refer to roles that no entry of the changelog names" in found.cursor["read"]
    assert told == (transport == "graphql")  # by REST the host says it itself
    assert "unseen" in {record["role"] for record in found.hosts.values()}
    assert found.hosts == refresh(name="full.json").hosts


def test_a_changelog_that_cannot_be_seen_costs_a_full_read(netbox: NetBoxServer, refresh: Refreshing) -> None:
    hide_changelog(netbox)
    refresh()
    assert "the changelog could not be seen" in refresh().cursor["read"]


def test_with_filters_a_change_they_may_depend_on_costs_a_full_read(netbox: NetBoxServer, refresh: Refreshing) -> None:
    filters = {"device": [("site", "ams1")]}
    refresh(filters=filters)
    change_serial(netbox)
    assert "changed objects" in refresh(filters=filters).cursor["read"]
    rename_site(netbox)
    found = refresh(filters=filters)
    assert "dcim.site was changed, on which the filters may depend" in found.cursor["read"]
    assert not any(record["type"] == "device" for record in found.hosts.values())


def test_after_a_while_netbox_is_read_in_full(refresh: Refreshing) -> None:
    refresh()
    assert "the last full read is" in refresh(full_read_after=-1).cursor["read"]
    assert "as asked" in refresh(full=True).cursor["read"]


@pytest.mark.parametrize("lost", ["gone", "another", "damaged"])
def test_without_the_tables_netbox_is_read_in_full(netbox: NetBoxServer, refresh: Refreshing, lost: str) -> None:
    refresh()
    tables = refresh.folder / "s.json.tables"
    if lost == "gone":
        tables.unlink()
    elif lost == "another":
        refresh(name="other.json")
        tables.write_bytes((refresh.folder / "other.json.tables").read_bytes())
    else:
        tables.write_bytes(tables.read_bytes()[:-20])
    change_serial(netbox)
    assert "what the last snapshot was made from is not there" in refresh().cursor["read"]


def test_our_clock_does_not_count(netbox: NetBoxServer, refresh: Refreshing, monkeypatch: pytest.MonkeyPatch) -> None:
    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz or UTC) + timedelta(hours=5)

    monkeypatch.setattr(supply, "datetime", Ahead)
    refresh()
    change_without_an_entry(netbox)
    found = refresh()
    assert "1 changed objects" in found.cursor["read"]


@pytest.mark.parametrize("path", [CHANGES, MACHINES, GRAPHQL])
@pytest.mark.parametrize(
    "answer", [json_answer({}, 500), Answer(200, b"<html>", {"Content-Type": "text/html"}), json_answer([])]
)
def test_a_refresh_that_fails_leaves_the_old_snapshot(
    netbox: NetBoxServer, tmp_path: Path, path: str, answer: Answer
) -> None:
    refresh = Refreshing(netbox, tmp_path, "graphql")
    refresh()
    kept = {file: file.read_bytes() for file in tmp_path.iterdir()}
    change_serial(netbox)
    netbox.fail(path, answer)
    with pytest.raises(faults.SourceError):
        refresh()
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == kept


def test_an_interrupted_refresh_leaves_the_old_snapshot(netbox: NetBoxServer, refresh: Refreshing) -> None:
    refresh()
    kept = {file.name: file.read_bytes() for file in refresh.folder.iterdir()}
    change_serial(netbox)

    def interrupt(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(private_files.os, "replace", interrupt)
        with pytest.raises(KeyboardInterrupt):
            refresh()
    assert {file.name: file.read_bytes() for file in refresh.folder.iterdir()} == kept
    assert "changed objects" in refresh().cursor["read"]


def test_two_refreshes_at_once_do_one(netbox: NetBoxServer, tmp_path: Path) -> None:
    netbox.before = lambda path: Answer(404, b"", delay=0.5) if path == GRAPHQL else None
    refresh = Refreshing(netbox, tmp_path, "auto")
    found: list[snapshot.Snapshot] = []
    both = [Thread(target=lambda: found.append(refresh())) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert netbox.paths().count("/api/status/") == 1
    assert found[0].hosts == found[1].hosts


def test_the_token_is_nowhere(netbox: NetBoxServer, refresh: Refreshing) -> None:
    refresh()
    change_serial(netbox)
    refresh()
    for file in refresh.folder.iterdir():
        assert (
            V2_TOKEN.encode() not in snapshot.gzip.decompress(file.read_bytes()) if file.suffix == ".tables" else True
        )
        assert V2_TOKEN.encode() not in file.read_bytes()
        assert file.stat().st_mode & 0o777 == 0o600


def test_contexts_are_listed_again_when_they_change(netbox: NetBoxServer, refresh: Refreshing) -> None:
    refresh()
    netbox.lists[CONTEXTS][0]["roles"] = [{"id": 1}]
    for host in (*netbox.lists[DEVICES], *netbox.lists[MACHINES]):
        host["config_context"] = {"of_role": host["role"]["slug"], **(host["local_context_data"] or {})}
    netbox.log("extras.configcontext", 1)
    assert refresh().hosts == refresh(name="full.json").hosts
