"""Which packages a run updated on each host, as its events tell; and what of that a seal took over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bedplate.drift.managed import full_name
from bedplate.runs import Event

UPDATED = frozenset({"runner_on_ok"})
_UPDATES = "bedplate.datacenter.host_change"


@dataclass(frozen=True, slots=True)
class PackageUpdate:
    """One package that was updated; `before` is empty where it was not there before."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Updates:
    """What one run updated on one host.

    Attributes:
        run: its id.
        at: when the run ended (UTC).
        start, end: between which moments, in seconds since 1970 by the host's clock.
        gone: files that the packages had before, and have no more.
    """

    run: str
    at: datetime
    packages: tuple[PackageUpdate, ...]
    start: int
    end: int
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Renewal:
    """Why a seal says another thing of some packages than when it was taken: a run updated them.

    Attributes:
        at: when the run ended (UTC).
        packages: those that the seal has as the run left them.
    """

    run: str
    at: datetime
    packages: tuple[PackageUpdate, ...] = ()


def updates_in(events: Iterable[Event], run: str, at: datetime) -> dict[str, Updates]:
    """Return what a run updated, by host. Where its events do not tell when, nothing can be told of what came of it."""
    found = {}
    for event in events:
        result = event.data.get("res")
        if event.host is None or event.kind not in UPDATED or full_name(event.action) != _UPDATES:
            continue
        if isinstance(result, Mapping) and (updates := _updates(result, run, at)):
            found[event.host] = updates
    return found


def _updates(result: Mapping[str, Any], run: str, at: datetime) -> Updates | None:
    installed, packages = result.get("installed"), result.get("packages")
    if not isinstance(installed, Mapping) or not isinstance(packages, list) or not packages:
        return None
    try:
        changed = tuple(PackageUpdate(each["name"], each["before"], each["after"]) for each in packages)
        return Updates(run, at, changed, installed["start"], installed["end"], tuple(installed.get("gone", ())))
    except (KeyError, TypeError):
        return None
