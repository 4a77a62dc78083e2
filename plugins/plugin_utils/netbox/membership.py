"""Hosts into groups, in bulk: what `inventory.add_host(host, group)` ends in, without its walk for each host."""

from __future__ import annotations

from typing import Iterable, Mapping

from ansible.inventory.data import InventoryData


def fill_groups(inventory: InventoryData, members: Mapping[str, Iterable[str]]) -> None:
    """Put hosts into groups; hosts and groups are in the inventory already."""
    for name, names in members.items():
        group = inventory.groups[name]
        present = group.host_names
        added = [inventory.hosts[member] for member in dict.fromkeys(names) if member not in present]
        group.hosts.extend(added)
        present.update(host.name for host in added)
        group.clear_hosts_cache()
        above = [*group.get_ancestors(), group]
        for host in added:
            host.groups.extend([one for one in above if one not in host.groups])
