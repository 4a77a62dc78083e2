"""`bedplate completion`: the lines that a shell needs to complete commands, products, hosts, groups and runs."""

from __future__ import annotations

import os
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from bedplate.errors import UsageError

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", required=False, type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str | None) -> None:
    """Print shell completion for SHELL (default: your login shell).

    \b
    Examples:
      bash: echo 'eval "$(bedplate completion bash)"' >> ~/.bashrc
      zsh:  echo 'eval "$(bedplate completion zsh)"' >> ~/.zshrc
      fish: bedplate completion fish > ~/.config/fish/completions/bedplate.fish
    """
    name = shell or Path(os.environ.get("SHELL", "")).name
    completer = get_completion_class(name) if name in SHELLS else None
    if completer is None:
        raise UsageError(f"no completion for the shell {name or '(unknown)'}", hint=f"say one of {', '.join(SHELLS)}")
    root = ctx.find_root()
    click.echo(completer(root.command, {}, "bedplate", "_BEDPLATE_COMPLETE").source())
