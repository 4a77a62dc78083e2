"""The groups that nb_inventory makes: of sites, regions, site groups and locations with their nesting, and by facts."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from ansible.inventory.data import InventoryData

from .compat_tables import Tables, id_of
from .compat_variables import HostFacts, Manner
from .faults import InventoryError

Object = Dict[str, Any]
_PLACES = ("region", "location", "site_group")


class Groups:
    """Makes groups as they are needed, and remembers who goes into which.

    Args:
        raw: names without the kind in front (`group_names_raw`).
    """

    def __init__(
        self, inventory: InventoryData, manner: Manner, facts: HostFacts, tables: Tables, *, raw: bool
    ) -> None:
        self._inventory = inventory
        self._manner = manner
        self._tables = tables
        self._raw = raw
        self.members: Dict[str, List[str]] = {}
        self._sites: Dict[int, str] = {}
        self._locations: Dict[int, str] = {}
        self._kinds = [kind for kind in manner.group_by if kind not in (*_PLACES, manner.name("site"))]
        for kind in manner.group_by:
            if kind not in (*_PLACES, manner.name("site")) and not facts.is_known(kind):
                raise InventoryError(
                    "%r is none of nb_inventory's groups" % kind,
                    where="group_by",
                    hint="plurals and racks change what there is",
                )

    def lay_out(self) -> None:
        """Make the groups of places, also of those that have no hosts, and put them into each other."""
        manner, tables = self._manner, self._tables
        wanted = manner.group_by
        if manner.name("site") in wanted or any(kind in wanted for kind in _PLACES):
            for number, site in tables.sites.items():
                self._sites[number] = self._add(self._named(manner.name("site"), site["slug"]))
        if "location" in wanted:
            self._locations = self._nested("location", tables.locations)
            for number, location in tables.locations.items():
                if not location.get("parent"):
                    self._inventory.add_child(self._sites[location["site"]["id"]], self._locations[number])
        for kind, tree, key in (("region", tables.regions, "region"), ("site_group", tables.site_groups, "group")):
            if kind in wanted:
                groups = self._nested(kind, tree)
                for number, site in tables.sites.items():
                    above = id_of(site.get(key))
                    if above is not None:
                        self._inventory.add_child(groups[above], self._sites[number])

    def needed(self, facts: Mapping[str, Any]) -> Dict[str, Any]:
        """Return what of a host's facts says which groups it goes into."""
        return {kind: facts[kind] for kind in self._kinds if facts.get(kind)}

    def place(self, name: str, host: Object, facts: Mapping[str, Any]) -> None:
        """Note which groups a host goes into. Its facts need only be those that are needed."""
        for kind in self._kinds:
            values = facts.get(kind)
            for value in values if isinstance(values, list) else [values] if values else []:
                group = self._named(kind, value)
                if group:
                    self._join(self._add(group), name)
        location, site = id_of(host.get("location")), id_of(host.get("site"))
        if self._locations and location is not None:
            self._join(self._locations[location], name)
        elif self._sites and site is not None:
            self._join(self._sites[site], name)

    def _nested(self, kind: str, tree: Mapping[int, Object]) -> Dict[int, str]:
        groups = {number: self._add(self._named(kind, entry["slug"])) for number, entry in tree.items()}
        for number, entry in tree.items():
            parent = id_of(entry.get("parent"))
            if parent in groups:
                self._inventory.add_child(groups[parent], groups[number])
        return groups

    def _named(self, kind: str, value: Any) -> str:  # noqa: ANN401 (facts are of several types)
        """Return the name of a group; empty for what makes none."""
        if isinstance(value, bool):
            return kind if value else ""
        if kind == "services":
            kind, value = "service", value["name"]
        elif kind == "status":
            value = value["value"]
        return str(value) if self._raw else "%s_%s" % (kind, value)

    def _add(self, name: str) -> str:
        return str(self._inventory.add_group(name))

    def _join(self, group: str, host: str) -> None:
        self.members.setdefault(group, []).append(host)


def name_of(host: Object, chassis: bool) -> Optional[str]:
    """Return what a host is called in the inventory; `chassis`: a virtual chassis has its own name."""
    whole: Object = host.get("virtual_chassis") or {}
    if chassis and whole.get("master"):
        return whole.get("name") or None
    return host.get("name") or None
