"""`bedplate product`: the catalog."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedplate.commands.context import App, pass_app
from bedplate.commands.exits import ExitCode
from bedplate.commands.lazy import LazyCommand, LazyGroup
from bedplate.commands.output import console, emit, output_option
from bedplate.commands.product_names import complete_product
from bedplate.errors import NotFoundError

if TYPE_CHECKING:
    from rich.console import Console

    from bedplate.catalog import Catalog, ManifestFault

_LISTED = ("name", "title", "owner", "stage", "summary")
MORE = {
    "new": LazyCommand("bedplate.commands.product_new:new", "Make a product from a template."),
    "docs": LazyCommand("bedplate.commands.product_docs:docs", "Write the catalog as Markdown and as a static site."),
    "backstage": LazyCommand("bedplate.commands.product_docs:backstage", "Print the catalog for Backstage."),
    "report": LazyCommand("bedplate.commands.product_report:report", "Show how products do, from recorded runs."),
}


@click.group(cls=LazyGroup, lazy=MORE)
def product() -> None:
    """The catalog: what can be ordered, from whom, and with which promises.

    Example: bedplate product list
    """


@product.command("list")
@output_option
@pass_app
@click.pass_context
def list_products(ctx: click.Context, app: App, output: str) -> None:
    """List the products that are for you to see.

    Products whose manifest is broken are named on standard error, and the exit code is 2.

    Example: bedplate product list -o json
    """
    from bedplate.commands.product_index import product_index

    good, broken = product_index(app.content.products, app.settings.home, app.viewer.sees)
    emit(good, output, lambda out: _draw_list(out, good))
    for error in broken:
        click.echo(f"bedplate: {error}", err=True)
    if broken:
        ctx.exit(ExitCode.USAGE)


def _draw_list(out: Console, products: list[dict[str, Any]]) -> None:
    from rich.text import Text

    from bedplate.reports.fitting_table import FittingTable

    rows = [{key.upper(): Text(each[key]) for key in _LISTED} for each in products]
    table = FittingTable(rows, first_to_go=("TITLE", "OWNER", "STAGE"), shortened={"SUMMARY": 36})
    out.print(table if products else "No products.")


@product.command()
@click.argument("name", metavar="PRODUCT", shell_complete=complete_product)
@output_option
@pass_app
def show(app: App, name: str, output: str) -> None:
    """Show all about a product, and how to order it.

    Example: bedplate product show baseline
    """
    from bedplate.catalog import load_catalog
    from bedplate.commands.product_view import draw_product, product_document

    manifest = load_catalog(app.content.products).manifest(name)
    app.viewer.check(manifest.product)
    emit(product_document(manifest), output, lambda out: draw_product(out, manifest.product))


@product.command()
@click.argument("what", metavar="[PRODUCT|FILE]...", nargs=-1, shell_complete=complete_product)
@click.option("--fast", is_flag=True, help="Do not let ansible read the playbooks, which takes a few seconds.")
@output_option
@pass_app
@click.pass_context
def check(ctx: click.Context, app: App, what: tuple[str, ...], output: str, *, fast: bool) -> None:
    """Check manifests, their playbooks and their documentation: all of them, or those that are named.

    Each fault is named with file, line and key. Where the setting teams.file names the teams, owners and access must
    be among them. The exit code is 2 when there are errors; warnings alone exit 0.

    Example: bedplate product check baseline playbooks/products/patch.yml
    """
    from bedplate.catalog import load_catalog
    from bedplate.commands.product_check import check_files

    catalog = load_catalog(app.content.products)
    paths = [_path(each, catalog) for each in what] or [catalog.path(name) for name in catalog.names()]
    faults = check_files(paths, app.content, app.settings, ansible=not fast)
    emit({"checked": len(paths), "faults": faults}, output, lambda _: _print_faults(faults, len(paths)))
    if any(fault.severity == "error" for fault in faults):
        ctx.exit(ExitCode.USAGE)


@product.command()
def schema() -> None:
    """Print the JSON Schema of manifests, for editors.

    Example: bedplate product schema > product.schema.json
    """
    from bedplate.catalog import product_schema

    click.echo(json.dumps(product_schema(), indent=2, ensure_ascii=False))


def _path(what: str, catalog: Catalog) -> Path:
    if "/" not in what and not what.endswith((".yml", ".yaml")):
        return catalog.path(what)
    path = Path(what).expanduser().absolute()
    if not path.is_file():
        raise NotFoundError("there is no such file", where=what)
    return path


def _print_faults(faults: list[ManifestFault], count: int) -> None:
    for fault in faults:
        warning = "warning: " if fault.severity == "warning" else ""
        click.echo(f"{warning}{fault}")
    errors = sum(fault.severity == "error" for fault in faults)
    out: Any = console(stderr=True)
    products = "1 product" if count == 1 else f"{count} products"
    out.print(
        f"{products} checked: {errors} errors, {len(faults) - errors} warnings.", style="red" if errors else "green"
    )
