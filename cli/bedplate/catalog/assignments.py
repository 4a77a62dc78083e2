"""Parameters as people give them: `-p name=value` and files."""

from __future__ import annotations

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
        tree = parse_yaml(text)
    except YamlError as error:
        key = f"{error.path[0]} " if error.path else ""
        raise ParameterError(f"{key}{error.sentence}", where=f"{where}:{error.line}") from error
    if tree.data is None:
        return {}
    if not isinstance(tree.data, dict):
        raise ParameterError("must be a mapping of parameter names to values", where=f"{where}:1")
    return tree.data
