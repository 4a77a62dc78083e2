"""Surveys: a product's parameters as AWX can ask them.

AWX has no boolean, pattern, condition, host, group, date or duration. These become the nearest question, their rule is
in its description, and `bedplate.datacenter.validate_parameters`, the first task of every product, holds them to it.
AWX sends the default of each optional question, even when it is empty or when its condition does not hold; so neither
is in the survey, and the playbook's first task fills in what the manifest says.
"""

from __future__ import annotations

import math
from typing import Any

from bedplate.awx.marks import survey_mark
from bedplate.catalog import Parameter, Product

_TYPES = {"text": "textarea", "integer": "integer", "number": "float", "boolean": "multiplechoice"}
_LENGTHS = frozenset({"string", "text", "secret"})
_EXAMPLES = {
    "host": "The name of a host of the inventory.",
    "group": "The name of a group of the inventory.",
    "duration": "A duration such as 30m or 1h30m.",
    "date": "A date such as 2026-03-31.",
}


def survey_of(product: Product) -> dict[str, Any] | None:
    """Return the survey of a product as AWX takes it; None for a product that asks nothing."""
    if not product.parameters:
        return None
    spec = [_question(parameter) for parameter in product.parameters]
    return {"name": product.title, "description": survey_mark(spec), "spec": spec}


def question_type(parameter: Parameter) -> str:
    """Return AWX's type of question for a parameter."""
    if parameter.is_secret:
        return "password"
    if parameter.type in {"choice", "choices"}:
        if parameter.choices is None:
            return "text" if parameter.type == "choice" else "textarea"
        return "multiplechoice" if parameter.type == "choice" else "multiselect"
    return _TYPES.get(parameter.type, "text")


def _question(parameter: Parameter) -> dict[str, Any]:
    kind = question_type(parameter)
    low, high = _bounds(parameter)
    question = {
        "type": kind,
        "question_name": parameter.title,
        "question_description": _description(parameter),
        "variable": parameter.name,
        "required": parameter.required and not parameter.when,
        "min": low,
        "max": high,
        "choices": [],
    }
    if kind in {"multiplechoice", "multiselect"}:
        question["choices"] = ["true", "false"] if parameter.type == "boolean" else list(parameter.choices or ())
    default = _default(parameter)
    if default not in (None, ""):
        question["default"] = default
    return question


def _bounds(parameter: Parameter) -> tuple[int | None, int | None]:
    """Whole numbers that let all through that the parameter accepts: AWX takes no others."""
    if parameter.type in {"integer", "number"}:
        low = None if parameter.min is None else math.floor(float(parameter.min))
        high = None if parameter.max is None else math.ceil(float(parameter.max))
        return low, high
    if parameter.type not in _LENGTHS:
        return None, None
    # An optional question may be left empty, whatever the least length of an answer is.
    least = max(1, int(parameter.min or 0)) if parameter.required and not parameter.when else 0
    return least, int(parameter.max) if parameter.max is not None else None


def _default(parameter: Parameter) -> Any:  # noqa: ANN401
    default = parameter.default
    if default is None or parameter.when:
        return None
    if parameter.type == "boolean":
        return "true" if default else "false"
    if isinstance(default, list):
        return ("\n" if parameter.choices else ", ").join(default)
    return default if parameter.type in {"integer", "number"} else str(default)


def _description(parameter: Parameter) -> str:
    parts = [parameter.help or "", _EXAMPLES.get(parameter.type, "")]
    if parameter.choices_command:
        parts.append(f"What {parameter.choices_command[0]} says{_commas(parameter)}.")
    elif parameter.choices_from:
        several = "Names of" if parameter.type == "choices" else "One of the"
        parts.append(f"{several} {parameter.choices_from} of the inventory{_commas(parameter)}.")
    if parameter.pattern:
        parts.append(f"Must match {parameter.pattern}")
    parts += [_limits(parameter), _condition(parameter)]
    return " ".join(part.strip() for part in parts if part)


def _commas(parameter: Parameter) -> str:
    return ", with commas between them" if parameter.type == "choices" else ""


def _limits(parameter: Parameter) -> str:
    if parameter.type in _LENGTHS or (parameter.min is None and parameter.max is None):
        return ""
    words = [f"at least {parameter.min}"] if parameter.min is not None else []
    words += [f"at most {parameter.max}"] if parameter.max is not None else []
    what = " answers" if parameter.type == "choices" else ""
    return f"{' and '.join(words)}{what}.".capitalize()


def _condition(parameter: Parameter) -> str:
    if not parameter.when:
        return ""
    asked = " and ".join(f"{name} is {str(answer).lower()}" for name, answer in parameter.when.items())
    return f"Only if {asked}."


def answer_of(parameter: Parameter, value: Any) -> Any:  # noqa: ANN401
    """Return an answer in the type that the survey's question takes."""
    kind = question_type(parameter)
    if kind == "multiselect":
        return [str(each) for each in value] if isinstance(value, list) else [each.strip() for each in value.split(",")]
    if isinstance(value, bool) and parameter.type == "boolean":
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return value if kind in {"integer", "float"} else str(value)
