"""The action plugin netbox_compare, as Ansible runs it: what it asks NetBox, and what it writes there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail

from content.role_content import load_plugin
from integration.netbox_records import NetBox, serving

PLUGIN = load_plugin("plugins/action/netbox_compare.py")
TOKEN = "0123456789abcdef0123456789abcdef01234567"
MAC = "aa:bb:cc:00:00:01"
FACTS = {
    "container": False,
    "manufacturer": "QEMU",
    "model": None,
    "model_version": None,
    "serial": "J7XK2N3",
    "memory_mib": 3920,
    "processors": 2,
    "disks": [{"name": "vda", "bytes": 20 * 2**30}],
    "system": {"id": "debian", "name": "Debian GNU/Linux", "version": "12", "codename": "bookworm"},
    "cluster": None,
    "interfaces": [{"name": "eth0", "kind": "physical", "mac": MAC, "altnames": [], "addresses": []}],
}
MACHINE = {"id": 1, "name": "web1", "serial": "", "platform": None, "memory": 2048, "vcpus": 2.0, "disk": None}
DEVICE = {
    "id": 1,
    "name": "web1",
    "serial": "",
    "platform": {"id": 7, "slug": "debian-12"},
    "device_type": None,
    "custom_fields": {"memory_mb": 2048, "disk_gb": None, "cost_center": "cc-1"},
}


@pytest.fixture
def netbox() -> Iterator[type[NetBox]]:
    with serving(dict(MACHINE)) as handler:
        yield handler


class Comparison:
    """A task with the plugin, on a host that is not there."""

    def run(self, kind: str = "virtual_machine", *, write: bool = True, check: bool = False) -> dict[str, Any]:
        """Return what the task answered."""
        task = SimpleNamespace(args={"facts": FACTS, "write": write}, check_mode=check, async_val=0, diff=False)
        named = {"type": kind, "id": 1}
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="/nowhere"))
        plugin = PLUGIN.ActionModule(task, connection, None, None, None, None)
        answer: dict[str, Any] = plugin.run(None, {"bedplate_netbox": named, "bedplate_platform": "debian-11"})
        return answer

    def refusal(self) -> str:
        """Return why it fails."""
        with pytest.raises(AnsibleActionFail) as caught:
            self.run()
        return str(caught.value.message)


@pytest.fixture
def comparison(netbox: type[NetBox], monkeypatch: pytest.MonkeyPatch) -> Comparison:
    say(monkeypatch, NETBOX_URL=netbox.address, NETBOX_TOKEN=netbox.token)
    return Comparison()


def say(monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
    """Have the environment say this of NetBox, and nothing else."""
    for name in [name for name in os.environ if name.startswith("NETBOX_")]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def fields(answer: dict[str, Any]) -> dict[str, bool]:
    return {row["field"]: row["written"] for row in answer["differences"]}


def test_a_virtual_machine_is_written_and_then_as_it_says(comparison: Comparison, netbox: type[NetBox]) -> None:
    first = comparison.run()
    assert fields(first) == dict.fromkeys(("platform", "memory", "disk", "interface eth0"), True)
    assert (first["changed"], first["source"]) == (True, "netbox")
    assert netbox.written == [
        {"platform": 7},
        {"memory": 4096},
        {"disk": 21475},
        {"virtual_machine": 1, "name": "eth0", "id": 1},
        {"mac_address": MAC, "assigned_object_type": "virtualization.vminterface", "assigned_object_id": 1, "id": 1},
        {"primary_mac_address": 1},
    ]
    again = comparison.run()
    assert (again["changed"], again["differences"], again["msg"]) == (False, [], "as NetBox says")


def test_a_device_has_custom_fields_for_its_sizes(comparison: Comparison, netbox: type[NetBox]) -> None:
    netbox.record = dict(DEVICE)
    url = f"{netbox.address}/api/dcim/interfaces/1/"
    known = {"id": 1, "name": "eth0", "type": {"value": "other"}, "enabled": True, "mac_address": None}
    netbox.interfaces = [{**known, "url": url}]
    answer = comparison.run(kind="device")
    assert fields(answer) == dict.fromkeys(("serial", "memory_mb", "disk_gb", "interface eth0 mac"), True)
    assert netbox.written[:3] == [
        {"serial": "J7XK2N3"},
        {"custom_fields": {"memory_mb": 4096}},
        {"custom_fields": {"disk_gb": 21}},
    ]
    assert netbox.written[3:] == [{"mac_address": MAC}]


def test_a_check_writes_nothing_and_says_what_it_would(comparison: Comparison, netbox: type[NetBox]) -> None:
    answer = comparison.run(check=True)
    assert (answer["changed"], set(fields(answer).values())) == (True, {True})
    assert netbox.written == []


def test_what_is_only_reported_is_not_written(comparison: Comparison, netbox: type[NetBox]) -> None:
    answer = comparison.run(write=False)
    assert (answer["changed"], set(fields(answer).values()), netbox.written) == (False, {False}, [])


def test_a_platform_that_netbox_does_not_have_is_not_written(comparison: Comparison, netbox: type[NetBox]) -> None:
    netbox.platforms = []
    assert fields(comparison.run())["platform"] is False


def test_where_netbox_cannot_be_asked_the_inventory_is_compared(
    comparison: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(monkeypatch)
    answer = comparison.run(write=False)
    assert (answer["source"], list(fields(answer))) == ("inventory", ["platform"])
    assert len(answer["not_compared"]) == 2


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "NETBOX_URL and NETBOX_TOKEN are not set; NetBox cannot be written to without"),
        ({"NETBOX_URL": "http://127.0.0.1:9"}, "NETBOX_TOKEN is not set; NetBox cannot be written to without"),
        ({"NETBOX_URL": "http://127.0.0.1:9", "NETBOX_TOKEN": TOKEN}, "NetBox does not answer: ConnectionError"),
        (
            {"NETBOX_URL": "http://127.0.0.1:9", "NETBOX_TOKEN_FILE": "/no/token"},
            "the file with NetBox's token (NETBOX_TOKEN_FILE: /no/token) cannot be read: No such file or directory",
        ),
    ],
)
def test_what_is_missing_for_writing_is_named(
    comparison: Comparison, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], says: str
) -> None:
    say(monkeypatch, **environment)
    assert comparison.refusal() == says


def test_without_pynetbox_nothing_is_written(comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PLUGIN.netbox, "pynetbox", None)
    assert comparison.refusal() == (
        "the Python package pynetbox is missing on the control node; what writes to NetBox needs it"
    )
    assert comparison.run(write=False)["source"] == "inventory"


def test_a_token_in_a_file_is_taken_and_one_that_is_wrong_is_refused(
    comparison: Comparison, netbox: type[NetBox], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n", encoding="utf-8")
    say(monkeypatch, NETBOX_API=netbox.address, NETBOX_TOKEN_FILE=str(path))
    assert comparison.run(check=True)["source"] == "netbox"
    path.write_text("0" * 40, encoding="utf-8")
    refused = comparison.refusal()
    assert refused.startswith("NetBox refused: ")
    assert "0" * 40 not in refused
