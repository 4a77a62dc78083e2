"""A table of as many columns as the terminal has room for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.table import Table
from rich.text import Text

_GAP = 2


class FittingTable:
    """Rows of one line each. A column that is empty, or has no room, is left out.

    Args:
        rows: by name of the column; all rows have the same columns.
        right: columns of numbers.
        first_to_go: columns that are left out first where there is no room, in this order.
        shortened: columns that may be cut, and to how many cells.
    """

    def __init__(
        self,
        rows: Sequence[Mapping[str, Text]],
        *,
        right: frozenset[str] = frozenset(),
        first_to_go: Sequence[str] = (),
        shortened: Mapping[str, int] | None = None,
    ) -> None:
        names = list(rows[0]) if rows else []
        filled = [name for name in names if any(row[name].plain for row in rows)]
        self._columns = {name: [row[name] for row in rows] for name in filled}
        self._right, self._first_to_go, self._shortened = right, first_to_go, shortened or {}

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it at the width that there is."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        widths = self._widths(self._that_fit(options.max_width), options.max_width)
        for name, width in widths.items():
            justify: JustifyMethod = "right" if name in self._right else "left"
            table.add_column(name, no_wrap=True, overflow="ellipsis", justify=justify, width=width)
        for row in zip(*(self._columns[name] for name in widths), strict=True):
            table.add_row(*row)
        yield table

    def _that_fit(self, width: int) -> list[str]:
        names = list(self._columns)
        for name in self._first_to_go:
            if self._needed(names) <= width:
                break
            names = [kept for kept in names if kept != name]
        return names

    def _widths(self, names: Sequence[str], width: int) -> dict[str, int]:
        """Return how wide each column is: what may be cut has what the others leave."""
        widths = {name: self._least(name) for name in names}
        left = width - self._needed(names)
        for name in self._shortened:
            if name in widths and left > 0:
                more = min(left, self._width(name) - widths[name])
                widths[name] += more
                left -= more
        return widths

    def _needed(self, names: Sequence[str]) -> int:
        return sum(map(self._least, names)) + _GAP * (len(names) - 1)

    def _least(self, name: str) -> int:
        return min(self._width(name), self._shortened.get(name, self._width(name)))

    def _width(self, name: str) -> int:
        return max(cell_len(name), *(cell.cell_len for cell in self._columns[name]))
