"""From a snapshot into Ansible's inventory, in bulk.

`inventory.set_variable` and `inventory.add_host(host, group)` look at every value and walk the groups' ancestors once
a host and group. For 20,000 hosts that costs tens of seconds, so variables and memberships are put straight into the
host and group objects, which is what those calls end in.
"""

from __future__ import annotations

from typing import Any, Collection, Dict, Iterable, List, Mapping, Optional, Sequence

from ansible.inventory.data import InventoryData
from ansible.inventory.host import Host

from .faults import InventoryError, Notices
from .groups import KINDS, GroupPlan, plan_groups
from .membership import fill_groups
from .names import host_name_fault
from .query import Query
from .trust import SharedValues
from .variables import ADDRESS_SOURCES, host_variables

Record = Mapping[str, Any]


class Shape:
    """How records become hosts.

    Args:
        address_from: where `ansible_host` comes from; the first of these that is there wins.
        skip_without_address: leave out hosts that none of these gives an address.
        group_by: which kinds of groups are made.

    Raises:
        InventoryError: a source of addresses or a kind of group is not known.
    """

    def __init__(
        self, address_from: Sequence[str], skip_without_address: bool = False, group_by: Collection[str] = KINDS
    ) -> None:
        _check_known("ansible_host_from", address_from, ADDRESS_SOURCES)
        _check_known("group_by", group_by, KINDS)
        self.address_from = address_from
        self.skip_without_address = skip_without_address
        self.group_by = group_by


def populate(
    inventory: InventoryData, hosts: Mapping[str, Record], query: Query, shape: Shape, notices: Notices
) -> List[str]:
    """Put hosts with their groups and variables into Ansible's inventory, and return their names.

    Raises:
        InventoryError: two different slugs have the same group name.
    """
    taken = _usable(hosts, query, notices)
    variables = {name: host_variables(name, record, shape.address_from, notices) for name, record in taken.items()}
    for name in _without_address(variables, shape, notices):
        if shape.skip_without_address:
            del variables[name], taken[name]
    plan = plan_groups(taken, shape.group_by)
    _lay_out_groups(inventory, plan)
    add_hosts(inventory, taken)
    shared = SharedValues()
    for name in taken:
        inventory.hosts[name].vars.update(shared.of(variables.pop(name)))
    fill_groups(inventory, plan.members)
    return list(taken)


def add_hosts(inventory: InventoryData, names: Iterable[str]) -> None:
    """Add hosts, the first one by Ansible's own means; what that one says of its source holds for all."""
    origin: Optional[Dict[str, Any]] = None
    for name in names:
        if origin is None or name in inventory.hosts:
            inventory.add_host(name)
            own = inventory.hosts[name].vars
            origin = origin or {key: own[key] for key in ("inventory_file", "inventory_dir") if key in own}
        else:
            host = inventory.hosts[name] = Host(name)
            host.vars.update(origin)


def _usable(hosts: Mapping[str, Record], query: Query, notices: Notices) -> Dict[str, Record]:
    """Return the hosts that are asked for and whose names Ansible can take."""
    usable: Dict[str, Record] = {}
    kinds = {kind: frozenset(query.statuses_of(kind)) for kind in query.kinds if query.takes(kind)}
    for name, record in hosts.items():
        statuses = kinds.get(record["type"])
        if statuses is not None and (not statuses or record["status"] in statuses):
            fault = host_name_fault(name)
            if fault is None:
                usable[name] = record
            else:
                notices.add("left out, because Ansible cannot take the name: %s" % fault, repr(name))
    return usable


def _without_address(variables: Mapping[str, Mapping[str, Any]], shape: Shape, notices: Notices) -> List[str]:
    bare = [name for name, values in variables.items() if "ansible_host" not in values]
    then = "left out" if shape.skip_without_address else "so Ansible connects by the host's name"
    for name in bare:
        notices.add("no address in %s, %s" % (", ".join(shape.address_from), then), name)
    return bare


def _lay_out_groups(inventory: InventoryData, plan: GroupPlan) -> None:
    for group in plan.members:
        inventory.add_group(group)
    for parent, children in plan.children.items():
        for child in children:
            inventory.add_child(parent, child)


def _check_known(option: str, values: Collection[str], known: Collection[str]) -> None:
    for value in values:
        if value not in known:
            raise InventoryError("unknown value %r" % value, where=option, hint="known are %s" % ", ".join(known))
