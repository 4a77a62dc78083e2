"""The console that commands draw on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NoReturn

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

# What a terminal takes for a command, or what turns the direction of a line around.
_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Screen(Console):
    """A rich console that leaves it to the command line what a reader who has gone means for the exit code.

    Texts that people and hosts wrote reach the terminal without what would command it.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            if segment.control or not _COMMANDS.search(segment.text):
                yield segment
            else:
                yield segment._replace(text=_COMMANDS.sub("\N{REPLACEMENT CHARACTER}", segment.text))

    def on_broken_pipe(self) -> NoReturn:
        """Raise; rich itself would end the process with 1, which is the code of a bug."""
        raise BrokenPipeError
