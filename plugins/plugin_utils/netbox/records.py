"""From NetBox's objects, as its REST API gives them, to the records of a snapshot."""

from __future__ import annotations

from collections import Counter
from typing import Any, Dict, List, Mapping, Optional, Tuple

from .faults import Notices, SourceError

Json = Any  # what a JSON document holds
Entry = Mapping[str, Any]
Owner = Tuple[str, int]

_OWNER_TYPES = {"dcim.device": "device", "virtualization.virtualmachine": "virtual_machine"}
_INTERFACE_TYPES = {"dcim.interface": "device", "virtualization.vminterface": "virtual_machine"}


class Relations:
    """The objects that devices and virtual machines only name: regions, site groups, sites, clusters.

    Args:
        lists: `regions`, `site_groups`, `sites` and `clusters` as NetBox lists them.
    """

    def __init__(self, lists: Mapping[str, List[Dict[str, Any]]]) -> None:
        self._regions = _by_id(lists["regions"])
        self._site_groups = _by_id(lists["site_groups"])
        self._sites = _by_id(lists["sites"])
        self._clusters = _by_id(lists["clusters"])
        names = [cluster.get("name") for cluster in lists["clusters"]]
        self._shared_names = {name for name, count in Counter(names).items() if count > 1}

    def regions_of(self, site_id: Optional[int]) -> List[str]:
        """Return the slugs from the top region down to the site's own."""
        return _path(self._regions, _id(self._site(site_id).get("region")))

    def site_groups_of(self, site_id: Optional[int]) -> List[str]:
        """Return the slugs from the top site group down to the site's own."""
        return _path(self._site_groups, _id(self._site(site_id).get("group")))

    def cluster_name(self, cluster: Optional[Entry]) -> Optional[str]:
        """Return the name of a cluster, with the slug of its scope or group in front where others have the name."""
        if not cluster:
            return None
        name = str(cluster["name"])
        if name not in self._shared_names:
            return name
        whole = self._clusters.get(cluster["id"], {})
        prefix = _slug(whole.get("scope")) or _slug(whole.get("group"))
        return "%s-%s" % (prefix, name) if prefix else name

    def site_of_cluster(self, cluster: Optional[Entry]) -> Optional[Entry]:
        """Return the site that a cluster is scoped to, if it is one."""
        whole = self._clusters.get(cluster["id"], {}) if cluster else {}
        scope: Optional[Entry] = whole.get("scope") if whole.get("scope_type") == "dcim.site" else None
        return scope

    def _site(self, site_id: Optional[int]) -> Entry:
        return self._sites.get(site_id, {}) if site_id is not None else {}


class Attachments:
    """What hangs on hosts: services, and interfaces with their addresses."""

    def __init__(
        self,
        services: Optional[List[Dict[str, Any]]],
        interfaces: Optional[Mapping[str, List[Dict[str, Any]]]],
        addresses: List[Dict[str, Any]],
    ) -> None:
        self._services: Dict[Owner, List[Dict[str, Any]]] = {}
        for service in services or []:
            owner = _service_owner(service)
            if owner is not None:
                shown = {"name": service["name"], "protocol": _value(service["protocol"]), "ports": service["ports"]}
                self._services.setdefault(owner, []).append(shown)
        self._asked_interfaces = interfaces is not None
        self._interfaces: Dict[Owner, List[Dict[str, Any]]] = {}
        self._add_interfaces(interfaces or {}, _addresses_by_interface(addresses))

    def services_of(self, owner: Owner) -> List[Dict[str, Any]]:
        """Return the services of a host, as name, protocol and ports."""
        return self._services.get(owner, [])

    def interfaces_of(self, owner: Owner) -> Optional[List[Dict[str, Any]]]:
        """Return the interfaces of a host, or None if they were not asked for."""
        return self._interfaces.get(owner, []) if self._asked_interfaces else None

    def _add_interfaces(
        self, interfaces: Mapping[str, List[Dict[str, Any]]], addresses: Mapping[Owner, List[str]]
    ) -> None:
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


def build_record(kind: str, entry: Entry, url: str, relations: Relations, attachments: Attachments) -> Dict[str, Any]:
    """Return the record of a device or virtual machine; its class is not settled yet.

    Raises:
        SourceError: the object lacks what each object of its kind has.
    """
    try:
        return _build(kind, entry, url, relations, attachments)
    except (KeyError, TypeError, AttributeError) as error:
        raise SourceError(
            "the object has not the form of a %s: %r" % (kind.replace("_", " "), error), where=url
        ) from error


def _build(kind: str, entry: Entry, url: str, relations: Relations, attachments: Attachments) -> Dict[str, Any]:
    owner = (kind, entry["id"])
    cluster = entry["cluster"]
    site = entry["site"] or relations.site_of_cluster(cluster)
    device_type = entry.get("device_type") or {}
    return {
        "type": kind,
        "id": entry["id"],
        "name": entry["name"],
        "url": url,
        "status": _value(entry["status"]),
        "class": None,
        "region": relations.regions_of(_id(site)),
        "site_group": relations.site_groups_of(_id(site)),
        "site": _slug(site),
        "location": _slug(entry.get("location")),
        "rack": _name(entry.get("rack")),
        "position": entry.get("position"),
        "cluster": relations.cluster_name(cluster),
        "tenant": _slug(entry["tenant"]),
        "role": _slug(entry["role"]),
        "platform": _slug(entry["platform"]),
        "manufacturer": _slug(device_type.get("manufacturer")),
        "model": device_type.get("model"),
        "serial": entry.get("serial") or None,
        "asset_tag": entry.get("asset_tag") or None,
        "primary_ip4": _address(entry["primary_ip4"]),
        "primary_ip6": _address(entry["primary_ip6"]),
        "oob_ip": _address(entry.get("oob_ip")),
        "dns_name": _dns_name(entry["primary_ip4"]) or _dns_name(entry["primary_ip6"]),
        "tags": sorted(tag["slug"] for tag in entry["tags"]),
        "custom_fields": dict(entry["custom_fields"]),
        "config_context": entry.get("config_context", {}),
        "services": attachments.services_of(owner),
        "interfaces": attachments.interfaces_of(owner),
        "last_updated": entry.get("last_updated"),
    }


def note_shared_slugs(kinds: Mapping[str, List[Dict[str, Any]]], notices: Notices) -> None:
    """Note objects of one kind that have the same slug: NetBox allows it below different parents."""
    owners: Dict[Tuple[str, str], Dict[int, str]] = {}
    for entries in kinds.values():
        for entry in entries:
            for relation in ("tenant", "role", "platform"):
                related = entry.get(relation)
                if related:
                    named = "%s %d" % (related.get("name"), related["id"])
                    owners.setdefault((relation, related["slug"]), {})[related["id"]] = named
    for (relation, slug), named in owners.items():
        if len(named) > 1:
            for name in named.values():
                notices.add("several %ss have the slug %s and so one group" % (relation, slug), name)


def _by_id(entries: List[Dict[str, Any]]) -> Dict[int, Dict[str, Any]]:
    return {entry["id"]: entry for entry in entries}


def _path(tree: Mapping[int, Entry], leaf: Optional[int]) -> List[str]:
    """Return the slugs from the root of a tree to a leaf."""
    path: List[str] = []
    seen = set()
    while leaf is not None and leaf in tree and leaf not in seen:
        seen.add(leaf)
        path.append(str(tree[leaf]["slug"]))
        leaf = _id(tree[leaf].get("parent"))
    return path[::-1]


def _service_owner(service: Entry) -> Optional[Owner]:
    """Return the host of a service; NetBox before 4.3 names it in another way."""
    if service.get("parent_object_type") in _OWNER_TYPES:
        return _OWNER_TYPES[service["parent_object_type"]], service["parent_object_id"]
    for kind in ("device", "virtual_machine"):
        if service.get(kind):
            return kind, service[kind]["id"]
    return None


def _addresses_by_interface(addresses: List[Dict[str, Any]]) -> Dict[Owner, List[str]]:
    found: Dict[Owner, List[str]] = {}
    for entry in addresses:
        kind = _INTERFACE_TYPES.get(entry.get("assigned_object_type") or "")
        if kind is not None:
            found.setdefault((kind, entry["assigned_object_id"]), []).append(entry["address"])
    return found


def _id(entry: Optional[Entry]) -> Optional[int]:
    return entry["id"] if entry else None


def _slug(entry: Optional[Entry]) -> Optional[str]:
    return entry.get("slug") if entry else None


def _name(entry: Optional[Entry]) -> Optional[str]:
    return entry.get("name") if entry else None


def _value(choice: Json) -> Json:
    return choice.get("value") if isinstance(choice, dict) else choice


def _address(entry: Optional[Entry]) -> Optional[str]:
    return str(entry["address"]).split("/", 1)[0] if entry else None


def _dns_name(entry: Optional[Entry]) -> Optional[str]:
    return entry.get("dns_name") or None if entry else None
