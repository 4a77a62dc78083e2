"""Times on the command line: `2h`, `3d`, `2026-11-20`, `2026-11-20T08:00`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

_UNITS = {"s": "seconds", "min": "minutes", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGE = re.compile(r"(\d+)\s*(s|min|m|h|d|w)")

_LONGEST = timedelta(days=36_500)  # from now, both ways, every moment can be told


def parse_age(text: str) -> timedelta:
    """Return `text` such as `90s`, `5min`, `2h`, `30d` as a duration.

    Raises:
        ValueError: it is not one.
    """
    match = _AGE.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{text!r} is no duration; write a number and s, min, h, d or w, such as 2h")
    try:
        length = timedelta(**{_UNITS[match[2]]: int(match[1])})
    except (OverflowError, ValueError):
        length = timedelta.max
    if length > _LONGEST:
        raise ValueError(f"{text!r} is too long; at most {_LONGEST.days} d")
    return length


class Length(click.ParamType[timedelta]):
    """A length of time: `90s`, `30m`, `2h`."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:  # noqa: ANN401
        if isinstance(value, timedelta):
            return value
        try:
            return parse_age(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Moment(click.ParamType[datetime]):
    """A moment: how long ago (`2h`, `3d`), or a date with or without a time in the local zone."""

    name = "when"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # noqa: ANN401
        if isinstance(value, datetime):
            return value
        try:
            return datetime.now(UTC) - parse_age(value)
        except ValueError:
            pass
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no moment; write 2h, 3d, 2026-11-20 or 2026-11-20T08:00", param, ctx)
