"""What ansible's answers about an inventory mean."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from bedplate.execution.inventory_cache import GroupNames, InventoryNames

_GRAPH_LINE = re.compile(r"((?:  \|)*)(?:--)?(.+)")
_COUNT_LINE = re.compile(r"\s*hosts \(\d+\):")
# Rendered by ansible itself: no other implementation of precedence and templates.
CONNECTIONS = """\
{% set found = {} %}{% for name in bedplate_asked %}{% set own = hostvars[name] %}\
{% set _ = found.update({name: {\
'address': own.ansible_host | default(own.ansible_ssh_host | default(name)),\
'port': own.ansible_port | default(own.ansible_ssh_port | default(22)),\
'user': own.ansible_user | default(''),\
'private_key': own.ansible_ssh_private_key_file | default(''),\
'ssh_arguments': [own.ansible_ssh_args | default(''), own.ansible_ssh_common_args | default('')] | join(' '),\
'connection': own.ansible_connection | default('ssh')}}) %}{% endfor %}{{ found | to_json }}"""


@dataclass(frozen=True)
class Connection:
    """How ansible would reach a host.

    Attributes:
        ssh_arguments: what ansible adds to its `ssh` command line for this host.
        connection: ansible's name for the way in, such as `ssh` or `local`.
    """

    host: str
    address: str
    port: int
    user: str
    private_key: str
    ssh_arguments: str
    connection: str

    @property
    def is_ssh(self) -> bool:
        return self.connection.removeprefix("ansible.builtin.") in {"ssh", "smart"}


def parse_connections(text: str) -> dict[str, Connection]:
    """Return what the debug module said when it was asked for CONNECTIONS."""
    _, _, result = text.partition("=> ")
    found: dict[str, dict[str, Any]] = json.loads(json.loads(result)["msg"])
    return {name: Connection(name, **{**values, "port": int(values["port"])}) for name, values in found.items()}


def parse_hosts(text: str) -> list[str]:
    """Return the hosts that `--list-hosts` listed, in its order."""
    lines = text.splitlines()
    start = next((number for number, line in enumerate(lines, 1) if _COUNT_LINE.match(line)), len(lines))
    return [line.strip() for line in lines[start:] if line.strip()]


def unmarked(value: Any) -> Any:  # noqa: ANN401
    """Return what `--list` shows without its marks for text that is no template; vaulted values stay as they are."""
    if isinstance(value, list):
        return [unmarked(element) for element in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"__ansible_unsafe"}:
        return value["__ansible_unsafe"]
    return {key: unmarked(element) for key, element in value.items()}


def parse_graph(text: str) -> InventoryNames:
    """Return the names that `ansible-inventory --graph` drew."""
    hosts: dict[str, None] = {}
    own: dict[str, dict[str, None]] = {}
    children: dict[str, dict[str, None]] = {}
    above: list[str] = []
    for line in text.splitlines():
        found = _GRAPH_LINE.fullmatch(line)
        if found is None:
            continue
        depth, name = len(found[1]) // 3, found[2]
        del above[depth:]
        if name.startswith("@") and name.endswith(":"):
            name = name[1:-1]
            own.setdefault(name, {})
            children.setdefault(name, {})
            if above:
                children[above[-1]][name] = None
            above.append(name)
        else:
            hosts[name] = None
            own[above[-1]][name] = None
    groups = {name: GroupNames(tuple(own[name]), tuple(children[name])) for name in own}
    return InventoryNames(tuple(hosts), groups)
