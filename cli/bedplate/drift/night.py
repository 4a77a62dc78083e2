"""A night: what it has done so far, so that another process can go on; and whether its inventory may be believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

Fleet = Mapping[str, str | None]
_NAMED = 5


class NightPhase(StrEnum):
    """How far a night has come. What comes after the last phase that was kept is done, or done again."""

    STARTED = "started"
    GATED = "gated"
    CHECKING = "checking"
    CHECKED = "checked"
    REPORTED = "reported"
    TELLING = "telling"
    TOLD = "told"
    DONE = "done"
    STOPPED = "stopped"


class Message(StrEnum):
    """What became of a night's message. `unknown` is one whose process died while it was sent."""

    NONE = "none"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Night:
    """One night.

    Attributes:
        inventory: whose hosts it is about.
        fleet: by host its class, of an inventory that was believed; None until then.
        run_id: the run that looks, also while it is under way.
        error: why it was stopped.
    """

    id: str
    product: str
    inventory: str
    phase: NightPhase
    started_at: datetime
    finished_at: datetime | None = None
    fleet: Fleet | None = None
    run_id: str | None = None
    message: Message | None = None
    error: str | None = None


@dataclass(frozen=True)
class Gate:
    """How much of a fleet may vanish or change its class between two nights, in percent."""

    vanished_percent: float
    moved_percent: float

    def objection(self, before: Fleet, now: Fleet) -> str | None:
        """Return why the inventory is not believed, in one sentence; None if it is."""
        vanished = sorted(before.keys() - now.keys())
        moved = sorted(host for host in before.keys() & now.keys() if before[host] != now[host])
        for hosts, limit, verb in (
            (vanished, self.vanished_percent, "vanished"),
            (moved, self.moved_percent, "changed their class"),
        ):
            share = 100 * len(hosts) / len(before) if before else 0.0
            if share > limit:
                more = f" and {len(hosts) - _NAMED} more" if len(hosts) > _NAMED else ""
                told = f"{len(hosts)} of {len(before)} hosts {verb} since the last night, more than {limit:g} %"
                return f"{told}: {', '.join(hosts[:_NAMED])}{more}"
        return None
