"""Looking up what NetBox's objects only name, in the lists that were read for `compat: nb_inventory`."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Dict, List, Mapping, Optional

try:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError
except ImportError:  # Python 3.8
    ZoneInfo = None

Object = Dict[str, Any]
_MACHINE_INTERFACE = "virtualization.vminterface"


class Tables:
    """The lists by id, and what hangs on hosts by host.

    Args:
        lists: as `compat_lists` reads them.
    """

    def __init__(self, lists: Mapping[str, List[Object]]) -> None:
        self.sites = _by_id(lists["sites"])
        self.regions = _by_id(lists["regions"])
        self.site_groups = _by_id(lists["site_groups"])
        self.locations = _by_id(lists["locations"])
        self.racks = _by_id(lists["racks"])
        self.clusters = _by_id(lists["clusters"])
        self.services = _services(lists.get("services", []))
        self.addresses: Dict[str, Dict[int, Object]] = {"device": {}, "virtual_machine": {}}
        self._of_interface: Dict[Any, List[Object]] = {}
        for address in lists.get("addresses", []):
            self._add_address(address)
        self.interfaces: Dict[Any, List[Object]] = {}
        self._add_interfaces(lists)

    def _add_address(self, address: Object) -> None:
        interface = address.get("assigned_object_id")
        if not interface:
            return
        kind = "virtual_machine" if address["assigned_object_type"] == _MACHINE_INTERFACE else "device"
        shown = {key: value for key, value in address.items() if not key.startswith("assigned_object")}
        self.addresses[kind][address["id"]] = shown
        self._of_interface.setdefault((kind, interface), []).append(shown)

    def _add_interfaces(self, lists: Mapping[str, List[Object]]) -> None:
        for kind in ("device", "virtual_machine"):
            hosts = {host["id"]: master_of(host) or host["id"] for host in lists.get(kind, [])}
            for interface in lists.get("interfaces_%s" % kind, []):
                owner = hosts.get(interface[kind]["id"])
                if owner is not None:
                    shown = {
                        **interface,
                        "ip_addresses": self._of_interface.get((kind, interface["id"]), []),
                        "tags": [tag["slug"] for tag in interface["tags"]],
                    }
                    self.interfaces.setdefault((kind, owner), []).append(shown)


def master_of(host: Object) -> Optional[int]:
    """Return the id of the master of a host's virtual chassis, if it is in one that has a master."""
    master = (host.get("virtual_chassis") or {}).get("master")
    return master["id"] if master else None


def line_of(tree: Mapping[int, Object], leaf: Optional[int]) -> List[str]:
    """Return the slugs from a leaf up to the root of a tree."""
    line: List[str] = []
    while leaf is not None and leaf in tree and tree[leaf]["slug"] not in line:
        line.append(tree[leaf]["slug"])
        leaf = id_of(tree[leaf].get("parent"))
    return line


def id_of(entry: Optional[Object]) -> Optional[int]:
    return entry["id"] if entry else None


def utc_offset(zone: Optional[str]) -> Optional[str]:
    """Return the hours that a time zone is ahead of UTC now, as `plus_1` or `minus_7`; None if it is not known."""
    if not zone or ZoneInfo is None:
        return None
    try:
        offset = datetime.now(timezone.utc).astimezone(ZoneInfo(zone)).utcoffset()
    except (ZoneInfoNotFoundError, ValueError):
        return None
    hours = round(offset.total_seconds() / 3600) if offset is not None else 0
    return "minus_%d" % -hours if hours < 0 else "plus_%d" % hours


def _by_id(entries: List[Object]) -> Dict[int, Object]:
    return {entry["id"]: entry for entry in entries}


def _services(services: List[Object]) -> Dict[Any, List[Object]]:
    """Return the services by the host they are of; NetBox before 4.3 names it in another way."""
    kinds = {"dcim.device": "device", "virtualization.virtualmachine": "virtual_machine"}
    found: Dict[Any, List[Object]] = {}
    for service in services:
        if "parent_object_type" in service:
            owner = kinds.get(service["parent_object_type"]), service["parent_object_id"]
        else:
            kind = "device" if service.get("device") else "virtual_machine"
            owner = kind, id_of(service.get(kind))
        found.setdefault(owner, []).append(service)
    return found
