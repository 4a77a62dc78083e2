"""The catalog as files for people: Markdown, and a static HTML site that asks nobody for anything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bedplate.catalog import Parameter, Product
from bedplate.reports.html_page import render
from bedplate.reports.product_text import default_text, explanation, fact_rows, order_example, promise_lists

_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|])")


def site(products: Sequence[Product]) -> Iterator[tuple[str, str]]:
    """Yield name and text of each file."""
    yield "index.html", _index_page(products)
    yield "index.md", _index_markdown(products)
    for product in products:
        yield f"{product.name}.html", _product_page(product)
        yield f"{product.name}.md", "\n".join(_product_markdown(product))


def _index_page(products: Sequence[Product]) -> str:
    cards = [
        {
            "name": product.name,
            "title": product.title,
            "summary": product.summary,
            "owner": product.owner.team,
            "stage": product.lifecycle.stage.value,
            "cost": dict(fact_rows(product)).get("Cost", ""),
            "words": " ".join(_words(product)).lower(),
        }
        for product in products
    ]
    return render("site_index.html.j2", products=cards, owners=sorted({card["owner"] for card in cards}))


def _words(product: Product) -> Iterator[str]:
    yield from (product.name, product.title, product.summary, product.owner.team, *product.tags)
    yield " ".join((product.description or "").split())
    yield from (f"{parameter.name} {parameter.title}" for parameter in product.parameters)


def _product_page(product: Product) -> str:
    return render(
        "site_product.html.j2",
        name=product.name,
        title=product.title,
        summary=product.summary,
        description=_paragraphs(product),
        order=order_example(product),
        facts=list(fact_rows(product)),
        lists=list(promise_lists(product)),
        parameters=[_parameter(parameter) for parameter in product.parameters],
    )


def _paragraphs(product: Product) -> list[str]:
    return [text.strip() for text in re.split(r"\n\s*\n|\n", product.description or "") if text.strip()]


def _parameter(parameter: Parameter) -> dict[str, Any]:
    lines = list(explanation(parameter))
    return {"name": parameter.name, "type": parameter.type, "default": default_text(parameter), "lines": lines}


def _index_markdown(products: Iterable[Product]) -> str:
    lines = ["# Catalog", "", "| product | what it does | owner | stage |", "|---|---|---|---|"]
    for product in products:
        cells = (product.summary, product.owner.team, product.lifecycle.stage.value)
        name = f"[{_plain(product.title)}]({product.name}.md)"
        lines.append(f"| {name} | {' | '.join(_plain(cell) for cell in cells)} |")
    return "\n".join([*lines, ""])


def _product_markdown(product: Product) -> Iterator[str]:
    yield from (f"# {_plain(product.title)} (`{product.name}`)", "", _plain(product.summary), "")
    for paragraph in _paragraphs(product):
        yield from (_plain(paragraph), "")
    yield from ("## Order it", "", "```", order_example(product), "```", "", "## Facts", "")
    yield from (f"- {name}: {_plain(text)}" for name, text in fact_rows(product))
    for heading, lines in promise_lists(product):
        yield from ("", f"## {heading}", "", *(f"- {_plain(line)}" for line in lines))
    if product.parameters:
        yield from ("", "## Parameters", "", "| parameter | type | default | what |", "|---|---|---|---|")
        for parameter in product.parameters:
            what = "<br>".join(_plain(line) for line in explanation(parameter))
            yield f"| `{parameter.name}` | {parameter.type} | {_plain(default_text(parameter))} | {what} |"
    yield ""


def _plain(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))
