"""Commands that first put right what dead processes left, so that what they show is true."""

from __future__ import annotations

from typing import Any

import click

from bedplate.commands.context import App


class RecoveringCommand(click.Command):
    """Looks after dead runs when it is run, not when its help is asked for or its words are wrong."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 (as click has it)
        ctx.ensure_object(App).recover()
        return super().invoke(ctx)


class RunsGroup(click.Group):
    """A group whose own commands are such."""

    command_class = RecoveringCommand
