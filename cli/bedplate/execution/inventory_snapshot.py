"""Which snapshot an inventory's NetBox source reads, reading and writing it, and those that were before."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from datetime import datetime
from pathlib import Path

from bedplate.errors import InventoryError, UsageError
from bedplate.execution.inventory_cache import private_folder, write_private
from bedplate.execution.inventory_source import InventorySource, PluginSource
from bedplate.fleet import Prefix, Snapshot, parse_prefixes
from bedplate.settings import Settings


def snapshot_file(inventory: InventorySource, source: PluginSource, settings: Settings) -> Path:
    """Return the snapshot file that a source reads, or that it leaves behind when it asks NetBox.

    A relative path is relative to the folder of the source, as the plugin takes it.

    Raises:
        InventoryError: the setting is not plain text, several live sources would share a file, or the source speaks
            of its hosts as nb_inventory does.
    """
    if source.settings.get("compat"):
        raise InventoryError(
            "has compat: nb_inventory, under which only ansible's own commands work",
            where=str(source.file.path),
            hint="`bedplate inventory migrate` without --compat makes a file that all commands work with",
        )
    folder = (inventory.folder / source.file.relative).parent
    key = "snapshot_path" if source.is_live else "snapshot"
    named = source.settings.get(key)
    if named is not None:
        if not isinstance(named, str) or "{{" in named:
            raise InventoryError("must be a plain path, no template", where=f"{source.file.path}: {key}")
        return folder / Path(named).expanduser()
    if len([one for one in inventory.ours if one.is_live and not one.settings.get("snapshot_path")]) > 1:
        raise InventoryError(
            "has several sources that ask NetBox", where=str(inventory.path), hint="give each its own snapshot_path"
        )
    return snapshot_from_environment() or settings.snapshots_folder / f"{_name_of(folder / source.file.relative)}.json"


def snapshot_from_environment() -> Path | None:
    """Return where BEDPLATE_INVENTORY_SNAPSHOT says that live sources keep their snapshot, if it says so."""
    named = os.environ.get("BEDPLATE_INVENTORY_SNAPSHOT")
    return Path(named).expanduser().absolute() if named else None


def _name_of(path: Path) -> str:
    return hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:24]


def read_snapshot(file: Path) -> Snapshot:
    """Return the snapshot in a file. Raises InventoryError: it cannot be read, or is no snapshot."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InventoryError(f"the snapshot cannot be read: {error.strerror}", where=str(file)) from error
    return Snapshot.parse(content, str(file))


def read_prefixes(snapshot: Path, source: str) -> list[Prefix] | None:
    """Return the prefixes that were read beside a snapshot of this source, or None if none were.

    Raises:
        InventoryError: the file cannot be read, or has no prefixes in it.
    """
    file = snapshot.with_name(f"{snapshot.name}.prefixes")
    try:
        document = json.loads(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InventoryError(f"the prefixes cannot be read: {error}", where=str(file)) from error
    if not isinstance(document, dict) or document.get("source") != source:
        return None
    return parse_prefixes(document.get("prefixes"), str(file))


def write_snapshot(file: Path, snapshot: Snapshot) -> None:
    """Write a snapshot, whole or not at all, for its owner only. Raises UsageError if that cannot be done."""
    content = snapshot.to_bytes()
    if file.suffix == ".gz":
        content = gzip.compress(content, compresslevel=4, mtime=0)
    try:
        write_private(file.absolute(), content)
    except OSError as error:
        raise UsageError(f"the snapshot cannot be written: {error.strerror}", where=str(file)) from error


class SnapshotHistory:
    """The snapshots that newer ones replaced; the last ten are kept.

    Args:
        settings: say in which folder.
        file: where the current snapshot is.
    """

    KEPT = 10

    def __init__(self, settings: Settings, file: Path) -> None:
        self.folder = settings.snapshots_folder / "replaced" / _name_of(file)

    @property
    def files(self) -> list[Path]:
        """The files, oldest first."""
        return sorted(self.folder.glob("*.json"))

    def add(self, content: bytes, replaced_at: datetime) -> None:
        """Keep the content of a snapshot file. Raises UsageError if it cannot be written."""
        try:
            private_folder(self.folder)
            write_private(self.folder / f"{replaced_at:%Y%m%d-%H%M%S-%f}.json", content)
            for file in self.files[: -self.KEPT]:
                file.unlink(missing_ok=True)
        except OSError as error:
            raise UsageError(f"cannot be written: {error.strerror}", where=str(self.folder)) from error

    def last(self) -> Snapshot | None:
        """Return the snapshot that was replaced last, or None. Raises InventoryError if it is not readable."""
        files = self.files
        return read_snapshot(files[-1]) if files else None
