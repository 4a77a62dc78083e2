"""Fields of objects: the recorded OPTIONS, and what AWX says of values that they do not take."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from fake_awx.answers import bad

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "awx"
RECORDED = {path.stem.removeprefix("options_") for path in FIXTURES.glob("options_*.json")}
_TEXT = {"type": "string", "default": ""}
_NAME = {"type": "string", "required": True, "max_length": 512}
_ID: dict[str, Any] = {"type": "id"}
_FLAG = {"type": "boolean", "default": False}
_COUNT = {"type": "integer", "default": 0}
_JSON: dict[str, Any] = {"type": "json", "default": {}}
_VARIABLES = {"type": "json", "default": ""}
# Collections whose OPTIONS were not recorded: the fields that a client of ours may send.
_WRITTEN: dict[str, dict[str, dict[str, Any]]] = {
    "organizations": {"name": _NAME, "description": _TEXT},
    "teams": {"name": _NAME, "description": _TEXT, "organization": {"type": "id", "required": True}},
    "users": {"username": _NAME, "password": _TEXT},
    "labels": {"name": _NAME, "organization": {"type": "id", "required": True}},
    "hosts": {"name": _NAME, "inventory": {"type": "id", "required": True}, "variables": _VARIABLES},
    "groups": {"name": _NAME, "inventory": {"type": "id", "required": True}, "variables": _VARIABLES},
    "execution_environments": {"name": _NAME, "description": _TEXT, "image": _NAME, "organization": _ID, "pull": _TEXT},
    "credentials": {
        "name": _NAME,
        "description": _TEXT,
        "organization": _ID,
        "credential_type": {"type": "id", "required": True},
        "inputs": _JSON,
    },
    "inventory_sources": {
        "name": _NAME,
        "description": _TEXT,
        "inventory": {"type": "id", "required": True},
        "source": _TEXT,
        "source_project": _ID,
        "source_path": _TEXT,
        "source_vars": _VARIABLES,
        "credential": _ID,
        "execution_environment": _ID,
        "overwrite": _FLAG,
        "overwrite_vars": _FLAG,
        "update_on_launch": _FLAG,
        "update_cache_timeout": _COUNT,
        "enabled_var": _TEXT,
        "enabled_value": _TEXT,
        "host_filter": _TEXT,
        "limit": _TEXT,
        "timeout": _COUNT,
        "verbosity": {"type": "integer", "default": 1},
        "scm_branch": _TEXT,
    },
    "role_definitions": {"name": _NAME},
    "role_team_assignments": {
        "role_definition": {"type": "id", "required": True},
        "team": {"type": "id", "required": True},
        "object_id": {"type": "string", "required": True},
    },
}


def collections() -> set[str]:
    return RECORDED | set(_WRITTEN)


@cache
def options(collection: str) -> dict[str, Any]:
    """The recorded answer to OPTIONS of a collection."""
    answer: dict[str, Any] = json.loads((FIXTURES / f"options_{collection}.json").read_text(encoding="utf-8"))
    return answer


def fields_of(collection: str) -> dict[str, dict[str, Any]]:
    if collection not in RECORDED:
        return _WRITTEN[collection]
    fields: dict[str, dict[str, Any]] = options(collection)["actions"]["POST"]
    return fields


def taken(collection: str, body: dict[str, Any], *, partial: bool) -> dict[str, Any]:
    """Return what AWX keeps of a body: known fields, checked; unknown ones are ignored without a word."""
    kept = {}
    for name, field in fields_of(collection).items():
        if name in body:
            kept[name] = _checked(name, field, body[name])
        elif not partial:
            if field.get("required"):
                raise bad(name, "This field is required.")
            kept[name] = _default(collection, name, field)
    return kept


def _default(collection: str, name: str, field: dict[str, Any]) -> Any:
    if (collection, name) == ("credential_types", "kind"):
        return ""
    return json.loads(json.dumps(field.get("default", "" if field["type"] == "string" else None)))


def _checked(name: str, field: dict[str, Any], value: Any) -> Any:
    kind = field["type"]
    if kind == "id":
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise bad(name, f"Incorrect type. Expected pk value, received {type(value).__name__}.")
        if value is None and field.get("required"):
            raise bad(name, "This field may not be null.")
    elif kind == "choice":
        return _choice(name, field, value)
    elif kind == "integer" and value is not None and value < field.get("min_value", value):
        raise bad(name, f"Ensure this value is greater than or equal to {field['min_value']}.")
    elif kind == "string":
        return _string(name, field, value)
    elif kind == "json" and name in {"extra_vars", "variables", "source_vars"}:
        return check_variables(name, value)
    return value


def _string(name: str, field: dict[str, Any], value: Any) -> Any:
    if value is None:
        return "" if field.get("default") == "" else None
    text = str(value)
    if field.get("required") and not text:
        raise bad(name, "This field may not be blank.")
    if len(text) > field.get("max_length", len(text)):
        raise bad(name, f"Ensure this field has no more than {field['max_length']} characters.")
    return text


def _choice(name: str, field: dict[str, Any], value: Any) -> Any:
    for choice, _ in field["choices"]:
        if choice == value or (value is not None and str(choice) == str(value)):
            return choice
    raise bad(name, f'"{value}" is not a valid choice.')


def check_variables(name: str, value: Any) -> Any:
    """Variables are a string with a mapping in JSON or YAML."""
    if not isinstance(value, str):
        raise bad(name, "Not a valid string.")
    try:
        data = json.loads(value or "{}")
        first: Exception | str = f"Input type `{type(data).__name__}` is not a dictionary"
    except ValueError as error:
        data, first = None, error
    if isinstance(data, dict):
        return value
    second: Exception | str
    try:
        data = yaml.safe_load(value)
        second = f"Input type `{type(data).__name__}` is not a dictionary"
    except yaml.YAMLError as error:
        data, second = None, error
    if not isinstance(data, dict):
        raise bad(name, f"Cannot parse as JSON (error: {first}) or YAML (error: {second}).")
    return value
