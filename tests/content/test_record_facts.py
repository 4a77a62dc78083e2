"""What a host says of itself, from its files and from what `ip` answers."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from content.role_content import load_plugin
from content.test_modules import start

FACTS = load_plugin("plugins/module_utils/record_facts.py")


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def link(root: Path, name: str, target: str) -> None:
    (root / target).mkdir(parents=True, exist_ok=True)
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).symlink_to(root / target)


def disk(root: Path, name: str, where: str = "pci0000:00", **files: str) -> None:
    """A disk of so many sectors, as /sys has it."""
    link(root, f"sys/block/{name}", f"sys/devices/{where}/{name}")
    write(root, {f"sys/devices/{where}/{name}/{file.replace('__', '/')}": text for file, text in files.items()})


def test_a_machine(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "proc/meminfo": "MemTotal:       16281600 kB\nMemFree: 1 kB\n",
            "sys/devices/system/cpu/online": "0-3,8\n",
            "sys/class/dmi/id/sys_vendor": "Dell Inc.\n",
            "sys/class/dmi/id/product_name": "PowerEdge R650\n",
            "sys/class/dmi/id/chassis_serial": "J7XK2N3\n",
            "etc/os-release": 'ID=ubuntu\nNAME="Ubuntu"\nVERSION_ID="24.04"\nVERSION_CODENAME=noble\n# A=b\n',
            "etc/corosync/corosync.conf": "totem {\n  cluster_name: pve1\n}\n",
        },
    )
    said = FACTS.facts(str(tmp_path))
    assert (said["model"], said["serial"], said["model_version"]) == ("PowerEdge R650", "J7XK2N3", None)
    assert (said["memory_mib"], said["processors"], said["disks"]) == (15_900, 5, [])
    assert said["system"] == {"id": "ubuntu", "name": "Ubuntu", "version": "24.04", "codename": "noble"}
    assert said["cluster"] == "pve1"


def test_disks_are_what_was_bought(tmp_path: Path) -> None:
    disk(tmp_path, "sda", size="1000\n", removable="0\n", device__wwid="naa.1\n")
    disk(tmp_path, "sdb", size="1000\n", device__wwid="naa.1\n")
    disk(tmp_path, "vda", size="2000\n", queue__logical_block_size="4096\n")
    disk(tmp_path, "nvme0n1", where="virtual/nvme-subsystem/nvme-subsys0", size="3000\n", wwid="eui.1\n")
    disk(tmp_path, "nvme0c0n1", size="3000\n", hidden="1\n")
    for name in ("loop0", "dm-0", "md0", "zram0", "sr0"):
        disk(tmp_path, name, where="virtual/block", size="9\n")
    disk(tmp_path, "rbd0", where="virtual/block", size="9\n")
    disk(tmp_path, "sdc", size="9\n", removable="1\n")
    disk(tmp_path, "sdd", size="0\n")
    found = {each["name"]: each["bytes"] for each in FACTS.disks(str(tmp_path))}
    assert found == {"sda": 512_000, "vda": 1_024_000, "nvme0n1": 1_536_000}


def ip(**more: Any) -> dict[str, Any]:
    """A link as `ip` tells of it."""
    return {"ifname": "eth0", "link_type": "ether", "address": "aa:bb:cc:00:00:01", "addr_info": [], **more}


def told(tmp_path: Path, *links: dict[str, Any], contained: bool = False) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = FACTS.interfaces(json.dumps(links), contained, str(tmp_path))
    return found


def kinds(tmp_path: Path, *links: dict[str, Any], contained: bool = False) -> list[str]:
    return [each["kind"] for each in told(tmp_path, *links, contained=contained)]


def test_ports_and_what_is_made_of_them(tmp_path: Path) -> None:
    link(tmp_path, "sys/class/net/usb0/device", "sys/devices/pci0/usb1/1-1")
    link(tmp_path, "sys/class/net/vf0/device", "sys/devices/pci0/vf0")
    link(tmp_path, "sys/devices/pci0/vf0/physfn", "sys/devices/pci0/eth0")
    bond, vlan = {"linkinfo": {"info_kind": "bond"}}, {"linkinfo": {"info_kind": "vlan"}}
    links = [ip(), ip(ifname="usb0"), ip(ifname="vf0"), ip(**bond), ip(**vlan), ip(link_type="sit")]
    assert kinds(tmp_path, *links) == ["physical", "usb", "function", "bond", "vlan", "sit"]
    assert told(tmp_path, ip(link_type="loopback")) == []


def test_a_port_of_a_bond_has_its_own_hardware_address(tmp_path: Path) -> None:
    (port,) = told(tmp_path, ip(permaddr="aa:bb:cc:00:00:02", altnames=["enp3s0"]))
    assert (port["mac"], port["altnames"]) == ("aa:bb:cc:00:00:02", ["enp3s0"])


def test_the_end_of_a_pair_is_a_port_in_a_container_only(tmp_path: Path) -> None:
    veth = ip(linkinfo={"info_kind": "veth"}, link_netnsid=0)
    assert kinds(tmp_path, veth, contained=True) == ["physical"]
    assert kinds(tmp_path, veth) == ["veth"]
    assert kinds(tmp_path, ip(linkinfo={"info_kind": "veth"}), contained=True) == ["veth"]


@pytest.mark.parametrize(
    ("more", "fixed"), [({}, True), ({"dynamic": True}, False), ({"temporary": True}, False)], ids=str
)
def test_addresses(tmp_path: Path, more: dict[str, bool], fixed: bool) -> None:
    address = {"family": "inet", "local": "10.0.0.1", "prefixlen": 24, "scope": "global", **more}
    local = {"family": "inet6", "local": "fe80::1", "prefixlen": 64, "scope": "link"}
    (port,) = told(tmp_path, ip(addr_info=[address, local]))
    assert port["addresses"] == [{"address": "10.0.0.1/24", "fixed": fixed}]


@pytest.mark.parametrize("text", [None, "", 'Object "-json" is unknown'])
def test_an_ip_that_does_not_answer_in_json(text: str | None) -> None:
    assert FACTS.interfaces(text, False) is None


def test_the_module_says_it_of_this_machine() -> None:
    answer = start("record_facts")
    assert answer["changed"] is False
    record = answer["record"]
    assert record["system"]["id"]
    assert record["container"] or record["memory_mib"] * 2**20 <= os.sysconf("SC_PHYS_PAGES") * os.sysconf(
        "SC_PAGE_SIZE"
    )
