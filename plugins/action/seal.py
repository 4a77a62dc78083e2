# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Gives each host the list of what to look at, and leaves what was seen as a file of the run."""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import quote

from ansible.plugins.action import ActionBase

_MODULE = "bedplate.datacenter.seal"
_FOLDER = "BEDPLATE_ARTIFACTS"
_BY_HOST = "bedplate_seal_requests"


class ActionModule(ActionBase):
    """The control node's half of the module of the same name.

    What to look at is in `seal/<host>.json` of the folder that BEDPLATE_ARTIFACTS names, and the answer goes to
    `captures/<host>` there: neither is an event. Host names are quoted as in a URL. Without such a folder, the variable
    `bedplate_seal_requests` (module arguments by host) says what to look at, and the answer stays in the result.
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
        answer = self._execute_module(
            module_name=_MODULE, module_args={**given, **self._task.args}, task_vars=task_vars
        )
        answer.pop("invocation", None)
        if folder and "capture" in answer:
            _write(os.path.join(folder, "captures"), quote(host, safe=""), answer.pop("capture"))
        result.update(answer)
        return result


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
