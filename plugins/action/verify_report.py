# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Judges what hosts and observers answered, for all hosts at once, and leaves the proof as files."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.bedplate.datacenter.plugins.module_utils.probing import open_ports
from ansible_collections.bedplate.datacenter.plugins.plugin_utils import verification_report as reports
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.verification import Verdict, judge
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.verification_plan import probe

from ..filter.verify import as_expectation

_FOLDER = "BEDPLATE_ARTIFACTS"


class ActionModule(ActionBase):
    """Answers with the proof as a table (`msg`) and, by host, with what failed (`failed_checks`).

    `verify.json` and `verify.xml` (JUnit) go into the folder that BEDPLATE_ARTIFACTS names; without it there are none.
    """

    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(["hosts", "observations"])
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        proof = _Proof(self._task.args["hosts"], self._task.args["observations"], task_vars["hostvars"])
        taken_at = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        mode = "check" if self._task.check_mode else "apply"
        document = reports.report({host: proof.verdicts(host) for host in proof.hosts}, mode, taken_at)
        folder = os.environ.get(_FOLDER)
        if folder:
            text = json.dumps(document, indent=2) + "\n"
            reports.write(folder, "verify.json", text.encode())
            reports.write(folder, "verify.xml", reports.junit(document))
        failed = {host: [] for host in proof.hosts}
        for host in document["hosts"]:
            checks = [each for each in host["checks"] if each["status"] == "failed"]
            failed[host["host"]] = ["{0}: {1}".format(each["check"], each["detail"]) for each in checks]
        result.update(changed=False, msg=reports.table(document), failed_checks=failed)
        return result


class _Proof:
    """The answers of hosts and observers."""

    def __init__(self, hosts: list[str], observations: list[dict[str, Any]], hostvars: Mapping[str, Any]) -> None:
        self.hosts = [str(host) for host in hosts]
        self._hostvars = hostvars
        self._observations = {each["item"]["observer"]: _answer(each) for each in observations}
        self._watched = {each["item"]["observer"]: each["item"]["hosts"] for each in observations}

    def verdicts(self, host: str) -> list[Verdict]:
        variables = self._hostvars[host]
        found = variables.get("__verify_host") or {}
        unasked = _unasked(found, variables)
        if unasked:
            return judge(as_expectation({}), None, {}, [], unasked)
        answer = {**found, "delivery": variables.get("__verify_delivery") or {}}
        watched = {
            name: {**seen, "seen": seen["hosts"].get(host)}
            for name, seen in self._observations.items()
            if host in self._watched[name]
        }
        return judge(as_expectation(variables["__verify_expected"]), answer, watched, self._reached(host, answer))

    def _reached(self, host: str, answer: Mapping[str, Any]) -> list[int]:
        """Return the ports that answered another observer; where none did, or there is none, those that answer here."""
        for seen in self._observations.values():
            if seen["open_ports"].get(host):
                return list(seen["open_ports"][host])
        asked = probe(self._hostvars[host], host, answer)
        return open_ports(asked["address"], asked["ports"])


def _unasked(answer: Mapping[str, Any], variables: Mapping[str, Any]) -> str:
    """Return why a host cannot be judged; nothing where it can."""
    if not answer:
        return "the run had lost the host before the proof began"
    if answer.get("unreachable"):
        return "the host could not be reached: {0}".format(answer.get("msg") or "no reason was given")
    if "listening" not in answer:
        said = answer.get("msg") or answer.get("module_stderr") or "no reason was given"
        return "Python or sudo failed on the host: {0}".format(said)
    if "__verify_expected" not in variables:
        said = (variables.get("__verify_inventory") or {}).get("msg") or "no reason was given"
        return "the inventory does not say what is right for it: {0}".format(said)
    return ""


def _answer(observation: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an observer answered; one that could not be asked has an error and has seen nothing."""
    if "open_ports" in observation:
        return dict(observation)
    return {"error": str(observation.get("msg") or "it gave no answer"), "hosts": {}, "open_ports": {}}
