"""`bedplate feedback`: what people say of a product."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from bedplate.commands.context import App, pass_app
from bedplate.commands.product_names import complete_product
from bedplate.errors import UsageError

_LONGEST = 2000


@click.command()
@click.argument("product", shell_complete=complete_product)
@click.argument("score", type=click.IntRange(1, 5), metavar="1-5")
@click.option("--comment", metavar="TEXT", help="Why; its owner reads it.")
@click.option("--run", "run_id", metavar="ID", help="The run that it is about.")
@pass_app
def feedback(app: App, *, product: str, score: int, comment: str | None, run_id: str | None) -> None:
    """Say how good a PRODUCT is, from 1 (bad) to 5 (good); `bedplate product report` adds it up.

    Example: bedplate feedback patch 4 --comment "A reboot less would be nice."
    """
    from bedplate.catalog import load_catalog
    from bedplate.figures import Feedback
    from bedplate.store import open_figures

    offered = load_catalog(app.content.products).get(product)
    app.viewer.check(offered)
    name = offered.name
    about = app.store.get(run_id) if run_id else None
    if about is not None and about.product != name:
        raise UsageError(f"is a run of {about.product}, not of {name}", where=f"run {about.id}")
    if comment and len(comment) > _LONGEST:
        raise UsageError(f"must have at most {_LONGEST} characters, not {len(comment)}", where="--comment")
    said = Feedback(
        name, app.viewer.person.name, score, datetime.now(UTC), comment or None, about.id if about else None
    )
    figures = open_figures(app.settings)
    try:
        figures.add_feedback(said)
    finally:
        figures.close()
    click.echo(f"Thank you: {name} has {score} of 5 from {said.person}.", err=True)
