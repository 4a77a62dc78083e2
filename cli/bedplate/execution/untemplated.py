"""Extra variables as YAML in which no text is ever a template."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from yaml import ScalarNode
from yaml.resolver import Resolver

_BEYOND_BMP = re.compile("[\U00010000-\U0010ffff]")
_DELETE = "\x7f"
_RESOLVER = Resolver()
_TEXT = "tag:yaml.org,2002:str"


def untemplated_yaml(variables: Mapping[str, Any]) -> str:
    """Return variables as one YAML flow mapping in which every text, nested ones and keys too, stays plain text.

    Text is tagged `!unsafe`, but for words such as `true`, `3` or nothing at all: ansible-core 2.19 and newer would
    make a boolean, a number or null of them then, and no such word can be a template.

    Raises:
        TypeError: a value is no plain data.
    """
    return "{" + ", ".join(f"{_quoted(name)}: {_render(value)}" for name, value in variables.items()) + "}\n"


def _render(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, date):
        return _text(value.isoformat())
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(str(key))}: {_render(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_render, value)) + "]"
    return _render_scalar(value)


def _text(value: str) -> str:
    resolved = _RESOLVER.resolve(ScalarNode, value, (True, False))  # type: ignore[no-untyped-call]
    return _quoted(value) if resolved != _TEXT else f"!unsafe {_quoted(value)}"


def _render_scalar(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else (".inf" if value > 0 else "-.inf")
    if isinstance(value, bool | int | float) or value is None:
        return json.dumps(value)
    raise TypeError(f"not plain data: {type(value).__name__}")


def _quoted(text: str) -> str:
    """Return text as a double-quoted scalar in ASCII: JSON's escapes, but YAML's own beyond the BMP."""
    parts = []
    position = 0
    for match in _BEYOND_BMP.finditer(text):
        parts.append(json.dumps(text[position : match.start()])[1:-1])
        parts.append(f"\\U{ord(match[0]):08x}")
        position = match.end()
    parts.append(json.dumps(text[position:])[1:-1])
    return '"' + "".join(parts).replace(_DELETE, "\\x7f") + '"'
