# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Writes to a host's record in NetBox."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.netbox_writing import asked, plain, record_of


class ActionModule(ActionBase):
    """Has a record say `values`, and answers with what they were `before`.

    NETBOX_URL and NETBOX_TOKEN name the server and the token, which must be allowed to change the record.
    """

    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(["record", "values"])
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the task's result; `record` is the host's variable `bedplate_netbox`."""
        result = super().run(tmp, task_vars)
        wanted = {str(key): value for key, value in self._task.args["values"].items()}
        record = record_of(self._task.args["record"])
        before = {key: plain(getattr(record, key, None)) for key in wanted}
        different = {key: value for key, value in wanted.items() if before[key] != value}
        if different and not self._task.check_mode:
            asked(lambda: record.update(different))
        result.update(changed=bool(different), before=before, values=wanted)
        return result
