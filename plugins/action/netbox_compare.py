# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Compares a host with its record in NetBox, and has the record say what the host says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.bedplate.datacenter.plugins.plugin_utils import netbox_writing as netbox
from ansible_collections.bedplate.datacenter.plugins.plugin_utils import record_comparison as comparison
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.record_difference import Difference
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.record_reading import described
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.record_writing import Writer


class ActionModule(ActionBase):
    """Answers with the `differences`, each of which says whether it was `written`, and what was `not_compared`.

    `facts` is what the module record_facts took down. The record is asked of NetBox, where it can be (pynetbox, its
    address and a token are there); else it is what the inventory says of the host. `write` needs NetBox.
    """

    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(["facts", "write"])
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the task's result."""
        variables = task_vars or {}
        result = super().run(tmp, variables)
        facts, write = self._task.args["facts"], bool(self._task.args.get("write"))
        if write or not netbox.fault():
            host = _Host(variables.get("bedplate_netbox") or {})
            record, source = host.record, "netbox"
        else:
            host, record, source = None, comparison.record_of_variables(variables), "inventory"
        found = comparison.compare(record, facts)
        written = host.write(found, facts, self._task.check_mode) if host is not None and write else []
        result.update(
            changed=bool(written),
            msg=comparison.shown(found),
            source=source,
            differences=[{**each.as_dict(), "written": each.field in written} for each in found],
            not_compared=comparison.not_compared(record, facts),
        )
        return result


class _Host:
    """A host's record, read from NetBox now.

    Args:
        named: the host's variable `bedplate_netbox`.
    """

    def __init__(self, named: Mapping[str, Any]) -> None:
        self._host = netbox.record_of(named)
        self._kind = str(named["type"])
        which = {self._kind + "_id": self._host.id}
        self._interfaces = netbox.asked(lambda: list(netbox.endpoint(named, "interfaces").filter(**which)))
        addresses = netbox.asked(lambda: list(netbox.client().ipam.ip_addresses.filter(**which)))
        documents = [[dict(each) for each in listed] for listed in (self._interfaces, addresses)]
        self.record = described(self._kind, dict(self._host), *documents)

    def write(self, differences: Sequence[Difference], facts: Mapping[str, Any], check: bool) -> list[str]:
        """Write what can be written, unless it is only to be said; return the fields."""
        planned = Writer(self._kind, self._host, self._interfaces, self.record, facts).plan(differences)
        for write in () if check else planned.values():
            netbox.asked(write)
        return list(planned)
