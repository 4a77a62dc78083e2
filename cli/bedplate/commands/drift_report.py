"""`bedplate drift report`: how hosts stand, for browsers and for other programs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from bedplate.commands.context import App, pass_app
from bedplate.commands.drift_check import fleet_background
from bedplate.commands.drift_waivers import waiver_book
from bedplate.commands.output import write_text
from bedplate.commands.product_names import complete_product

_FORMATS = ("html", "json", "junit", "sarif", "prometheus")


@click.command()
@click.argument("kind", metavar="FORMAT", type=click.Choice(_FORMATS))
@click.option("--product", default="baseline", show_default=True, help="Whose checks.", shell_complete=complete_product)
@click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), help="A file; without it, print it.")
@pass_app
def report(app: App, *, kind: str, product: str, target: Path | None) -> None:
    """Report how a product's hosts stand as FORMAT: html, json, junit, sarif or prometheus.

    HTML is one file with all that it needs. Nothing is checked anew.

    Example: bedplate drift report html --to drift.html
    """
    from bedplate.watch import Reporting
    from bedplate.watch.reporting import FORMATS

    reporting = Reporting(app.drift, fleet_background(app), waiver_book(app))
    text = FORMATS[kind](reporting.report(product, datetime.now(UTC)))
    if target is None:
        click.echo(text, nl=False)
    else:
        write_text(target, text)
