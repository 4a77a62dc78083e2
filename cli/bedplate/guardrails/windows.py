"""Maintenance windows: the hours in which a host may be changed.

As text: `mon-fri 22:00-04:00 Europe/Berlin; sat,sun 00:00-24:00`, or `always`, or `never`. Days and zone may be left
out: all days, and UTC. An end that is not later than the start is on the next day.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from bedplate.guardrails.moments import moment, zone_of

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EXAMPLE = "mon-fri 22:00-04:00 Europe/Berlin"
_CLOCK = r"(?:[01]?[0-9]|2[0-4]):[0-5][0-9]"
_PART = re.compile(
    rf"(?:(?P<days>[a-z,\s-]+?)\s+)?(?P<start>{_CLOCK})\s*-\s*(?P<end>{_CLOCK})(?:\s+(?P<zone>\S+))?", re.IGNORECASE
)
_MIDNIGHT = time(0)


@dataclass(frozen=True)
class Hours:
    """Hours that come again on days of the week.

    Attributes:
        days: the days on which it opens, 0 is Monday.
        end: on the next day where it is not later than start.
    """

    days: frozenset[int]
    start: time
    end: time
    zone: ZoneInfo

    def opening(self, day: date) -> tuple[datetime, datetime]:
        """Return from when until when it is open after its start on a day, in UTC; the same twice if it is skipped."""
        closing_day = day if self.start < self.end else day + timedelta(days=1)
        return moment(day, self.start, self.zone), moment(closing_day, self.end, self.zone)

    def openings(self, now: datetime) -> list[tuple[datetime, datetime]]:
        """Return the openings that have not ended at `now`, up to eight days ahead."""
        today = now.astimezone(self.zone).date()
        days = (today + timedelta(days=offset) for offset in range(-1, 9))
        found = (self.opening(day) for day in days if day.weekday() in self.days)
        return [(opens, closes) for opens, closes in found if opens < closes and now < closes]


@dataclass(frozen=True)
class MaintenanceWindow:
    """When something may be changed: within any of its hours."""

    hours: tuple[Hours, ...] = ()
    always: bool = False

    def is_open(self, now: datetime) -> bool:
        """Return whether it is open at a moment."""
        return self.always or any(opens <= now for hours in self.hours for opens, _ in hours.openings(now))

    def next_opening(self, now: datetime) -> datetime | None:
        """Return when it opens next; None if it never does."""
        return min((opens for hours in self.hours for opens, _ in hours.openings(now) if opens > now), default=None)


@cache
def parse_window(text: str) -> MaintenanceWindow:
    """Return the window that a text means.

    Raises:
        ValueError: the text is no window; says what is wrong.
    """
    words = " ".join(text.split()).lower()
    if words in {"always", "never"}:
        return MaintenanceWindow(always=words == "always")
    parts = [part.strip() for part in text.split(";") if part.strip()]
    if not parts:
        raise ValueError(f"is empty; write such as {_EXAMPLE}")
    return MaintenanceWindow(tuple(_hours(part) for part in parts))


def fixed_window(days: Sequence[str] | None, start: str, end: str, zone: str) -> MaintenanceWindow:
    """Return the window of fixed hours. Raises ValueError if there is no such time zone."""
    numbers = frozenset(map(DAYS.index, days or DAYS))
    return MaintenanceWindow((Hours(numbers, _clock(start), _clock(end), zone_of(zone)),))


def _hours(part: str) -> Hours:
    match = _PART.fullmatch(part)
    if match is None:
        raise ValueError(f"{part!r} is no window; write such as {_EXAMPLE}")
    if match["start"].startswith("24"):
        raise ValueError(f"{part!r} begins with the end of a day; write 00:00 and the next day")
    start, end = _clock(match["start"]), _clock(match["end"])
    if start == end and match["end"] != "24:00":
        raise ValueError(f"{part!r} begins and ends at the same time; a whole day is 00:00-24:00")
    zone = zone_of(match["zone"]) if match["zone"] else ZoneInfo("UTC")
    return Hours(_days(match["days"] or "mon-sun"), start, end, zone)


def _clock(text: str) -> time:
    hour, minute = map(int, text.split(":"))
    if hour == 24:
        if minute:
            raise ValueError(f"{text} is no time of day")
        return _MIDNIGHT
    return time(hour, minute)


def _days(text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.lower().replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last and last not in DAYS):
            raise ValueError(f"{part!r} is no day of the week; write mon, tue, wed, thu, fri, sat, sun")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        found |= {(begin + step) % 7 for step in range((end - begin) % 7 + 1)}
    return frozenset(found)


def shown(at: datetime) -> str:
    """Return a moment for people, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
