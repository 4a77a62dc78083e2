"""What AWX checks of a survey, and what not; each sentence was recorded."""

from __future__ import annotations

from typing import Any

from fake_awx.answers import Answer

_TYPES = ("text", "textarea", "password", "multiplechoice", "multiselect", "integer", "float")
_STRINGS = {"text", "textarea", "password", "multiplechoice", "multiselect"}


def check_survey(spec: Any, existing: dict[str, Any] | None) -> None:
    """Raise the Answer that AWX gives to a survey that it does not take."""
    for field in ("name", "description", "spec"):
        if field not in spec:
            raise _no(f"Field '{field}' is missing from survey spec.")
    for field in ("name", "description"):
        # The recorded server takes null for a description, but not for a name.
        if not isinstance(spec[field], str) and not (field == "description" and spec[field] is None):
            raise _no(f"Expected string for field '{field}', received {type(spec[field]).__name__} type.")
    if not spec["spec"]:
        raise _no("'spec' doesn't contain any items.")
    old = {item["variable"]: item for item in (existing or {}).get("spec", [])}
    seen: set[str] = set()
    for index, item in enumerate(spec["spec"]):
        _check_item(index, item, old)
        if item["variable"] in seen:
            raise _no(f"'variable' '{item['variable']}' duplicated in survey question {index}.")
        seen.add(item["variable"])


def _check_item(index: int, item: dict[str, Any], old: dict[str, Any]) -> None:
    for key in ("type", "question_name", "variable", "required"):
        if key not in item:
            raise _no(f"'{key}' missing from survey question {index}")
    if item["type"] not in _TYPES:
        kind = item["type"]
        raise _no(f"'{kind}' in survey question {index} is not one of '{', '.join(_TYPES)}' allowed question types.")
    if not isinstance(item["required"], bool):
        raise _no(f"'required' in survey question {index} expected to be boolean.")
    if "default" in item and item["default"] != "":
        _check_default(index, item, old)
    for key in ("min", "max"):
        if item.get(key) is not None and not isinstance(item[key], int):
            raise _no(f"The {key} limit in survey question {index} expected to be integer.")
    if item["type"] in {"multiplechoice", "multiselect"}:
        _check_choices(index, item)


def _check_default(index: int, item: dict[str, Any], old: dict[str, Any]) -> None:
    default, kind = item["default"], item["type"]
    expected, types = (
        ("string", str) if kind in _STRINGS else ("integer", int) if kind == "integer" else ("float", float)
    )
    if not isinstance(default, types) and not (kind == "float" and isinstance(default, int)):
        raise _no(f"Default value {default} in survey question {index} expected to be {expected}.")
    if default != "$encrypted$":
        return
    if kind != "password":
        raise _no(
            f"$encrypted$ is a reserved keyword for password question defaults, survey question {index} is type {kind}."
        )
    if item["variable"] not in old:
        raise _no(f"$encrypted$ is a reserved keyword, may not be used for new default in position {index}.")


def _check_choices(index: int, item: dict[str, Any]) -> None:
    if "choices" not in item:
        raise _no(f"Survey question {index} of type {item['type']} must specify choices.")
    default = item.get("default")
    if not default:
        return
    choices = item["choices"]
    wanted = default.split("\n") if item["type"] == "multiselect" else [default]
    if any(each not in choices for each in wanted):  # in a string, a part of it is enough
        raise _no("Default choice must be answered from the choices listed.")


def _no(sentence: str) -> Answer:
    return Answer(400, {"error": sentence})
