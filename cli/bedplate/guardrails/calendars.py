"""Freeze calendars: times in which nothing is changed, as YAML or iCalendar text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import yaml

from bedplate.guardrails.moments import in_utc, moment, moved, zone_of

_DAY_LENGTH = len("2026-12-24")
_KEYS = {"name", "from", "to", "contact"}


@dataclass(frozen=True)
class Freeze:
    """A time in which nothing is changed: from `start` until just before `end`, both UTC.

    Attributes:
        contact: who can help.
    """

    name: str
    start: datetime
    end: datetime
    contact: str | None = None


class Calendar(Protocol):
    """Knows the freezes."""

    def at(self, now: datetime) -> Freeze | None:
        """Return the freeze that holds at a moment, if there is one."""


@dataclass(frozen=True)
class FixedCalendar:
    """A list of freezes."""

    freezes: Sequence[Freeze] = ()

    def at(self, now: datetime) -> Freeze | None:
        """Return the freeze that holds at a moment, if there is one."""
        return next((freeze for freeze in self.freezes if freeze.start <= now < freeze.end), None)


def parse_calendar(text: str) -> Calendar:
    """Return the calendar of a file's text, iCalendar if it begins so, else YAML.

    Raises:
        ValueError: it is neither; says what is wrong.
    """
    if text.lstrip("\ufeff \r\n").upper().startswith("BEGIN:VCALENDAR"):
        from bedplate.guardrails.icalendars import parse_icalendar  # noqa: PLC0415 (slow to import)

        try:
            return parse_icalendar(text)
        except (
            AttributeError,
            IndexError,
            KeyError,
            TypeError,
        ) as error:  # the parser's own, over what it is not made for
            raise ValueError(f"cannot be read as iCalendar: {error}") from error
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # such as of 2026-02-30
        raise ValueError(f"is neither iCalendar nor YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict) or not isinstance(document.get("freezes"), list):
        raise ValueError("must be a mapping with a list `freezes`")
    unknown = sorted(map(str, document.keys() - {"freezes", "timezone"}))
    if unknown:
        raise ValueError(f"unknown key {unknown[0]}; known are freezes and timezone")
    zone = zone_of(str(document.get("timezone", "UTC")))
    return FixedCalendar([_freeze(entry, f"freezes[{i}]", zone) for i, entry in enumerate(document["freezes"])])


def _freeze(entry: Any, where: str, zone: ZoneInfo) -> Freeze:  # noqa: ANN401
    if not isinstance(entry, Mapping) or not {"name", "from", "to"} <= entry.keys():
        raise ValueError(f"{where} must have name, from and to")
    if entry.keys() - _KEYS:
        raise ValueError(f"{where}: unknown key {min(map(str, entry.keys() - _KEYS))}")
    start = as_moment(entry["from"], zone, f"{where}.from")
    end = as_moment(entry["to"], zone, f"{where}.to", end=True)
    if end <= start:
        raise ValueError(f"{where}: to must be after from")
    contact = entry.get("contact")
    if not isinstance(contact, str | None):
        raise ValueError(f"{where}.contact must be text; quote it")
    return Freeze(str(entry["name"]), start, end, contact)


def as_moment(value: Any, zone: ZoneInfo, where: str, *, end: bool = False) -> datetime:  # noqa: ANN401
    """Return a day or a time as a moment; a day that is an end is in it as a whole.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, str):
        try:
            value = (date if len(value) == _DAY_LENGTH else datetime).fromisoformat(value)
        except ValueError:
            raise ValueError(f"{where} must be a day or a time such as 2026-12-24T12:00, not {value!r}") from None
    if isinstance(value, datetime):
        return in_utc(value) if value.tzinfo else moment(value.date(), value.time(), zone)
    if isinstance(value, date):
        midnight = moved(datetime.combine(value, time(0)), timedelta(days=1 if end else 0))
        return moment(midnight.date(), midnight.time(), zone)
    raise ValueError(f"{where} must be a day or a time such as 2026-12-24T12:00, not {value!r}")
