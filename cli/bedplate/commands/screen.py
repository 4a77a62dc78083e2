"""The console that commands draw on."""

from __future__ import annotations

from typing import NoReturn

from rich.console import Console


class Screen(Console):
    """A rich console that leaves it to the command line what a reader who has gone means for the exit code."""

    def on_broken_pipe(self) -> NoReturn:
        """Raise; rich itself would end the process with 1, which is the code of a bug."""
        raise BrokenPipeError
