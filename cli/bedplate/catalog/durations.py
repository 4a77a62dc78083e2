"""Lengths of time as people write them: `90s`, `30m`, `1h30m`, `7d`, `2w`."""

from __future__ import annotations

import re
from datetime import timedelta

PATTERN = r"^(?=[0-9])([0-9]{1,6}w)?([0-9]{1,6}d)?([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$"
EXAMPLE = "30m or 1h30m"
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
_SECONDS = {"w": 604_800, **dict(_UNITS)}
_PART = re.compile(r"([0-9]{1,6})([wdhms])", re.ASCII)
_WHOLE = re.compile(PATTERN.removesuffix("$") + r"\Z", re.ASCII)


def parse_duration(text: str) -> timedelta:
    """Return the length of time that `text` means.

    Raises:
        ValueError: the text is not units in falling order, such as `1h30m`.
    """
    if not _WHOLE.match(text):
        raise ValueError(f"must be a duration such as {EXAMPLE}, not {text!r}")
    return timedelta(seconds=sum(int(count) * _SECONDS[unit] for count, unit in _PART.findall(text)))


def format_duration(length: timedelta) -> str:
    """Return the one canonical text of a length of time, in days, hours, minutes and seconds."""
    rest = int(length.total_seconds())
    parts = []
    for unit, seconds in _UNITS:
        count, rest = divmod(rest, seconds)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
