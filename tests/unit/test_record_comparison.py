"""In what a host differs from its record, and only that."""

from __future__ import annotations

import string
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from plugins.plugin_utils import record_sizes as sizes  # noqa: E402 (needs the path)
from plugins.plugin_utils.record_comparison import (  # noqa: E402 (needs the path)
    compare,
    not_compared,
    platform_slugs,
    record_of_variables,
    said,
    shown,
)
from plugins.plugin_utils.record_difference import Difference  # noqa: E402 (needs the path)

MAC, OTHER_MAC = "aa:bb:cc:00:00:01", "aa:bb:cc:00:00:02"
DEBIAN = {"id": "debian", "name": "Debian GNU/Linux", "version": "12", "codename": "bookworm"}
UBUNTU = {"id": "ubuntu", "name": "Ubuntu", "version": "24.04", "codename": "noble"}
ROCKY = {"id": "rocky", "name": "Rocky Linux", "version": "9.4", "codename": ""}
RHEL = {"id": "rhel", "name": "Red Hat Enterprise Linux", "version": "9.4", "codename": ""}


def port(name: str = "eth0", **more: Any) -> dict[str, Any]:
    """An interface of the host."""
    return {"name": name, "kind": "physical", "mac": MAC, "altnames": [], "addresses": [], **more}


def at(*addresses: str, fixed: bool = True) -> list[dict[str, Any]]:
    """Addresses of an interface of the host."""
    return [{"address": address, "fixed": fixed} for address in addresses]


def recorded(name: str = "eth0", **more: Any) -> dict[str, Any]:
    """An interface as a snapshot has it."""
    plain = {"type": "10gbase-t", "enabled": True, "mgmt_only": False, "mac_address": MAC, "addresses": []}
    return {"name": name, **plain, **more}


FACTS: dict[str, Any] = {
    "container": False,
    "manufacturer": "Dell Inc.",
    "model": "PowerEdge R650",
    "model_version": "Not Specified",
    "serial": "J7XK2N3",
    "memory_mib": 15_900,
    "processors": 8,
    "disks": [{"name": "sda", "bytes": 480_103_981_056}],
    "system": DEBIAN,
    "cluster": None,
    "interfaces": [port()],
}
DEVICE: dict[str, Any] = {
    "type": "device",
    "serial": "j7xk2n3",
    "model": "PowerEdge R650",
    "manufacturer": "dell",
    "platform": "debian-12",
    "cluster": None,
    "custom_fields": {"memory_mb": 16_384, "disk_gb": 480, "cost_center": "cc-1"},
    "interfaces": [recorded()],
}
MACHINE: dict[str, Any] = {
    **DEVICE,
    "type": "virtual_machine",
    "serial": None,
    "model": None,
    "memory": 16_000,
    "vcpus": 8.0,
    "disk": 480_000,
}


def found(record: dict[str, Any], **facts: Any) -> list[tuple[Any, ...]]:
    """The differences as plain tuples."""
    return [tuple(each.as_dict().values()) for each in compare(record, {**FACTS, **facts})]


@pytest.mark.parametrize("record", [DEVICE, MACHINE, {**MACHINE, "disk": 480, "vcpus": "8.00"}, {"type": "device"}])
def test_a_host_that_is_as_its_record_says(record: dict[str, Any]) -> None:
    assert compare(record, FACTS) == []


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({**DEVICE, "serial": None}, ("serial", None, "J7XK2N3", True)),
        ({**DEVICE, "serial": "X"}, ("serial", "X", "J7XK2N3", True)),
        ({**MACHINE, "serial": "X"}, ("serial", "X", "J7XK2N3", True)),
        ({**DEVICE, "model": "PowerEdge R640"}, ("model", "PowerEdge R640", "PowerEdge R650", False)),
        ({**DEVICE, "platform": None}, ("platform", None, "debian-12", True)),
        ({**DEVICE, "platform": "debian-13"}, ("platform", "debian-13", "debian-12", True)),
        ({**DEVICE, "custom_fields": {"memory_mb": None}}, ("memory_mb", None, 16_384, True)),
        ({**DEVICE, "custom_fields": {"disk_gb": 960}}, ("disk_gb", 960, 480, True)),
        ({**MACHINE, "memory": 8192}, ("memory", 8192, 16_384, True)),
        ({**MACHINE, "vcpus": 2.5}, ("vcpus", "2.5", 8, True)),
        ({**MACHINE, "disk": None}, ("disk", None, 480_104, True)),
        ({**MACHINE, "disk": 1000, "virtual_disks": 2}, ("disk", 1000, 480_104, False)),
    ],
)
def test_what_differs(record: dict[str, Any], expected: tuple[Any, ...]) -> None:
    assert found(record) == [expected]


@pytest.mark.parametrize("nothing", ["", None, "NA", "Not Specified", "To Be Filled By O.E.M.", "0000000", " . . "])
def test_firmware_that_says_nothing_differs_from_nothing(nothing: str | None) -> None:
    assert said(nothing) is None
    assert found(DEVICE, serial=nothing, model=nothing) == []


@pytest.mark.parametrize(
    ("model", "firmware"),
    [
        ("R650", ("Dell Inc.", "PowerEdge R650", "")),
        ("Dell PowerEdge R650", ("Dell Inc.", "PowerEdge R650", "")),
        ("ThinkSystem SR650", ("Lenovo", "-[7X06CTO1WW]-", "ThinkSystem SR650")),
        ("ProLiant DL360 Gen10", ("HPE", "ProLiant DL360 Gen10", "Not Specified")),
    ],
)
def test_models_by_their_vendors_names(model: str, firmware: tuple[str, str, str]) -> None:
    names = dict(zip(("manufacturer", "model", "model_version"), firmware, strict=True))
    assert found({**DEVICE, "model": model}, **names) == []
    assert [each[0] for each in found({**DEVICE, "model": model + "xs"}, **names)] == ["model"]


@pytest.mark.parametrize(
    ("system", "right", "wrong"),
    [
        (DEBIAN, ["debian", "debian-12", "debian12", "debian-12-9", "debian-bookworm", "linux", "debian-12-x86-64"],
         ["debian-11", "debian-13", "debian-bullseye", "ubuntu-12", "windows-2022"]),
        (UBUNTU, ["ubuntu-24-04", "ubuntu-2404", "ubuntu-24-04-lts", "ubuntu-noble"],
         ["ubuntu-22-04", "ubuntu-24-10", "ubuntu-2204"]),
        (ROCKY, ["rocky-9", "rockylinux-9", "rocky-linux-9-4"], ["rocky-8", "almalinux-9"]),
        (RHEL, ["rhel-9", "redhat-9-4", "red-hat-enterprise-linux-9"], ["rhel-8", "rocky-9"]),
    ],
)  # fmt: skip
def test_platforms(system: dict[str, str], right: list[str], wrong: list[str]) -> None:
    for slug in right:
        assert found({**DEVICE, "platform": slug}, system=system) == [], slug
    for slug in wrong:
        expected = [("platform", slug, platform_slugs(system)[0], True)]
        assert found({**DEVICE, "platform": slug}, system=system) == expected, slug


@pytest.mark.parametrize("system", [DEBIAN, UBUNTU, ROCKY, RHEL, {"id": "arch", "name": "Arch Linux", "version": ""}])
def test_every_slug_that_may_be_written_agrees_afterwards(system: dict[str, str]) -> None:
    assert platform_slugs(system)
    for slug in platform_slugs(system):
        assert found({**DEVICE, "platform": slug}, system=system) == []


def test_a_system_without_a_name_has_no_platform() -> None:
    assert platform_slugs({}) == []
    assert found(DEVICE, system={}) == []


@pytest.mark.parametrize(
    ("in_netbox", "on_host", "differs"),
    [(None, None, False), ("pve1", None, False), ("pve1", "PVE1", False), ("ams1-pve1", "pve1", False),
     (None, "pve1", True), ("pve1", "pve2", True), ("xpve1", "pve1", True)],
)  # fmt: skip
def test_clusters(in_netbox: str | None, on_host: str | None, differs: bool) -> None:
    expected = [("cluster", in_netbox, on_host, False)] if differs else []
    assert found({**DEVICE, "cluster": in_netbox}, cluster=on_host) == expected
    assert found({**MACHINE, "cluster": "where-it-runs"}, cluster=on_host) == []


def test_a_container_has_no_hardware_of_its_own() -> None:
    hardware = dict.fromkeys(("serial", "model", "memory_mib", "processors", "disks"))
    other = {**DEVICE, "serial": "other", "model": "other", "custom_fields": {"memory_mb": 1, "disk_gb": 1}}
    assert found(other, container=True, **hardware) == []
    assert "container" in not_compared(other, {**FACTS, "container": True, **hardware})[0]


def test_what_is_not_known_is_not_compared_and_named() -> None:
    variables = {
        "bedplate_netbox": {"type": "virtual_machine", "id": 1},
        "bedplate_serial": None,
        "bedplate_platform": "debian-11",
        "bedplate_interfaces": None,
        "bedplate_custom_fields": {},
        "bedplate_site": "fra1",
    }
    record = record_of_variables(variables)
    assert found(record) == [("platform", "debian-11", "debian-12", True)]
    assert [each.partition(":")[0] for each in not_compared(record, FACTS)] == [
        "memory, processors and disks",
        "interfaces",
    ]
    assert not_compared(DEVICE, FACTS) == []
    assert not_compared(DEVICE, {**FACTS, "interfaces": None}) != []
    assert "custom fields" in not_compared({**DEVICE, "custom_fields": {}}, FACTS)[0]
    assert record_of_variables({}) == {"type": None}


@pytest.mark.parametrize(
    ("recorded_mb", "mib", "same"),
    [(16_384, 15_900, True), (16_000, 15_900, True), (4096, 3664, True), (1024, 960, True), (512, 440, True),
     (8192, 6950, False), (4096, 8192, False), (16, 15_900, False), (262_144, 257_600, True), (256_000, 257_600, True),
     (131_072, 128_700, True), (131_072, 64_300, False)],
)  # fmt: skip
def test_memory(recorded_mb: int, mib: int, same: bool) -> None:
    assert sizes.is_memory(recorded_mb, mib) is same


@pytest.mark.parametrize(("mib", "written"), [(15_900, 16_384), (3920, 4096), (64_300, 65_536), (14_000, 14_336)])
def test_memory_is_written_as_the_size_that_was_bought(mib: int, written: int) -> None:
    assert sizes.memory_to_record(mib) == written


@given(st.integers(64, 64 * 2**20))
def test_memory_that_was_written_agrees(mib: int) -> None:
    assert sizes.is_memory(sizes.memory_to_record(mib), mib)


@given(st.integers(10**9, 10**15))
def test_disks_that_were_written_agree(size: int) -> None:
    assert sizes.is_disk(sizes.disk_in_mb(size), size)
    assert size < 10**11 or sizes.is_disk(sizes.disk_in_gb(size), size)


@pytest.mark.parametrize(
    ("recorded_size", "size", "same"),
    [(20_000, 20 * 2**30, True), (20_480, 20 * 2**30, True), (20, 20 * 2**30, True), (21_475, 20 * 2**30, True),
     (960, 960 * 10**9, True), (894, 960 * 10**9, True), (20_000, 40 * 2**30, False), (100, 20 * 2**30, False)],
)  # fmt: skip
def test_disks(recorded_size: float, size: int, same: bool) -> None:
    assert sizes.is_disk(recorded_size, size) is same


@pytest.mark.parametrize(("value", "number"), [(None, None), ("", None), ("2.00", 2.0), (4, 4.0), ("nan", None)])
def test_numbers(value: object, number: float | None) -> None:
    assert sizes.number(value) == number


def interfaces(ours: list[dict[str, Any]] | None, theirs: list[dict[str, Any]] | None) -> list[tuple[Any, ...]]:
    return found({**DEVICE, "interfaces": ours}, interfaces=theirs)


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ([], [port()], [("interface eth0", None, MAC, True)]),
        ([recorded(), recorded("eth1", mac_address=OTHER_MAC)], [port()], [("interface eth1", OTHER_MAC, None, False)]),
        ([recorded(mac_address=None)], [port()], [("interface eth0 mac", None, MAC, True)]),
        ([recorded(mac_address=OTHER_MAC)], [port()], [("interface eth0 mac", OTHER_MAC, MAC, True)]),
        ([recorded(mac_address=OTHER_MAC, mac_addresses=[MAC])], [port()], []),
        ([recorded(mac_address="AABB.CC00.0001")], [port()], []),
        # A vendor's name of a port, another name of the same, and ports that have changed places.
        ([recorded("NIC.Embedded.1-1-1")], [port()], []),
        ([recorded("eno1", mac_address=None)], [port(altnames=["eno1"], mac="00:00:00:00:00:00")], []),
        ([recorded("ETH0")], [port()], []),
        (
            [recorded(), recorded("eth1", mac_address=OTHER_MAC)],
            [port(mac=OTHER_MAC), port("eth1")],
            [("interface eth0 mac", MAC, OTHER_MAC, True), ("interface eth1 mac", OTHER_MAC, MAC, True)],
        ),
    ],
)
def test_ports(ours: list[dict[str, Any]], theirs: list[dict[str, Any]], expected: list[tuple[Any, ...]]) -> None:
    assert interfaces(ours, theirs) == expected


@pytest.mark.parametrize("kind", ["bond", "vlan", "bridge", "veth", "tun", "wireguard", "dummy", "usb", "function"])
def test_what_is_inside_of_the_host_is_left_alone(kind: str) -> None:
    inner = port("inner", kind=kind, mac=OTHER_MAC, addresses=at("10.9.9.9/24"))
    assert interfaces([recorded()], [port(), inner]) == []
    assert interfaces([recorded(), recorded("inner", type="virtual", mac_address=MAC)], [port(), inner]) == []


@pytest.mark.parametrize(
    "absent",
    [
        recorded("bond0", type="lag"),
        recorded("br0", type="bridge"),
        recorded("x", type="virtual"),
        recorded("x", parent={"id": 1}),
        recorded("x", enabled=False),
        recorded("x", mgmt_only=True),
        *(recorded(name, type=None) for name in ("bond0", "eth0.100", "eth0:1", "docker0", "lo", "vlan7", "br-lan")),
        recorded("iDRAC"),
    ],
    ids=lambda each: each["name"],
)
def test_what_netbox_has_beside_the_ports_of_the_host_is_left_alone(absent: dict[str, Any]) -> None:
    assert interfaces([recorded(), absent], [port()]) == []


@pytest.mark.parametrize("name", ["eth1", "eno2", "ens3", "enp3s0f0np0", "lan", "Ethernet1", "bridgehead"])
def test_ports_are_not_taken_for_what_is_inside_of_the_host(name: str) -> None:
    absent = recorded(name, mac_address=None, type=None)
    assert [each[0] for each in interfaces([recorded(), absent], [port()])] == [f"interface {name}"]


ADDRESSES = "interface eth0 addresses"


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (["10.0.0.1/24"], at("10.0.0.1/24"), []),
        (["10.0.0.1/32"], at("10.0.0.1/24"), []),
        (["2001:DB8:0::1/64"], at("2001:db8::1/64"), []),
        (["10.0.0.1/24"], at("10.0.0.1/16"), [(ADDRESSES, "10.0.0.1/24", "10.0.0.1/16", False)]),
        (["10.0.0.1/24"], [], [(ADDRESSES, "10.0.0.1/24", None, False)]),
        ([], at("10.0.0.1/24"), [(ADDRESSES, None, "10.0.0.1/24", False)]),
        # What DHCP gave is of the lease, not of the record; but what NetBox has must be there, however it came.
        ([], at("10.0.0.1/24", fixed=False), []),
        (["10.0.0.1/24"], at("10.0.0.1/24", fixed=False), []),
        (["10.0.0.1/24"], at("10.0.0.2/24", fixed=False), [(ADDRESSES, "10.0.0.1/24", "10.0.0.2/24", False)]),
        (
            ["10.0.0.2/24", "10.0.0.1/24"],
            at("10.0.0.3/24", "10.0.0.1/24"),
            [(ADDRESSES, "10.0.0.1/24, 10.0.0.2/24", "10.0.0.1/24, 10.0.0.3/24", False)],
        ),
    ],
)
def test_addresses(ours: list[str], theirs: list[dict[str, Any]], expected: list[tuple[Any, ...]]) -> None:
    assert interfaces([recorded(addresses=ours)], [port(addresses=theirs)]) == expected


def test_an_address_that_moves_between_hosts_is_right_on_both() -> None:
    virtual = recorded(addresses=["10.0.0.1/24", "10.0.0.9/32"], floating=["10.0.0.9/32"])
    for theirs in (at("10.0.0.1/24"), at("10.0.0.1/24", "10.0.0.9/32")):
        assert interfaces([virtual], [port(addresses=theirs)]) == []


def test_an_address_on_the_bond_of_a_port_is_not_missing() -> None:
    bond = port("bond0", kind="bond", addresses=at("10.0.0.1/24"))
    assert interfaces([recorded(addresses=["10.0.0.1/24"])], [port(), bond]) == []
    ours = [recorded(), recorded("bond0", type="lag", mac_address=None, addresses=["10.0.0.2/24"])]
    assert [each[0] for each in interfaces(ours, [port(), bond])] == ["interface bond0 addresses"]


def test_interfaces_that_one_side_does_not_know_are_not_compared() -> None:
    assert interfaces(None, [port()]) == []
    assert interfaces([recorded()], None) == []


_OCTETS = st.lists(st.integers(0, 255), min_size=6, max_size=6).filter(any)
_NAMES = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8).filter(str.isalnum)


@given(_OCTETS, st.sampled_from([":", "-", "", "."]), st.booleans())
def test_hardware_addresses_are_the_same_however_they_are_spelled(octets: list[int], between: str, upper: bool) -> None:
    spelled = between.join(f"{octet:02x}" for octet in octets)
    ours = recorded(mac_address=spelled.upper() if upper else spelled)
    assert interfaces([ours], [port(mac=":".join(f"{octet:02x}" for octet in octets))]) == []


@given(st.dictionaries(_NAMES.map(lambda name: f"en{name}"), _OCTETS, max_size=5))
def test_what_was_written_agrees(found_ports: dict[str, list[int]]) -> None:
    theirs = [port(name, mac=":".join(f"{octet:02x}" for octet in octets)) for name, octets in found_ports.items()]
    ours: list[dict[str, Any]] = []
    first = interfaces(ours, theirs)
    assert len(first) == len(theirs)
    for field, _, mac, writable in first:
        assert writable
        ours.append(recorded(field.partition(" ")[2], mac_address=mac))
    assert interfaces(ours, theirs) == []


def test_it_is_shown_in_one_line() -> None:
    assert shown([]) == "as NetBox says"
    assert (
        shown(compare({**DEVICE, "serial": None, "platform": None}, FACTS)) == "differs from NetBox in serial, platform"
    )
    assert Difference("x", None, 1, writable=True).as_dict() == {
        "field": "x", "in_netbox": None, "on_host": 1, "writable": True,
    }  # fmt: skip
