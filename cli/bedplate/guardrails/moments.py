"""Clock times of a zone as moments, right also on the days on which clocks are set."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def moment(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Return when a clock in the zone shows this time, in UTC.

    A time that is shown twice means the first; one that is skipped means the moment of the skip.
    """
    try:
        return _moment(day, clock, zone)
    except OverflowError:
        return in_utc(datetime.combine(day, clock, zone))


def in_utc(at: datetime) -> datetime:
    """Return a moment in UTC; the first or last that there is for what is beyond it."""
    return clock_at(at, UTC).replace(tzinfo=UTC)


def clock_at(at: datetime, zone: tzinfo) -> datetime:
    """Return what the clocks of a zone show at a moment; the first or last that they can for what is beyond it."""
    try:
        return at.astimezone(zone).replace(tzinfo=None)
    except OverflowError:
        return (_FIRST if at.year == _FIRST.year else _LAST).replace(tzinfo=None)


def moved(at: datetime, by: timedelta) -> datetime:
    """Return a time so much later, or the first or last that there is."""
    try:
        return at + by
    except OverflowError:
        return (_FIRST if by < timedelta(0) else _LAST).replace(tzinfo=at.tzinfo)


def _moment(day: date, clock: time, zone: ZoneInfo) -> datetime:
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
