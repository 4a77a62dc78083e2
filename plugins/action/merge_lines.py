# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Leaves the lines of many hosts, merged by time, as one file of the run."""

from __future__ import annotations

import os
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.merged_lines import text
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.verification_report import write

_FOLDER = "BEDPLATE_ARTIFACTS"
_NO_FOLDER = "set BEDPLATE_ARTIFACTS to the folder that is to have the lines, as bedplate run does"


class ActionModule(ActionBase):
    """Answers with how many lines there are (`count`) and how many older ones are left out (`dropped`).

    They go into `logs.txt` in the folder that BEDPLATE_ARTIFACTS names, and nowhere else: lines may hold secrets.
    """

    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(["hosts", "result", "most_bytes"])
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the task's result; `hosts` left their lines in the variable `result`."""
        hostvars = (task_vars or {})["hostvars"]
        answer = super().run(tmp, task_vars)
        given = self._task.args
        results = {str(host): hostvars[host].get(given["result"]) or {} for host in given["hosts"]}
        lines = {host: found.get("lines") or [] for host, found in results.items()}
        content, left_out = text(lines, int(given["most_bytes"]))
        folder = os.environ.get(_FOLDER)
        if not folder:
            raise AnsibleActionFail(_NO_FOLDER)
        write(folder, "logs.txt", content)
        count = content.count(b"\n")
        dropped = left_out + sum(int(found.get("dropped") or 0) for found in results.values())
        said = "{0} lines of {1} hosts are in {2}".format(count, len(results), os.path.join(folder, "logs.txt"))
        left = "; {0} older ones did not fit".format(dropped) if dropped else ""
        answer.update(changed=False, count=count, dropped=dropped, msg=said + left)
        return answer
