"""`bedplate notifications`: who hears of results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bedplate.commands.context import App, pass_app
from bedplate.commands.output import emit, output_option

if TYPE_CHECKING:
    from rich.console import Console


@click.command()
@click.option("--test", "names", multiple=True, metavar="RECEIVER", help="Send a message to it; exits 9 if that fails.")
@output_option
@pass_app
def notifications(app: App, *, names: tuple[str, ...], output: str) -> None:
    """Show which receivers hear of which results of which products; or send one a message with --test.

    The setting notifications.file names the YAML file of receivers; their addresses are never shown.

    Example: bedplate notifications --test platform
    """
    from bedplate.catalog import load_catalog
    from bedplate.notify import Message, load_receivers, send

    receivers = load_receivers(app.settings)
    for name in names:
        send(receivers.addresses(name), Message("Bedplate: a test", f"Sent by {app.settings.user} to see it arrive."))
        click.echo(f"{name} was told.", err=True)
    if names:
        return
    rows = [
        {"product": product.name, "outcome": outcome, "receiver": to, "known": to in receivers.by_name}
        for product in load_catalog(app.content.products).survey()[0]
        for each in product.notifications
        for outcome in each.outcomes
        for to in each.to
    ]
    document = {"receivers": sorted(receivers.by_name), "notifications": rows}
    emit(document, output, lambda out: _draw(out, document))


def _draw(out: Console, document: dict[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    out.print(f"Receivers: {', '.join(document['receivers']) or 'none'}", markup=False)
    if not document["notifications"]:
        out.print("No product tells anybody.")
        return
    table = Table("PRODUCT", "OUTCOME", "RECEIVER", "", box=None, pad_edge=False, header_style="bold")
    for row in document["notifications"]:
        missing = Text("" if row["known"] else "not in notifications.file", style="red")
        table.add_row(row["product"], row["outcome"], Text(row["receiver"]), missing)
    out.print(table)
