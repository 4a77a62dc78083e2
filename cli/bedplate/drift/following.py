"""A seal anew, of what a run's tasks wrote whole and of nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from bedplate.drift.capture import Capture, State, States
from bedplate.drift.managed import Resource
from bedplate.drift.seal import Intent, Seal, request_for

# Of these a task that went well says all that there is: a file's content, owner and mode, the firewall's rules.
_WHOLE = frozenset({"file", "firewall"})


def written(seal: Seal, resources: Iterable[Resource]) -> list[Resource]:
    """Return what a run's tasks wrote whole, of what a seal tells of."""
    states = seal.capture.states
    return [one for one in resources if one.kind in _WHOLE and one.key in states.get(one.kind, {})]


def following_request(resources: Iterable[Resource]) -> dict[str, Any]:
    """Return the arguments of the module `seal` that look at what was written, and at nothing else."""
    return {**request_for(resources, text="none"), "watch": False}


def followed(seal: Seal, now: Capture, resources: Iterable[Resource], intent: Intent) -> Seal:
    """Return a seal that has what was written as it is now, and all else as it was.

    Args:
        now: what the host answered to `following_request`.
        resources: what was written, of what the seal tells of.
        intent: what the host is known to be meant to be.
    """
    wanted = {(one.kind, one.key) for one in resources}
    capture = replace(
        seal.capture,
        states=_with(seal.capture.states, now.states, wanted),
        watched=_with(seal.capture.watched, now.states, wanted),
    )
    return replace(seal, capture=capture, intent=intent)


def _with(sealed: States, now: States, wanted: Iterable[tuple[str, str]]) -> States:
    found: dict[str, Mapping[str, State]] = dict(sealed)
    for kind, key in wanted:
        if key in found.get(kind, {}) and key in now.get(kind, {}):
            found[kind] = {**found[kind], key: now[kind][key]}
    return found
