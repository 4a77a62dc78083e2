"""compat: nb_inventory makes the inventory that nb_inventory makes, and is no less safe than without."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.nb_inventory_listing import OPTIONS, golden, listing, plain
from integration.nb_inventory_server import DEVICES, NbServer, nb_server

OURS = "bedplate.datacenter.netbox"
EXECUTABLE = Path(os.environ.get("BEDPLATE_ANSIBLE_BIN") or Path(sys.executable).parent) / "ansible-inventory"
Say = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def netbox() -> Iterator[NbServer]:
    with nb_server() as server:
        yield server


@pytest.fixture
def say(netbox: NbServer, tmp_path: Path) -> Say:
    """Return exit code, listing (None on failure) and what was said on standard error."""

    def run(**options: Any) -> tuple[int, Any, str]:
        done = listing(EXECUTABLE, tmp_path, netbox.url, OURS, **{"compat": "nb_inventory", **options})
        shown = json.loads(done.stdout.replace(netbox.url, "http://netbox")) if done.returncode == 0 else None
        return done.returncode, shown, " ".join(done.stderr.split())

    return run


def unordered(shown: dict[str, Any]) -> dict[str, Any]:
    """Return a listing with the groups of each group in order: which one was made first does not matter."""
    shown = {**shown, "_meta": {"hostvars": shown["_meta"]["hostvars"]}}  # newer versions name a profile there
    return {
        name: {**entry, "children": sorted(entry["children"])} if "children" in entry else plain(entry)
        for name, entry in shown.items()
    }


@pytest.mark.parametrize("name", OPTIONS)
def test_the_whole_inventory_is_nb_inventorys(say: Say, name: str) -> None:
    code, shown, told = say(**OPTIONS[name])
    assert code == 0, told
    assert unordered(shown) == unordered(golden(EXECUTABLE)[name])


def test_what_was_read_serves_while_it_is_fresh_and_when_netbox_is_away(say: Say, netbox: NbServer) -> None:
    first = say(group_by=["sites"])[1]
    before = len(netbox.targets)
    assert say(group_by=["sites"])[1] == first
    assert len(netbox.targets) == before
    netbox.status[DEVICES] = 500
    assert say(group_by=["sites"], cache_ttl=0, retries=0)[0] != 0
    code, shown, told = say(group_by=["sites"], cache_ttl=0, retries=0, stale_if_error=True)
    assert (code, shown) == (0, first)
    assert "serves instead" in told


def test_a_refused_list_is_never_an_empty_one(say: Say, netbox: NbServer) -> None:
    netbox.status["/api/dcim/racks/"] = 403
    assert say()[0] != 0


def test_a_fleet_that_shrank_stops(say: Say, netbox: NbServer) -> None:
    assert say()[0] == 0
    del netbox.lists["devices"][1:]
    code, _shown, told = say(cache_ttl=0)
    assert code != 0
    assert "6 of 7 hosts" in told
    assert say(cache_ttl=0, accept_shrink=True)[0] == 0


def test_a_filter_that_netbox_would_ignore(say: Say) -> None:
    code, _shown, told = say(query_filters=[{"nosuch": "x"}])
    assert code != 0
    assert "no filter 'nosuch'" in told


def test_netbox_cannot_steer_ansible(say: Say, netbox: NbServer) -> None:
    host = netbox.lists["devices"][3]
    host["config_context"] = {"ansible_connection": "local", "ansible_port": 2222, "motd": "{{ lookup('pipe', 'id') }}"}
    netbox.lists["devices"][4]["name"] = None
    code, shown, told = say(config_context=True, flatten_config_context=True)
    assert code == 0
    variables = shown["_meta"]["hostvars"][host["name"]]
    assert variables["ansible_port"] == 2222
    assert "ansible_connection" not in variables
    assert "ansible_connection" in told
    assert "left out" in told
    assert plain(variables["motd"]) == "{{ lookup('pipe', 'id') }}"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"group_by": ["nosuch"]}, "none of nb_inventory's groups"),
        ({"group_by": ["site"]}, "none of nb_inventory's groups"),
        ({"rename_variables": [{"pattern": "("}]}, "rename_variables"),
        ({"compat": None, "plurals": False}, "only means something with compat"),
    ],
)
def test_options_that_cannot_be(say: Say, options: dict[str, Any], told: str) -> None:
    code, _shown, said = say(**options)
    assert code != 0
    assert told in said
