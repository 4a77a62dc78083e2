# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""The record of a host, as `record_comparison` takes it, of what NetBox's REST API answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Document = Mapping[str, Any]

# An address that DHCP gives, or that is on one host now and on another later.
_GIVEN = ("dhcp", "slaac")
_SHARED = ("vip", "vrrp", "hsrp", "glbp", "carp", "anycast")
_MACHINE_SIZES = ("memory", "vcpus", "disk")


def described(
    kind: str, host: Document, interfaces: Iterable[Document], addresses: Iterable[Document]
) -> dict[str, Any]:
    """Return the record.

    Args:
        kind: `device` or `virtual_machine`.
        host: what REST says of it.
        interfaces: all of the host's.
        addresses: all that are assigned to them.
    """
    device_type = host.get("device_type") or {}
    record = {
        "type": kind,
        "serial": host.get("serial"),
        "model": device_type.get("model"),
        "manufacturer": (device_type.get("manufacturer") or {}).get("slug"),
        "platform": (host.get("platform") or {}).get("slug"),
        "cluster": (host.get("cluster") or {}).get("name"),
        "custom_fields": host.get("custom_fields") or {},
    }
    if kind == "virtual_machine":
        record.update({size: host.get(size) for size in _MACHINE_SIZES}, virtual_disks=host.get("virtual_disk_count"))
    assigned: dict[Any, list[Document]] = {}
    for address in addresses:
        assigned.setdefault(address.get("assigned_object_id"), []).append(address)
    return {**record, "interfaces": [_interface(each, assigned.get(each["id"], [])) for each in interfaces]}


def _interface(interface: Document, addresses: Iterable[Document]) -> dict[str, Any]:
    return {
        "id": interface["id"],
        "name": interface["name"],
        "type": _value(interface.get("type")),
        "enabled": interface.get("enabled"),
        "mgmt_only": bool(interface.get("mgmt_only")),
        "parent": bool(interface.get("parent")),
        "mac_address": interface.get("mac_address"),
        "mac_addresses": [each["mac_address"] for each in interface.get("mac_addresses") or ()],
        "addresses": [str(each["address"]) for each in addresses],
        "floating": [str(each["address"]) for each in addresses if _moves(each)],
    }


def _moves(address: Document) -> bool:
    return _value(address.get("status")) in _GIVEN or _value(address.get("role")) in _SHARED


def _value(choice: Any) -> Any:  # noqa: ANN401 (a dictionary, or a text from NetBox's older versions)
    return choice.get("value") if isinstance(choice, Mapping) else choice
