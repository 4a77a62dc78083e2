"""Completion of `-p name=value`: from the manifest's text alone, because a person waits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from bedplate.commands.context import App
from bedplate.errors import BedplateError


def complete_parameter(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the product's parameters as `name=`, and after the `=` the choices; nothing where that is not known."""
    name, equals, value = incomplete.partition("=")
    parameters = _parameters(ctx)
    if not equals:
        return [
            CompletionItem(f"{known}=", help=str(question.get("title") or ""))
            for known, question in parameters.items()
            if known.startswith(name)
        ]
    question = parameters.get(name, {})
    choices = ["true", "false"] if question.get("type") == "boolean" else question.get("choices") or []
    return [CompletionItem(f"{name}={choice}") for choice in map(str, choices) if choice.startswith(value)]


def _parameters(ctx: click.Context) -> Mapping[str, Mapping[str, Any]]:
    import yaml

    try:
        app = ctx.find_object(App) or App()
        manifest = app.content.products / f"{Path(ctx.params.get('product') or '-').name}.yml"
        document = yaml.load(manifest.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        return {question["name"]: question for question in document.get("parameters") or ()}
    except (BedplateError, OSError, yaml.YAMLError, AttributeError, TypeError, KeyError):
        return {}  # a key press is no place for a complaint
