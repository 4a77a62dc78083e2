"""The rules of parameter values: what each type accepts, and the canonical value that comes out.

`plugins/plugin_utils/parameters.py` of the collection has the same rules for plain Ansible and AWX. The cases in
`tests/fixtures/parameters/corpus.json` hold both to the same answers, sentences included.
"""

# ruff: noqa: ANN401 (values are whatever JSON and YAML have)

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bedplate.catalog.durations import EXAMPLE, format_duration, parse_duration

if TYPE_CHECKING:
    from bedplate.catalog.parameter import Parameter

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_NUMBER = re.compile(r"[+-]?([0-9]{1,18}(\.[0-9]{0,18})?|\.[0-9]{1,18})([eE][+-]?[0-9]{1,3})?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}", re.ASCII)
_GROUP = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,252}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f]")
_LINE_BREAK = re.compile(r"[\t\n\r\u2028\u2029]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_SHOWN = 60
_TOO_LARGE = 10**18  # of integers; as text they have 18 digits


class UnfitValueError(ValueError):
    """A value that a parameter does not accept; the message completes `parameter NAME …`.

    Args:
        expected: what would be right, such as `must be an integer`.
        got: the value as it is shown to people; None where it must not or cannot be shown.
    """

    def __init__(self, expected: str, got: str | None = None) -> None:
        super().__init__(expected if got is None else f"{expected}, not {got}")
        self.expected = expected


def convert(parameter: Parameter, value: Any) -> Any:
    """Return the canonical form of a value, given as typed text or as a value of JSON or YAML.

    Raises:
        UnfitValueError: the parameter does not accept it. The value of a secret is never in the message.
    """
    try:
        if value is None:
            raise UnfitValueError("must have a value, leave it out to get the default", "null")
        canonical = _CONVERTERS[parameter.type](parameter, value)
        if not (canonical == "" and not parameter.required):
            _check_bounds(parameter, canonical)
            _check_pattern(parameter, canonical)
    except UnfitValueError as unfit:
        if parameter.is_secret:
            raise UnfitValueError(unfit.expected) from None
        raise
    return canonical


def show(value: Any) -> str:
    """Return a value for a message: quoted, on one line, cut when long."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        text = repr(value if len(value) <= _SHOWN else value[:_SHOWN] + "…")
        return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
    if isinstance(value, int | float):
        text = repr(value)
        return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, Sequence) else str(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise UnfitValueError("must be text", show(value))
    text = str(value)
    if _SURROGATE.search(text):
        raise UnfitValueError("must be valid Unicode text")
    return text


def _filled(parameter: Parameter, text: str) -> str:
    if parameter.required and not text:
        raise UnfitValueError("must not be empty")
    return text


def _to_secret(parameter: Parameter, value: Any) -> str:
    return _filled(parameter, _text(value))


def _to_text(parameter: Parameter, value: Any) -> str:
    text = _text(value)
    if _CONTROL.search(text):
        raise UnfitValueError("must not have control characters", show(text))
    return _filled(parameter, text)


def _to_string(parameter: Parameter, value: Any) -> str:
    text = _text(value)
    if _LINE_BREAK.search(text):
        raise UnfitValueError("must be one line of text without tabs", show(text))
    return _to_text(parameter, text)


def _to_integer(_: Parameter, value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _TOO_LARGE:
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    raise UnfitValueError("must be an integer", show(value))


def _to_number(_: Parameter, value: Any) -> int | float:
    number: int | float | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        number = int(value) if abs(value) < _TOO_LARGE else None
    elif isinstance(value, float):
        number = float(value)
    elif isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        number = int(value) if _INTEGER.fullmatch(value.strip()) else float(value)
    if number is None or not math.isfinite(number):
        raise UnfitValueError("must be a number", show(value))
    return number


def _to_boolean(_: Parameter, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in _BOOLEANS:
        return _BOOLEANS[value.strip().lower()]
    raise UnfitValueError("must be true or false", show(value))


def _to_choice(parameter: Parameter, value: Any) -> str:
    if not isinstance(value, str):
        raise UnfitValueError("must be text", show(value))
    if parameter.choices and value not in parameter.choices:
        raise UnfitValueError(f"must be one of {', '.join(parameter.choices)}", show(value))
    return _filled(parameter, _to_string(parameter, value))


def _to_choices(parameter: Parameter, value: Any) -> list[str]:
    if isinstance(value, str):
        parts = re.split(r"[\r\n]+" if "\n" in value else ",", value)
        value = [part.strip() for part in parts if part.strip()]
    if not isinstance(value, Sequence):
        raise UnfitValueError("must be a list", show(value))
    chosen = list(dict.fromkeys(_to_choice(parameter, each) for each in value if _hashable(each)))
    if parameter.required and not chosen:
        raise UnfitValueError("must not be empty")
    return chosen


def _hashable(value: Any) -> bool:
    if not isinstance(value, str):
        raise UnfitValueError("must be a list of text", f"a list with {show(value)}")
    return True


def _to_host(_: Parameter, value: Any) -> str:
    if isinstance(value, str) and _HOST.fullmatch(value):
        return str(value)
    raise UnfitValueError("must be the name of one host", show(value))


def _to_group(_: Parameter, value: Any) -> str:
    if isinstance(value, str) and _GROUP.fullmatch(value):
        return str(value)
    raise UnfitValueError("must be the name of one group", show(value))


def _to_duration(_: Parameter, value: Any) -> str:
    try:
        return format_duration(parse_duration(value.strip()))
    except (ValueError, AttributeError):
        raise UnfitValueError(f"must be a duration such as {EXAMPLE}", show(value)) from None


def _to_date(_: Parameter, value: Any) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and _DATE.fullmatch(value.strip()):
        try:
            return date.fromisoformat(value.strip()).isoformat()
        except ValueError:
            pass
    raise UnfitValueError("must be a date such as 2026-03-31", show(value))


_CONVERTERS: Mapping[str, Callable[[Parameter, Any], Any]] = {
    "string": _to_string,
    "text": _to_text,
    "secret": _to_secret,
    "integer": _to_integer,
    "number": _to_number,
    "boolean": _to_boolean,
    "choice": _to_choice,
    "choices": _to_choices,
    "host": _to_host,
    "group": _to_group,
    "duration": _to_duration,
    "date": _to_date,
}


def measure(kind: str, canonical: Any) -> Any:
    """Return what `min` and `max` are compared with: the value, or the length of text and lists."""
    if kind in {"string", "text", "secret", "choices"}:
        return len(canonical)
    return parse_duration(canonical) if kind == "duration" else canonical


def bound(kind: str, limit: Any) -> Any:
    """Return `min` or `max` of a parameter in the form that `measure` gives."""
    return parse_duration(limit) if kind == "duration" and not isinstance(limit, timedelta) else limit


_BOUND_WORDS: Mapping[str, tuple[str, str]] = {
    "string": ("have at least {} characters", "have at most {} characters"),
    "text": ("have at least {} characters", "have at most {} characters"),
    "secret": ("have at least {} characters", "have at most {} characters"),
    "choices": ("have at least {} choices", "have at most {} choices"),
    "date": ("be {} or later", "be {} or earlier"),
}


def _check_bounds(parameter: Parameter, canonical: Any) -> None:
    kind = parameter.type
    low, high = _BOUND_WORDS.get(kind, ("be at least {}", "be at most {}"))
    size = measure(kind, canonical) if parameter.min is not None or parameter.max is not None else None
    got = str(size) if kind in {"string", "text", "secret", "choices"} else show(canonical)
    if parameter.min is not None and size < bound(kind, parameter.min):
        raise UnfitValueError(f"must {low.format(parameter.min)}", got)
    if parameter.max is not None and size > bound(kind, parameter.max):
        raise UnfitValueError(f"must {high.format(parameter.max)}", got)


def _check_pattern(parameter: Parameter, canonical: Any) -> None:
    if parameter.pattern is not None and not re.fullmatch(parameter.pattern, canonical):
        raise UnfitValueError(f"must match {parameter.pattern}", show(canonical))
