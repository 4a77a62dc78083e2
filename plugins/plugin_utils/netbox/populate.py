"""From a snapshot into Ansible's inventory, in bulk.

`inventory.set_variable` and `inventory.add_host(host, group)` look at every value and walk the groups' ancestors once
a host and group. For 20,000 hosts that costs tens of seconds, so variables and memberships are put straight into the
host and group objects, which is what those calls end in.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Sequence

from .faults import Notices
from .groups import GroupPlan, plan_groups
from .names import host_name_fault
from .trust import untrusted_name, untrusted_variables
from .variables import host_variables

Record = Mapping[str, Any]


def usable_hosts(hosts: Mapping[str, Record], statuses: Sequence[str], notices: Notices) -> Dict[str, Record]:
    """Return the hosts whose name Ansible can take and whose status is asked for (all statuses if none is named)."""
    usable: Dict[str, Record] = {}
    wanted = frozenset(statuses)
    for name, record in hosts.items():
        if wanted and record["status"] not in wanted:
            continue
        fault = host_name_fault(name)
        if fault is None:
            usable[name] = record
        else:
            notices.add("left out, because Ansible cannot take the name, %s" % fault, repr(name))
    return usable


def populate(inventory: Any, hosts: Mapping[str, Record], address_from: Sequence[str], notices: Notices) -> None:
    """Put hosts with their groups and variables into Ansible's inventory.

    Raises:
        InventoryFault: two different slugs have the same group name.
    """
    plan = plan_groups(hosts)
    _lay_out_groups(inventory, plan)
    for name in hosts:
        inventory.add_host(untrusted_name(name))
    _fill_groups(inventory, plan)
    for name, record in hosts.items():
        variables = host_variables(name, record, address_from, notices)
        if "ansible_host" not in variables:
            notices.add("no address in %s, so ansible connects by the host's name" % ", ".join(address_from), name)
        inventory.hosts[name].vars.update(untrusted_variables(variables))


def _lay_out_groups(inventory: Any, plan: GroupPlan) -> None:
    for group in plan.members:
        inventory.add_group(group)
    for parent, children in plan.children.items():
        for child in children:
            inventory.add_child(parent, child)


def _fill_groups(inventory: Any, plan: GroupPlan) -> None:
    for name, members in plan.members.items():
        group = inventory.groups[name]
        present = group.host_names
        added = [inventory.hosts[member] for member in _once(members) if member not in present]
        group.hosts.extend(added)
        present.update(host.name for host in added)
        group.clear_hosts_cache()
        above = [group, *group.get_ancestors()]
        for host in added:
            host.groups.extend([one for one in above if one not in host.groups])


def _once(names: Iterable[str]) -> List[str]:
    return list(dict.fromkeys(names))
