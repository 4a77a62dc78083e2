"""`compat: nb_inventory`: the inventory that netbox.netbox.nb_inventory makes of the same options."""

from __future__ import annotations

import os
from itertools import chain
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

from ansible.inventory.data import InventoryData

from .alike import Alike
from .client import Client
from .compat_fleet import CompatFleet
from .compat_groups import Groups, name_of
from .compat_kept import read_kept
from .compat_lists import HOSTS, Asked, Lists
from .compat_tables import Tables, master_of
from .compat_variables import HostFacts, Manner, parse_renames
from .faults import InventoryError, Notices
from .filters import parse_filters
from .membership import fill_groups
from .names import host_name_fault
from .options import Options
from .populate import add_hosts
from .supply import Supply
from .trust import untrusted_variables

COMPAT = "nb_inventory"
# What is otherwise where the inventory file does not say it: nb_inventory's own defaults.
_DEFAULTS = {"config_context": False, "group_by": [], "services": True, "interfaces": False}
_FLAGS = (
    "plurals", "racks", "dns_name", "site_data", "ansible_host_dns_name", "oob_ip_as_primary_ip",
    "flatten_config_context", "flatten_custom_fields", "flatten_local_context_data",
)  # fmt: skip
ONLY_HERE = (*_FLAGS, "fetch_all", "group_names_raw", "rename_variables", "virtual_chassis_name", "max_uri_length")


class CompatOptions:
    """The options of an inventory file with `compat: nb_inventory`.

    Args:
        get: returns an option's value, templated where it may be a template.
        given: the names of the options that the file has.
    """

    def __init__(self, get: Callable[[str], Any], given: Mapping[str, Any], options: Options) -> None:
        self._get = get
        self._given = given
        self._options = options

    def value(self, name: str) -> Any:  # noqa: ANN401
        """Return an option's value, with nb_inventory's default."""
        return _DEFAULTS[name] if name in _DEFAULTS and name not in self._given else self._get(name)

    def manner(self) -> Manner:
        """Return how variables look. Raises InventoryError if a pattern is none."""
        return Manner(
            services=bool(self.value("services")),
            interfaces=bool(self.value("interfaces")),
            rename_variables=parse_renames(self._get("rename_variables")),
            group_by=list(self.value("group_by")),
            **{flag: bool(self._get(flag)) for flag in _FLAGS},
        )

    def asked(self) -> Asked:
        """Return what is read. Raises InventoryError if a filter has no such form."""
        names = ("query_filters", "device_query_filters", "vm_query_filters")
        manner = self.manner()
        return Asked(
            *(_pairs(name, self._get(name)) for name in names),
            config_context=bool(self.value("config_context")),
            services=manner.services,
            interfaces=manner.interfaces,
            addresses=manner.interfaces or manner.dns_name or manner.ansible_host_dns_name,
        )

    def lists(self, warn: Callable[[str], None], tell: Callable[[str], None]) -> Lists:
        """Return what NetBox said, and tell how it was read. Raises InventoryError if there is no whole fleet."""
        if self._options.snapshot:
            return read_kept(self._options.snapshot).lists
        client, asked = Client(self._options.endpoint()), self.asked()
        path = self._path(client.endpoint.base, asked)
        supply = Supply(
            CompatFleet(client, asked, self._options.page_size, path),
            self._options.limits(),
            path=path,
            refresh=self._options.refresh,
            full=self._options.full,
        )
        found = supply.serve(warn).lists
        tell("%s: read %s" % (client.endpoint.base, supply.how))
        return found

    def _path(self, url: str, asked: Asked) -> str:
        """Return where the last good lists are kept."""
        path = self._options.snapshot_path(url, self._options.query())
        if self._get("snapshot_path"):
            return path
        return os.path.join(os.path.dirname(path), "nb-%s.json.gz" % asked.digest(url))


def populate_as_nb_inventory(
    inventory: InventoryData, lists: Lists, options: CompatOptions, notices: Notices
) -> Tuple[Dict[str, Dict[str, Any]], Callable[[], None]]:
    """Put hosts and their variables into Ansible's inventory, as nb_inventory does.

    Returns:
        name → NetBox's object, which compose, groups and keyed_groups speak of; and what puts the hosts into their
        groups, to be called after these.

    Raises:
        InventoryError: a kind of group is not known.
    """
    manner, tables = options.manner(), Tables(lists.objects)
    facts = HostFacts(manner, tables)
    groups = Groups(inventory, manner, facts, tables, raw=bool(options.value("group_names_raw")))
    groups.lay_out()
    found = _hosts(lists, bool(options.value("virtual_chassis_name")), notices)
    add_hosts(inventory, dict.fromkeys(name for name, _host in found))
    objects: Dict[str, Dict[str, Any]] = {}
    of_hosts: List[Tuple[str, Dict[str, Any], Dict[str, Any]]] = []
    alike = Alike()
    for name, host in found:
        own = facts.facts_of(host)
        of_hosts.append((name, host, groups.needed(own)))
        variables = alike.share(facts.variables_of(name, host, own, notices))
        inventory.hosts[name].vars.update(untrusted_variables(variables))
        objects[name] = untrusted_variables(host)

    def into_groups() -> None:
        for name, host, own in of_hosts:
            groups.place(name, host, own)
        fill_groups(inventory, groups.members)

    return objects, into_groups


def _hosts(lists: Lists, chassis: bool, notices: Notices) -> List[Tuple[str, Dict[str, Any]]]:
    """Return the hosts with their names: no second members of a virtual chassis, none that Ansible cannot take."""
    found: Dict[str, List[Dict[str, Any]]] = {}
    for kind in HOSTS:
        for entry in lists.objects.get(kind, []):
            master = master_of(entry)
            if master is None or master == entry["id"]:
                name = name_of(entry, chassis)
                fault = host_name_fault(name) if name else "it has none"
                if fault is None:
                    entry["is_virtual"] = kind == "virtual_machine"
                    found.setdefault(str(name), []).append(entry)
                else:
                    notices.add("left out, because Ansible cannot take the name: %s" % fault, repr(name))
    for name, entries in found.items():
        if len(entries) > 1:
            notices.add("several objects have this name and are one host, as nb_inventory makes it", name)
    return [(name, entry) for name, entry in chain.from_iterable(
        ((name, entry) for entry in entries) for name, entries in found.items()
    )]  # fmt: skip


def _pairs(option: str, entries: Any) -> Sequence[Tuple[str, str]]:  # noqa: ANN401 (as in the inventory file)
    return parse_filters(option, entries or [])


def check_alone(compat: bool, given: Mapping[str, Any]) -> None:
    """Refuse options that only mean something with `compat`. Raises InventoryError."""
    alone = [name for name in ONLY_HERE if name in given]
    if alone and not compat:
        raise InventoryError(
            "%s only means something with compat: %s" % (", ".join(alone), COMPAT),
            hint="`bedplate inventory migrate` says what is instead of it",
        )
