# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""What a host says of itself that NetBox has a field for.

`facts` returns:

    container       whether the host is a container; it then has no hardware of its own, and None for all of that
    manufacturer, model, model_version, serial
                    as the firmware says; None where it says nothing
    memory_mib      what the kernel counts, in MiB
    processors      those that are online
    disks           each with `name` and `bytes`; a disk that several paths lead to is one
    system          `id`, `name`, `version` and `codename` of the release
    cluster         the name of the cluster whose member the host is (corosync); None where it is in none
    interfaces      each with `name`, `kind`, `mac`, `altnames`, and `addresses` with `address` (and its prefix length)
                    and `fixed`; None where they cannot be asked for. The kind is `physical`, or what Linux calls it
"""

from __future__ import annotations

import glob
import json
import os
import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.bedplate.datacenter.plugins.module_utils.seal_system import is_container, output, read

_SECTOR = 512  # The kernel counts in these whatever the disk does.
_NO_DISKS = re.compile(r"(loop|ram|zram|sr|fd|dm-|md|nbd|drbd|mtdblock)\d|mmcblk\d+(boot|rpmb)")
_COROSYNC = ("/etc/corosync/corosync.conf", "/etc/pve/corosync.conf")
# In a container, its own end of a pair, or its part of an interface of the host that carries it.
_CARRIED = ("veth", "macvlan", "ipvlan")
_BY_USB = "/usb"


def facts(root: str = "/") -> dict[str, Any]:
    """Return what the host says of itself.

    Args:
        root: where its files are.
    """
    contained = root == "/" and is_container()
    return {
        "container": contained,
        **(dict.fromkeys(_HARDWARE) if contained else hardware(root)),
        "system": release(root),
        "cluster": cluster(root),
        "interfaces": interfaces(output(["ip", "-details", "-json", "address", "show"]), contained, root),
    }


_HARDWARE = ("manufacturer", "model", "model_version", "serial", "memory_mib", "processors", "disks")


def hardware(root: str) -> dict[str, Any]:
    """Return what the machine consists of."""
    memory = re.search(r"^MemTotal:\s+(\d+) kB", read(os.path.join(root, "proc/meminfo")), re.MULTILINE)
    return {
        "manufacturer": _firmware(root, "sys_vendor"),
        "model": _firmware(root, "product_name"),
        "model_version": _firmware(root, "product_version"),
        # A blade has its own serial number as the product's; some makers have it as the chassis' only.
        "serial": _firmware(root, "product_serial") or _firmware(root, "chassis_serial"),
        "memory_mib": int(memory.group(1)) // 1024 if memory else None,
        "processors": processors(read(os.path.join(root, "sys/devices/system/cpu/online"))),
        "disks": list(disks(root)),
    }


def _firmware(root: str, name: str) -> str | None:
    return read(os.path.join(root, "sys/class/dmi/id", name)).strip() or None


def processors(online: str) -> int | None:
    """Return how many processors are in a list such as `0-3,8`; None for none."""
    spans = [span.partition("-") for span in online.strip().split(",") if span]
    return sum(int(last or first) - int(first) + 1 for first, _, last in spans) or None


def disks(root: str) -> Iterator[dict[str, Any]]:
    """Yield the disks, without what is made of them, what can be taken out, and a second path to one."""
    seen = set()
    for path in sorted(glob.glob(os.path.join(root, "sys/block/*"))):
        name = os.path.basename(path)
        made = "/devices/virtual/" in os.path.realpath(path) and "/nvme-subsystem/" not in os.path.realpath(path)
        away = any(read(os.path.join(path, flag)).strip() == "1" for flag in ("removable", "hidden"))
        sectors = read(os.path.join(path, "size")).strip()
        if _NO_DISKS.match(name) or made or away or not sectors.isdigit() or int(sectors) == 0:
            continue
        identity = read(os.path.join(path, "wwid")).strip() or read(os.path.join(path, "device/wwid")).strip()
        if not identity or identity not in seen:
            seen.add(identity)
            yield {"name": name, "bytes": int(sectors) * _SECTOR}


def release(root: str) -> dict[str, str]:
    """Return which release of which system it is."""
    text = read(os.path.join(root, "etc/os-release")) or read(os.path.join(root, "usr/lib/os-release"))
    said = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    keys = {"id": "ID", "name": "NAME", "version": "VERSION_ID", "codename": "VERSION_CODENAME"}
    return {name: said.get(key, "").strip().strip("\"'") for name, key in keys.items()}


def cluster(root: str) -> str | None:
    """Return the name of the cluster that the host is a member of."""
    for path in _COROSYNC:
        found = re.search(r"^\s*cluster_name:\s*(\S+)", read(os.path.join(root, path.lstrip("/"))), re.MULTILINE)
        if found:
            return found.group(1)
    return None


def interfaces(told: str | None, contained: bool, root: str = "/") -> list[dict[str, Any]] | None:
    """Return the network interfaces by what `ip` says in JSON; None where it says nothing.

    Args:
        contained: whether the host is a container: what leads out of it is its port then.
    """
    try:
        listed = json.loads(told or "")
    except ValueError:
        return None
    return [
        {
            "name": each["ifname"],
            "kind": _kind(each, contained, root),
            # A port of a bond shows the bond's hardware address; it has its own all the same.
            "mac": each.get("permaddr") or each.get("address"),
            "altnames": each.get("altnames") or [],
            "addresses": [_address(one) for one in each.get("addr_info") or () if _is_of_the_host(one)],
        }
        for each in listed
        if each.get("ifname") and each.get("link_type") != "loopback"
    ]


def _kind(link: dict[str, Any], contained: bool, root: str) -> str:
    kind = str((link.get("linkinfo") or {}).get("info_kind") or "")
    if contained and kind in _CARRIED and ("link_netnsid" in link or kind != "veth"):
        return "physical"
    if kind:
        return kind
    if link.get("link_type") not in ("ether", "infiniband"):
        return str(link.get("link_type"))
    device = os.path.join(root, "sys/class/net", str(link["ifname"]), "device")
    # The BMC's own network at the USB, and the parts of a port that guests get.
    if _BY_USB in os.path.realpath(device):
        return "usb"
    return "function" if os.path.exists(os.path.join(device, "physfn")) else "physical"


def _is_of_the_host(address: dict[str, Any]) -> bool:
    return address.get("scope") in ("global", "site") and bool(address.get("local"))


def _address(address: dict[str, Any]) -> dict[str, Any]:
    given = any(address.get(flag) for flag in ("dynamic", "temporary", "mngtmpaddr", "stable-privacy"))
    return {"address": "{0}/{1}".format(address["local"], address.get("prefixlen")), "fixed": not given}
