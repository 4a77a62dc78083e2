"""Variables that a product sets for its roles, and that the roles' argument_specs do not know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from bedplate.catalog.faults import ManifestFault, key_text
from bedplate.catalog.reading import Manifest, display
from bedplate.catalog.yaml_tree import YamlError, YamlTree, parse_yaml

_Path = tuple[str | int, ...]
_COLLECTION = "bedplate.datacenter."
_INCLUDES = ("ansible.builtin.include_role", "ansible.builtin.import_role", "include_role", "import_role")
_SECTIONS = ("pre_tasks", "tasks", "post_tasks", "handlers")
_BLOCKS = ("block", "rescue", "always")


@dataclass(frozen=True)
class _Setting:
    """A variable that a playbook sets; `role` is the role that it is handed to, where it is handed to one."""

    path: _Path
    name: str
    role: str | None = None


def variable_faults(manifest: Manifest, root: Path) -> Iterator[ManifestFault]:
    """Yield the variables of the playbook, and the parameters, that no argument_specs of a role know.

    Names that begin with an underscore, or with the product's own name, are the playbook's.
    """
    playbook = root / manifest.product.playbook
    try:
        text = playbook.read_text(encoding="utf-8")
        tree = parse_yaml(text, local_tags=True)
    except (OSError, UnicodeDecodeError, YamlError):
        return  # told elsewhere
    specs = _Specs(root, manifest.product.name)
    for setting in _settings(tree):
        fault = specs.fault(setting.name, setting.role)
        if fault:
            yield ManifestFault(display(playbook), *tree.place(setting.path), key_text(setting.path), fault)
    for index, parameter in enumerate(manifest.product.parameters):
        fault = None if re.search(rf"\b{parameter.name}\b", text) else specs.fault(parameter.name)
        if fault:
            yield manifest.fault(("parameters", index, "name"), fault)


class _Specs:
    """What the roles say that they take."""

    def __init__(self, root: Path, product: str) -> None:
        self._folder = root / "roles"
        self._own = f"{product}_"
        self._options: dict[str, frozenset[str] | None] = {}

    @cached_property
    def _roles(self) -> list[str]:
        """The roles, longest name first, so that `metrics_extra` comes before `metrics`."""
        return sorted((path.name for path in self._folder.glob("*/")), key=len, reverse=True)

    def options(self, role: str) -> frozenset[str] | None:
        """Return the variables of a role; None where it says nothing."""
        if role not in self._options:
            self._options[role] = _read_options(self._folder / role / "meta" / "argument_specs.yml")
        return self._options[role]

    def fault(self, name: str, given_to: str | None = None) -> str | None:
        """Return what is wrong with a variable of this name; None where nothing is, or nothing is known."""
        if name.startswith("_") or (given_to and name in (self.options(given_to) or ())):
            return None
        owner = next((role for role in self._roles if name.startswith(f"{role}_")), None)
        if owner is None or (name.startswith(self._own) and given_to is None):
            owner = given_to
        known = self.options(owner) if owner else None
        if owner is None or known is None or name in known:
            return None
        near = get_close_matches(name, known, n=1)
        tail = f"; did you mean {near[0]}?" if near else ""
        return f"the argument_specs of role {owner} do not know {name}{tail}"


def _read_options(file: Path) -> frozenset[str] | None:
    try:
        data = parse_yaml(file.read_text(encoding="utf-8")).data
    except (OSError, UnicodeDecodeError, YamlError):
        return None
    entries = data.get("argument_specs") if isinstance(data, dict) else None
    if not isinstance(entries, dict):
        return None
    options = [entry.get("options") for entry in entries.values() if isinstance(entry, dict)]
    return frozenset(name for each in options if isinstance(each, dict) for name in each)


def _settings(tree: YamlTree) -> Iterator[_Setting]:
    for index, play in enumerate(tree.data if isinstance(tree.data, list) else ()):
        if not isinstance(play, dict):
            continue
        yield from _vars(play, (index,))
        for number, entry in enumerate(_list(play.get("roles"))):
            if isinstance(entry, dict):
                yield from _vars(entry, (index, "roles", number), _short(entry.get("role") or entry.get("name")))
        for section in _SECTIONS:
            yield from _task_settings(play.get(section), (index, section))


def _task_settings(tasks: Any, path: _Path) -> Iterator[_Setting]:  # noqa: ANN401
    for number, task in enumerate(_list(tasks)):
        if not isinstance(task, dict):
            continue
        place = (*path, number)
        arguments = next((task[key] for key in _INCLUDES if key in task), None)
        role = _short(arguments.get("name")) if isinstance(arguments, dict) else None
        yield from _vars(task, place, role)
        for block in _BLOCKS:
            yield from _task_settings(task.get(block), (*place, block))


def _vars(holder: dict[str, Any], path: _Path, role: str | None = None) -> Iterator[_Setting]:
    variables = holder.get("vars")
    for name in variables if isinstance(variables, dict) else ():
        yield _Setting((*path, "vars", name), name, role)


def _list(value: Any) -> list[Any]:  # noqa: ANN401
    return value if isinstance(value, list) else []


def _short(role: Any) -> str | None:  # noqa: ANN401
    return role.removeprefix(_COLLECTION) if isinstance(role, str) and "{" not in role else None
