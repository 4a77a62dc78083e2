"""Answers about inventories, kept on disk. Light to import: shell completion waits for it."""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_KEPT = 60


@dataclass(frozen=True)
class InventoryNames:
    """What an inventory is called by: its hosts, and its groups with their own hosts and child groups."""

    hosts: tuple[str, ...] = ()
    groups: dict[str, GroupNames] = field(default_factory=dict)

    def groups_of(self, host: str) -> list[str]:
        """Return the names of all groups that the host is in, itself or through a child group, sorted."""
        parents: dict[str, list[str]] = {}
        for name, group in self.groups.items():
            for child in group.children:
                parents.setdefault(child, []).append(name)
        found: set[str] = set()
        waiting = [name for name, group in self.groups.items() if host in group.hosts]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += parents.get(name, [])
        return sorted(found - {"all"})

    def below(self, group: str) -> InventoryNames:
        """Return a group with the groups below it, and the hosts in them."""
        groups: dict[str, GroupNames] = {}
        waiting = [group]
        while waiting:
            name = waiting.pop()
            if name not in groups and name in self.groups:
                groups[name] = self.groups[name]
                waiting += self.groups[name].children
        inside = {host for one in groups.values() for host in one.hosts}
        return InventoryNames(tuple(host for host in self.hosts if host in inside), groups)


@dataclass(frozen=True)
class GroupNames:
    """The hosts and the child groups that stand directly in a group."""

    hosts: tuple[str, ...] = ()
    children: tuple[str, ...] = ()


class InventoryCache:
    """A private folder of answers, each named by what it answers; the oldest go first.

    A cache that cannot be read or written is no cache: the answers are asked for again.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home / "cache" / "inventory"

    def get(self, name: str) -> Any:  # noqa: ANN401
        """Return what is kept under a name, or None."""
        with contextlib.suppress(OSError, ValueError):
            content = (self.folder / name).read_bytes()
            os.utime(self.folder / name)
            return json.loads(content)
        return None

    def put(self, name: str, value: Any) -> None:  # noqa: ANN401
        """Keep a value under a name."""
        with contextlib.suppress(OSError):
            private_folder(self.folder)
            write_private(self.folder / name, json.dumps(value, ensure_ascii=False).encode())
            self._prune()

    def names(self, path: Path) -> InventoryNames | None:
        """Return the names that the inventory at `path` had when it was last asked for, or None."""
        kept = self.get(_names_file(path))
        if not isinstance(kept, dict) or kept.get("inventory") != str(path.absolute()):
            return None
        return names_from_document(kept)

    def put_names(self, path: Path, document: dict[str, Any]) -> None:
        """Keep what `names_document` made of the inventory at `path`."""
        self.put(_names_file(path), {"inventory": str(path.absolute()), **document})

    def _prune(self) -> None:
        files = sorted(self._files(), key=lambda file: file.stat().st_mtime, reverse=True)
        for file in files[_KEPT:]:
            file.unlink(missing_ok=True)

    def _files(self) -> Iterator[Path]:
        return (file for file in self.folder.iterdir() if file.suffix == ".json" and file.is_file())


def names_from_document(document: Any) -> InventoryNames | None:  # noqa: ANN401
    """Return the names that `names_document` wrote, or None if the document is something else."""
    if not isinstance(document, dict) or document.get("schema") != 1:
        return None
    groups = {
        name: GroupNames(tuple(group["hosts"]), tuple(group["children"])) for name, group in document["groups"].items()
    }
    return InventoryNames(tuple(document["hosts"]), groups)


def names_document(names: InventoryNames) -> dict[str, Any]:
    """Return the names as JSON types."""
    groups = {
        name: {"hosts": list(group.hosts), "children": list(group.children)} for name, group in names.groups.items()
    }
    return {"schema": 1, "hosts": list(names.hosts), "groups": groups}


def private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for their owner only. Raises OSError."""
    for one in [*reversed(folder.parents), folder]:
        if not one.is_dir():
            one.mkdir(mode=0o700, exist_ok=True)


def write_private(file: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file that only its owner can read, whole or not at all. Raises OSError."""
    import tempfile  # noqa: PLC0415 (completion only reads)

    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(temporary).chmod(mode)
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _names_file(path: Path) -> str:
    return f"names-{zlib.crc32(str(path.absolute()).encode()):08x}.json"  # hashlib is slow to import
