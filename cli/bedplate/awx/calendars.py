"""Calendars: systemd's calendar events, as products have them, as the recurrence rules that AWX takes."""

from __future__ import annotations

import re

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WORDS = {
    "minutely": "*-*-* *:*:00",
    "hourly": "*-*-* *:00:00",
    "daily": "*-*-* 00:00:00",
    "weekly": "Mon *-*-* 00:00:00",
    "monthly": "*-*-01 00:00:00",
    "quarterly": "*-01,04,07,10-01 00:00:00",
    "semiannually": "*-01,07-01 00:00:00",
    "yearly": "*-01-01 00:00:00",
    "annually": "*-01-01 00:00:00",
}
_START = "20260101T000000"


class UnfitCalendarError(ValueError):
    """A calendar that AWX cannot follow; the message says what of it."""


def rrule_of(calendar: str, timezone: str) -> str:
    """Return the rule of a calendar event in a time zone.

    It starts in the past, on a fixed day, so that the same calendar always gives the same rule.

    Raises:
        UnfitCalendarError: AWX has no rule for it.
    """
    days, date, time = _split(_WORDS.get(calendar.strip().lower(), calendar.strip()))
    months, month_days = _date(date)
    hours, minutes = _time(time)
    parts = [_frequency(hours, minutes), "INTERVAL=1"]
    parts += [f"BYMONTH={_joined(months)}"] if months else []
    parts += [f"BYMONTHDAY={_joined(month_days)}"] if month_days else []
    parts += [f"BYDAY={','.join(_DAYS[day][:2].upper() for day in days)}"] if days else []
    parts += [f"BYHOUR={_joined(hours)}"] if hours else []
    parts += [f"BYMINUTE={_joined(minutes)}"] if minutes else []
    start = f"DTSTART:{_START}Z" if timezone == "UTC" else f"DTSTART;TZID={timezone}:{_START}"
    return f"{start} RRULE:{';'.join(parts)}"


def _split(text: str) -> tuple[list[int], str, str]:
    days: list[int] = []
    date, time = "*-*-*", "00:00:00"
    for word in text.split():
        if word[0].isalpha():
            days = _weekdays(word)
        elif ":" in word:
            time = word
        elif "-" in word:
            date = word
        else:
            raise UnfitCalendarError(f"{word!r} is neither days of the week, a date nor a time")
    return days, date, time


def _weekdays(word: str) -> list[int]:
    days: set[int] = set()
    for part in word.lower().strip(",").split(","):
        first, _, last = part.partition("..")
        try:
            begin, end = (_DAYS.index(name[:3]) for name in (first, last or first))
        except ValueError:
            raise UnfitCalendarError(f"{part!r} is no day of the week") from None
        days |= {(begin + offset) % 7 for offset in range((end - begin) % 7 + 1)}
    return sorted(days)


def _date(text: str) -> tuple[list[int], list[int]]:
    if "~" in text or "/" in text:
        raise UnfitCalendarError(f"AWX has no rule for the date {text!r}")
    parts = text.split("-")
    if len(parts) == 2:
        parts = ["*", *parts]
    if len(parts) != 3 or parts[0] != "*":
        raise UnfitCalendarError(f"AWX repeats every year, so the date {text!r} must begin with *-")
    return _numbers(parts[1], 1, 12), _numbers(parts[2], 1, 31)


def _time(text: str) -> tuple[list[int], list[int]]:
    parts = text.split(":")
    if len(parts) == 2:
        parts.append("00")
    if len(parts) != 3 or parts[2] not in {"0", "00"}:
        raise UnfitCalendarError(f"AWX starts on whole minutes, not at {text!r}")
    return _numbers(parts[0], 0, 23), _numbers(parts[1], 0, 59)


def _numbers(text: str, low: int, high: int) -> list[int]:
    """The numbers that a field names; empty for all of them."""
    if text == "*":
        return []
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"(?:(\*)|(\d{1,2})(?:\.\.(\d{1,2}))?)(?:/(\d{1,2}))?", part)
        if not match:
            raise UnfitCalendarError(f"{part!r} is not a number, a range or a step")
        star, first, last, step = match.groups()
        begin = low if star else int(first)
        end = int(last) if last else high if star or step else begin
        if not low <= begin <= end <= high or step == "0":
            raise UnfitCalendarError(f"{part!r} is not within {low} and {high}")
        found |= set(range(begin, end + 1, int(step or 1)))
    return sorted(found)


def _frequency(hours: list[int], minutes: list[int]) -> str:
    if minutes:
        return "FREQ=DAILY" if hours else "FREQ=HOURLY"
    return "FREQ=MINUTELY"


def _joined(numbers: list[int]) -> str:
    return ",".join(str(number) for number in numbers)
