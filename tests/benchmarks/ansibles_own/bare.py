"""An inventory without a cost of its own: what `ansible-inventory --list` said, put straight into Ansible's objects.

What a command takes with it is Ansible's own share.
"""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import Any

from ansible.inventory.host import Host
from ansible.plugins.inventory import BaseInventoryPlugin

DOCUMENTATION = """
name: bare
short_description: What ansible-inventory said
description: [What ansible-inventory said.]
options: {}
"""


class InventoryModule(BaseInventoryPlugin):
    """Reads a listing."""

    NAME = "bare"

    def verify_file(self, path: str) -> bool:
        return path.endswith(".listing")

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        gc.disable()
        listing: dict[str, Any] = json.loads(Path(path).read_bytes(), object_hook=_plain)
        for name, variables in listing.pop("_meta")["hostvars"].items():
            inventory.hosts[name] = Host(name)
            inventory.hosts[name].vars.update(variables)
        for group in listing:
            inventory.add_group(group)
        for group, entry in listing.items():
            for child in entry.get("children", ()):
                inventory.add_child(group, child)
        for group, entry in listing.items():
            self._fill(inventory.groups[group], [inventory.hosts[name] for name in entry.get("hosts", ())])
        gc.enable()

    @staticmethod
    def _fill(group: Any, hosts: list[Any]) -> None:
        group.hosts.extend(hosts)
        group.host_names.update(host.name for host in hosts)
        group.clear_hosts_cache()
        above = [*group.get_ancestors(), group]
        for host in hosts:
            host.groups.extend(one for one in above if one not in host.groups)


def _plain(entry: dict[str, Any]) -> Any:
    """Return a value without the mark that it is no template."""
    return entry.get("__ansible_unsafe", entry) if len(entry) == 1 else entry
