# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""In which batches hosts are changed, and when a batch is so bad that the next one does not start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_LEVELS = {"region": ("region_",), "site": ("site_",), "rack": ("rack_", "cluster_"), "none": ()}


def batches(
    hosts: Sequence[str], domains: Mapping[str, Sequence[str]], by: str = "rack", canary: int = 0, size: int = 10
) -> list[list[str]]:
    """Return the hosts in the order of their batches; no batch has hosts of two failure domains.

    Args:
        domains: by host, the groups that can fail together with it, from the largest to the smallest.
        by: what may not be changed two at a time: `region`, `site`, `rack` (or cluster); `none` for no such limit.
        canary: how many hosts go first, one failure domain at most.
        size: the most hosts of one batch.

    Raises:
        ValueError: `by` is no level, or a number makes no sense.
    """
    if by not in _LEVELS:
        message = "{0!r} is no failure domain; {1} are".format(by, ", ".join(sorted(_LEVELS)))
        raise ValueError(message)
    if size < 1 or canary < 0:
        raise ValueError("a batch has at least one host, and there are no fewer than 0 canaries")
    grouped: dict[tuple[str, str], list[str]] = {}
    for host in sorted(set(hosts)):
        grouped.setdefault(_domain(host, domains.get(host) or (), by), []).append(host)
    plan: list[list[str]] = []
    for _, members in sorted(grouped.items()):
        first = canary if not plan else 0
        plan.extend([members[:first]] if first else [])
        plan.extend(members[start : start + size] for start in range(first, len(members), size))
    return plan


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
