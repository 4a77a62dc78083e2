"""Runs for people, one a line: as many columns as the terminal has room for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from bedplate.reports.run_text import STATUS_STYLE, ago, took
from bedplate.runs import Run, RunMode

_GAP = 2
_RIGHT = frozenset({"HOSTS", "TOOK"})
# What `runs show` tells too goes first where there is no room; a limit may be cut, an id never.
_FIRST_TO_GO = ("WHO", "TOOK", "LIMIT")
_SHORTEST_LIMIT = 8


class RunTable:
    """A table of runs. A column that is empty, or has no room, is left out.

    Args:
        now: what ages are counted from.
    """

    def __init__(self, runs: Sequence[Run], now: datetime) -> None:
        rows = [_cells(run, now) for run in runs]
        names = list(rows[0]) if rows else []
        filled = [name for name in names if any(row[name].plain for row in rows)]
        self._columns = {name: [row[name] for row in rows] for name in filled}

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it at the width that there is."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        names = self._that_fit(options.max_width)
        for name in names:
            shortest = None if name == "LIMIT" else self._width(name)
            table.add_column(
                name,
                no_wrap=True,
                overflow="ellipsis",
                justify="right" if name in _RIGHT else "left",
                min_width=shortest,
            )
        for row in zip(*(self._columns[name] for name in names), strict=True):
            table.add_row(*row)
        yield table

    def _that_fit(self, width: int) -> list[str]:
        names = list(self._columns)
        for name in _FIRST_TO_GO:
            if self._needed(names) <= width:
                break
            names = [kept for kept in names if kept != name]
        return names

    def _needed(self, names: Sequence[str]) -> int:
        widths = [min(self._width(name), _SHORTEST_LIMIT) if name == "LIMIT" else self._width(name) for name in names]
        return sum(widths) + _GAP * (len(names) - 1)

    def _width(self, name: str) -> int:
        return max(cell_len(name), *(cell.cell_len for cell in self._columns[name]))


def _cells(run: Run, now: datetime) -> dict[str, Text]:
    status = Text(run.status.value, style=STATUS_STYLE[run.status])
    if run.mode is RunMode.CHECK:
        status.append(" check", style="dim")
    texts = {
        "HOSTS": str(len(run.hosts)),
        "WHO": run.requester,
        "WHEN": ago(run.created_at, now),
        "TOOK": took(run.duration),
        "LIMIT": run.limit or "",
    }
    plain = {name: Text(text) for name, text in texts.items()}
    return {"ID": Text(run.id), "PRODUCT": Text(run.product), "STATUS": status, **plain}
