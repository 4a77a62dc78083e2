"""Showing things: `-o table|json|yaml`, and one console that honours NO_COLOR and the terminal's width."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bedplate.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

# Other programs and files have no edge: what they read is not cut.
_PIPE_WIDTH = 240
_Command = TypeVar("_Command", bound=Callable[..., Any])


def output_option(command: _Command) -> _Command:
    """Add `-o/--output`; the command gets it as `output`."""
    return output_option_with()(command)


def output_option_with(*more: str) -> Callable[[_Command], _Command]:
    """Add `-o/--output` with more forms than the usual ones; the command shows these itself."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(["table", "json", "yaml", *more]),
        default="table",
        show_default=True,
        help="How to show the answer; json and yaml are stable.",
    )


def emit(payload: Any, output: str, table: Callable[[Console], None]) -> None:  # noqa: ANN401
    """Show `payload` as JSON or YAML, or let `table` draw it for people."""
    if output not in {"json", "yaml"}:
        table(console())
        return
    from bedplate.reports.plain import plain

    if output == "json":
        import json

        click.echo(json.dumps(plain(payload), indent=2, ensure_ascii=False))
    else:
        import yaml

        click.echo(yaml.safe_dump(plain(payload), sort_keys=False, allow_unicode=True), nl=False)


def write_text(target: Path, text: str) -> None:
    """Write what was asked for to a file. Raises UsageError if that cannot be done."""
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=str(target)) from error


def console(*, stderr: bool = False) -> Console:
    """Return a rich console for standard output (or standard error).

    It is as wide as the terminal, or as COLUMNS says; in a file or a pipe it is wide, so that nothing is cut.
    """
    from bedplate.commands.screen import Screen

    out = Screen(stderr=stderr, highlight=False, soft_wrap=False)
    if not out.is_terminal and "COLUMNS" not in os.environ:
        out.width = _PIPE_WIDTH
    return out


def leave_pipe() -> None:
    """Write to nowhere from now on: whoever read has gone, and Python flushes standard output once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
