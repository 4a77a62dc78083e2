# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Ends the proof of one host as it went: well, failed, or out of reach."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Fails with `failed_checks`, if there are any; a host that was `unreachable` is so again, unasked."""

    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(["failed_checks", "unreachable"])
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars or {})
        said = "\n".join(self._task.args["failed_checks"])
        if self._task.args["unreachable"]:
            raise AnsibleConnectionFailure(said)
        result.update(changed=False, failed=bool(said), msg=said)
        return result
