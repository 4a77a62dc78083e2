# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Has apt install packages that a host lacks, and asks only dpkg where it lacks none."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

_MODULE = "bedplate.datacenter.packages_present"
# What the role packages saw installed earlier in this run.
_KNOWN = "__packages_known"
# Exit code of a policy-rc.d that lets no service start.
_NO_STARTS = 101


class ActionModule(ActionBase):
    """The control node's half of the module of the same name."""

    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(["name", "start"])
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        if self._all_known(task_vars):
            return {**result, "changed": False, "missing": []}
        looked: dict[str, Any] = self._execute_module(module_name=_MODULE, module_args=arguments, task_vars=task_vars)
        if looked.get("failed") or not looked.get("missing"):
            return {**result, **looked}
        wanted = {
            "name": looked["missing"],
            "install_recommends": False,
            "update_cache": True,
            "cache_valid_time": 86400,
            "lock_timeout": 120,
        }
        if not looked["invocation"]["module_args"]["start"]:
            wanted["policy_rc_d"] = _NO_STARTS
        done: dict[str, Any] = self._execute_module(
            module_name="ansible.builtin.apt", module_args=wanted, task_vars=task_vars
        )
        return {**result, **done, "missing": looked["missing"]}

    def _all_known(self, task_vars: dict[str, Any]) -> bool:
        """Return whether the host need not be asked."""
        wanted = self._task.args.get("name")
        if self._task.delegate_to or not isinstance(wanted, list):
            return False
        return set(wanted) <= set(task_vars.get(_KNOWN, []))
