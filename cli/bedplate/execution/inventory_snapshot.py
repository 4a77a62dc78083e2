"""Which snapshot an inventory's NetBox source reads, and reading it."""

from __future__ import annotations

from pathlib import Path

from bedplate.errors import InventoryError
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
