"""Calendars: systemd's calendar events, as products have them, as the recurrence rules that AWX takes."""

from __future__ import annotations

from bedplate.catalog.calendar import CalendarEvent, parse_calendar, weekday_numbers

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_START = "20260101T000000"


class UnfitCalendarError(ValueError):
    """A calendar that AWX cannot follow; the message says what of it."""


def rrule_of(calendar: str, timezone: str) -> str:
    """Return the rule of a calendar event in a time zone.

    It starts in the past, on a fixed day, so that the same calendar always gives the same rule.

    Raises:
        UnfitCalendarError: AWX has no rule for it.
    """
    event = _event(calendar)
    hours, minutes = _numbers(event.hours, 0, 23), _numbers(event.minutes, 0, 59)
    parts = {
        "FREQ": _frequency(hours, minutes),
        "INTERVAL": "1",
        "BYMONTH": _joined(_numbers(event.months, 1, 12)),
        "BYMONTHDAY": _joined(_numbers(event.days, 1, 31)),
        "BYDAY": ",".join(_DAYS[number] for number in weekday_numbers(event.weekdays)),
        "BYHOUR": _joined(hours),
        "BYMINUTE": _joined(minutes),
    }
    rule = ";".join(f"{key}={value}" for key, value in parts.items() if value)
    start = f"DTSTART:{_START}Z" if timezone == "UTC" else f"DTSTART;TZID={timezone}:{_START}"
    return f"{start} RRULE:{rule}"


def _event(calendar: str) -> CalendarEvent:
    try:
        event = parse_calendar(calendar)
    except ValueError as error:
        raise UnfitCalendarError(f"it {error}") from error
    if event.from_the_end or event.years not in {None, "*"} or event.seconds.strip("0"):
        raise UnfitCalendarError("AWX is given no years, no seconds and no days from the end of a month")
    return event


def _numbers(text: str, low: int, high: int) -> list[int]:
    """The numbers that a field names; empty for all of them."""
    if text == "*":
        return []
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        first, dots, last = span.partition("..")
        begin = low if first == "*" else int(first)
        end = int(last) if dots else high if slash or first == "*" else begin
        found.update(range(begin, end + 1, int(step or 1)))
    return sorted(found)


def _frequency(hours: list[int], minutes: list[int]) -> str:
    if not minutes:
        return "MINUTELY"
    return "DAILY" if hours else "HOURLY"


def _joined(numbers: list[int]) -> str:
    return ",".join(str(number) for number in numbers)
