# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Applies a ruleset under a rollback timer on the host, and confirms it over a connection that is new."""

from __future__ import annotations

import time
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

_MODULE = "bedplate.datacenter.firewall_ruleset"
# What the host may need beyond its timer: to restore the old rules, and to answer again.
_GRACE_SECONDS = 40


class ActionModule(ActionBase):
    """The control node's half of the module of the same name."""

    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(["content", "path", "rollback_seconds"])
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        try:
            applied = self._step("apply", task_vars)
        except AnsibleConnectionFailure as error:
            applied = {"changed": True, "pending": True, "complaint": str(error)}
        # The timer has started on the host before this moment, a slow host's long after the task began.
        armed = time.monotonic()
        if applied.get("pending"):
            applied.update(self._confirm(applied, armed, task_vars))
        for internal in ("pending", "complaint"):
            applied.pop(internal, None)
        result.update(applied)
        return result

    def _step(self, step: str, task_vars: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._execute_module(
            module_name=_MODULE, module_args={**self._task.args, "step": step}, task_vars=task_vars
        )
        return answer

    def _confirm(self, applied: dict[str, Any], armed: float, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Come in anew and confirm, or wait until the host has its old rules again."""
        seconds = int(self._task.args.get("rollback_seconds", 60))
        complaint = str(applied.get("complaint", ""))
        while True:
            if self._connection.transport != "local":
                # Otherwise a connection that was open before would be taken, which the new rules let be.
                self._connection.reset()
            try:
                answer = self._step("confirm", task_vars)
            except AnsibleConnectionFailure as error:
                complaint = complaint or str(error)
                if time.monotonic() > armed + seconds + _GRACE_SECONDS:
                    raise AnsibleConnectionFailure(_sentence(task_vars, complaint, "and it does not answer")) from error
                time.sleep(1)
                continue
            if answer.get("rolled_back"):
                return {"failed": True, "msg": _sentence(task_vars, complaint, "so its previous rules were restored")}
            return answer


def _sentence(task_vars: dict[str, Any], complaint: str, end: str) -> str:
    # Before ssh's own words stand Ansible's, which say less.
    said = " ".join(complaint.split()).rpartition("over ssh: ")[2] or "the confirmation came too late"
    return "the new firewall rules of {0} were not kept: no new connection confirmed them in time ({1}), {2}".format(
        task_vars["inventory_hostname"], said.rstrip("."), end
    )
