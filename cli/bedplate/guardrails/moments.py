"""Clock times of a zone as moments, right also on the days on which clocks are set."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def moment(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Return when a clock in the zone shows this time, in UTC.

    A time that is shown twice means the first; one that is skipped means the moment of the skip.
    """
    local = datetime.combine(day, clock, zone)
    at = local.astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return at
    return _skip(local.replace(fold=1).astimezone(UTC), at, zone)


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone. Raises ValueError if there is none of this name."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(f"there is no time zone {name!r}; names are such as Europe/Berlin") from None


def _skip(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first second after clocks were set, between two moments around it."""
    offset = before.astimezone(zone).utcoffset()
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return before + timedelta(seconds=high)
