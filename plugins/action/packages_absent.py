# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Has apt remove packages that a host is not to have, and nobody where it has none of them."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """All there is of the module of the same name."""

    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(["name", "installed"])
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        installed = set(self._task.args["installed"])
        found = [name for name in self._task.args["name"] if name in installed]
        if not found:
            return {**result, "changed": False, "found": []}
        removed: dict[str, Any] = self._execute_module(
            module_name="ansible.builtin.apt",
            module_args={"name": found, "state": "absent", "lock_timeout": 120},
            task_vars=task_vars,
        )
        return {**result, **removed, "found": found}
