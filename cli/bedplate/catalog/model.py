"""What all parts of a manifest share: strict models, field types, and faults that know their key."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Annotated, Any, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictStr,
    WithJsonSchema,
)

from bedplate.catalog.durations import EXAMPLE, PATTERN, format_duration, parse_duration
from bedplate.catalog.rules import show

_LONGEST = timedelta(days=36_500)  # so that every moment that it leads to can be told


class Fault(NamedTuple):
    """What is wrong under a key; `path` is relative to the model that reports it."""

    path: tuple[str | int, ...]
    sentence: str


class ManifestFaultsError(ValueError):
    """Faults that only show when several keys are looked at together."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(fault.sentence for fault in faults))
        self.faults = faults


def raise_faults(faults: Iterable[Fault]) -> None:
    """Raise ManifestFaultsError if there are any."""
    found = tuple(faults)
    if found:
        raise ManifestFaultsError(found)


class ManifestModel(BaseModel):
    """A mapping of a manifest: unknown keys are faults, values are never converted silently."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=False)


def _duration(value: Any) -> timedelta:  # noqa: ANN401
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise ValueError(f"must be a duration such as {EXAMPLE}, not {show(value)}")
    length = parse_duration(value)
    if length > _LONGEST:
        raise ValueError(f"must be at most {format_duration(_LONGEST)}, not {show(value)}")
    return length


def _some_time(length: timedelta) -> timedelta:
    if not length:
        raise ValueError("must be more than 0s")
    return length


def _day(value: Any) -> date:  # noqa: ANN401
    if isinstance(value, date):
        return value
    try:
        if isinstance(value, str) and len(value) == 10:
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError(f"must be a date such as 2026-03-31, not {show(value)}")


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": PATTERN, "examples": ["30m", "1h30m", "7d"]}),
]
Span = Annotated[Duration, AfterValidator(_some_time)]
Day = Annotated[
    date,
    BeforeValidator(_day),
    PlainSerializer(date.isoformat, return_type=str),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-03-31"]}),
]
OneLine = Annotated[StrictStr, Field(min_length=1, max_length=160, pattern=r"^\S([^\r\n]*\S)?$")]
Slug = Annotated[StrictStr, Field(pattern=r"^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$", max_length=64)]
