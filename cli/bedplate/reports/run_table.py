"""Runs for people, one a line: as many columns as the terminal has room for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.text import Text

from bedplate.reports.fitting_table import FittingTable
from bedplate.reports.run_text import STATUS_STYLE, ago, took
from bedplate.runs import Run, RunMode


class RunTable(FittingTable):
    """A table of runs. What `runs show` tells too goes first where there is no room; a limit may be cut, an id never.

    Args:
        now: what ages are counted from.
    """

    def __init__(self, runs: Sequence[Run], now: datetime) -> None:
        super().__init__(
            [_cells(run, now) for run in runs],
            right=frozenset({"HOSTS", "TOOK"}),
            first_to_go=("WHO", "TOOK", "LIMIT"),
            shortened={"LIMIT": 8},
        )


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
