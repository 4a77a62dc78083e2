"""What ansible-doc says of the collection's plugins and modules."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml

from content.role_content import ROOT

PLUGINS = sorted(
    path
    for folder in ("action", "callback", "inventory", "lookup", "modules")
    for path in (ROOT / "plugins" / folder).glob("*.py")
    if "DOCUMENTATION" in path.read_text(encoding="utf-8")
)


def documents(plugin: Path) -> dict[str, Any]:
    """Return the YAML of a plugin's parts that ansible-doc reads."""
    constants = {
        node.targets[0].id: node.value.value
        for node in ast.parse(plugin.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.targets[0], ast.Name)
    }
    return {name: yaml.safe_load(constants[name]) for name in ("DOCUMENTATION", "RETURN") if name in constants}


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: f"{plugin.parent.name}/{plugin.stem}")
def test_the_documentation_of_each_plugin_can_be_read(plugin: Path) -> None:
    found = documents(plugin)
    assert found["DOCUMENTATION"]["short_description"]
    for name, value in (found.get("RETURN") or {}).items():
        assert value["description"], name
