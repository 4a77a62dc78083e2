"""What NetBox holds, as tables of rows that name each other by id, whichever way they were read.

A device's or virtual machine's row has its own columns and the ids of what it refers to. Records of a snapshot are
made by joining the tables (see `records`), so that a change to one row of a table reaches all hosts that refer to it.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Optional

from .faults import SourceError

Row = Dict[str, Any]
Table = Dict[int, Row]
Entry = Mapping[str, Any]

# What a host refers to: column -> the table of what is referred to.
REFERENCES: Mapping[str, str] = {
    "site": "sites",
    "location": "locations",
    "rack": "racks",
    "role": "roles",
    "platform": "platforms",
    "tenant": "tenants",
    "cluster": "clusters",
    "device_type": "device_types",
    "primary_ip4": "addresses",
    "primary_ip6": "addresses",
    "oob_ip": "addresses",
}
TABLES = (
    "regions", "site_groups", "sites", "locations", "racks", "roles", "platforms", "tenants", "clusters",
    "device_types", "tags", "addresses",
)  # fmt: skip
_CARRIED = frozenset(("locations", "racks", "roles", "platforms", "tenants", "device_types", "tags", "addresses"))
_OWN = ("id", "name", "status", "serial", "asset_tag", "position", "custom_fields", "local_context_data")


class Tables:
    """The tables of one read.

    Attributes:
        hosts: kind -> id -> row.
        related: name of a table (see TABLES) -> id -> row.
        services: id -> row, or None if they were not asked for.
        interfaces: kind -> interfaces as REST lists them, or None if they were not asked for.
        assigned: addresses as REST lists them, for the interfaces.
    """

    def __init__(self) -> None:
        self.hosts: Dict[str, Table] = {}
        self.related: Dict[str, Table] = {name: {} for name in TABLES}
        self.services: Optional[Table] = None
        self.interfaces: Optional[Dict[str, List[Row]]] = None
        self.assigned: List[Row] = []

    def missing(self, of: Optional[Mapping[str, Iterable[int]]] = None) -> List[str]:
        """Return which tables lack a row that a host refers to.

        Args:
            of: kind -> ids of the hosts that are looked at; None for all.
        """
        lacking = set()
        for kind, table in self.hosts.items():
            for number in table if of is None else table.keys() & set(of.get(kind, ())):
                row = table[number]
                for column, name in REFERENCES.items():
                    if row[column] is not None and row[column] not in self.related[name]:
                        lacking.add(name)
                if not self.related["tags"].keys() >= set(row["tags"]):
                    lacking.add("tags")
        return sorted(lacking)


def host_row(kind: str, entry: Entry, related: Dict[str, Table], where: str) -> Row:
    """Return the row of a device or virtual machine, and add what it carries of related objects to their tables.

    Args:
        entry: as REST or GraphQL gives it.

    Raises:
        SourceError: the object lacks what each object of its kind has.
    """
    try:
        row = {column: entry.get(column) for column in _OWN}
        row["id"] = int(entry["id"])
        row["name"], row["status"] = entry["name"], _value(entry["status"])
        row["position"] = None if row["position"] is None else float(row["position"])
        row["custom_fields"] = dict(entry["custom_fields"])
        row["created"], row["last_updated"] = (_time(entry.get(column)) for column in ("created", "last_updated"))
        for column, name in REFERENCES.items():
            row[column] = _reference(entry.get(column), related[name], name)
        for column in ("site", "role", "platform", "tenant", "cluster", "primary_ip4", "primary_ip6"):
            entry[column]
        row["tags"] = sorted(_required(tag, related["tags"], "tags") for tag in entry["tags"])
        row["config_context"] = entry.get("config_context", {})
        return row
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise SourceError(
            "the object has not the form of a %s: %r" % (kind.replace("_", " "), error), where=where
        ) from error


def related_row(name: str, entry: Entry) -> Row:
    """Return the row of a related object, from REST's list or from what a host carries of it."""
    row: Row = {}
    if name == "addresses":
        row = {"address": str(entry["address"]).split("/", 1)[0], "dns_name": entry.get("dns_name") or None}
    elif name == "device_types":
        manufacturer = entry.get("manufacturer") or {}
        row = {"model": entry.get("model"), "manufacturer": manufacturer.get("slug")}
    elif name == "racks":
        row = {"name": entry.get("name")}
    elif name == "clusters":
        scope, group = entry.get("scope") or {}, entry.get("group") or {}
        row = {"name": str(entry["name"]), "scope": scope.get("slug"), "group": group.get("slug")}
        row["site"] = scope.get("id") if entry.get("scope_type") == "dcim.site" else None
    else:
        row = {"slug": str(entry["slug"]), "name": entry.get("name")}
        row.update({key: _id(entry.get(key)) for key in ("parent", "region", "group") if key in entry})
    return row


def service_row(entry: Entry) -> Row:
    """Return the row of a service; NetBox before 4.3 names its host in another way."""
    owners = {"dcim.device": "device", "virtualization.virtualmachine": "virtual_machine"}
    kind, number = owners.get(entry.get("parent_object_type") or ""), entry.get("parent_object_id")
    for other in ("device", "virtual_machine"):
        if entry.get(other):
            kind, number = other, entry[other]["id"]
    return {
        "kind": kind,
        "host": number,
        "shown": {"name": entry["name"], "protocol": _value(entry["protocol"]), "ports": entry["ports"]},
    }


def _reference(entry: Optional[Entry], table: Table, name: str) -> Optional[int]:
    return None if entry is None else _required(entry, table, name)


def _required(entry: Entry, table: Table, name: str) -> int:
    """Return the id of what an entry stands for; what else it carries goes into its table."""
    number = int(entry["id"])
    if number not in table and name in _CARRIED and len(entry) > 1:
        table[number] = related_row(name, entry)
    return number


def _id(entry: Optional[Entry]) -> Optional[int]:
    return int(entry["id"]) if entry else None


def _value(choice: Any) -> Any:  # noqa: ANN401 (REST gives a dictionary, GraphQL a text)
    return choice.get("value") if isinstance(choice, dict) else choice


def _time(text: Optional[str]) -> Optional[str]:
    return text.replace("+00:00", "Z") if text else text
