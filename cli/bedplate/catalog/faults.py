"""Faults of manifests, with file, line and key, in the words of the person who wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bedplate.catalog.model import ManifestFaultsError
from bedplate.catalog.rules import show
from bedplate.errors import ManifestError


@dataclass(frozen=True)
class ManifestFault:
    """One thing that is wrong in a manifest.

    Attributes:
        file: the manifest, as people would name it.
        line, column: from 1.
        key: such as `parameters[0].type`; empty for the whole file.
        severity: an `error` makes the manifest unusable, a `warning` does not.
    """

    file: str
    line: int
    column: int
    key: str
    sentence: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        key = f"{self.key}: " if self.key else ""
        return f"{self.file}:{self.line}: {key}{self.sentence}"


class InvalidManifestError(ManifestError):
    """A manifest with faults; the message has one line for each."""

    def __init__(self, faults: Iterable[ManifestFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


def key_text(path: Sequence[str | int]) -> str:
    """Return a path as people write it, such as `parameters[0].type`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def explain(error: ValidationError, model: type[BaseModel]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield path and sentence of each fault; alternatives of one type count once."""
    seen: set[tuple[str | int, ...]] = set()
    for details in error.errors(include_url=False):
        path = _path(details)
        cause = details.get("ctx", {}).get("error")
        if isinstance(cause, ManifestFaultsError):
            yield from ((path + fault.path, fault.sentence) for fault in cause.faults)
        elif path not in seen:
            seen.add(path)
            yield path, _sentence(details, path, model)


def _path(details: ErrorDetails) -> tuple[str | int, ...]:
    """Return the path as the manifest has it. A key that nobody knows may look like anything."""
    parts = list(details["loc"])
    unknown = [parts.pop()] if details["type"] == "extra_forbidden" else []
    return (*(part for part in parts if isinstance(part, int) or not _is_alternative(part)), *unknown)


def _is_alternative(part: str) -> bool:
    """Pydantic names the alternative of a union in the path; no key of a manifest looks like that."""
    return part in {"bool", "int", "float", "str"} or not part.replace("_", "a").isidentifier() or "[" in part


def _sentence(details: ErrorDetails, path: tuple[str | int, ...], model: type[BaseModel]) -> str:
    kind = details["type"]
    if kind == "extra_forbidden":
        return _unknown_key(str(path[-1]), _keys_at(model, path[:-1]))
    if kind == "missing":
        return "is missing"
    return _value_sentence(kind, details)


def _value_sentence(kind: str, details: ErrorDetails) -> str:
    context, got = details.get("ctx", {}), show(details["input"])
    if kind == "value_error":
        return str(context["error"])
    if kind in {"literal_error", "enum"}:
        return f"must be one of {context['expected'].replace(' or ', ', ').replace(chr(39), '')}, not {got}"
    if kind in {"too_short", "string_too_short"} and context["min_length"] == 1:
        return "must not be empty"
    if kind in _SENTENCES:
        limits = {name: f"{value:g}" if isinstance(value, float) else value for name, value in context.items()}
        return f"{_SENTENCES[kind].format(**limits)}, not {got}"
    return details["msg"][0].lower() + details["msg"][1:]


_SENTENCES = {
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "int_type": "must be an integer",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "string_pattern_mismatch": "must match {pattern}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} entries",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}


def _unknown_key(key: str, known: Sequence[str]) -> str:
    near = get_close_matches(key, known, n=1)
    return f"unknown key; did you mean {near[0]}?" if near else f"unknown key; known are {', '.join(known)}"


def _keys_at(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    for part in path:
        if isinstance(part, str):
            found = _model_in(model.model_fields[part].annotation)
            if found is not None:
                model = found
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part)) is not None), None)
