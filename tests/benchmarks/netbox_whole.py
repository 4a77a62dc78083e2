"""Whole objects as NetBox's REST answers with them, for nb_inventory: made of what `netbox_replay` has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_NESTED = ("site", "location", "rack", "role", "platform", "tenant", "cluster", "device_type")
_NOTHING = ("virtual_chassis", "parent_device", "face", "vc_position", "vc_priority", "airflow")
_MANUFACTURER = {"id": 1, "name": "dell", "slug": "dell", "display": "dell", "description": ""}


def manufacturers() -> list[dict[str, Any]]:
    """Return the only one that there is."""
    return [_MANUFACTURER]


def related(column: str, entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return related objects with what nb_inventory cannot do without."""
    inside = {"site": {"id": 1}, "parent": None} if column in {"location", "rack"} else {"type": None}
    return [{"display": entry["name"], "status": None, "prefix_count": 0, **inside, **entry} for entry in entries]


def whole(
    entry: Mapping[str, Any], context: Mapping[str, Any], lists: Mapping[str, Mapping[int, Mapping[str, Any]]]
) -> dict[str, Any]:
    """Return a host as `/api/dcim/devices/` or `/api/virtualization/virtual-machines/` shows it.

    Args:
        entry: the host as GraphQL gives it, with ids of what it is related to.
        lists: the related objects, by column and id.
    """
    number = int(entry["id"])
    host = {**entry, "id": number, "display": entry["name"], "url": f"http://netbox.example/api/hosts/{number}/"}
    host |= dict.fromkeys(_NOTHING) | {"description": "", "comments": "", "config_context": context}
    host["status"] = {"value": entry["status"], "label": str(entry["status"]).capitalize()}
    for column in _NESTED:
        host[column] = _brief(lists[column][entry[column]["id"]]) if entry.get(column) else None
    if host["device_type"]:
        host["device_type"]["manufacturer"] = _MANUFACTURER
    host["tags"] = [_brief(lists["tags"][tag["id"]]) for tag in entry["tags"]]
    for column in ("primary_ip4", "primary_ip6", "oob_ip"):
        host[column] = _address(entry[column]) if entry.get(column) else None
    return {**host, "primary_ip": host["primary_ip4"] or host["primary_ip6"]}


def _brief(entry: Mapping[str, Any]) -> dict[str, Any]:
    brief = {key: entry[key] for key in ("id", "name", "slug", "model") if key in entry}
    return {**brief, "display": entry["name"], "description": "", "url": f"http://netbox.example/api/{entry['id']}/"}


def _address(entry: Mapping[str, Any]) -> dict[str, Any]:
    family = {"value": 4, "label": "IPv4"}
    return {**entry, "display": entry["address"], "family": family, "nat_inside": None, "nat_outside": []}
