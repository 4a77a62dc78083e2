"""From the tables of what NetBox holds to the records of a snapshot."""

from __future__ import annotations

from collections import Counter
from typing import Any, Dict, List, Mapping, Optional, Set, Tuple

from .faults import Notices, SourceError
from .rows import Entry, Row, Table, Tables

Owner = Tuple[str, int]

_PATHS = {"device": "/dcim/devices/", "virtual_machine": "/virtualization/virtual-machines/"}
_INTERFACE_TYPES = {"dcim.interface": "device", "virtualization.vminterface": "virtual_machine"}


class Relations:
    """What hosts refer to, and what that refers to in turn: sites have regions, clusters have a scope."""

    def __init__(self, related: Mapping[str, Table]) -> None:
        self._related = related
        names = [cluster["name"] for cluster in related["clusters"].values()]
        self._shared_names = {name for name, count in Counter(names).items() if count > 1}
        self._regions: Dict[Optional[int], List[str]] = {}
        self._site_groups: Dict[Optional[int], List[str]] = {}

    def row(self, table: str, number: Optional[int]) -> Row:
        """Return the row of a related object; an empty one for None. Raises KeyError if there is none."""
        return {} if number is None else self._related[table][number]

    def regions_of(self, site_id: Optional[int]) -> List[str]:
        """Return the slugs from the top region down to the site's own."""
        if site_id not in self._regions:
            self._regions[site_id] = _path(self._related["regions"], self.row("sites", site_id).get("region"))
        return self._regions[site_id]

    def site_groups_of(self, site_id: Optional[int]) -> List[str]:
        """Return the slugs from the top site group down to the site's own."""
        if site_id not in self._site_groups:
            self._site_groups[site_id] = _path(self._related["site_groups"], self.row("sites", site_id).get("group"))
        return self._site_groups[site_id]

    def cluster_name(self, cluster: Row) -> Optional[str]:
        """Return the name of a cluster, with the slug of its scope or group in front where others have the name."""
        name = cluster.get("name")
        if name is None or name not in self._shared_names:
            return name
        prefix = cluster["scope"] or cluster["group"]
        return "%s-%s" % (prefix, name) if prefix else str(name)

    def tag_slugs(self, numbers: List[int]) -> List[str]:
        """Return the slugs of tags, sorted."""
        return sorted(self._related["tags"][number]["slug"] for number in numbers)


class Attachments:
    """What hangs on hosts: services, and interfaces with their addresses."""

    def __init__(self, tables: Tables) -> None:
        self._services: Dict[Owner, List[Dict[str, Any]]] = {}
        for _number, service in sorted((tables.services or {}).items()):
            if service["kind"] is not None:
                self._services.setdefault((service["kind"], service["host"]), []).append(service["shown"])
        self._asked_interfaces = tables.interfaces is not None
        self._interfaces: Dict[Owner, List[Dict[str, Any]]] = {}
        self._add_interfaces(tables.interfaces or {}, _addresses_by_interface(tables.assigned))

    def services_of(self, owner: Owner) -> List[Dict[str, Any]]:
        """Return the services of a host, as name, protocol and ports."""
        return self._services.get(owner, [])

    def interfaces_of(self, owner: Owner) -> Optional[List[Dict[str, Any]]]:
        """Return the interfaces of a host, or None if they were not asked for."""
        return self._interfaces.get(owner, []) if self._asked_interfaces else None

    def _add_interfaces(self, interfaces: Mapping[str, List[Row]], addresses: Mapping[Owner, List[str]]) -> None:
        for kind, entries in interfaces.items():
            for entry in entries:
                shown = {
                    "name": entry["name"],
                    "type": _value(entry.get("type")),
                    "enabled": entry.get("enabled"),
                    "mgmt_only": entry.get("mgmt_only", False),
                    "mtu": entry.get("mtu"),
                    "mac_address": entry.get("mac_address"),
                    "addresses": addresses.get((kind, entry["id"]), []),
                }
                self._interfaces.setdefault((kind, entry[kind]["id"]), []).append(shown)


def build_records(
    tables: Tables, base: str, notices: Notices, only: Optional[Mapping[str, Set[int]]] = None
) -> List[Tuple[Dict[str, Any], str]]:
    """Return the record of each host, its class not settled yet, with the time at which it was made in NetBox.

    Args:
        base: NetBox's address.
        only: kind -> ids of the hosts that are wanted; all if None.

    Raises:
        SourceError: a host refers to an object that did not come.
    """
    relations, attachments = Relations(tables.related), Attachments(tables)
    if only is None:
        _note_shared_slugs(tables, notices)
    found = []
    for kind, table in tables.hosts.items():
        for row in table.values() if only is None else [table[number] for number in sorted(only.get(kind, ()))]:
            try:
                record = _build(kind, row, relations, attachments)
            except KeyError as error:
                raise SourceError(
                    "%s refers to an object (%s) that is not among those that NetBox listed" % (row["name"], error),
                    where="%s%s%d/" % (base, _PATHS[kind], row["id"]),
                    hint="check that the token may view all sites, racks, roles, tags and so on",
                ) from error
            record["url"] = "%s%s%d/" % (base, _PATHS[kind], row["id"])
            found.append((record, row["created"] or ""))
    return found


def _build(kind: str, row: Row, relations: Relations, attachments: Attachments) -> Dict[str, Any]:
    owner = (kind, row["id"])
    cluster = relations.row("clusters", row["cluster"])
    site_id = row["site"] if row["site"] is not None else cluster.get("site")
    device_type = relations.row("device_types", row["device_type"])
    primary4, primary6 = (relations.row("addresses", row[column]) for column in ("primary_ip4", "primary_ip6"))
    return {
        "type": kind,
        "id": row["id"],
        "name": row["name"],
        "url": None,
        "status": row["status"],
        "class": None,
        "region": relations.regions_of(site_id),
        "site_group": relations.site_groups_of(site_id),
        "site": relations.row("sites", site_id).get("slug"),
        "location": relations.row("locations", row["location"]).get("slug"),
        "rack": relations.row("racks", row["rack"]).get("name"),
        "position": row["position"],
        "cluster": relations.cluster_name(cluster),
        "tenant": relations.row("tenants", row["tenant"]).get("slug"),
        "role": relations.row("roles", row["role"]).get("slug"),
        "platform": relations.row("platforms", row["platform"]).get("slug"),
        "manufacturer": device_type.get("manufacturer"),
        "model": device_type.get("model"),
        "serial": row["serial"] or None,
        "asset_tag": row["asset_tag"] or None,
        "primary_ip4": primary4.get("address"),
        "primary_ip6": primary6.get("address"),
        "oob_ip": relations.row("addresses", row["oob_ip"]).get("address"),
        "dns_name": primary4.get("dns_name") or primary6.get("dns_name"),
        "tags": relations.tag_slugs(row["tags"]),
        "custom_fields": row["custom_fields"],
        "config_context": row["config_context"],
        "services": attachments.services_of(owner),
        "interfaces": attachments.interfaces_of(owner),
        "last_updated": row["last_updated"],
    }


def _note_shared_slugs(tables: Tables, notices: Notices) -> None:
    """Note objects of one kind that have the same slug: NetBox allows it below different parents."""
    for column, name in (("tenant", "tenants"), ("role", "roles"), ("platform", "platforms")):
        used = {row[column] for table in tables.hosts.values() for row in table.values()} - {None}
        owners: Dict[str, List[int]] = {}
        for number in sorted(used & tables.related[name].keys()):
            owners.setdefault(tables.related[name][number]["slug"], []).append(number)
        for slug, numbers in owners.items():
            for number in numbers if len(numbers) > 1 else ():
                label = "%s %d" % (tables.related[name][number]["name"], number)
                notices.add("several %ss have the slug %s and so one group" % (column, slug), label)


def _path(tree: Mapping[int, Row], leaf: Optional[int]) -> List[str]:
    """Return the slugs from the root of a tree to a leaf."""
    path: List[str] = []
    seen = set()
    while leaf is not None and leaf not in seen:
        seen.add(leaf)
        path.append(str(tree[leaf]["slug"]))
        leaf = tree[leaf].get("parent")
    return path[::-1]


def _addresses_by_interface(addresses: List[Row]) -> Dict[Owner, List[str]]:
    found: Dict[Owner, List[str]] = {}
    for entry in addresses:
        kind = _INTERFACE_TYPES.get(entry.get("assigned_object_type") or "")
        if kind is not None:
            found.setdefault((kind, entry["assigned_object_id"]), []).append(entry["address"])
    return found


def _value(choice: Entry) -> object:
    return choice.get("value") if isinstance(choice, dict) else choice
