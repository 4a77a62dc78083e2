"""The one place that asks ansible who is in an inventory, in which groups, with which variables."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from bedplate.content import Content
from bedplate.errors import InventoryError, NotFoundError
from bedplate.execution.inventory_cache import (
    GroupNames,
    InventoryCache,
    InventoryNames,
    names_document,
    names_from_document,
)
from bedplate.execution.inventory_process import Answer, PatternError, ask, inventory_environment, unmatched_part
from bedplate.execution.inventory_snapshot import SnapshotHistory, read_snapshot, snapshot_file
from bedplate.execution.inventory_source import InventorySource, PluginSource
from bedplate.fleet import HostRecord, Snapshot
from bedplate.settings import Settings

_GRAPH_LINE = re.compile(r"((?:  \|)*)(?:--)?(.+)")
_COUNT_LINE = re.compile(r"\s*hosts \(\d+\):")
# Rendered by ansible itself: no other implementation of precedence and templates.
_CONNECTIONS = """\
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


class InventoryAdapter:
    """Answers about one inventory, each given by ansible in a subprocess and kept until the inventory changes.

    Args:
        path: the inventory folder or file, as ansible's `-i` would get it.

    Raises:
        InventoryError: there is nothing at `path`.
    """

    def __init__(self, content: Content, settings: Settings, path: Path) -> None:
        self.content = content
        self.settings = settings
        self.path = path.expanduser().absolute()
        self.source = InventorySource(self.path)
        self.cache = InventoryCache(settings.home)
        self._warnings: dict[str, None] = {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What ansible and the plugins warned of so far, each once."""
        return tuple(self._warnings)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that a run of ansible needs to read this inventory, or a frozen one, in the same way."""
        return inventory_environment(self.content, self.source.plugin_names)

    @cached_property
    def digest(self) -> str:
        """The sha256 that stands for the inventory's files, its snapshots and the plugin that reads them."""
        total = hashlib.sha256(self.source.digest().encode())
        for source in self.source.ours:
            file = snapshot_file(self.source, source)
            if file is not None and file.is_file():
                total.update(hashlib.sha256(file.read_bytes()).digest())
        for folder in ("inventory", "plugin_utils"):
            for file in sorted((self.content.root / "plugins" / folder).rglob("*.py")):
                known = file.stat()
                total.update(f"{file}\0{known.st_size}\0{known.st_mtime_ns}\n".encode())
        return total.hexdigest()

    @cached_property
    def names(self) -> InventoryNames:
        """The names of hosts and groups, without variables.

        Raises:
            InventoryError: the inventory cannot be read, or there is no host in it.
        """
        kept = names_from_document(self._kept("names"))
        if kept is not None:
            return kept
        names = _parse_graph(self._ask("ansible-inventory", "--graph").stdout)
        self._check_not_empty(names.hosts)
        document = names_document(names)
        self._keep("names", document)
        self.cache.put_names(self.path, document)
        return names

    def resolve(self, limit: str | None = None) -> list[str]:
        """Return the hosts that a limit means, in ansible's order; all hosts without a limit.

        Raises:
            InventoryError: the inventory cannot be read, or there is no host in it.
            NotFoundError: the limit, or a part of it, matches nothing; says what was near.
        """
        kind = f"limit-{hashlib.sha256((limit or '').encode()).hexdigest()[:16]}"
        from_file = "@" in (limit or "")
        kept = None if from_file else self._kept(kind)
        if isinstance(kept, list):
            return kept
        with ThreadPoolExecutor(1) as other:
            names = other.submit(lambda: self.names)  # completion wants them, and a second process is free to ask
            try:
                hosts = self._list_hosts(limit)
            except PatternError as error:
                names.result()
                raise self._not_found(limit or "all", error.parts) from error
            names.result()
        if not from_file:
            self._keep(kind, hosts)
        return hosts

    @cached_property
    def listing(self) -> dict[str, Any]:
        """What `ansible-inventory --list` says: groups, and every host's variables under `_meta.hostvars`.

        Templates are not rendered. Whole files that are vaulted are decrypted for it; then it is kept nowhere.

        Raises:
            InventoryError: the inventory cannot be read, or there is no host in it.
        """
        kept = self._kept("listing")
        if isinstance(kept, dict):
            return kept
        listing: dict[str, Any] = json.loads(self._ask("ansible-inventory", "--list").stdout)
        self._check_not_empty(self.names.hosts)
        if not self.source.has_vaulted_files:
            self._keep("listing", listing)
        return listing

    def host(self, name: str) -> dict[str, Any]:
        """Return a host's variables, templates not rendered. Raises NotFoundError, with what was near."""
        if name not in self.names.hosts:
            raise self._not_found(name, (name,), hosts_only=True)
        variables: dict[str, Any] = _unmarked(self.listing["_meta"]["hostvars"].get(name, {}))
        variables.pop("ansible_local", None)  # not a variable of the inventory
        return variables

    def graph(self, group: str = "all") -> str:
        """Return the tree of groups and hosts as text. Raises NotFoundError if there is no such group."""
        if group not in self.names.groups:
            raise self._not_found(group, (group,))
        return self._ask("ansible-inventory", "--graph", group).stdout

    def connections(self, hosts: Sequence[str]) -> dict[str, Connection]:
        """Return how ansible would reach these hosts, with its templates rendered.

        Raises:
            InventoryError: the inventory cannot be read, or a template in it fails.
        """
        with tempfile.TemporaryDirectory(prefix="bedplate-") as folder:
            variables = Path(folder) / "asked.json"
            variables.write_text(json.dumps({"bedplate_asked": list(hosts)}), encoding="utf-8")
            arguments = json.dumps({"msg": _CONNECTIONS})
            answer = self._ask(
                "ansible", "localhost", "-c", "local", "-m", "ansible.builtin.debug", "-a", arguments,
                "-e", f"@{variables}",
            )  # fmt: skip
        _, _, result = answer.stdout.partition("=> ")
        found: dict[str, dict[str, Any]] = json.loads(json.loads(result)["msg"])
        return {name: Connection(name, **{**values, "port": int(values["port"])}) for name, values in found.items()}

    @cached_property
    def records(self) -> dict[str, HostRecord]:
        """What NetBox says of each host that comes from it. Raises InventoryError."""
        return {name: record for source in self.source.ours for name, record in self.snapshot_of(source).hosts.items()}

    @property
    def history(self) -> SnapshotHistory:
        """The snapshots that were current before."""
        return SnapshotHistory(self.settings.snapshots_folder, self.path)

    def snapshot_file_of(self, source: PluginSource) -> Path:
        """Return the file that one of our sources speaks from. Raises InventoryError if there is none yet."""
        file = snapshot_file(self.source, source)
        if file is None:
            raise InventoryError("has no snapshot yet", where=str(source.file.path))
        return file

    def snapshot_of(self, source: PluginSource) -> Snapshot:
        """Return the snapshot that one of our sources speaks from. Raises InventoryError."""
        return read_snapshot(self.snapshot_file_of(source))

    def _list_hosts(self, limit: str | None) -> list[str]:
        wanted = ("--limit", limit) if limit else ()
        answer = self._ask("ansible", "all", "--list-hosts", *wanted)
        unmatched = tuple(part for text in answer.warnings if (part := unmatched_part(text)) is not None)
        if unmatched:
            raise PatternError("a part of the limit matches nothing", unmatched)
        lines = answer.stdout.splitlines()
        start = next((number for number, line in enumerate(lines, 1) if _COUNT_LINE.match(line)), len(lines))
        hosts = [line.strip() for line in lines[start:] if line.strip()]
        self._check_not_empty(hosts)
        return hosts

    def _ask(self, program: str, *arguments: str, path: Path | None = None, **extra: str) -> Answer:
        command = [program, "-i", str(path or self.path), *arguments]
        answer = ask(command, self.content, self.settings, self.source.plugin_names, extra)
        self._warnings |= dict.fromkeys(text for text in answer.warnings if unmatched_part(text) is None)
        return answer

    def _check_not_empty(self, hosts: Collection[str]) -> None:
        if not hosts:
            raise InventoryError("there is no host in this inventory", where=str(self.path))

    def _kept(self, kind: str) -> Any:  # noqa: ANN401
        kept = self.cache.get(f"{self.digest}.{kind}.json") if self.source.is_static else None
        if not isinstance(kept, dict) or kept.keys() != {"answer", "warnings"}:
            return None
        self._warnings |= dict.fromkeys(kept["warnings"])
        return kept["answer"]

    def _keep(self, kind: str, answer: Any) -> None:  # noqa: ANN401
        if self.source.is_static:
            self.cache.put(f"{self.digest}.{kind}.json", {"answer": answer, "warnings": list(self._warnings)})

    def _not_found(self, limit: str, parts: Sequence[str], *, hosts_only: bool = False) -> NotFoundError:
        known = self.names.hosts if hosts_only else (*self.names.hosts, *self.names.groups)
        part = parts[0].lstrip("!&~") if parts else ""
        near = get_close_matches(part, known, n=3, cutoff=0.6) or [name for name in known if part and part in name][:3]
        what = "host" if hosts_only else "host or group"
        if not parts:
            return NotFoundError(f"the limit {limit!r} matches no host", hint="each part exists, no host is in all")
        hint = f"near are {', '.join(near)}" if near else "`bedplate inventory list` and `graph` show what there is"
        return NotFoundError(
            f"no {what} matches {part!r}", where=f"limit {limit!r}" if part != limit else None, hint=hint
        )


def _unmarked(value: Any) -> Any:  # noqa: ANN401
    """Return what `--list` shows without its marks for text that is no template; vaulted values stay as they are."""
    if isinstance(value, list):
        return [_unmarked(element) for element in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"__ansible_unsafe"}:
        return value["__ansible_unsafe"]
    return {key: _unmarked(element) for key, element in value.items()}


def _parse_graph(text: str) -> InventoryNames:
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
