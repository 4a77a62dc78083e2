"""Calendar events as systemd writes them, and what cron makes of them."""

from __future__ import annotations

import re
from typing import NamedTuple

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SHORTHANDS = {
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
_PART = r"(?:\*|[0-9]+(?:\.\.[0-9]+)?(?:/[0-9]+)?)"
_LIST = rf"{_PART}(?:,{_PART})*"
_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*"
_EVENT = re.compile(
    rf"(?:(?P<weekdays>{_DAY}(?:(?:,|\.\.){_DAY})*)(?:\s+|$))?"
    rf"(?:(?:(?P<years>{_LIST})-)?(?P<months>{_LIST})(?P<mark>[-~])(?P<days>{_LIST})(?:\s+|$))?"
    rf"(?:(?P<hours>{_LIST}):(?P<minutes>{_LIST})(?::(?P<seconds>{_LIST}))?)?",
    re.IGNORECASE | re.ASCII,
)
_NUMBERS = re.compile(r"([0-9]+)(?:\.\.([0-9]+))?(?:/([0-9]+))?", re.ASCII)
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_RANGES = {
    "years": (1970, 2199),
    "months": (1, 12),
    "days": (1, 31),
    "hours": (0, 23),
    "minutes": (0, 59),
    "seconds": (0, 59),
}


class CalendarEvent(NamedTuple):
    """The parts of a calendar event, as they were written; None where nothing was."""

    weekdays: str | None
    years: str | None
    months: str
    days: str
    hours: str
    minutes: str
    seconds: str
    from_the_end: bool


def parse_calendar(text: str) -> CalendarEvent:
    """Return the parts of a calendar event such as `Mon..Fri 02:30`, `*-*-01 06:00` or `daily`.

    Raises:
        ValueError: it is not one, or has a time zone, which has a key of its own.
    """
    found = _EVENT.fullmatch(_SHORTHANDS.get(text.strip().lower(), text.strip()))
    if not found or not any(found.groups()):
        raise ValueError(f"must be a calendar event of systemd, such as Mon..Fri 02:30, not {text!r}")
    for name, (low, high) in _RANGES.items():
        _check_range(name, found[name] or "", low, 28 if name == "days" and found["mark"] == "~" else high)
    _check_days(found["months"] or "*", found["days"] or "*")
    weekday_numbers(found["weekdays"])
    return CalendarEvent(
        found["weekdays"], found["years"], found["months"] or "*", found["days"] or "*", found["hours"] or "0",
        found["minutes"] or "0", found["seconds"] or "0", found["mark"] == "~",
    )  # fmt: skip


def _check_range(name: str, text: str, low: int, high: int) -> None:
    for part in text.split(","):
        found = _NUMBERS.fullmatch(part)
        if found is None:  # a star, or nothing
            continue
        first, last, step = (int(number) if number else None for number in found.groups())
        for number in (first, last):
            if number is not None and not low <= number <= high:
                raise ValueError(f"has {name} from {low} to {high}, not {number}")
        if first is not None and last is not None and last < first:
            raise ValueError(f"has {name} that end before they begin: {part}")
        if step is not None and not 0 < step <= high - (0 if last is not None else first or 0):
            raise ValueError(f"has {name} with a step that leads nowhere: {part}")


def _check_days(months: str, days: str) -> None:
    """Look whether one of the days is in one of the months, where both are plain numbers."""
    if not re.fullmatch(r"[0-9,]+", months) or not re.fullmatch(r"[0-9,]+", days):
        return
    if min(map(int, days.split(","))) > max(_MONTH_DAYS[int(month) - 1] for month in months.split(",")):
        raise ValueError(f"has a day that never comes: {months}-{days}")


def cron_fields(event: CalendarEvent) -> str:
    """Return the five fields of cron.

    Raises:
        ValueError: cron cannot say that.
    """
    if event.from_the_end or event.years not in {None, "*"} or event.seconds.strip("0"):
        raise ValueError("cron knows no years, no seconds and no days from the end of a month")
    if event.weekdays and event.days != "*":
        raise ValueError("cron takes either days of the week or days of the month, where both must hold here")
    ends = {"minutes": 59, "hours": 23, "days": 31, "months": 12}
    fields = [_cron(getattr(event, name), end) for name, end in ends.items()]
    return " ".join([*fields, _cron_weekdays(event.weekdays)])


def _cron(part: str, end: int) -> str:
    """Return a list in cron's words: plain numbers, `-` for ranges, and a start with a step as a range."""
    words = []
    for each in part.split(","):
        start, slash, step = each.partition("/")
        low, dots, high = start.partition("..")
        text = low if low == "*" else str(int(low))
        if dots or slash:
            text += f"-{int(high) if dots else end}"
        words.append(f"{text}/{int(step)}" if slash else text)
    return ",".join(words)


def _cron_weekdays(weekdays: str | None) -> str:
    return ",".join(str(number + 1) for number in weekday_numbers(weekdays)) or "*"


def weekday_numbers(text: str | None) -> list[int]:
    """Return the days of the week that an event names, 0 for Monday; none where it names none."""
    numbers: set[int] = set()
    for part in text.split(",") if text else ():
        first, dots, last = part.partition("..")
        begin, end = _weekday(first), _weekday(last if dots else first)
        if end < begin:
            raise ValueError(
                f"has {part}, which goes over the end of the week; write {first},{last} and what is between"
            )
        numbers.update(range(begin, end + 1))
    return sorted(numbers)


def _weekday(name: str) -> int:
    """Return 0 for Monday up to 6 for Sunday."""
    full = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    lowered = name.lower()
    for number, (short, whole) in enumerate(zip(_DAYS, full, strict=True)):
        if lowered in {short, whole}:
            return number
    raise ValueError(f"there is no day of the week {name!r}")
