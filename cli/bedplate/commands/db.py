"""`bedplate db`: the run store itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bedplate.commands.context import App, pass_app
from bedplate.commands.output import emit, output_option

if TYPE_CHECKING:
    from rich.console import Console

    from bedplate.store import StoreStatus, StoreUpgrade

_UPGRADES = {
    "none": "up to date",
    "create": "not made yet: bedplate db upgrade",
    "upgrade": "older: bedplate db upgrade",
    "newer": "made by a newer Bedplate: upgrade Bedplate",
}


@click.group()
def db() -> None:
    """The run store: SQLite in the state folder, or PostgreSQL by `store.url`.

    Example: BEDPLATE_STORE_URL=postgresql://bedplate@db1/bedplate bedplate db status
    """


@db.command()
@output_option
@pass_app
def status(app: App, output: str) -> None:
    """Show where the store is, its schema and its size; nothing is made or changed.

    Example: bedplate db status -o json
    """
    from bedplate.store import store_status

    found = store_status(app.settings)
    emit(found, output, lambda console: _draw_status(console, found))


@db.command()
@output_option
@pass_app
def upgrade(app: App, output: str) -> None:
    """Make the store, or bring it to this version's schema.

    A SQLite store is copied first. Run this on PostgreSQL after each upgrade of Bedplate; two at once are safe.

    Example: bedplate db upgrade
    """
    from bedplate.store import upgrade_store

    done = upgrade_store(app.settings)
    emit(done, output, lambda console: _draw_upgrade(console, done))


def _draw_status(console: Console, found: StoreStatus) -> None:
    rows: dict[str, Any] = {
        "store": found.url,
        "schema": f"{found.revision or 'none'} of {found.latest}, {_UPGRADES[found.upgrade]}",
        "size": _size(found.size),
        "runs": f"{found.runs:,} ({found.unfinished:,} not ended)",
        "hosts": f"{found.hosts:,}",
        "events": f"{found.events:,}",
    }
    for name, value in rows.items():
        console.print(f"{name:<8}{value}", soft_wrap=True, markup=False)


def _draw_upgrade(console: Console, done: StoreUpgrade) -> None:
    if done.before == done.after:
        console.print(f"Nothing to do: the schema is {done.after}.")
        return
    console.print(f"Schema {done.before or 'none'} → {done.after}.")
    if done.backup is not None:
        console.print(f"The store as it was: {done.backup}", soft_wrap=True, markup=False)


def _size(count: int) -> str:
    size, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
