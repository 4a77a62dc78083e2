"""Completion of products and their parameters: file names and one scan of lines, because a person waits.

Only a catalog with products that not everybody may see is asked whose they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from bedplate.commands.context import App
from bedplate.errors import BedplateError

if TYPE_CHECKING:
    from pathlib import Path

_VIEW = re.compile(rb"\bview\b")
_TOP_KEY = re.compile(r"^(?P<key>[a-z_]+):")
_NAME = re.compile(r"(?:^\s*(?:-\s+)?|[{,]\s*)name:\s*[\"']?(?P<name>[a-z][a-z0-9_]*)")


def complete_product(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a product's name."""
    return [CompletionItem(name) for name in _product_names(ctx, incomplete)]


def complete_parameter(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete `name=` of `-p` for the product that was named before it, if any."""
    names = _product_names(ctx)
    # Words that click has not given to an argument yet, because `-p` still lacks its value, are in `ctx.args`.
    product = next((value for value in (*ctx.params.values(), *ctx.args) if value in names), None)
    if product is None or "=" in incomplete:
        return []
    questions = _parameter_names(_folder() / f"{product}.yml")
    return [CompletionItem(f"{name}=") for name in questions if name.startswith(incomplete)]


def _product_names(ctx: click.Context, beginning: str = "") -> list[str]:
    """Return the products that begin so and are for the person to see."""
    try:
        files = sorted(file for file in _folder().glob("*.yml") if not file.name.startswith("."))
        named = [file for file in files if file.stem.startswith(beginning)]
        restricted = {file.stem for file in named if _VIEW.search(file.read_bytes())}
    except (BedplateError, OSError):
        return []  # a key press is no place for a complaint
    seen = _seen(ctx) if restricted else set()
    return [file.stem for file in named if file.stem not in restricted or file.stem in seen]


def _seen(ctx: click.Context) -> set[str]:
    """Return the products that are for the person to see, of those that can be read."""
    from bedplate.commands.product_index import product_index

    app = ctx.find_object(App) or App()
    try:
        good, _broken = product_index(_folder(), app.settings.home, app.viewer.sees)
    except (BedplateError, OSError):
        return set()
    return {entry["name"] for entry in good}


def _folder() -> Path:
    from pathlib import Path

    from bedplate.content import find_content
    from bedplate.setting_sources import one_setting

    path = one_setting("content", "path")
    return find_content(Path(path) if path else None).products


def _parameter_names(manifest: Path) -> Iterator[str]:
    key = None
    try:
        lines = manifest.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        top = _TOP_KEY.match(line)
        key = top["key"] if top else key
        found = _NAME.search(line)
        if key == "parameters" and found and not top:
            yield found["name"]
