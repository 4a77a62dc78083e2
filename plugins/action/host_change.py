# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Drains, updates and reboots a host, and proves that it is back and well."""

from __future__ import annotations

import time
from typing import Any

from ansible.plugins.action import ActionBase

_MODULE = "bedplate.datacenter.host_change"
# As the module says it: the kernel's boot, and when the first process started.
_BOOT = "cat /proc/sys/kernel/random/boot_id; cut -d ')' -f 2- /proc/1/stat | cut -d ' ' -f 21"


class ActionModule(ActionBase):
    """Begins on the host, reboots it where that is wanted, and ends there; the answer is of all three."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        given = dict(self._task.args)
        begun = self._execute_module(_MODULE, {**given, "phase": "begin"}, task_vars=task_vars)
        result.update(begun, rebooted=False)
        if begun.get("failed") or begun.get("idle") or self._task.check_mode:
            return {**result, "msg": begun.get("msg") or _said(result, planned=self._task.check_mode)}
        reboot = given.get("reboot", "never")
        if reboot == "always" or (reboot == "needed" and begun["reboot_reasons"]):
            started = time.monotonic()
            answer = self._reboot(float(given.get("seconds", 600)), task_vars or {})
            result.update(rebooted=bool(answer.get("rebooted")), changed=True)
            result["reboot_seconds"] = round(time.monotonic() - started)
            if answer.get("failed"):
                said = "it did not come back, and stays drained: {0}".format(answer.get("msg"))
                return {**result, "failed": True, "msg": said}
        return self._end({**given, "failed_before": begun["failed_units"]}, result, task_vars)

    def _end(self, given: dict[str, Any], result: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        ended = self._execute_module(_MODULE, {**given, "phase": "finish"}, task_vars=task_vars)
        changed = bool(result["changed"])
        result.update(ended, changed=changed)
        if not ended.get("failed") and result["rebooted"] and result["boot_after"] == result["boot_before"]:
            return {**result, "failed": True, "msg": "it says that it is back, and has not booted anew"}
        return {**result, "msg": ended.get("msg") or _said(result, planned=False)}

    def _reboot(self, seconds: float, task_vars: dict[str, Any]) -> dict[str, Any]:
        task = self._task.copy()
        task.args = {
            "reboot_timeout": int(seconds),
            "boot_time_command": _BOOT,
            "test_command": "true",
            "msg": "Bedplate reboots this host",
        }
        action = self._shared_loader_obj.action_loader.get(
            "ansible.builtin.reboot",
            task=task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        answer: dict[str, Any] = action.run(task_vars=task_vars)
        return answer


def _said(result: dict[str, Any], *, planned: bool) -> str:
    """Return what was done in a few words."""
    count = len(result["packages"])
    parts = (
        ["{0} {1}".format(count, "package" if count == 1 else "packages") + (" to update" if planned else " updated")]
        if count
        else []
    )
    if result["rebooted"]:
        parts.append("rebooted in {0} s".format(result["reboot_seconds"]))
    elif planned and result.get("reboots"):
        parts.append("would be rebooted")
    elif result.get("reboot_reasons"):
        parts.append("a reboot is needed: {0}".format(", ".join(result["reboot_reasons"])))
    return "; ".join(parts) or "nothing to do"
