"""Ages, for people and to compare."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import List, Tuple

_CLOCKS_DIFFER = 60.0


def readable_age(seconds: float) -> str:
    """Return an age for people, such as `3 hours`."""
    steps: List[Tuple[str, int]] = [("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)]
    for unit, length in steps:
        count = int(seconds // length)
        if count >= 2 or (count and length > 1) or length == 1:
            return "%d %s%s" % (count, unit, "" if count == 1 else "s")
    return "0 seconds"


def age_of(moment: datetime) -> float:
    """Return the seconds since a moment (with its zone); never less than 0."""
    return max(0.0, (datetime.now(timezone.utc) - moment).total_seconds())


def is_younger_than(moment: datetime, seconds: float) -> bool:
    """Return whether a moment is so fresh; one in the future is not: it is by a clock that is not ours."""
    ahead = (moment - datetime.now(timezone.utc)).total_seconds()
    return ahead < _CLOCKS_DIFFER and age_of(moment) < seconds
