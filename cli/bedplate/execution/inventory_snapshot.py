"""Which snapshot an inventory's NetBox source reads, reading and writing it, and those that were before."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

from bedplate.errors import InventoryError, UsageError
from bedplate.execution.inventory_cache import write_private
from bedplate.execution.inventory_source import InventorySource, PluginSource
from bedplate.fleet import Snapshot


def snapshot_file(inventory: InventorySource, source: PluginSource) -> Path | None:
    """Return the snapshot file that a source names, or None if it asks NetBox itself.

    A relative path is relative to the folder of the source, as the plugin takes it.

    Raises:
        InventoryError: the setting is not text.
    """
    named = source.settings.get("snapshot")
    if named is None:
        return None
    if not isinstance(named, str) or not named:
        raise InventoryError("must name a file", where=f"{source.file.path}: snapshot")
    return (inventory.folder / source.file.relative).parent / Path(named).expanduser()


def read_snapshot(file: Path) -> Snapshot:
    """Return the snapshot in a file. Raises InventoryError: it cannot be read, or is no snapshot."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InventoryError(f"the snapshot cannot be read: {error.strerror}", where=str(file)) from error
    return Snapshot.parse(content, str(file))


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
    """The snapshots that refreshes replaced, newest last; only the last ten are kept.

    Args:
        folder: where snapshots are kept, of all inventories.
        inventory: the inventory that they are of.
    """

    KEPT = 10

    def __init__(self, folder: Path, inventory: Path) -> None:
        name = hashlib.sha256(str(inventory.absolute()).encode()).hexdigest()[:24]
        self.folder = folder / "replaced" / name

    @property
    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*.json.gz"))

    def add(self, snapshot: Snapshot) -> None:
        """Keep a snapshot. Raises UsageError if it cannot be written."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot be made: {error.strerror}", where=str(self.folder)) from error
        write_snapshot(self.folder / f"{snapshot.taken_at:%Y%m%d-%H%M%S}.json.gz", snapshot)
        for file in self.files[: -self.KEPT]:
            file.unlink(missing_ok=True)

    def last(self) -> Snapshot | None:
        """Return the snapshot that was replaced last, or None. Raises InventoryError if it is not readable."""
        files = self.files
        return read_snapshot(files[-1]) if files else None
