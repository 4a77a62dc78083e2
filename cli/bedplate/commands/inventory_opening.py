"""The inventory that a command speaks of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bedplate.commands.context import App
from bedplate.commands.output import console
from bedplate.errors import InventoryError

if TYPE_CHECKING:
    from bedplate.execution.inventory import InventoryAdapter
    from bedplate.execution.inventory_source import PluginSource


def open_inventory(app: App) -> InventoryAdapter:
    """Return the adapter for the inventory that was asked for. Raises InventoryError."""
    from bedplate.execution.inventory import InventoryAdapter

    return InventoryAdapter(app.content, app.settings, app.inventory)


def only_source(adapter: InventoryAdapter) -> PluginSource:
    """Return the inventory's NetBox source. Raises InventoryError if there is none, or more than one."""
    sources = adapter.source.ours
    if len(sources) == 1:
        return sources[0]
    if sources:
        names = ", ".join(str(source.file.relative) for source in sources)
        raise InventoryError(
            f"has {len(sources)} NetBox sources: {names}",
            where=str(adapter.path),
            hint="name one of them with --inventory",
        )
    raise InventoryError(
        "has no NetBox source", where=str(adapter.path), hint="snapshots are of bedplate.datacenter.netbox sources"
    )


def show_warnings(adapter: InventoryAdapter) -> None:
    """Say on standard error what ansible and the plugin warned of."""
    for warning in adapter.warnings:
        console(stderr=True).print(f"warning: {warning}", style="yellow", soft_wrap=True, markup=False)
