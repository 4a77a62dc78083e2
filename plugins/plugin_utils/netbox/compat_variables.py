"""The variables that nb_inventory gives a host, from NetBox's object."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from .compat_tables import Tables, id_of, line_of, utc_offset
from .faults import InventoryError, Notices
from .names import ALLOWED_ANSIBLE_KEYS, is_allowed_connection_value

Object = Dict[str, Any]
Facts = Dict[str, Any]

PLURALS = {
    "site": "sites",
    "tenant": "tenants",
    "rack": "racks",
    "tag": "tags",
    "role": "device_roles",
    "platform": "platforms",
    "device_type": "device_types",
    "manufacturer": "manufacturers",
}
# Kinds of groups whose variable has another name than the group.
_VARIABLES = {"tag": "tags", "region": "regions", "site_group": "site_groups", "location": "locations"}
_FLATTENED = ("config_context", "custom_fields", "local_context_data")


class Manner(NamedTuple):
    """The options that say how variables look, by nb_inventory's names."""

    plurals: bool
    racks: bool
    services: bool
    interfaces: bool
    dns_name: bool
    site_data: bool
    ansible_host_dns_name: bool
    oob_ip_as_primary_ip: bool
    flatten_config_context: bool
    flatten_custom_fields: bool
    flatten_local_context_data: bool
    rename_variables: Sequence[Tuple[Any, str]]
    group_by: Sequence[str]

    def name(self, kind: str) -> str:
        """Return how a kind of group is called."""
        return PLURALS.get(kind, kind) if self.plurals else kind


def parse_renames(entries: Any) -> List[Tuple[Any, str]]:  # noqa: ANN401 (as in the inventory file)
    """Return the compiled patterns of `rename_variables`. Raises InventoryError if one is none."""
    try:
        return [(re.compile(entry["pattern"]), entry["repl"]) for entry in entries or ()]
    except (KeyError, TypeError, re.error) as error:
        raise InventoryError("this is no list of pattern and repl: %s" % error, where="rename_variables") from error


class HostFacts:
    """What nb_inventory knows of hosts.

    Args:
        manner: how variables look.
        tables: what objects only name.
    """

    def __init__(self, manner: Manner, tables: Tables) -> None:
        self._manner = manner
        self._tables = tables
        self._extractors = self._known()

    def facts_of(self, host: Object) -> Facts:
        """Return kind of fact → value, in the order in which they become variables; what is None is left out."""
        facts = {name: extract(host) for name, extract in self._extractors.items()}
        return {name: value for name, value in facts.items() if value is not None}

    def is_known(self, kind: str) -> bool:
        return kind in self._extractors

    def variables_of(self, name: str, host: Object, facts: Facts, notices: Notices) -> Facts:
        """Return the variables of a host, and note what of its data was not taken."""
        variables: Facts = {}
        for key, value in self._addresses(host, facts):
            variables[self._renamed(key)] = value
        for kind, value in facts.items():
            if kind in _FLATTENED and isinstance(value, dict) and getattr(self._manner, "flatten_%s" % kind):
                for key, entry in value.items():
                    self._set(variables, self._renamed(key), entry, name, notices)
            else:
                variables[self._renamed(_VARIABLES.get(kind, kind))] = value
        return variables

    def _set(self, variables: Facts, key: str, value: Any, name: str, notices: Notices) -> None:  # noqa: ANN401
        """Set a variable whose name comes from NetBox, unless it would steer Ansible."""
        is_allowed = key in ALLOWED_ANSIBLE_KEYS and is_allowed_connection_value(key, value)
        if key.startswith("ansible_") and not is_allowed:
            notices.add("variable %r was refused: NetBox may not set it, or not to this" % key, name)
            return
        variables[key] = value

    def _renamed(self, key: str) -> str:
        for pattern, replacement in self._manner.rename_variables:
            if pattern.match(key):
                return str(pattern.sub(replacement, key))
        return key

    def _addresses(self, host: Object, facts: Facts) -> List[Tuple[str, str]]:
        known = [(key, _address(host.get(key))) for key in ("primary_ip", "primary_ip4", "primary_ip6", "oob_ip")]
        found = [("ansible_host" if key == "primary_ip" else key, value) for key, value in known if value]
        if self._manner.ansible_host_dns_name and facts.get("dns_name"):
            found.append(("ansible_host", facts["dns_name"]))
        if self._manner.oob_ip_as_primary_ip:
            found += [("ansible_host", value) for key, value in known if key == "oob_ip" and value]
        return found

    def _known(self) -> Dict[str, Callable[[Object], Any]]:
        manner, tables = self._manner, self._tables
        known: Dict[str, Callable[[Object], Any]] = {
            "disk": lambda host: host.get("disk"),
            "memory": lambda host: host.get("memory"),
            "vcpus": lambda host: host.get("vcpus"),
            "status": lambda host: host["status"],
            "config_context": lambda host: self._context(host, "config_context"),
            "local_context_data": lambda host: self._context(host, "local_context_data"),
            "custom_fields": lambda host: {k: v for k, v in host["custom_fields"].items() if v is not None},
            "region": lambda host: line_of(tables.regions, id_of(self._site(host).get("region"))),
            "cluster": lambda host: (host.get("cluster") or {}).get("name"),
            "cluster_group": lambda host: self._slug(self._cluster(host).get("group")),
            "cluster_type": lambda host: self._slug(self._cluster(host).get("type")),
            "cluster_device": lambda host: host.get("device"),
            "is_virtual": lambda host: host["is_virtual"],
            "serial": lambda host: host.get("serial"),
            "asset_tag": lambda host: host.get("asset_tag"),
            "time_zone": self._zone,
            "utc_offset": lambda host: utc_offset(self._of_site(host, "utc_offset", "time_zone")),
            "facility": lambda host: self._of_site(host, "facility", "facility"),
            manner.name("site"): lambda host: self._listed(self._shown_site(host)),
            manner.name("tenant"): lambda host: self._listed(self._slug(host.get("tenant"))),
            manner.name("tag"): lambda host: [tag["slug"] for tag in host["tags"]],
            manner.name("role"): lambda host: self._listed(self._slug(host.get("role"))),
            manner.name("platform"): lambda host: self._listed(self._slug(host.get("platform"))),
            manner.name("device_type"): lambda host: self._listed(self._slug(host.get("device_type"))),
            manner.name("manufacturer"): lambda host: self._listed(
                self._slug((host.get("device_type") or {}).get("manufacturer"))
            ),
            "site_group": lambda host: line_of(tables.site_groups, id_of(self._site(host).get("group"))),
        }
        known.update(self._optional())
        return known

    def _optional(self) -> Dict[str, Callable[[Object], Any]]:
        manner, tables = self._manner, self._tables
        known: Dict[str, Callable[[Object], Any]] = {}
        if manner.racks:
            known[manner.name("rack")] = lambda host: self._listed((host.get("rack") or {}).get("name"))
            known["rack_role"] = lambda host: self._slug(self._rack(host).get("role"))
            known["location"] = lambda host: line_of(tables.locations, id_of(host.get("location")))
        if manner.services:
            known["services"] = lambda host: tables.services.get(_owner(host), [])
        if manner.interfaces:
            known["interfaces"] = lambda host: tables.interfaces.get(_owner(host), [])
        if manner.interfaces or manner.dns_name or manner.ansible_host_dns_name:
            known["dns_name"] = self._dns_name
        return known

    def _listed(self, value: Any) -> Any:  # noqa: ANN401
        if value is None:
            return None
        return [value] if self._manner.plurals else value

    def _context(self, host: Object, key: str) -> Any:  # noqa: ANN401
        if key not in host:
            return None
        if getattr(self._manner, "flatten_%s" % key):
            return host[key]
        return [host[key]] if self._manner.plurals else host[key]

    def _site(self, host: Object) -> Object:
        return self._tables.sites.get(id_of(host.get("site")) or 0, {})

    def _rack(self, host: Object) -> Object:
        return self._tables.racks.get(id_of(host.get("rack")) or 0, {})

    def _cluster(self, host: Object) -> Object:
        return self._tables.clusters.get(id_of(host.get("cluster")) or 0, {})

    def _shown_site(self, host: Object) -> Any:  # noqa: ANN401
        site = self._site(host)
        return (site if self._manner.site_data else site.get("slug")) or None

    def _of_site(self, host: Object, kind: str, key: str) -> Optional[str]:
        return self._site(host).get(key) if kind in self._manner.group_by else None

    def _zone(self, host: Object) -> Optional[str]:
        zone = self._of_site(host, "time_zone", "time_zone")
        return zone.replace("/", "_", 2) if zone else None

    def _dns_name(self, host: Object) -> Optional[str]:
        address = self._tables.addresses[_owner(host)[0]].get(id_of(host.get("primary_ip")) or 0, {})
        return address.get("dns_name") or None

    @staticmethod
    def _slug(entry: Optional[Mapping[str, Any]]) -> Optional[str]:
        return entry.get("slug") if entry else None


def _owner(host: Object) -> Tuple[str, int]:
    return ("virtual_machine" if host["is_virtual"] else "device"), host["id"]


def _address(entry: Optional[Object]) -> Optional[str]:
    return str(entry["address"]).split("/", 1)[0] if entry else None
