"""What NetBox says now, beside the snapshot that an inventory speaks from."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from bedplate.errors import UsageError
from bedplate.execution.inventory import InventoryAdapter
from bedplate.execution.inventory_cache import write_private
from bedplate.execution.inventory_process import ask
from bedplate.execution.inventory_snapshot import read_snapshot
from bedplate.execution.inventory_source import PluginSource, dump_settings
from bedplate.fleet import Snapshot


def ask_netbox(adapter: InventoryAdapter, source: PluginSource) -> Snapshot:
    """Return what NetBox says now of one of an inventory's sources, and leave the last good snapshot as it is.

    Raises:
        UsageError: the source does not ask NetBox.
        InventoryError: NetBox gave no whole fleet.
    """
    if not source.is_live:
        raise UsageError("reads a snapshot file, and no NetBox", where=str(source.file.path))
    with tempfile.TemporaryDirectory(prefix="bedplate-") as name:
        asked, left = Path(name) / "netbox.yml", Path(name) / "snapshot.json"
        write_private(asked, dump_settings(_from_elsewhere(source, left)).encode())
        command = ["ansible-inventory", "-i", str(asked), "--graph"]
        always = {"BEDPLATE_INVENTORY_REFRESH": "1"}
        ask(command, adapter.content, adapter.settings, adapter.source.plugin_names, always)
        return read_snapshot(left)


def _from_elsewhere(source: PluginSource, snapshot: Path) -> dict[str, Any]:
    """Return a source's settings for a file in another folder, with a snapshot of its own."""
    folder = source.file.path.parent
    paths = {
        key: str(folder / Path(value).expanduser())
        for key in ("token_file", "ca_path")
        if isinstance(value := source.settings.get(key), str) and "{{" not in value
    }
    return {**source.settings, **paths, "snapshot_path": str(snapshot), "stale_if_error": False}
