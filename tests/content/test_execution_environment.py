"""The execution environment for AWX: as ansible-builder wants it, and of the versions that the package wants."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import yaml

ROOT = Path(__file__).parents[2]
NAMED = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {"name": {"type": "string"}},
}
PIP = {
    "type": "object",
    "additionalProperties": False,
    "required": ["package_pip"],
    "properties": {"package_pip": {"type": "string"}},
}
# What of ansible-builder's version 3 is used here.
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["version", "images", "dependencies"],
    "properties": {
        "version": {"const": 3},
        "images": {"type": "object", "additionalProperties": False, "properties": {"base_image": NAMED}},
        "dependencies": {
            "type": "object",
            "additionalProperties": False,
            "required": ["ansible_core", "ansible_runner", "python_interpreter"],
            "properties": {
                "python_interpreter": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {"package_system": {"type": "string"}, "python_path": {"type": "string"}},
                },
                "ansible_core": PIP,
                "ansible_runner": PIP,
                "galaxy": {"type": "string"},
                "python": {"type": "string"},
                "system": {"type": "string"},
            },
        },
        "options": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"tags": {"type": "array", "items": {"type": "string"}}},
        },
    },
}


def _definition() -> dict[str, Any]:
    text = (ROOT / "execution-environment.yml").read_text(encoding="utf-8")
    definition: dict[str, Any] = yaml.safe_load(text)
    return definition


def _lines(name: str) -> list[str]:
    text = (ROOT / _definition()["dependencies"][name]).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_it_is_as_version_3_wants_it() -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(_definition())


def test_versions_are_those_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    dependencies = _definition()["dependencies"]
    here = {dependencies[name]["package_pip"] for name in ("ansible_core", "ansible_runner")} | set(_lines("python"))
    assert here <= {*project["dependencies"], *project["optional-dependencies"]["mitogen"]}


def test_what_it_installs_is_named_as_its_tools_want_it() -> None:
    assert all(re.fullmatch(r"[a-z0-9.+-]+ \[platform:rpm\]", line) for line in _lines("system"))
    collections = yaml.safe_load((ROOT / _definition()["dependencies"]["galaxy"]).read_text(encoding="utf-8"))
    assert collections == {"collections": []}
