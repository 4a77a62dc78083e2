# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Says on the control node whether a role is for a host, before anything of the host is touched."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.action import ActionBase

# What names a platform and its family.
_PLATFORM_FACTS = ("distribution", "distribution_major_version", "distribution_version", "os_family")
# ansible-core before 2.19 takes whatever is in a file for a template.
_TEMPLATES = (
    {"trusted_as_template": True}
    if "trusted_as_template" in inspect.signature(DataLoader.load_from_file).parameters
    else {}
)


class ActionModule(ActionBase):
    """Answers with `applies`; where the role does not apply, `msg` says why. A refusal is a failure."""

    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(["checks"])
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = dict(task_vars or {})
        result = super().run(tmp, task_vars)
        name = self._task.args.get("checks")
        if "role_path" not in task_vars or name not in task_vars:
            raise AnsibleActionFail("preflight is the first task of a role, and checks names a variable of the role")
        checks = task_vars[name]
        result.update(changed=False, applies=False)
        self._templar.available_variables = task_vars
        if not self._holds(checks["enabled"]):
            return self._said(result, [checks["otherwise"]])
        result.update(self._facts(checks, task_vars))
        if result.get("failed"):
            return result
        fault = self._platform_fault(checks, task_vars)
        if fault:
            return {**result, "failed": True, "msg": fault}
        self._templar.available_variables = {**task_vars, **self._of_the_family(task_vars)}
        fault = self._fault(checks.get("refusals", []))
        if fault:
            return {**result, "failed": True, "msg": fault}
        if not self._holds(checks.get("applies", True)):
            return self._said(result, [checks["otherwise"]])
        return self._said({**result, "applies": True}, checks.get("notes", []))

    def _holds(self, value: object) -> bool:
        return bool(boolean(self._templar.template(value)))

    def _said(self, result: dict[str, Any], sentences: list[str]) -> dict[str, Any]:
        """Return the result with those of the sentences that are not empty, shown as `debug` shows them."""
        said = [text for text in (self._templar.template(each).strip() for each in sentences) if text]
        return {**result, "msg": "; ".join(said), "_ansible_verbose_always": True} if said else result

    def _facts(self, checks: Mapping[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Gather the facts that are missing, if any, and add them to the variables; return them for the result."""
        wanted = {*_PLATFORM_FACTS, *checks.get("facts", [])}
        known = task_vars.get("ansible_facts", {})
        if wanted <= set(known):
            return {}
        subset = ["!all", "!min", "distribution"]
        subset += ["virtual"] if any(fact.startswith("virtualization") for fact in wanted) else []
        gathered: dict[str, Any] = self._execute_module(
            module_name="ansible.legacy.setup", module_args={"gather_subset": subset}, task_vars=task_vars
        )
        if gathered.get("failed"):
            return gathered
        found = gathered["ansible_facts"]
        task_vars["ansible_facts"] = {**known, **{fact.removeprefix("ansible_"): found[fact] for fact in found}}
        self._templar.available_variables = task_vars
        return {"ansible_facts": found}

    def _platform_fault(self, checks: Mapping[str, Any], task_vars: Mapping[str, Any]) -> str:
        """Return why the role does not support the host's platform, or nothing."""
        facts, host = task_vars["ansible_facts"], task_vars["inventory_hostname"]
        version = "distribution_version" if facts["distribution"] == "Ubuntu" else "distribution_major_version"
        platform = "{0} {1}".format(facts["distribution"], facts[version])
        supported = self._templar.template(checks["platforms"])
        if platform in supported:
            return ""
        role, others = os.path.basename(task_vars["role_path"]), ", ".join(supported)
        return "{0} runs {1}, which the role {2} does not support; it supports {3}".format(host, platform, role, others)

    def _of_the_family(self, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the role says of this family of platforms."""
        name = task_vars["ansible_facts"]["os_family"].lower() + ".yml"
        path = os.path.join(task_vars["role_path"], "vars", name)
        return dict(self._loader.load_from_file(path, **_TEMPLATES)) if os.path.exists(path) else {}

    def _fault(self, refusals: list[Mapping[str, Any]]) -> str:
        """Return what the first refusal says whose conditions do not all hold, or nothing."""
        for refusal in refusals:
            conditions = refusal["that"] if isinstance(refusal["that"], list) else [refusal["that"]]
            if not all(self._true(condition) for condition in conditions):
                return " ".join(self._templar.template(refusal["says"]).split())
        return ""

    def _true(self, condition: str) -> bool:
        """Return whether an expression holds, as in `when`."""
        if hasattr(self._templar, "evaluate_conditional"):
            return bool(self._templar.evaluate_conditional(condition))
        from ansible.playbook.conditional import Conditional  # noqa: PLC0415 (ansible-core before 2.19)

        conditional = Conditional(loader=self._loader)
        conditional.when = [condition]
        return bool(conditional.evaluate_conditional(self._templar, self._templar.available_variables))
