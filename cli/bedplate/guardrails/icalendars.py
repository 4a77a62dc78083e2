"""Freezes from iCalendar text: single events, events that come again, and what was moved or called off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, cast
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rruleset, rrulestr
from icalendar import Calendar as ICalendar

from bedplate.guardrails.calendars import Freeze
from bedplate.guardrails.moments import clock_at, in_utc, moment, moved, zone_of

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Occasion:
    """An event: clock times in a zone, so that it keeps its hour when clocks are set.

    Attributes:
        starts: when it starts, as its zone's clocks show it.
    """

    name: str
    starts: rruleset
    length: timedelta
    zone: tzinfo
    contact: str | None = None

    def at(self, now: datetime) -> Freeze | None:
        """Return the freeze of this event that holds at a moment, if there is one."""
        local = now.astimezone(self.zone).replace(tzinfo=None)
        for start in self.starts.between(moved(local, -self.length - _DAY), local + _DAY, inc=True):
            begin, end = self._moment(start), self._moment(moved(start, self.length))
            if begin <= now < end:
                return Freeze(self.name, begin, end, self.contact)
        return None

    def _moment(self, local: datetime) -> datetime:
        if isinstance(self.zone, ZoneInfo):
            return moment(local.date(), local.time(), self.zone)
        return in_utc(local.replace(tzinfo=self.zone))


@dataclass(frozen=True)
class OccasionCalendar:
    """The events of an iCalendar."""

    occasions: Sequence[Occasion]

    def at(self, now: datetime) -> Freeze | None:
        """Return the freeze that holds at a moment, if there is one."""
        return next((freeze for occasion in self.occasions if (freeze := occasion.at(now))), None)


def parse_icalendar(text: str) -> OccasionCalendar:
    """Return the events of iCalendar text; what was called off, or takes no time, is left out.

    Raises:
        ValueError: it cannot be read; says what is wrong.
    """
    calendar = ICalendar.from_ical(text)
    zone = zone_of(str(calendar.get("X-WR-TIMEZONE", "UTC")))
    events: list[Any] = list(calendar.walk("VEVENT"))
    elsewhere: dict[str, list[datetime]] = {}
    for event in events:
        if "RECURRENCE-ID" in event:
            elsewhere.setdefault(str(event.get("UID")), []).append(_one(event, "RECURRENCE-ID"))
    held = [event for event in events if str(event.get("STATUS", "")).upper() != "CANCELLED"]
    return OccasionCalendar([_occasion(event, zone, elsewhere.get(str(event.get("UID")), [])) for event in held])


def _occasion(event: Any, default: ZoneInfo, elsewhere: Sequence[date]) -> Occasion:  # noqa: ANN401
    name = str(event.get("SUMMARY", "freeze"))
    if event.errors:  # what cannot be read was left out, and a freeze must not be
        raise ValueError(f"the event {name!r}: {' '.join(map(str, event.errors[0]))}")
    if "DTSTART" not in event:
        raise ValueError(f"the event {name!r} has no DTSTART")
    start = _one(event, "DTSTART")
    zone = (start.tzinfo if isinstance(start, datetime) else None) or default
    first = _local(start, zone)
    starts = rruleset()
    if "RRULE" in event:
        starts.rrule(_rule(event["RRULE"], first, zone))
    else:
        starts.rdate(first)
    for left_out in [*_dates(event, "EXDATE"), *(elsewhere if "RECURRENCE-ID" not in event else [])]:
        starts.exdate(_local(left_out, zone))
    for added in _dates(event, "RDATE"):
        starts.rdate(_local(added, zone))
    contact = event.get("ORGANIZER") or event.get("CONTACT")
    return Occasion(name, starts, _length(event, start, first, zone), zone, str(contact) if contact else None)


def _length(event: Any, start: date, first: datetime, zone: tzinfo) -> timedelta:  # noqa: ANN401
    if "DTEND" in event:
        length = _local(_one(event, "DTEND"), zone) - first
    elif "DURATION" in event:
        length = cast("timedelta", _one(event, "DURATION"))
    else:
        return timedelta(0) if isinstance(start, datetime) else _DAY
    if length < timedelta(0):
        raise ValueError(f"the event {str(event.get('SUMMARY', 'freeze'))!r} ends before it starts")
    return length


def _one(event: Any, key: str) -> Any:  # noqa: ANN401
    """Return the value of a key that may be there once."""
    if isinstance(event[key], list):
        raise ValueError(f"the event {str(event.get('SUMMARY', 'freeze'))!r} has more than one {key}")
    return event[key].dt


def _rule(recur: Any, first: datetime, zone: tzinfo) -> rrule:  # noqa: ANN401
    if isinstance(recur, list):
        raise ValueError("an event may have one RRULE")
    until = recur.get("UNTIL")
    text = ";".join(part for part in recur.to_ical().decode().split(";") if not part.startswith("UNTIL="))
    rule = cast("rrule", rrulestr(text, dtstart=first))
    if until is None:
        return rule
    last = _local(until[0], zone)
    return rule.replace(until=last if isinstance(until[0], datetime) else last + _DAY - timedelta(seconds=1))


def _dates(event: Any, key: str) -> list[date]:  # noqa: ANN401
    found = event.get(key, [])
    lists = found if isinstance(found, list) else [found]
    return [entry.dt[0] if isinstance(entry.dt, tuple) else entry.dt for each in lists for entry in each.dts]


def _local(value: date, zone: tzinfo) -> datetime:
    """Return what the zone's clocks show; a day begins at midnight."""
    if not isinstance(value, datetime):
        return datetime.combine(value, time(0))
    return clock_at(value, zone) if value.tzinfo else value
