"""`bedplate inventory refresh|snapshot|diff`: what NetBox said last, what it says now, and what changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bedplate.commands.context import App, pass_app
from bedplate.commands.exits import ExitCode
from bedplate.commands.inventory_opening import only_source, open_inventory, show_warnings
from bedplate.commands.output import console, emit, output_option
from bedplate.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from bedplate.fleet import Snapshot


@click.command()
@click.option("--full", is_flag=True, help="Read all of NetBox, even where it is known what changed.")
@click.option("--verify", is_flag=True, help="Read what changed, then all, and show where the two differ.")
@output_option
@pass_app
def refresh(app: App, *, full: bool, verify: bool, output: str) -> ExitCode:
    """Ask NetBox now, and say what came, went and changed since the last good snapshot.

    Only what changed is read where NetBox can tell exactly, else all of it; which of the two, and why, is said on
    standard error. --verify does both: what differs was missed by the first, or was changed between the two.

    Exit codes: 0 done, 2 the inventory is a file and not NetBox, 6 --verify found a difference, 7 NetBox gave no whole
    fleet (or one that shrank by more than inventory.shrink_percent); the last good snapshot stays.

    \b
    Examples:
      bedplate inventory refresh -o json
      bedplate inventory refresh --verify
    """
    from bedplate.commands.inventory_documents import diff_document, diff_text
    from bedplate.fleet import compare

    adapter = open_inventory(app)
    source = only_source(adapter)
    before = adapter.last_snapshot_of(source)
    adapter.refresh(full=full and not verify)
    after = adapter.snapshot_of(source)
    _tell_how(after)
    if verify:
        adapter.refresh(full=True)
        before, after = after, adapter.snapshot_of(source)
        _tell_how(after)
    found = compare(before or after.cut(()), after)
    show_warnings(adapter)
    emit(diff_document(found), output, lambda screen: diff_text(screen, found))
    differs = bool(found.added or found.removed or found.changed)
    return ExitCode.DRIFT if verify and differs else ExitCode.DONE


@click.command()
@click.option(
    "--write", "target", type=click.Path(path_type=Path, dir_okay=False), help="Write it to this file (0600)."
)
@output_option
@pass_app
def snapshot(app: App, *, target: Path | None, output: str) -> None:
    """Show which snapshot of NetBox the inventory speaks from: file, age, source, counts.

    Example: bedplate inventory snapshot --write fleet.json
    """
    from bedplate.commands.inventory_documents import now, snapshot_document, snapshot_table
    from bedplate.execution.inventory_snapshot import write_snapshot

    adapter = open_inventory(app)
    source = only_source(adapter)
    file, found = adapter.snapshot_file_of(source), adapter.snapshot_of(source)
    if target is not None:
        write_snapshot(target, found)
        file = target.absolute()
    document = snapshot_document(found, file, adapter.path, live=source.is_live, now=now())
    emit(document, output, lambda screen: snapshot_table(screen, document))


@click.command()
@click.argument("before", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.argument("after", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--live", is_flag=True, help="AFTER is what NetBox says now; the last good snapshot stays.")
@output_option
@pass_app
def diff(app: App, *, before: Path | None, after: Path | None, live: bool, output: str) -> None:
    """Show what changed from snapshot BEFORE to snapshot AFTER.

    AFTER is the current snapshot unless it is given; BEFORE is the one that the last refresh replaced, or with --live
    the current one.

    \b
    Examples:
      bedplate inventory diff
      bedplate inventory diff --live
      bedplate inventory diff monday.json friday.json -o json
    """
    from bedplate.commands.inventory_documents import diff_document, diff_text
    from bedplate.execution.inventory_asking import ask_netbox
    from bedplate.execution.inventory_snapshot import read_snapshot
    from bedplate.fleet import compare

    if live and after:
        raise UsageError("--live is what comes after: name one snapshot or none")

    def current() -> Snapshot:
        adapter = open_inventory(app)
        return adapter.snapshot_of(only_source(adapter))

    def netbox() -> Snapshot:
        adapter = open_inventory(app)
        return ask_netbox(adapter, only_source(adapter))

    first = read_snapshot(before) if before else _last(app) if live else _previous(app)
    found = compare(first, read_snapshot(after) if after else netbox() if live else current())
    emit(diff_document(found), output, lambda screen: diff_text(screen, found))


def _last(app: App) -> Snapshot:
    adapter = open_inventory(app)
    found = adapter.last_snapshot_of(only_source(adapter))
    if found is None:
        raise NotFoundError("there is no snapshot yet", where=str(adapter.path), hint="`bedplate inventory refresh`")
    return found


def _tell_how(snapshot: Snapshot) -> None:
    how = snapshot.cursor.get("read") if isinstance(snapshot.cursor, dict) else None
    if how:
        console(stderr=True).print(f"read: {how}", soft_wrap=True, markup=False)


def _previous(app: App) -> Snapshot:
    adapter = open_inventory(app)
    found = adapter.history_of(only_source(adapter)).last()
    if found is None:
        raise NotFoundError(
            "no earlier snapshot of this inventory is kept",
            where=str(adapter.path),
            hint="`bedplate inventory refresh` keeps the one that it replaces; or name two files",
        )
    return found
