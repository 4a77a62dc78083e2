"""Retention: which runs may go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from bedplate.runs import Run


def select_for_pruning(runs: Iterable[Run], *, kept_for: timedelta, kept_runs: int, now: datetime) -> list[Run]:
    """Return the ended runs that are neither young nor among the newest of their product, oldest first.

    Args:
        runs: all runs, in any order.
        kept_for: a run that ended less than this before `now` is young; one that never started counts from its order.
        kept_runs: how many of the newest runs of each product stay, however old; those not ended count too.
    """
    seen: Counter[str] = Counter()
    selected = []
    for run in sorted(runs, key=lambda run: (run.created_at, run.id), reverse=True):
        seen[run.product] += 1
        newest = seen[run.product] <= kept_runs
        if run.status.ended and not newest and now - (run.finished_at or run.created_at) >= kept_for:
            selected.append(run)
    selected.reverse()
    return selected
