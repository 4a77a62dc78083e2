# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Who else is in the fleet, also where a run only has its own hosts."""

from __future__ import annotations

import os
from typing import Any, Iterable, Mapping

from ansible.inventory.manager import InventoryManager
from ansible.plugins.lookup import LookupBase
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

DOCUMENTATION = r"""
name: fleet
short_description: Who else is in the fleet
description:
  - For every host of the fleet the variables that say who and where it is, and those that are asked for besides.
  - These are the hosts of the inventory. Where the inventory is one that C(bedplate) froze for a run, it only has the
    run's own hosts, so that the run starts fast. Then the whole fleet lies beside it in a folder C(.fleet), and is read
    from there, when a play asks for it.
  - Variables are what the inventory says, templates rendered for their host. What a host does not have is left out.
  - Always given are C(ansible_host), C(bedplate_class), C(bedplate_failure_domain), C(bedplate_primary_ip4),
    C(bedplate_primary_ip6), C(bedplate_region), C(bedplate_role), C(bedplate_site), C(bedplate_tags) and
    C(bedplate_tenant).
author: The Bedplate developers
options:
  _terms:
    description: Names of more variables.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Show how many hosts there are
  ansible.builtin.debug:
    msg: "{{ lookup('bedplate.datacenter.fleet') | length }}"
"""

RETURN = r"""
_raw:
  description: Name of host → name of variable → value.
  type: list
  elements: dict
"""

FOLDER = ".fleet"
IDENTITY = (
    "ansible_host",
    "bedplate_class",
    "bedplate_failure_domain",
    "bedplate_primary_ip4",
    "bedplate_primary_ip6",
    "bedplate_region",
    "bedplate_role",
    "bedplate_site",
    "bedplate_tags",
    "bedplate_tenant",
)
# What lies beside a frozen inventory does not change while the run goes on.
_read: dict[tuple[str, ...], dict[str, dict[str, Any]]] = {}


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: Mapping[str, Any] | None = None) -> list[dict[str, dict[str, Any]]]:
        """Return one dictionary: name of host → name of variable → value."""
        variables = variables or {}
        names = tuple(dict.fromkeys((*IDENTITY, *map(str, terms))))
        frozen = _whole_fleets(variables.get("ansible_inventory_sources") or ())
        if not frozen:
            return [_chosen(variables["groups"]["all"], variables["hostvars"], names)]
        key = (*frozen, "", *names)
        if key not in _read:
            _read[key] = self._read_fleet(frozen, names)
        return [_read[key]]

    def _read_fleet(self, sources: list[str], names: tuple[str, ...]) -> dict[str, dict[str, Any]]:
        inventory = InventoryManager(loader=self._loader, sources=sources)
        hostvars = HostVars(inventory, VariableManager(loader=self._loader, inventory=inventory), self._loader)
        return _chosen(list(inventory.hosts), hostvars, names)


def _whole_fleets(sources: Iterable[str]) -> list[str]:
    """Return what lies beside these sources of an inventory, if each was frozen; else nothing."""
    found = []
    for source in sources:
        folder, name = (source, "") if os.path.isdir(source) else os.path.split(source)
        found.append(os.path.join(folder, FOLDER, name))
    return found if all(map(os.path.exists, found)) else []


def _chosen(
    hosts: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]], names: tuple[str, ...]
) -> dict[str, dict[str, Any]]:
    chosen = {}
    for host in hosts:
        known = hostvars[host]
        chosen[str(host)] = {name: known[name] for name in names if name in known}
    return chosen
