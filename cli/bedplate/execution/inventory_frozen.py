"""The inventory of one run: a private copy that does not change while the run goes on, and can be replayed."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Literal

from bedplate.errors import InventoryError
from bedplate.execution.inventory import InventoryAdapter
from bedplate.execution.inventory_cache import private_folder, write_private
from bedplate.execution.inventory_source import PluginSource, SourceFile, dump_settings

Context = Literal["hosts", "fleet"]
# Where the lookup bedplate.datacenter.fleet finds the whole fleet. Hidden, so ansible itself does not read it.
FLEET = ".fleet"
# Hosts of any run are delegated to these, or read their variables.
_REACHED_BY_ALL = "role_observer"
# What only asking NetBox needs; a frozen source has a snapshot and no way out. Filters stay: they say what is in it.
_LIVE = frozenset(
    {
        "api_endpoint",
        "token",
        "token_file",
        "validate_certs",
        "ca_path",
        "timeout",
        "retries",
        "headers",
        "page_size",
        "prefixes",
        "snapshot_path",
        "cache_ttl",
        "refresh",
        "stale_if_error",
        "stale_max_age",
        "shrink_limit",
        "shrink_minimum",
        "accept_shrink",
    }
)


def freeze(adapter: InventoryAdapter, hosts: Collection[str], context: Context, target: Path) -> Path:
    """Copy an inventory into `target` so that it says the same for these hosts until it is removed.

    NetBox sources get a snapshot cut to `hosts`; everything else is copied byte for byte (templates stay templates,
    vaulted values stay ciphertext, precedence stays), hidden files left out. Hosts of other sources are all there,
    so a run still has to limit itself to `hosts`.

    Args:
        hosts: what `adapter.resolve` returned.
        context: `fleet` keeps the observers too, marked as context only, and the whole fleet in a hidden folder that
            only who asks for it reads: a run over few of many hosts starts as one of few.
        target: a folder that is made, with all above it; everything in it is for its owner only.

    Returns:
        What ansible's `-i` gets.

    Raises:
        InventoryError: a file cannot be read or written, or a snapshot is not usable.
    """
    try:
        _copy(adapter, hosts, _observers(adapter) if context == "fleet" else (), target)
        if context == "fleet" and not set(hosts).issuperset(adapter.names.hosts):
            _copy(adapter, adapter.names.hosts, (), target / FLEET)
    except OSError as error:
        raise InventoryError(f"the inventory cannot be copied: {error.strerror}", where=str(target)) from error
    return target / adapter.path.name if adapter.path.is_file() else target


def _observers(adapter: InventoryAdapter) -> Collection[str]:
    return adapter.names.below(_REACHED_BY_ALL).hosts


def _copy(adapter: InventoryAdapter, hosts: Collection[str], context: Collection[str], target: Path) -> None:
    private_folder(target)
    ours = {source.file: source for source in adapter.source.ours}
    for file in adapter.source.files:
        if file in ours:
            _copy_source(adapter, ours[file], hosts, context, target)
        else:
            _place(target, file, file.read())


def _copy_source(
    adapter: InventoryAdapter, source: PluginSource, hosts: Collection[str], context: Collection[str], target: Path
) -> None:
    snapshot = adapter.snapshot_of(source).cut(hosts, context)
    if not snapshot.hosts and len(adapter.source.files) > 1:
        return  # all hosts of this run are from other sources
    name = f".{source.file.relative.stem}.snapshot.json"
    settings = {key: value for key, value in source.settings.items() if key not in _LIVE}
    settings["snapshot"] = name
    _place(target, source.file, dump_settings(settings).encode())
    write_private((target / source.file.relative).with_name(name), snapshot.to_bytes())


def _place(target: Path, file: SourceFile, content: bytes) -> None:
    place = target / file.relative
    folder = target
    for part in file.relative.parent.parts:
        folder /= part
        folder.mkdir(mode=0o700, exist_ok=True)
    write_private(place, content, 0o700 if file.is_executable else 0o600)
