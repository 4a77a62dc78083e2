"""GraphQL of the local NetBox: the few forms of queries that are asked, answered from the objects of its REST lists."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

Lists = Mapping[str, list[dict[str, Any]]]

_HOSTS = {
    "device_list": "/api/dcim/devices/",
    "virtual_machine_list": "/api/virtualization/virtual-machines/",
}
_POLLED = {
    "site_list": "/api/dcim/sites/",
    "region_list": "/api/dcim/regions/",
    "tag_list": "/api/extras/tags/",
    "config_context_list": "/api/extras/config-contexts/",
    "ip_address_list": "/api/ipam/ip-addresses/",
    "service_list": "/api/ipam/services/",
    **_HOSTS,
}
_ONE = re.compile(r"\{(\w+)\(filters:\{(.*?)\},pagination:\{limit:(\d+)\}\)\{(.*)\}\}$")
_POLL = re.compile(r'(\w+_list)\(filters:\{last_updated:\{gte:"([^"]*)"\}\},pagination:\{limit:\d+\}\)')
_TAG = re.compile(r'tags:\{id:\{exact:"(\d+)"\}\},')
_FIELD = re.compile(r"(\w+)(?:\{([^}]*)\})?")


def answer(text: str, lists: Lists, limit: int, hidden: Collection[str]) -> dict[str, Any]:
    """Return what a query is answered.

    Args:
        limit: MAX_PAGE_SIZE.
        hidden: columns whose objects the token may not view, and lists of which it may view nothing.
    """
    if "__type" in text:
        return {"data": _types()}
    one = _ONE.match(text)
    if one and one[1] in _HOSTS and "last_updated:{gte" not in one[2]:
        name, filters, asked, selection = one.groups()
        found = [entry for entry in lists[_HOSTS[name]] if _matches(entry, filters)]
        page = [] if name in hidden else found[: min(int(asked), limit)]
        return {"data": {name: [_project(entry, selection, hidden) for entry in page]}}
    polled = _POLL.findall(text)
    if polled:
        return {"data": {name: _updated(lists, name, since) for name, since in polled}}
    return {"data": None, "errors": [{"message": f"no test asks for this: {text}"}]}


def _updated(lists: Lists, name: str, since: str) -> list[dict[str, str]]:
    entries = lists.get(_POLLED.get(name, ""), [])
    return [
        {"id": str(entry["id"]), "last_updated": entry["last_updated"].replace("Z", "+00:00")}
        for entry in entries
        if str(entry.get("last_updated") or "") >= since
    ]


def _matches(entry: Mapping[str, Any], filters: str) -> bool:
    number = int(entry["id"])
    tag = _TAG.match(filters)
    if tag and int(tag[1]) not in {one["id"] for one in entry["tags"]}:
        return False
    if "in_list" in filters:
        return str(number) in re.findall(r'"(\d+)"', filters)
    bounds = dict(re.findall(r'(gte|lt):"(\d+)"', filters))
    return int(bounds["gte"]) <= number and ("lt" not in bounds or number < int(bounds["lt"]))


def _project(entry: Mapping[str, Any], selection: str, hidden: Collection[str]) -> dict[str, Any]:
    return {name: _value(entry, name, nested, hidden) for name, nested in _FIELD.findall(selection)}


def _value(entry: Mapping[str, Any], name: str, nested: str, hidden: Collection[str]) -> Any:
    value = entry.get(name)
    if name == "id":
        return str(value)
    if name == "status":
        return value["value"]  # type: ignore[index]
    if not nested:
        return str(value) if isinstance(value, float) else value
    if name in hidden:
        return [] if isinstance(value, list) else None
    if isinstance(value, list):
        return [_project(one, nested, hidden) for one in value]
    return _project(value, nested, hidden) if value else None


def _types() -> dict[str, Any]:
    own = "id name status serial local_context_data custom_fields created last_updated config_context tags site role"
    own += " platform tenant cluster primary_ip4 primary_ip6"
    device = f"{own} asset_tag position location rack device_type oob_ip"
    return {
        "device": {"name": "DeviceType", "fields": [{"name": name} for name in device.split()]},
        "virtual_machine": {"name": "VirtualMachineType", "fields": [{"name": name} for name in own.split()]},
        "lookup": {"inputFields": [{"name": name} for name in ("exact", "gt", "gte", "lt", "lte", "in_list")]},
    }
