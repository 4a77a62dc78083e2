"""Products as people and programs see them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bedplate.catalog import Manifest, Parameter, Product
from bedplate.reports.product_text import default_text, explanation, fact_rows, order_example, promise_lists


def summary_document(product: Product) -> dict[str, Any]:
    """Return one entry of `product list -o json`."""
    return {
        "name": product.name,
        "title": product.title,
        "summary": product.summary,
        "owner": product.owner.team,
        "stage": product.lifecycle.stage.value,
        "tags": product.tags,
    }


def product_document(manifest: Manifest) -> dict[str, Any]:
    """Return `product show -o json`."""
    product = manifest.product
    return {
        "manifest": manifest.path,
        "product": product.model_dump(mode="json", exclude_none=True),
        "order": order_example(product),
    }


def draw_product(out: Console, product: Product) -> None:
    """Draw `product show` for people."""
    out.print(Text.assemble((product.title, "bold"), "  ", (product.name, "dim")))
    out.print(Text(product.summary))
    if product.description:
        out.print()
        out.print(Padding(Text(product.description.strip()), (0, 0, 0, 2)))
    out.print()
    out.print(_facts(product))
    for heading, lines in promise_lists(product):
        out.print()
        out.print(Text(heading, style="bold"))
        for line in lines:
            out.print(Padding(Text(line), (0, 0, 0, 2)))
    if product.parameters:
        out.print()
        out.print(_parameter_table(product.parameters))
    out.print()
    out.print(Text("Order it", style="bold"))
    out.print(Padding(Text(order_example(product)), (0, 0, 0, 2)), soft_wrap=True)


def _facts(product: Product) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in fact_rows(product):
        table.add_row(Text(name, style="bold"), Text(value))
    return table


def _parameter_table(parameters: Iterable[Parameter]) -> Table:
    table = Table("PARAMETER", "TYPE", "DEFAULT", "WHAT", box=None, pad_edge=False, header_style="bold")
    for parameter in parameters:
        row = (parameter.name, parameter.type, default_text(parameter), "\n".join(explanation(parameter)))
        table.add_row(*(Text(cell) for cell in row))
    return table
