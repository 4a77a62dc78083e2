"""`bedplate product report`: how products do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bedplate.commands.context import App, pass_app
from bedplate.commands.output import emit, output_option, write_text
from bedplate.commands.product_names import complete_product
from bedplate.commands.times import Moment

if TYPE_CHECKING:
    from rich.console import Console

    from bedplate.catalog.report import ProductReport

_PERIOD = timedelta(days=30)


@click.command()
@click.argument("name", metavar="[PRODUCT]", required=False, shell_complete=complete_product)
@click.option("--since", type=Moment(), metavar="WHEN", help="From when on, such as 30d or 2026-11-01.  [default: 30d]")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Also write one page with charts.")
@output_option
@pass_app
def report(app: App, *, name: str | None, since: datetime | None, html: Path | None, output: str) -> None:
    """Show how products do: orders, success, times, objectives, hosts and teams, cost, feedback, roadmap.

    Objectives are measured over their own windows. Cost counts runs that were started and not only checked; the
    teams file (setting teams.file) says which team and cost centre a person orders for.

    Example: bedplate product report patch --since 30d --html patch.html
    """
    from bedplate.catalog import load_catalog
    from bedplate.catalog.report import Reporter
    from bedplate.figures import Scope
    from bedplate.reports.product_report import report_document
    from bedplate.store import open_figures
    from bedplate.teams import load_teams

    catalog = load_catalog(app.content.products)
    products = [catalog.get(name)] if name else app.viewer.visible(catalog.products())
    for product in products:
        app.viewer.check(product)
    app.recover()
    now = datetime.now(UTC)
    scope = Scope(since or now - _PERIOD, now, name)
    figures = open_figures(app.settings)
    try:
        reports = Reporter(figures, scope, load_teams(app.settings)).reports(products)
    finally:
        figures.close()
    if html:
        from bedplate.reports.product_report_html import report_page

        write_text(html, report_page(scope, reports))
    emit(report_document(scope, reports), output, lambda out: _draw(out, reports, single=name is not None))


def _draw(out: Console, reports: list[ProductReport], *, single: bool) -> None:
    from bedplate.reports.product_report import draw_report, draw_reports

    if single:
        draw_report(out, reports[0])
    elif reports:
        draw_reports(out, reports)
    else:
        out.print("No products.")
