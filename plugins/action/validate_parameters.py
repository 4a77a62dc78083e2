# Copyright: (c) 2026, The Bedplate developers
# Apache-2.0 (see LICENSE)
"""Checks the parameters of a product on the control node, before any host is touched."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars

try:
    from ansible.template import is_trusted_as_template
except ImportError:  # ansible-core before 2.19 marks what is not a template instead

    def is_trusted_as_template(value: object) -> bool:
        return not hasattr(value, "__UNSAFE__")


from ansible_collections.bedplate.datacenter.plugins.plugin_utils.parameters import FleetNames, is_secret, resolve
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.parameters_command import answers as ask_commands
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.parameters_manifest import (
    ManifestError,
    read_limits,
    read_parameters,
)

_LIVE = "must be plain data, not a template; tag it !unsafe in a file of extra variables"


class ActionModule(ActionBase):
    """Answers with the facts `bedplate_parameters`, the canonical values without secret ones, and `bedplate_limits`."""

    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(["product"])
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        product = self._task.args.get("product")
        if product is None:
            raise AnsibleActionFail("product is missing: name the product whose parameters are to be checked")
        try:
            parameters, knows_fleet = read_parameters(product)
            limits = read_limits(product)
        except ManifestError as error:
            raise AnsibleActionFail(str(error)) from error
        _check_number_of_hosts(product, limits.get("max_hosts"), task_vars)
        given, faults = self._given(parameters, task_vars)
        answers, unknown = ask_commands(parameters, given)
        faults.update(unknown)
        fleet = _fleet(task_vars if knows_fleet else {}, answers)
        values, wrong = resolve([each for each in parameters if each["name"] not in faults], given, fleet)
        sentences = list(faults.values()) + wrong
        if sentences:
            raise AnsibleActionFail("\n".join(sentences))
        secret = {each["name"] for each in parameters if is_secret(each)}
        canonical = {name: value for name, value in values.items() if name not in secret}
        result.update(changed=False, ansible_facts={"bedplate_parameters": canonical, "bedplate_limits": limits})
        return result

    def _given(
        self, parameters: list[dict[str, Any]], task_vars: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """Return (values by name, sentences by name). What an extra variable says is never evaluated."""
        extra = load_extra_vars(self._loader)
        given: dict[str, Any] = {}
        faults: dict[str, str] = {}
        for name in (parameter["name"] for parameter in parameters):
            if name not in task_vars:
                continue
            value = task_vars[name]
            if name in extra and self._is_live(value):
                faults[name] = "parameter %s %s" % (name, _LIVE)
            else:
                given[name] = self._templar.template(value)
        return given, faults

    def _is_live(self, value: object) -> bool:
        """Return whether using the value would evaluate a template in it."""
        if isinstance(value, dict):
            return any(self._is_live(each) for pair in value.items() for each in pair)
        if isinstance(value, list):
            return any(self._is_live(each) for each in value)
        return isinstance(value, str) and is_trusted_as_template(value) and self._templar.is_template(value)


def _check_number_of_hosts(product: str, most: int | None, task_vars: dict[str, Any]) -> None:
    """Refuse more hosts than the product runs on at once, whoever started the play."""
    count = len(task_vars.get("ansible_play_hosts_all") or ())
    if most is not None and count > most:
        raise AnsibleActionFail("%s runs on at most %d hosts at once, not on %d" % (product, most, count))


def _fleet(task_vars: dict[str, Any], answers: dict[str, list[str]]) -> FleetNames:
    """Return the names that the play knows: those of the inventory only where it has the whole fleet."""
    groups = task_vars.get("groups")
    return FleetNames(None if groups is None else groups.get("all", ()), groups, answers)
