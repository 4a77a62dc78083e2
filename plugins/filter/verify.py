# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Filters of the product verify: what is right for a host, and who has to look at it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.bedplate.datacenter.plugins.plugin_utils import verification_plan
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.verification import Expectation


def verify_expectation(
    given: Mapping[str, Any], host: str, hostvars: Mapping[str, Any], observers: Sequence[str]
) -> dict[str, Any]:
    """Return what is right for a host as plain data, such as a fact holds."""
    try:
        found = verification_plan.expectation(given, host, hostvars, observers)
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error
    return {**asdict(found), "ports": sorted(found.ports)}


def as_expectation(plain: Mapping[str, Any]) -> Expectation:
    """Return it as it was before `verify_expectation` made it plain."""
    return Expectation(**{**plain, "ports": frozenset(plain.get("ports", ()))})


def verify_watches(hosts: Sequence[str], hostvars: Mapping[str, Any], observers: Sequence[str]) -> list[dict[str, Any]]:
    """Return for each observer what it has to wait for and to try, for those of `hosts` that answered."""
    answers = {str(host): hostvars[host]["__verify_host"] for host in hosts if "__verify_expected" in hostvars[host]}
    expected = {host: as_expectation(hostvars[host]["__verify_expected"]) for host in answers}
    return verification_plan.watches(answers, expected, hostvars, list(observers))


def verify_observations(hosts: Sequence[str], hostvars: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what observers answered: each was asked on behalf of one of `hosts`."""
    asked = [hostvars[host].get("__verify_observers") or {} for host in hosts]
    return [answer for each in asked for answer in each.get("results", []) if "item" in answer]


def verify_undelivered(observations: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the hosts whose line did not reach the observer that takes their logs."""
    return [
        host
        for observation in observations
        for host, awaited in observation["item"]["hosts"].items()
        if awaited["logs"] and awaited["token"] and observation.get("hosts", {}).get(host, {}).get("log", "") is None
    ]


class FilterModule:
    """The filters of this file, by name."""

    def filters(self) -> Mapping[str, Callable[..., object]]:
        """Return each filter under its name."""
        return {
            "verify_expectation": verify_expectation,
            "verify_watches": verify_watches,
            "verify_observations": verify_observations,
            "verify_undelivered": verify_undelivered,
            "verify_alerts": verification_plan.alert_names,
        }
