"""`bedplate inventory migrate`: from nb_inventory to our plugin."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bedplate.commands.output import console, emit, output_option, write_text

if TYPE_CHECKING:
    from rich.console import Console

    from bedplate.fleet.migration import Note


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--write",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the new file here: FOLDER/netbox.yml.",
)
@click.option("--compat", is_flag=True, help="Keep nb_inventory's own groups and variables (compat: nb_inventory).")
@output_option
def migrate(*, file: Path, target: Path | None, compat: bool, output: str) -> None:
    """Turn a file of nb_inventory (netbox.netbox) into one of ours, and say what has no equivalent.

    The new file goes to standard output, what became of each option to standard error. Nothing is asked of NetBox, and
    tokens and vaulted values stay as they are. With --compat playbooks go on working as they are, under ansible's own
    commands; without it groups and variables are ours, and all of bedplate works with them.

    Exit codes: 0 done, 2 this is no file of nb_inventory.

    \b
    Examples:
      bedplate inventory migrate nb.yml
      bedplate inventory migrate nb.yml --write my-inventory/netbox.yml
      bedplate inventory migrate nb.yml --compat
    """
    from bedplate.execution.inventory_source import dump_settings, read_settings
    from bedplate.fleet.migration import keep_compatible
    from bedplate.fleet.migration import migrate as migrated

    found = (keep_compatible if compat else migrated)(read_settings(file), str(file))
    text = dump_settings(found.settings)
    if target is not None:
        write_text(target, text)
    document = {"schema": 1, "source": str(file), "target": target, "inventory": text, "notes": found.notes}
    if output != "table":
        emit(document, output, lambda _: None)
        return
    if target is None:
        click.echo(text, nl=False)
    _show(console(stderr=True), found.notes)


def _show(screen: Console, notes: Sequence[Note]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("OPTION", "", "WHAT BECAME OF IT"):
        table.add_column(title)
    for note in notes:
        style = {"lost": "red", "changed": "yellow"}.get(note.fate, "")
        table.add_row(escape(note.option), note.fate.value, escape(note.told), style=style)
    screen.print(table)
    lost = sum(note.fate == "lost" for note in notes)
    screen.print(f"{lost} without an equivalent" if lost else "everything has an equivalent", style="dim")
