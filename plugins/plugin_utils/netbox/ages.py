"""Ages for people."""

from __future__ import annotations

from typing import List, Tuple


def readable_age(seconds: float) -> str:
    """Return an age for people, such as `3 hours`."""
    steps: List[Tuple[str, int]] = [("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)]
    for unit, length in steps:
        count = int(seconds // length)
        if count >= 2 or (count and length > 1) or length == 1:
            return "%d %s%s" % (count, unit, "" if count == 1 else "s")
    return "0 seconds"
