# Copyright: (c) 2026, The Bedplate developers
# Apache-2.0 (see LICENSE)
"""The rules of product parameters for plain Ansible and AWX.

The `bedplate` command has the same rules; the cases in tests/fixtures/parameters/corpus.json hold both to the same
answers, sentences included. A parameter is a mapping as it stands in the product's manifest.
"""

# ruff: noqa: ANN401 (values are whatever JSON and YAML have)

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_NUMBER = re.compile(r"[+-]?([0-9]{1,18}(\.[0-9]{0,18})?|\.[0-9]{1,18})([eE][+-]?[0-9]{1,3})?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}", re.ASCII)
_GROUP = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,252}", re.ASCII)
_DURATION = re.compile(r"(?=[0-9])([0-9]{1,6}w)?([0-9]{1,6}d)?([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?", re.ASCII)
_DURATION_PART = re.compile(r"([0-9]{1,6})([wdhms])", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f]")
_LINE_BREAK = re.compile(r"[\t\n\r\u2028\u2029]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_NOT_IN_GROUP_NAMES = re.compile(r"[^A-Za-z0-9_]")
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_SECONDS = dict(_UNITS, w=604800)
_LENGTHS = frozenset(["string", "text", "secret", "choices"])
_BOUND_WORDS = {
    "string": ("have at least {0} characters", "have at most {0} characters"),
    "text": ("have at least {0} characters", "have at most {0} characters"),
    "secret": ("have at least {0} characters", "have at most {0} characters"),
    "choices": ("have at least {0} choices", "have at most {0} choices"),
    "date": ("be {0} or later", "be {0} or earlier"),
}
_PREFIXES = {"sites": "site_", "tenants": "tenant_"}
_SHOWN = 60
_TOO_LARGE = 10**18  # of integers; as text they have 18 digits


class UnfitValueError(ValueError):
    """A value that a parameter does not accept; the message completes `parameter NAME ...`."""

    def __init__(self, expected: str, got: str | None = None) -> None:
        super().__init__(expected if got is None else "%s, not %s" % (expected, got))
        self.expected = expected


class FleetNames:
    """The names of the inventory that a play knows.

    Args:
        hosts: names of hosts.
        groups: names of groups, among them `site_...` and `tenant_...`.
        answers: parameter name -> what its command accepts.

    What is None is not known, and nothing is checked against it.
    """

    def __init__(
        self,
        hosts: Collection[str] | None = None,
        groups: Collection[str] | None = None,
        answers: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self._hosts = hosts
        self._groups = groups
        self._answers = answers or {}

    def check(self, parameter: Mapping[str, Any], name: str) -> None:
        """Raise UnfitValueError if what the parameter's answers come from is known and has no such name."""
        source = _source(parameter)
        prefix = _PREFIXES.get(source, "")
        known = self._known(parameter, source, prefix)
        if known is None or (_NOT_IN_GROUP_NAMES.sub("_", name) if prefix else name) in known:
            return
        near = get_close_matches(name, known, n=1)
        tail = "; did you mean %s?" % near[0] if near else ""
        command = parameter.get("choices_command")
        place = "what %s says" % command[0] if command else "the inventory's %s" % source
        raise UnfitValueError("must be one of %s" % place, show(name) + tail)

    def _known(self, parameter: Mapping[str, Any], source: str | None, prefix: str) -> list[str] | None:
        if source == "command":
            names = self._answers.get(parameter["name"])
        else:
            names = self._hosts if source == "hosts" else self._groups
        if source is None or names is None:
            return None
        return [each[len(prefix) :] for each in names if each.startswith(prefix)]


def _source(parameter: Mapping[str, Any]) -> str | None:
    return {"host": "hosts", "group": "groups"}.get(parameter.get("type")) or parameter.get("choices_from")


def is_secret(parameter: Mapping[str, Any]) -> bool:
    """Return whether the value must be kept out of messages and results."""
    return bool(parameter.get("secret")) or parameter.get("type") == "secret"


def resolve(
    parameters: Sequence[Mapping[str, Any]], given: Mapping[str, Any], fleet: FleetNames | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Check values and add defaults.

    Args:
        parameters: the manifest's list of parameters.
        given: parameter name -> value; other names are left alone.
        fleet: FleetNames to check names of hosts and groups against; None to leave them unchecked.

    Returns:
        (canonical values by name, list of sentences on what is wrong)
    """
    values = {}
    faults = []
    for parameter in parameters:
        try:
            values.update(_resolve(parameter, given, values, fleet))
        except UnfitValueError as unfit:
            faults.append("parameter %s %s" % (parameter["name"], unfit))
    return values, faults


def _resolve(
    parameter: Mapping[str, Any], given: Mapping[str, Any], values: Mapping[str, Any], fleet: FleetNames | None
) -> dict[str, Any]:
    name = parameter["name"]
    when = parameter.get("when") or {}
    asked = all(other in values and _same(values[other], answer) for other, answer in when.items())
    # Forms such as AWX's send an empty answer to a question that is not to be answered: it is none.
    if name in given and (asked or given[name] not in ("", [])):
        if not asked:
            condition = " and ".join("%s is %s" % (other, show(answer)) for other, answer in when.items())
            raise UnfitValueError("only applies when %s; leave it out" % condition)
        value = convert(parameter, given[name])
        _check_fleet(parameter, value, fleet)
        return {name: value}
    if asked and parameter.get("required"):
        raise UnfitValueError("is required")
    if not asked or parameter.get("default") is None:
        return {}
    return {name: convert(parameter, parameter["default"])}


def _same(value: Any, answer: Any) -> bool:
    return isinstance(value, bool) == isinstance(answer, bool) and value == answer


def _check_fleet(parameter: Mapping[str, Any], value: Any, fleet: FleetNames | None) -> None:
    if fleet is not None and _source(parameter) is not None:
        for name in value if isinstance(value, list) else [value]:
            fleet.check(parameter, name)


def convert(parameter: Mapping[str, Any], value: Any) -> Any:
    """Return the canonical form of a value, given as text or as a value of JSON or YAML.

    Raises:
        UnfitValueError: the parameter does not accept it. The value of a secret is never in the message.
    """
    try:
        if value is None:
            raise UnfitValueError("must have a value, leave it out to get the default", "null")
        canonical = _CONVERTERS[parameter.get("type", "string")](parameter, value)
        if canonical != "" or parameter.get("required"):
            _check_bounds(parameter, canonical)
            _check_pattern(parameter, canonical)
    except UnfitValueError as unfit:
        if is_secret(parameter):
            raise UnfitValueError(unfit.expected) from None
        raise
    return canonical


def show(value: Any) -> str:
    """Return a value for a message: quoted, on one line, cut when long."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        text = repr(str(value) if len(value) <= _SHOWN else str(value[:_SHOWN]) + "\u2026")
        return _SURROGATE.sub("\ufffd", text)
    if isinstance(value, float):
        return repr(float(value))
    if isinstance(value, int):
        text = repr(int(value))
        return text if len(text) <= _SHOWN else text[:_SHOWN] + "\u2026"
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, Sequence) else str(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise UnfitValueError("must be text", show(value))
    if _SURROGATE.search(value):
        raise UnfitValueError("must be valid Unicode text")
    return str(value)


def _filled(parameter: Mapping[str, Any], text: str) -> str:
    if parameter.get("required") and not text:
        raise UnfitValueError("must not be empty")
    return text


def _to_secret(parameter: Mapping[str, Any], value: Any) -> str:
    return _filled(parameter, _text(value))


def _to_text(parameter: Mapping[str, Any], value: Any) -> str:
    text = _text(value)
    if _CONTROL.search(text):
        raise UnfitValueError("must not have control characters", show(text))
    return _filled(parameter, text)


def _to_string(parameter: Mapping[str, Any], value: Any) -> str:
    text = _text(value)
    if _LINE_BREAK.search(text):
        raise UnfitValueError("must be one line of text without tabs", show(text))
    return _to_text(parameter, text)


def _to_integer(_: Mapping[str, Any], value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _TOO_LARGE:
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    raise UnfitValueError("must be an integer", show(value))


def _to_number(_: Mapping[str, Any], value: Any) -> int | float:
    number = None
    if isinstance(value, int) and not isinstance(value, bool):
        number = int(value) if abs(value) < _TOO_LARGE else None
    elif isinstance(value, float):
        number = float(value)
    elif isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        number = int(value) if _INTEGER.fullmatch(value.strip()) else float(value)
    if number is None or not math.isfinite(number):
        raise UnfitValueError("must be a number", show(value))
    return number


def _to_boolean(_: Mapping[str, Any], value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in _BOOLEANS:
        return _BOOLEANS[value.strip().lower()]
    raise UnfitValueError("must be true or false", show(value))


def _to_choice(parameter: Mapping[str, Any], value: Any) -> str:
    if not isinstance(value, str):
        raise UnfitValueError("must be text", show(value))
    choices = parameter.get("choices")
    if choices and value not in choices:
        raise UnfitValueError("must be one of %s" % ", ".join(choices), show(value))
    return _filled(parameter, _to_string(parameter, value))


def _to_choices(parameter: Mapping[str, Any], value: Any) -> list[str]:
    if isinstance(value, str):
        parts = re.split(r"[\r\n]+" if "\n" in value else ",", value)
        value = [part.strip() for part in parts if part.strip()]
    if not isinstance(value, Sequence):
        raise UnfitValueError("must be a list", show(value))
    for each in value:
        if not isinstance(each, str):
            raise UnfitValueError("must be a list of text", "a list with %s" % show(each))
    chosen = list(dict.fromkeys(_to_choice(parameter, each) for each in value))
    if parameter.get("required") and not chosen:
        raise UnfitValueError("must not be empty")
    return chosen


def _to_host(_: Mapping[str, Any], value: Any) -> str:
    if isinstance(value, str) and _HOST.fullmatch(value):
        return str(value)
    raise UnfitValueError("must be the name of one host", show(value))


def _to_group(_: Mapping[str, Any], value: Any) -> str:
    if isinstance(value, str) and _GROUP.fullmatch(value):
        return str(value)
    raise UnfitValueError("must be the name of one group", show(value))


def _to_duration(_: Mapping[str, Any], value: Any) -> str:
    if not isinstance(value, str) or not _DURATION.fullmatch(value.strip()):
        raise UnfitValueError("must be a duration such as 30m or 1h30m", show(value))
    rest = duration_seconds(value)
    text = ""
    for unit, seconds in _UNITS:
        count, rest = divmod(rest, seconds)
        if count:
            text += "%d%s" % (count, unit)
    return text or "0s"


def duration_seconds(duration: str) -> int:
    """Return how many seconds a duration in its canonical form is."""
    return sum(int(count) * _SECONDS[unit] for count, unit in _DURATION_PART.findall(duration))


def _to_date(_: Mapping[str, Any], value: Any) -> str:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, str) and _DATE.fullmatch(value.strip()):
        try:
            return dt.date.fromisoformat(value.strip()).isoformat()
        except ValueError:
            pass
    raise UnfitValueError("must be a date such as 2026-03-31", show(value))


_CONVERTERS = {
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


def _check_bounds(parameter: Mapping[str, Any], canonical: Any) -> None:
    kind = parameter.get("type", "string")
    low, high = _BOUND_WORDS.get(kind, ("be at least {0}", "be at most {0}"))
    size = len(canonical) if kind in _LENGTHS else canonical
    got = str(size) if kind in _LENGTHS else show(canonical)
    if parameter.get("min") is not None and _order(kind, size) < _order(kind, parameter["min"]):
        raise UnfitValueError("must " + low.format(parameter["min"]), got)
    if parameter.get("max") is not None and _order(kind, size) > _order(kind, parameter["max"]):
        raise UnfitValueError("must " + high.format(parameter["max"]), got)


def _order(kind: str, value: Any) -> Any:
    return duration_seconds(value) if kind == "duration" else value


def _check_pattern(parameter: Mapping[str, Any], canonical: Any) -> None:
    pattern = parameter.get("pattern")
    if pattern is not None and not re.fullmatch(pattern, canonical):
        raise UnfitValueError("must match %s" % pattern, show(canonical))
