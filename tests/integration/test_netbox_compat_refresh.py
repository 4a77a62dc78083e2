"""A refresh with compat: nb_inventory gives what a full read gives, or says why it cannot."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from integration.nb_inventory_server import CHANGES, DEVICES, MACHINES, NbServer, nb_server
from netbox_modules import client, compat_fleet, compat_kept, compat_lists, faults, gate, lock, supply

Change = Callable[[NbServer], None]


@pytest.fixture
def netbox() -> Iterator[NbServer]:
    with nb_server() as server:
        yield server


class Refreshing:
    """Refreshes one file of lists again and again."""

    def __init__(self, netbox: NbServer, folder: Path) -> None:
        self.netbox = netbox
        self.folder = folder
        self.warnings: list[str] = []
        self.how = ""

    def __call__(
        self, *, full: bool = False, refresh: bool = True, name: str = "s.gz", asked: object = None, **limits: object
    ) -> dict[str, Any]:
        """Return name of a list → id → object."""
        endpoint = client.Endpoint(self.netbox.url, token="x" * 40, timeout=5, retries=0)
        options = gate.Limits(**{"cache_ttl": 0, "shrink_limit": 100, **limits})
        path = str(self.folder / name)
        fleet = compat_fleet.CompatFleet(client.Client(endpoint), wanted(**(asked or {})), 500, path)
        serving = supply.Supply(fleet, options, path=path, refresh=refresh, full=full)
        found = serving.serve(self.warnings.append).lists
        self.how = serving.how
        objects = {name: {entry["id"]: entry for entry in listed} for name, listed in found.objects.items()}
        return copy.deepcopy(objects)


@pytest.fixture
def refresh(netbox: NbServer, tmp_path: Path) -> Refreshing:
    return Refreshing(netbox, tmp_path)


def wanted(**given: Any) -> compat_lists.Asked:
    plain = {"both": (), "devices": (), "machines": (), "config_context": False, "services": True}
    return compat_lists.Asked(**{**plain, "interfaces": False, "addresses": False, **given})


def host(netbox: NbServer, number: int, kind: str = "devices") -> dict[str, Any]:
    return next(one for one in netbox.lists[kind] if one["id"] == number)


def change_serial(netbox: NbServer) -> None:
    host(netbox, 3)["serial"] = "NEW"
    netbox.log("dcim.device", 3)


def rename_device(netbox: NbServer) -> None:
    host(netbox, 1)["name"] = "renamed"
    for number in (1, 2):
        host(netbox, number)["virtual_chassis"]["master"]["name"] = "renamed"
    for service in netbox.lists["services"]:
        if service["parent"]["id"] == 1:
            service["parent"]["name"] = "renamed"
    netbox.log("dcim.device", 1)


def rename_site(netbox: NbServer) -> None:
    for one in (*netbox.lists["devices"], *netbox.lists["virtual-machines"]):
        if one["site"]["id"] == 1:
            one["site"]["slug"] = "ams9"
    host(netbox, 1, "sites")["slug"] = "ams9"
    netbox.log("dcim.site", 1)


def move_site(netbox: NbServer) -> None:
    host(netbox, 1, "sites")["region"] = copy.deepcopy(host(netbox, 5, "sites")["region"])
    netbox.log("dcim.region", 1)


def rename_role(netbox: NbServer) -> None:
    for one in netbox.lists["devices"]:
        if one["role"]["id"] == 1:
            one["role"]["slug"] = "www"
    netbox.log("dcim.devicerole", 1)


def delete_tag(netbox: NbServer) -> None:
    for one in (*netbox.lists["devices"], *netbox.lists["virtual-machines"]):
        one["tags"] = [tag for tag in one["tags"] if tag["slug"] != "observability"]
    netbox.log("extras.tag", 2)


def edit_address(netbox: NbServer) -> None:
    for key in ("primary_ip", "primary_ip4"):
        host(netbox, 4)[key]["address"] = "10.99.0.1/16"
    host(netbox, 4, "ip-addresses")["address"] = "10.99.0.1/16"
    netbox.log("ipam.ipaddress", 4)


def delete_machine(netbox: NbServer) -> None:
    netbox.lists["virtual-machines"].remove(host(netbox, 13, "virtual-machines"))
    netbox.log("virtualization.virtualmachine", 13)


def recreate_device(netbox: NbServer) -> None:
    old = host(netbox, 5)
    netbox.lists["devices"].remove(old)
    netbox.lists["devices"].append({**old, "id": 700, "serial": "SECOND"})
    netbox.log("dcim.device", 5)
    netbox.log("dcim.device", 700)


def change_service(netbox: NbServer) -> None:
    netbox.lists["services"][0]["ports"] = [2222]
    netbox.log("ipam.service", netbox.lists["services"][0]["id"])
    netbox.log("ipam.service", netbox.lists["services"].pop()["id"])


def change_without_an_entry(netbox: NbServer) -> None:
    host(netbox, 2, "virtual-machines").update(name="past-the-api", last_updated="2099-01-01T00:00:00Z")


HOST_CHANGES = [change_serial, rename_device, delete_machine, recreate_device, change_without_an_entry]


@pytest.mark.parametrize(
    "change",
    [*HOST_CHANGES, rename_site, move_site, rename_role, delete_tag, edit_address, change_service],
)
@pytest.mark.parametrize("asked", [{}, {"addresses": True}], ids=["", "addresses"])
def test_a_change_reaches_what_carries_it_as_by_a_full_read(
    netbox: NbServer, refresh: Refreshing, change: Change, asked: dict[str, Any]
) -> None:
    before = refresh(asked=asked)
    change(netbox)
    netbox.targets.clear()
    by_changes = refresh(asked=asked)
    assert refresh.how == "what changed"
    hosts = [target for target in netbox.targets if target.startswith((DEVICES, MACHINES))]
    assert all("fields=" in target or "id=" in target for target in hosts)
    in_full = refresh(name="full.gz", asked=asked)
    assert refresh.how.startswith("in full")
    assert by_changes == in_full
    assert by_changes != before


def test_when_nothing_changed_few_requests_say_so(netbox: NbServer, refresh: Refreshing) -> None:
    first = refresh()
    netbox.log("extras.journalentry", 1)
    netbox.log("ipam.prefix", 1)
    netbox.targets.clear()
    taken = compat_kept.read_kept(str(refresh.folder / "s.gz")).taken_at
    assert refresh() == first
    assert refresh.how == "nothing changed"
    assert len(netbox.targets) <= 8
    again = compat_kept.read_kept(str(refresh.folder / "s.gz"))
    assert again.taken_at >= taken
    assert {name: len(listed) for name, listed in again.lists.objects.items()} == {k: len(v) for k, v in first.items()}
    assert refresh() == first
    assert (refresh.folder / "s.gz").stat().st_mode & 0o777 == 0o600


def prune(netbox: NbServer) -> None:
    netbox.lists["changes"].clear()
    netbox.log("dcim.device", 1)
    netbox.lists["changes"][0]["id"] = 500


def change_custom_field(netbox: NbServer) -> None:
    netbox.log("extras.customfield", 1)


def add_interface(netbox: NbServer) -> None:
    host(netbox, 1)["interface_count"] += 1
    netbox.log("dcim.interface", 77)


def delete_past_the_api(netbox: NbServer) -> None:
    netbox.lists["devices"].pop()


@pytest.mark.parametrize(
    ("asked", "change", "why"),
    [
        ({}, prune, "the changelog was pruned"),
        ({}, change_custom_field, "extras.customfield was changed"),
        ({}, add_interface, "dcim.interface was changed"),
        ({}, delete_past_the_api, "another number of hosts than the changes explain"),
        ({"config_context": True}, rename_role, "on which config contexts may depend"),
        ({"devices": [("site", "ams1")]}, rename_role, "on which the filters may depend"),
        ({"interfaces": True, "addresses": True}, change_serial, "dcim.device was changed"),
    ],
)
def test_what_cannot_be_told_exactly_is_read_in_full(
    netbox: NbServer, refresh: Refreshing, asked: dict[str, Any], change: Change, why: str
) -> None:
    refresh(asked=asked)
    change(netbox)
    found = refresh(asked=asked)
    assert why in refresh.how
    assert found == refresh(name="full.gz", asked=asked)


def test_with_filters_only_hosts_that_match_come(netbox: NbServer, refresh: Refreshing) -> None:
    asked = {"devices": [("site", "ams1")], "machines": [("site", "ams1")]}
    refresh(asked=asked)
    host(netbox, 3)["serial"] = "NEW"
    host(netbox, 13, "virtual-machines")["site"] = host(netbox, 3)["site"]
    netbox.log("dcim.device", 3)
    netbox.log("virtualization.virtualmachine", 13)
    found = refresh(asked=asked)
    assert refresh.how == "what changed"
    assert found == refresh(name="full.gz", asked=asked)


def test_when_it_was_long_ago_or_asked_for_all_is_read(netbox: NbServer, refresh: Refreshing) -> None:
    refresh()
    refresh(full_read_after=-1)
    assert "the last full read is" in refresh.how
    refresh(full=True)
    assert "as asked" in refresh.how
    netbox.status[CHANGES] = 403
    refresh(full=True)
    refresh()
    assert "the changelog could not be seen" in refresh.how


def test_lists_of_another_query_do_not_serve(refresh: Refreshing) -> None:
    assert "services" in refresh()
    assert "services" not in refresh(asked={"services": False}, refresh=False, cache_ttl=1000)


@pytest.mark.parametrize("damage", [b"", b"x" * 100, None])
def test_a_damaged_file_is_told_and_read_anew(refresh: Refreshing, damage: bytes | None) -> None:
    first, file = refresh(), refresh.folder / "s.gz"
    file.write_bytes(file.read_bytes()[:-30] if damage is None else damage)
    assert refresh() == first
    assert "read anew" in refresh.warnings[0]


@pytest.mark.parametrize("path", [CHANGES, MACHINES, "/api/dcim/racks/", "/api/status/"])
def test_a_refresh_that_fails_leaves_what_was_read(netbox: NbServer, refresh: Refreshing, path: str) -> None:
    first = refresh()
    kept = (refresh.folder / "s.gz").read_bytes()
    change_serial(netbox)
    netbox.status[path] = 500
    with pytest.raises(faults.SourceError):
        refresh()
    assert (refresh.folder / "s.gz").read_bytes() == kept
    assert refresh(stale_if_error=True) == first
    with pytest.raises(faults.SourceError, match="more than stale_max_age allows"):
        refresh(stale_if_error=True, stale_max_age=-1)


def test_an_old_netbox_is_refused_with_its_version(netbox: NbServer, refresh: Refreshing) -> None:
    netbox.version = "4.1.11"
    with pytest.raises(faults.SourceError, match=r"4\.1\.11 is too old"):
        refresh()


def test_two_refreshes_at_once_do_one(netbox: NbServer, refresh: Refreshing) -> None:
    netbox.delay = 0.02
    found: list[dict[str, Any]] = []
    both = [Thread(target=lambda: found.append(refresh())) for _ in range(2)]
    with lock.refresh_lock(str(refresh.folder / "s.gz"), 5):  # until both wait
        for thread in both:
            thread.start()
        while [file.resolve().name for file in Path("/proc/self/fd").iterdir()].count("s.gz.lock") < 3:
            time.sleep(0.01)
    for thread in both:
        thread.join()
    assert sum(target.startswith("/api/status/") for target in netbox.targets) == 1
    assert found[0] == found[1]


def test_what_hosts_carry_alike_is_kept_once(netbox: NbServer, tmp_path: Path) -> None:
    endpoint = client.Endpoint(netbox.url, retries=0)
    read = compat_lists.read_lists(client.Client(endpoint), wanted(), 500)
    path = str(tmp_path / "s.gz")
    now = compat_kept.datetime.now(compat_kept.timezone.utc)
    compat_kept.write_kept(path, compat_kept.Kept(read, now, now, "q"), netbox.url)
    for lists in (read, compat_kept.read_kept(path).lists):
        roles = [one["role"] for one in lists.objects["device"] if one["role"]["slug"] == "web"]
        assert len(roles) > 1
        assert len({id(role) for role in roles}) == 1
