"""Parameters as people give them: `-p name=value` and files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from bedplate.catalog.yaml_tree import YamlError, parse_yaml
from bedplate.errors import ParameterError


def parse_assignments(assignments: Iterable[str]) -> dict[str, str]:
    """Return parameter name → text of `name=value` words; only the first `=` separates.

    Raises:
        ParameterError: a word without `=` or a name, or a name that is there twice.
    """
    given: dict[str, str] = {}
    for number, assignment in enumerate(assignments, start=1):
        name, separator, value = assignment.partition("=")
        name = name.strip()
        if not separator or not name:
            # The word may be a secret whose name was forgotten: it is not repeated.
            raise ParameterError("must be name=value", where=f"-p number {number}")
        if name in given:
            raise ParameterError(f"parameter {name} is given twice", where=f"-p number {number}")
        given[name] = value
    return given


def parse_parameters(text: str, where: str) -> dict[str, Any]:
    """Return the parameters in a YAML or JSON text: one mapping of names to values.

    Args:
        text: the file's text.
        where: the file's name, for messages.

    Raises:
        ParameterError: it is no mapping, or not YAML; file and line are named.
    """
    try:
        data = _json(text) or parse_yaml(text).data
    except YamlError as error:
        key = f"{error.path[0]} " if error.path else ""
        raise ParameterError(f"{key}{error.sentence}", where=f"{where}:{error.line}") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ParameterError("must be a mapping of parameter names to values", where=f"{where}:1")
    return data


def _json(text: str) -> Any:  # noqa: ANN401
    """Return what JSON says, which has escapes that YAML lacks; None where YAML has to look, and to name faults."""
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise ValueError("a key is there twice")
    return mapping
