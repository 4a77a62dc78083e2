"""Roles and playbooks as data, for the tests in this folder."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path.parent for path in (ROOT / "roles").glob("*/tasks"))
BLOCKS = ("block", "rescue", "always")
# Modules take what they share from the collection by its name.
sys.path.append(str(ROOT / "collections"))


class Loader(yaml.SafeLoader):
    """Reads Ansible's own tags as plain values."""


Loader.add_multi_constructor("!", lambda loader, _suffix, node: loader.construct_scalar(node))  # type: ignore[no-untyped-call]


@cache
def read_yaml(path: Path) -> Any:
    """Return the content of one YAML file; None when it is empty or absent."""
    if not path.is_file():
        return None
    return yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)  # noqa: S506 (a safe loader)


def flatten(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield tasks with those inside blocks."""
    for task in tasks:
        yield task
        for section in BLOCKS:
            yield from flatten(task.get(section) or [])


def role_tasks(role: Path) -> list[dict[str, Any]]:
    """Return all tasks of a role."""
    files = sorted((role / "tasks").rglob("*.yml"))
    return [task for file in files for task in flatten(read_yaml(file) or [])]


def load_plugin(path: str) -> ModuleType:
    """Import one plugin by its path from the root of the collection, without Ansible's loader."""
    name = "plugin_" + path.replace("/", "_").removesuffix(".py")
    spec = importlib.util.spec_from_file_location(name, ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    # What it shares with other plugins is this clone's.
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "collections"))
        spec.loader.exec_module(module)
    return module
