"""An inventory as files: which there are, what they ask for, and the digest that stands for all of them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from bedplate.errors import InventoryError, UsageError
from bedplate.execution.inventory_process import OUR_PLUGIN

_VARIABLES = ("group_vars", "host_vars")
_UNREAD = re.compile(r"\.(pyc|pyo|swp|bak|rpm|md|txt|rst|orig|cfg|retry)$|~$")
_PLUGIN_LINE = re.compile(rb"^plugin[ \t]*:", re.MULTILINE)
_STATIC_PLUGINS = frozenset({OUR_PLUGIN, "ansible.builtin.constructed", "constructed"})
_VAULT = b"$ANSIBLE_VAULT;"


@dataclass(frozen=True)
class SourceFile:
    """One file of an inventory.

    Attributes:
        relative: where it lies in the inventory.
        path: where its content is, links resolved.
    """

    relative: Path
    path: Path

    @property
    def is_variables(self) -> bool:
        return any(part in _VARIABLES for part in self.relative.parts[:-1])

    @property
    def is_source(self) -> bool:
        """Whether ansible reads hosts and groups from it."""
        return not self.is_variables and not _UNREAD.search(self.relative.name)

    @property
    def is_executable(self) -> bool:
        return os.access(self.path, os.X_OK)

    def read(self) -> bytes:
        """Return the content. Raises InventoryError if it cannot be read."""
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise InventoryError(f"cannot be read: {error.strerror}", where=str(self.path)) from error


@dataclass(frozen=True)
class PluginSource:
    """A file that configures an inventory plugin."""

    file: SourceFile
    settings: dict[str, Any]

    @property
    def plugin(self) -> str:
        return str(self.settings["plugin"])

    @property
    def is_ours(self) -> bool:
        return self.plugin == OUR_PLUGIN

    @property
    def is_live(self) -> bool:
        """Whether it asks NetBox itself; the other kind reads a snapshot file."""
        return self.is_ours and not self.settings.get("snapshot")


class InventorySource:
    """An inventory folder or file.

    Args:
        path: what ansible's `-i` would get.

    Raises:
        InventoryError: there is nothing at that path.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise InventoryError(
                "there is no inventory here",
                where=str(path),
                hint="--inventory or inventory.path names a folder or file",
            )
        self.path = path

    @property
    def folder(self) -> Path:
        """The folder that the files' relative paths start from."""
        return self.path if self.path.is_dir() else self.path.parent

    @cached_property
    def files(self) -> tuple[SourceFile, ...]:
        """All files that ansible may read, hidden ones left out, by name. Raises InventoryError on odd files."""
        if self.path.is_dir():
            return tuple(_walk(self.path, Path(), ()))
        beside = [self.path.parent / name for name in _VARIABLES]
        variables = [file for folder in beside if folder.is_dir() for file in _walk(folder, Path(folder.name), ())]
        return (SourceFile(Path(self.path.name), self.path.resolve()), *variables)

    @cached_property
    def plugins(self) -> tuple[PluginSource, ...]:
        """The files that configure inventory plugins. Raises InventoryError if one is not valid YAML."""
        return tuple(found for file in self.files if (found := _plugin_source(file)) is not None)

    @property
    def ours(self) -> tuple[PluginSource, ...]:
        return tuple(source for source in self.plugins if source.is_ours)

    @property
    def is_live(self) -> bool:
        """Whether a source asks NetBox itself."""
        return any(source.is_live for source in self.plugins)

    @property
    def plugin_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(source.plugin for source in self.plugins))

    @cached_property
    def is_static(self) -> bool:
        """Whether the files alone decide what the inventory says: no script, no plugin that asks elsewhere."""
        if not _STATIC_PLUGINS.issuperset(self.plugin_names):
            return False
        return not any(file.is_executable or file.read().startswith(b"#!") for file in self.files if file.is_source)

    @cached_property
    def has_vaulted_files(self) -> bool:
        """Whether ansible decrypts whole files to answer; what it says then is kept nowhere."""
        return any(file.read().startswith(_VAULT) for file in self.files if file.is_variables)

    def digest(self) -> str:
        """Return the sha256 of names, modes and contents of all files."""
        total = hashlib.sha256(str(self.path).encode())
        for file in self.files:
            content = hashlib.sha256(file.read()).hexdigest()
            total.update(f"{file.relative}\0{file.is_executable}\0{content}\n".encode())
        return total.hexdigest()


def _walk(folder: Path, relative: Path, above: tuple[Path, ...]) -> Iterator[SourceFile]:
    real = folder.resolve()
    if real in above:
        raise InventoryError("links back to a folder above it", where=str(folder))
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise InventoryError(f"cannot be read: {error.strerror}", where=str(folder)) from error
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(entry, relative / entry.name, (*above, real))
        elif entry.is_file():
            yield SourceFile(relative / entry.name, entry.resolve())
        else:
            odd = "is a link to nothing" if entry.is_symlink() else "is neither a file nor a folder"
            raise InventoryError(odd, where=str(entry))


class _Tagged:
    """A value with a YAML tag of ansible's, such as `!vault`, carried through as it is."""

    def __init__(self, tag: str, node: yaml.Node) -> None:
        self.tag = tag
        self.node = node


class _Loader(yaml.SafeLoader):
    """Reads YAML and keeps tagged values as they are."""


class _Dumper(yaml.SafeDumper):
    """Writes what _Loader read."""


_Loader.add_multi_constructor("!", lambda _loader, suffix, node: _Tagged(f"!{suffix}", node))
_Dumper.add_representer(_Tagged, lambda _dumper, value: value.node)


def dump_settings(settings: dict[str, Any]) -> str:
    """Return a plugin's settings as YAML."""
    return str(yaml.dump(settings, Dumper=_Dumper, sort_keys=False, allow_unicode=True))


def read_settings(path: Path) -> dict[str, Any]:
    """Return the settings in a plugin's file; tagged values (!vault) stay as they are.

    Raises:
        UsageError: it cannot be read, or is no mapping in YAML.
    """
    try:
        settings = yaml.load(path.read_bytes(), Loader=_Loader)  # noqa: S506 (a safe loader that keeps tags)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"is no YAML: {' '.join(str(error).split())}", where=str(path)) from error
    if not isinstance(settings, dict):
        raise UsageError("is no mapping of options", where=str(path))
    return settings


def _plugin_source(file: SourceFile) -> PluginSource | None:
    if not file.is_source or file.path.suffix not in {".yml", ".yaml"}:
        return None
    content = file.read()
    if not _PLUGIN_LINE.search(content):
        return None
    try:
        settings = yaml.load(content, Loader=_Loader)  # noqa: S506 (a safe loader that keeps tags)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InventoryError(f"is not valid YAML: {error.problem}", where=f"{file.path}{line}") from error
    except yaml.YAMLError as error:
        raise InventoryError(f"is not valid YAML: {error}", where=str(file.path)) from error
    return PluginSource(file, settings) if isinstance(settings, dict) else None
