"""`bedplate drift trend`: how checks came out, one after another."""

from __future__ import annotations

import click

from bedplate.commands.context import App, pass_app
from bedplate.commands.output import emit, output_option
from bedplate.commands.product_names import complete_product


@click.command()
@click.option("--product", default="baseline", show_default=True, help="Which.", shell_complete=complete_product)
@click.option("-n", "count", type=click.IntRange(1), default=30, show_default=True, help="How many checks.")
@output_option
@pass_app
def trend(app: App, *, product: str, count: int, output: str) -> None:
    """Show how the last checks of a product came out, newest first.

    Example: bedplate drift trend -n 7
    """
    from bedplate.reports.drift_documents import check_document
    from bedplate.reports.drift_text import trend_table

    checks = app.drift.checks(product, count)
    emit(
        [check_document(one) for one in checks],
        output,
        lambda out: out.print(trend_table(checks) if checks else "No checks."),
    )
