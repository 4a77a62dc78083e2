"""What is known of hosts beyond their names: from NetBox's snapshot, or else from the inventory's variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bedplate.execution.inventory import InventoryAdapter
from bedplate.fleet import HostRecord


def custom_field_of(adapter: InventoryAdapter, hosts: Sequence[str], name: str) -> dict[str, str | None]:
    """Return host → the text in its NetBox custom field of this name; None where it is empty."""
    found: dict[str, str | None] = {}
    for host, known in _known(adapter, hosts):
        fields = known.custom_fields if isinstance(known, HostRecord) else known.get("bedplate_custom_fields") or {}
        value = fields.get(name) if isinstance(fields, Mapping) else None
        found[host] = str(value) if value else None
    return found


def domain_of(adapter: InventoryAdapter, hosts: Sequence[str], kind: str) -> dict[str, str | None]:
    """Return host → its failure domain of a kind (region, site, rack, cluster); None where it is not known."""
    found: dict[str, str | None] = {}
    for host, known in _known(adapter, hosts):
        parts = [_part(known, name) for name in ((kind,) if kind in {"region", "site"} else ("site", kind))]
        found[host] = "/".join(parts) if all(parts) else None
    return found


def _known(adapter: InventoryAdapter, hosts: Sequence[str]) -> list[tuple[str, HostRecord | Mapping[str, Any]]]:
    records = adapter.records
    if all(host in records for host in hosts):
        return [(host, records[host]) for host in hosts]
    variables = adapter.listing["_meta"]["hostvars"]
    return [(host, records.get(host) or variables.get(host, {})) for host in hosts]


def _part(known: HostRecord | Mapping[str, Any], kind: str) -> str:
    value = getattr(known, kind) if isinstance(known, HostRecord) else known.get(f"bedplate_{kind}")
    return "/".join(map(str, value)) if isinstance(value, list | tuple) else str(value or "")
