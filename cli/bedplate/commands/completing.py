"""Completion of hosts and groups: from what is kept of the inventory, so that a key press never starts ansible."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from bedplate.commands.context import App
from bedplate.errors import BedplateError

if TYPE_CHECKING:
    from bedplate.execution.inventory_cache import InventoryNames

# A limit is parts joined by `:` or `,`, each perhaps led by `!` or `&`.
_LAST_PART = re.compile(r"(?P<before>(?:.*[:,])?[!&]?)(?P<part>[^:,]*)", re.DOTALL)


def complete_host(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Complete a host's name."""
    return _items(_names(ctx).hosts, "host", "", incomplete)


def complete_group(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Complete a group's name."""
    return _items(_names(ctx).groups, "group", "", incomplete)


def complete_lab_host(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Complete the name of a host of the lab, as it was last made."""
    import json

    try:
        fleet = json.loads((_app(ctx).settings.lab_folder / "fleet.json").read_bytes())
        names = [host["name"] for host in fleet["hosts"]]
    except (BedplateError, OSError, ValueError, KeyError, TypeError):
        names = []  # a key press is no place for a complaint
    return _items(names, "host", "", incomplete)


def complete_limit(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Complete the last part of a limit, such as `cl` in `site_fra1:&cl`: groups first, then hosts."""
    found = _LAST_PART.fullmatch(incomplete)
    if found is None:
        return []
    names = _names(ctx)
    before, part = found["before"], found["part"]
    return _items(names.groups, "group", before, part) + _items(names.hosts, "host", before, part)


def _items(names: Iterable[str], what: str, before: str, part: str) -> list[CompletionItem]:
    return [CompletionItem(before + name, help=what) for name in sorted(names) if name.startswith(part)]


def _app(ctx: click.Context) -> App:
    return ctx.find_object(App) or App(ctx.find_root().params.get("inventory"))


def _names(ctx: click.Context) -> InventoryNames:
    from bedplate.execution.inventory_cache import InventoryCache, InventoryNames

    try:
        app = _app(ctx)
        names = InventoryCache(app.settings.home).names(app.inventory)
    except (BedplateError, OSError):
        names = None  # a key press is no place for a complaint
    return names or InventoryNames()
