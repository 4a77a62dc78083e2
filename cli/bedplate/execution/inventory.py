"""The one place that asks ansible who is in an inventory, in which groups, with which variables."""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from bedplate.content import Content
from bedplate.errors import InventoryError, UsageError
from bedplate.execution.inventory_answers import (
    CONNECTIONS,
    Connection,
    parse_connections,
    parse_graph,
    parse_hosts,
    unmarked,
)
from bedplate.execution.inventory_cache import (
    InventoryCache,
    InventoryNames,
    names_document,
    names_from_document,
)
from bedplate.execution.inventory_nearness import no_such
from bedplate.execution.inventory_process import Answer, PatternError, ask, inventory_environment, unmatched_part
from bedplate.execution.inventory_snapshot import SnapshotHistory, read_prefixes, read_snapshot, snapshot_file
from bedplate.execution.inventory_source import InventorySource, PluginSource
from bedplate.fleet import HostRecord, Prefix, Snapshot
from bedplate.settings import Settings

_SERVES_INSTEAD = "The last good snapshot serves instead"


class InventoryAdapter:
    """Answers about one inventory, each given by ansible in a subprocess and kept until the inventory changes.

    Args:
        path: the inventory folder or file, as ansible's `-i` would get it.

    Attributes:
        wants_prefixes: whether sources that ask NetBox shall read its prefixes too; to be set before anything is asked.
        wants_fresh: whether they shall ask NetBox however fresh their last snapshot is; likewise.

    Raises:
        InventoryError: there is nothing at `path`.
    """

    def __init__(self, content: Content, settings: Settings, path: Path) -> None:
        self.content = content
        self.settings = settings
        self.path = path.expanduser().absolute()
        self.source = InventorySource(self.path)
        self.cache = InventoryCache(settings.home)
        self.wants_prefixes = False
        self.wants_fresh = False
        self._warnings: dict[str, None] = {}
        self._graph = ""

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
        self._settle()
        for file in self._snapshot_files():
            if file.is_file():
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
        names = parse_graph(self._graph or self._ask("ansible-inventory", "--graph").stdout)
        self._check_not_empty(names.hosts)
        document = names_document(names)
        self._keep("names", document)
        self.cache.put_names(self.path, document)
        return names

    def resolve(self, limit: str | None = None) -> list[str]:
        """Return the hosts that a limit means, in ansible's order; all hosts without a limit.

        Raises:
            InventoryError: the inventory cannot be read, or there is no host in it.
            UsageError: the limit is empty: a variable without a value must not mean the whole fleet.
            NotFoundError: the limit, or a part of it, matches nothing; says what was near.
        """
        if limit is not None and not limit.strip():
            raise UsageError("the limit is empty", hint="leave --limit out to mean all hosts")
        kind = f"limit-{hashlib.sha256((limit or '').encode()).hexdigest()[:16]}"
        from_file = "@" in (limit or "")
        self._settle()
        kept = None if from_file else self._kept(kind)
        if isinstance(kept, list):
            return kept
        with ThreadPoolExecutor(1) as other:
            names = other.submit(lambda: self.names)  # completion wants them, and a second process is free to ask
            try:
                hosts = self._list_hosts(limit)
            except PatternError as error:
                names.result()
                raise no_such(self.names, limit or "all", error.parts) from error
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

    def read_variables(self) -> None:
        """Ask for variables now: they stay as they are now, whoever asks later. Raises InventoryError."""
        self.listing  # noqa: B018 (it is kept)

    def host(self, name: str) -> dict[str, Any]:
        """Return a host's variables, templates not rendered. Raises NotFoundError, with what was near."""
        if name not in self.names.hosts:
            raise no_such(self.names, name, (name,), hosts_only=True)
        variables: dict[str, Any] = unmarked(self.listing["_meta"]["hostvars"].get(name, {}))
        variables.pop("ansible_local", None)  # not a variable of the inventory
        return variables

    def graph(self, group: str = "all") -> str:
        """Return the tree of groups and hosts as text. Raises NotFoundError if there is no such group."""
        if group not in self.names.groups:
            raise no_such(self.names, group, (group,))
        return self._ask("ansible-inventory", "--graph", group).stdout

    def connections(self, hosts: Sequence[str]) -> dict[str, Connection]:
        """Return how ansible would reach these hosts, with its templates rendered.

        Raises:
            InventoryError: the inventory cannot be read, or a template in it fails.
        """
        with tempfile.TemporaryDirectory(prefix="bedplate-") as folder:
            variables = Path(folder) / "asked.json"
            variables.write_text(json.dumps({"bedplate_asked": list(hosts)}), encoding="utf-8")
            arguments = json.dumps({"msg": CONNECTIONS})
            answer = self._ask(
                "ansible", "localhost", "-c", "local", "-m", "ansible.builtin.debug", "-a", arguments,
                "-e", f"@{variables}",
            )  # fmt: skip
        return parse_connections(answer.stdout)

    @cached_property
    def records(self) -> dict[str, HostRecord]:
        """What NetBox says of each host that comes from it. Raises InventoryError."""
        return {name: record for source in self.source.ours for name, record in self.snapshot_of(source).hosts.items()}

    def refresh(self, *, full: bool = False) -> None:
        """Make the sources ask NetBox now, however fresh their snapshots are.

        Args:
            full: read all of it, even where it is known what changed.

        Raises:
            UsageError: no source asks NetBox.
            InventoryError: NetBox gave no whole fleet; the last good snapshots stay as they are.
        """
        if not self.source.is_live:
            raise UsageError(
                "reads snapshot files, there is nothing to ask", where=str(self.path), hint="see `inventory snapshot`"
            )
        answer = self._ask_live(
            BEDPLATE_INVENTORY_REFRESH="1", BEDPLATE_INVENTORY_STALE="0", BEDPLATE_INVENTORY_FULL=str(int(full))
        )
        stale = next((text for text in answer.warnings if _SERVES_INSTEAD in text), None)
        if stale:
            raise InventoryError(stale, where=str(self.path))

    def history_of(self, source: PluginSource) -> SnapshotHistory:
        """Return the snapshots of one of our sources that newer ones replaced."""
        return SnapshotHistory(self.settings, self.snapshot_file_of(source))

    def snapshot_file_of(self, source: PluginSource) -> Path:
        """Return the file that one of our sources speaks from; a live one may not have made it yet."""
        return snapshot_file(self.source, source, self.settings)

    def snapshot_of(self, source: PluginSource) -> Snapshot:
        """Return the snapshot that one of our sources speaks from. Raises InventoryError."""
        self._settle()
        return read_snapshot(self.snapshot_file_of(source))

    def last_snapshot_of(self, source: PluginSource) -> Snapshot | None:
        """Return the snapshot that one of our sources left last, without asking NetBox; None without a good one."""
        with contextlib.suppress(InventoryError):
            return read_snapshot(self.snapshot_file_of(source))
        return None

    def prefixes_of(self, source: PluginSource) -> list[Prefix] | None:
        """Return the prefixes beside the snapshot that a source speaks from, or None if there are none.

        Raises:
            InventoryError: the file cannot be read, or has no prefixes in it.
        """
        snapshot = self.snapshot_of(source)
        return read_prefixes(self.snapshot_file_of(source), snapshot.source)

    def _settle(self) -> None:
        """Let live sources ask NetBox if they want to: all further answers are of that moment."""
        if self.source.is_live and not self._graph:
            self._ask_live()

    def _ask_live(self, **extra: str) -> Answer:
        before = {file: file.read_bytes() for file in self._snapshot_files() if file.is_file()}
        answer = self._ask("ansible-inventory", "--graph", **extra)
        self._graph = answer.stdout
        for file, content in before.items():
            if file.read_bytes() != content:
                SnapshotHistory(self.settings, file).add(content, datetime.now(UTC))
        return answer

    def _snapshot_files(self) -> list[Path]:
        return [self.snapshot_file_of(source) for source in self.source.ours]

    def _list_hosts(self, limit: str | None) -> list[str]:
        wanted = (f"--limit={limit}",) if limit else ()  # in one word: a limit may begin like an option
        answer = self._ask("ansible", "all", "--list-hosts", *wanted)
        unmatched = tuple(part for text in answer.warnings if (part := unmatched_part(text)) is not None)
        if unmatched:
            raise PatternError("a part of the limit matches nothing", unmatched)
        hosts = parse_hosts(answer.stdout)
        self._check_not_empty(hosts)
        return hosts

    def _ask(self, program: str, *arguments: str, **extra: str) -> Answer:
        command = [program, "-i", str(self.path), *arguments]
        answer = ask(command, self.content, self.settings, self.source.plugin_names, self._live_environment() | extra)
        self._warnings |= dict.fromkeys(text for text in answer.warnings if unmatched_part(text) is None)
        return answer

    def _live_environment(self) -> dict[str, str]:
        live = [source for source in self.source.ours if source.is_live]
        if not live:
            return {}
        unnamed = [source for source in live if not source.settings.get("snapshot_path")]
        kept = {"BEDPLATE_INVENTORY_SNAPSHOT": str(self.snapshot_file_of(unnamed[0]))} if unnamed else {}
        # Once they have answered, their snapshot serves for the rest of this command.
        if self._graph:
            return kept | {"BEDPLATE_INVENTORY_CACHE_TTL": str(10**9)}
        kept |= {"BEDPLATE_INVENTORY_PREFIXES": "1"} if self.wants_prefixes else {}
        return kept | ({"BEDPLATE_INVENTORY_REFRESH": "1"} if self.wants_fresh else {})

    def _check_not_empty(self, hosts: Collection[str]) -> None:
        if not hosts:
            raise InventoryError("there is no host in this inventory", where=str(self.path))

    def _kept(self, kind: str) -> Any:  # noqa: ANN401
        self._settle()
        kept = self.cache.get(f"{self.digest}.{kind}.json") if self.source.is_static else None
        if not isinstance(kept, dict) or kept.keys() != {"answer", "warnings"}:
            return None
        self._warnings |= dict.fromkeys(kept["warnings"])
        return kept["answer"]

    def _keep(self, kind: str, answer: Any) -> None:  # noqa: ANN401
        if self.source.is_static:
            self.cache.put(f"{self.digest}.{kind}.json", {"answer": answer, "warnings": list(self._warnings)})
