# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Which settings of the roles hardening and auditing are in force on a host."""

from __future__ import annotations

import json
from typing import Any


def switched_off(control: str, off: list[str]) -> bool:
    """Return whether a control, or a section of the benchmark that it belongs to, is switched off."""
    return any(control == name or control.startswith(name + ".") for name in off)


def in_force(settings: list[dict[str, Any]], off: list[str], *keys: str) -> list[dict[str, Any]]:
    """Return the settings whose control is on, and of those that agree in `keys` the last one only.

    It stands in the place of the first. A setting without a control, such as an operator's own, cannot be switched off.
    """
    found: dict[str, dict[str, Any]] = {}
    for setting in settings:
        if switched_off(str(setting.get("control", "")), off):
            continue
        # Some of them are lists, such as the calls of an audit rule.
        identity = json.dumps([setting.get(key) for key in keys], default=str)
        found[identity] = setting
    return list(found.values())


def unknown_controls(off: list[str], settings: list[dict[str, Any]]) -> list[str]:
    """Return those names in `off` that switch nothing off, such as a mistyped one."""
    controls = {str(setting["control"]) for setting in settings if "control" in setting}
    return [name for name in off if not any(switched_off(control, [name]) for control in controls)]


def without_controls(settings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the settings without their numbers, as modules take them."""
    return [{key: value for key, value in setting.items() if key != "control"} for setting in settings]


def loaded_modules(text: str) -> dict[str, bool]:
    """Return whether each loaded kernel module is in use, from the text of /proc/modules."""
    rows = (line.split() for line in text.splitlines())
    return {row[0]: row[2] != "0" or row[3] != "-" for row in rows if len(row) > 3}


class FilterModule:
    """Filters of the roles hardening and auditing."""

    def filters(self) -> dict[str, Any]:
        return {
            "controls_in_force": in_force,
            "controls_unknown": unknown_controls,
            "loaded_modules": loaded_modules,
            "without_controls": without_controls,
        }
