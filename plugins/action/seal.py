# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Gives each host the list of what to look at, and leaves what was seen as a file of the run."""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import quote

from ansible.plugins.action import ActionBase
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.record_comparison import (
    compare,
    not_compared,
    record_of_variables,
)

_MODULE = "bedplate.datacenter.seal"
_FOLDER = "BEDPLATE_ARTIFACTS"
_BY_HOST = "bedplate_seal_requests"


class ActionModule(ActionBase):
    """The control node's half of the module of the same name.

    What to look at is in `seal/<host>.json` of the folder that BEDPLATE_ARTIFACTS names, and the answer goes to
    `captures/<host>` there: neither is an event. Host names are quoted as in a URL. Without such a folder, the variable
    `bedplate_seal_requests` (module arguments by host) says what to look at, and the answer stays in the result.

    Where facts are asked for, the host is compared with its record in NetBox, as the inventory has it: in what it
    differs goes to `records/<host>`, or into the result as `record`. A host that is not from NetBox is not compared.
    """

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        host = str(task_vars["inventory_hostname"])
        folder = os.environ.get(_FOLDER)
        given = _request(folder, host) if folder else (task_vars.get(_BY_HOST) or {}).get(host, {})
        wanted = {**given, **self._task.args}
        wanted["facts"] = bool(wanted.get("facts")) and bool(task_vars.get("bedplate_netbox"))
        answer = self._execute_module(module_name=_MODULE, module_args=wanted, task_vars=task_vars)
        answer.pop("invocation", None)
        facts = answer.pop("facts", None)
        if isinstance(facts, dict):
            answer["record"] = _compared(task_vars, facts)
        if folder and "capture" in answer:
            _write(os.path.join(folder, "captures"), quote(host, safe=""), answer.pop("capture"))
        if folder and "record" in answer:
            _write(os.path.join(folder, "records"), quote(host, safe=""), json.dumps(answer.pop("record")))
        result.update(answer)
        return result


def _compared(variables: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """Return in what a host is not as its record says, and what nothing is said about."""
    record = record_of_variables(variables)
    differences = [one.as_dict() for one in compare(record, facts)]
    return {"differences": differences, "not_compared": not_compared(record, facts)}


def _request(folder: str, host: str) -> dict[str, Any]:
    try:
        with open(os.path.join(folder, "seal", quote(host, safe="") + ".json"), encoding="utf-8") as file:
            request: dict[str, Any] = json.load(file)
            return request
    except FileNotFoundError:
        return {}


def _write(folder: str, name: str, text: str) -> None:
    """Write a file in one step: who reads it finds all of it or nothing."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    unfinished = os.path.join(folder, "." + name)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(unfinished, os.path.join(folder, name))
