# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Filters of products that change hosts batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.bedplate.datacenter.plugins.plugin_utils import rolling


def rolling_batches(  # noqa: PLR0917 (named where it is used)
    hosts: Sequence[str],
    hostvars: Mapping[str, Any],
    by: str = "rack",
    canary: int = 0,
    size: int = 10,
    limits: Mapping[str, Any] | None = None,
    order: Sequence[str] = (),
    sizes: Sequence[int] = (),
) -> list[list[str]]:
    """Return the hosts in batches, none of which has hosts of two failure domains.

    Args:
        limits: the fact `bedplate_limits`: what was asked for is made as careful as the product's guardrails.
        order, sizes: the variables `bedplate_hosts` and `bedplate_batches`, where a run has them.
    """
    names = [str(host) for host in hosts]
    domains = {host: [str(group) for group in hostvars[host].get("bedplate_failure_domain") or ()] for host in names}
    parts = rolling.parts_of([str(host) for host in order], [int(each) for each in sizes])
    level, first = rolling.careful(str(by), int(canary), limits or {})
    try:
        return rolling.batches(names, domains, level, first, int(size), parts)
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


def rolling_stop(plan: Sequence[Sequence[str]], hostvars: Mapping[str, Any], register: str, limit: float = 0) -> str:
    """Return why no further batch may start, or an empty string.

    Args:
        register: the variable in which each host's task leaves its result.
        limit: how many percent of a batch may fail.
    """
    hosts = [str(host) for batch in plan for host in batch]
    failed = {host: rolling.has_failed(hostvars[host].get(register)) for host in hosts}
    return rolling.stop_reason([[str(host) for host in batch] for batch in plan], failed, float(limit))


class FilterModule:
    """The filters of this file, by name."""

    def filters(self) -> Mapping[str, Callable[..., object]]:
        """Return each filter under its name."""
        return {"rolling_batches": rolling_batches, "rolling_stop": rolling_stop}
