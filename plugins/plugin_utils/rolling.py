# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""In which batches hosts are changed, and when a batch is so bad that the next one does not start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_LEVELS = {"region": ("region_",), "site": ("site_",), "rack": ("rack_", "cluster_"), "none": ()}
# From the most careless to the most careful: what shares a rack shares its site.
_CARE = ("none", "region", "site", "rack")


def batches(  # noqa: PLR0917 (named where it is used)
    hosts: Sequence[str],
    domains: Mapping[str, Sequence[str]],
    by: str = "rack",
    canary: int = 0,
    size: int = 10,
    parts: Sequence[Sequence[str]] = (),
) -> list[list[str]]:
    """Return the hosts in the order of their batches; no batch has hosts of two failure domains.

    Args:
        domains: by host, the groups that can fail together with it, from the largest to the smallest.
        by: what may not be changed two at a time: `region`, `site`, `rack` (or cluster); `none` for no such limit.
        canary: how many hosts go first, one failure domain at most.
        size: the most hosts of one batch.
        parts: what the guardrails cut the hosts into: no batch has hosts of two parts, and parts keep their order.

    Raises:
        ValueError: `by` is no level, or a number makes no sense.
    """
    if by not in _LEVELS:
        message = "{0!r} is no failure domain; {1} are".format(by, ", ".join(sorted(_LEVELS)))
        raise ValueError(message)
    if size < 1 or canary < 0:
        raise ValueError("a batch has at least one host, and there are no fewer than 0 canaries")
    plan: list[list[str]] = []
    known = set(hosts)
    cut = [[host for host in part if host in known] for part in parts]
    cut.append(sorted(known.difference(*cut)))
    for part in cut:
        for members in _grouped(part, domains, by):
            first = canary if not plan else 0
            plan.extend([members[:first]] if first else [])
            plan.extend(members[start : start + size] for start in range(first, len(members), size))
    return plan


def _grouped(hosts: Sequence[str], domains: Mapping[str, Sequence[str]], by: str) -> list[list[str]]:
    """Return the hosts by failure domain, in the order of their names."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for host in sorted(set(hosts)):
        grouped.setdefault(_domain(host, domains.get(host) or (), by), []).append(host)
    return [members for _, members in sorted(grouped.items())]


def parts_of(order: Sequence[str], sizes: Sequence[int]) -> list[list[str]]:
    """Return hosts cut into parts of these sizes, as the variables bedplate_hosts and bedplate_batches say it."""
    parts, start = [], 0
    for size in sizes:
        parts.append(list(order[start : start + size]))
        start += size
    return parts


def careful(by: str, canary: int, limits: Mapping[str, Any]) -> tuple[str, int]:
    """Return failure domain and canary that are at least as careful as the guardrails of the product.

    Args:
        limits: `serial_by` and `canary` of the manifest, where it has them.
    """
    bound = limits.get("serial_by") or "none"
    bound = "rack" if bound == "cluster" else bound
    if by in _CARE and bound in _CARE:
        by = max(by, bound, key=_CARE.index)
    firsts = [count for count in (canary, int(limits.get("canary") or 0)) if count > 0]
    return by, min(firsts) if firsts else canary


def _domain(host: str, groups: Sequence[str], by: str) -> tuple[str, str]:
    """Return what counts as one failure domain; a host without any known one is alone in its own."""
    if by == "none":
        return "", ""
    found = [group for group in groups if group.startswith(_LEVELS[by])]
    if found:
        return found[-1], ""
    return (groups[-1], "") if groups else ("", host)


def stop_reason(plan: Sequence[Sequence[str]], failed: Mapping[str, bool], limit: float) -> str:
    """Return why no further batch may start, or an empty string.

    Args:
        plan: the batches.
        failed: by host that has been tried, whether it failed.
        limit: how many percent of a batch may fail.
    """
    for number, batch in enumerate(plan, 1):
        bad = [host for host in batch if failed.get(host)]
        percent = 100 * len(bad) / len(batch)
        if bad and percent > limit:
            return "stopped behind batch {0} of {1}: {2} of {3} hosts failed ({4})".format(
                number, len(plan), len(bad), len(batch), ", ".join(bad)
            )
    return ""


def has_failed(result: Mapping[str, Any] | None) -> bool:
    """Return whether what a host's task left says that it failed or could not be reached."""
    return bool(result) and bool(result.get("failed") or result.get("unreachable"))  # type: ignore[union-attr]
