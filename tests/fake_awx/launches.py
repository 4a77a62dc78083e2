"""What AWX checks of survey answers, in launches and schedules; each sentence was recorded."""

from __future__ import annotations

from typing import Any

from fake_awx.answers import Answer


def check_answers(survey: dict[str, Any], answers: dict[str, Any]) -> None:
    """Raise the Answer that AWX gives to answers that it does not take."""
    faults = []
    for item in survey.get("spec", []):
        name = item["variable"]
        if name not in answers:
            faults += [f"'{name}' value missing"] if item["required"] else []
        else:
            faults += _faults(item, answers[name])
    if faults:
        raise Answer(400, {"variables_needed_to_start": faults})


def filled(survey: dict[str, Any], answers: dict[str, Any]) -> dict[str, Any]:
    """The variables of a job: answers, and defaults of what is optional; secrets are not shown."""
    variables = {}
    for item in survey.get("spec", []):
        name = item["variable"]
        if name in answers:
            variables[name] = answers[name]
        elif "default" in item and not item["required"] and item["type"] != "multiselect":
            variables[name] = item["default"]
        if name in variables and item["type"] == "password":
            variables[name] = "$encrypted$"
    return variables


def _faults(item: dict[str, Any], value: Any) -> list[str]:
    name, kind = item["variable"], item["type"]
    if kind == "multiselect":
        if not isinstance(value, list):
            return [f"'{name}' value is expected to be a list."]
        return [fault for each in value for fault in _choice_faults(item, each)]
    if kind == "multiplechoice":
        return _choice_faults(item, value)
    if kind in {"integer", "float"}:
        return _number_faults(item, value)
    return _text_faults(item, value)


def _text_faults(item: dict[str, Any], value: Any) -> list[str]:
    name = item["variable"]
    if not isinstance(value, str):
        return [f"Value {value} for '{name}' expected to be a string."]
    if item.get("min") is not None and len(value) < item["min"]:
        return [f"'{name}' value {value} is too small (length is {len(value)} must be at least {item['min']})."]
    if item.get("max") is not None and len(value) > item["max"]:
        return [f"'{name}' value {value} is too large (must be no more than {item['max']})."]
    return []


def _number_faults(item: dict[str, Any], value: Any) -> list[str]:
    name = item["variable"]
    if item["type"] == "integer" and not isinstance(value, int):
        return [f"Value {value} for '{name}' expected to be an integer."]
    if not isinstance(value, int | float):
        return [f"Value {value} for '{name}' expected to be a numeric type."]
    if item.get("min") is not None and value < item["min"]:
        return [f"'{name}' value {value} is too small (must be at least {item['min']})."]
    if item.get("max") is not None and value > item["max"]:
        return [f"'{name}' value {value} is too large (must be no more than {item['max']})."]
    return []


def _choice_faults(item: dict[str, Any], value: Any) -> list[str]:
    choices = item["choices"].split("\n") if isinstance(item["choices"], str) else item["choices"]
    return [] if value in choices else [f"Value {value} for '{item['variable']}' expected to be one of {choices}."]
