# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Leaves what a product did to each host as a file of the run, and shows it as a table."""

from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.bedplate.datacenter.plugins.plugin_utils import host_report
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.verification_report import write

_FOLDER = "BEDPLATE_ARTIFACTS"


class ActionModule(ActionBase):
    """Answers with the table (`msg`) and by host with what failed (`failures`).

    `PRODUCT.json` goes into the folder that BEDPLATE_ARTIFACTS names; without it there is none.
    """

    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(["product", "hosts", "result", "fields", "columns", "rows", "note"])
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the task's result.

        The arguments are `hosts`, the variable `result` in which each host's task left its answer, the `fields` of the
        answer that are kept, those shown as `columns`, and those shown as `rows` of a table of their own.
        """
        hostvars = (task_vars or {})["hostvars"]
        result = super().run(tmp, task_vars)
        given = self._task.args
        results = {str(host): hostvars[host].get(given["result"]) for host in given["hosts"]}
        taken_at = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        mode = "check" if self._task.check_mode else "apply"
        document = host_report.report(given["product"], results, given["fields"], mode, taken_at)
        folder = os.environ.get(_FOLDER)
        if folder:
            text = json.dumps(document, indent=2, default=str) + "\n"
            write(folder, "{0}.json".format(given["product"]), text.encode())
        lines = host_report.table(document, given.get("columns", given["fields"]), given.get("rows", ""))
        notes = [given["note"]] if given.get("note") else []
        result.update(changed=False, msg=lines + notes, failures=host_report.failures(document))
        return result
