"""What the store knows of a product's runs, added up; and what people say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from bedplate.runs import RunMode, RunStatus

# Whether these succeeded is the product's merit or fault; a person canceled, or a guardrail refused, the others.
JUDGED = (RunStatus.SUCCESSFUL, RunStatus.FAILED, RunStatus.EXPIRED)
SCORES = (1, 2, 3, 4, 5)
POINTS = (50, 90, 95, 99, 100)


class Measure(StrEnum):
    """A part of the time between asking and having: asked → approved → started → delivered."""

    APPROVAL = "approval"
    WAITING = "waiting"
    DURATION = "duration"
    LEAD_TIME = "lead_time"


@dataclass(frozen=True)
class Scope:
    """Which runs: those that were asked for from `since` until before `until`; of one product or of all."""

    since: datetime
    until: datetime
    product: str | None = None


@dataclass(frozen=True)
class OrderCount:
    """How many runs of a product, in one mode, came to one status."""

    product: str
    mode: RunMode
    status: RunStatus
    runs: int


@dataclass(frozen=True)
class PersonCount:
    """What one person ordered of a product: runs that were started and not only checked.

    Attributes:
        hosts: hosts of all runs, each counted as often as it was in one.
        host_seconds: each run's duration times its hosts.
    """

    product: str
    person: str
    runs: int
    hosts: int
    host_seconds: float


@dataclass(frozen=True)
class DayCount:
    """How many runs of a product, asked for on one day (UTC), ended well and badly."""

    product: str
    day: date
    successful: int
    failed: int


@dataclass(frozen=True)
class Spread:
    """How a time is spread over runs, in seconds: nearest-rank percentiles; `points[100]` is the longest."""

    count: int
    points: Mapping[int, float]


@dataclass(frozen=True)
class Feedback:
    """What one person says of a product: a score from 1 (bad) to 5 (good), and why."""

    product: str
    person: str
    score: int
    at: datetime
    comment: str | None = None
    run_id: str | None = None


class FigureRepository(Protocol):
    """Adds up what is recorded. Check runs only count as orders; times are those of runs that were successful.

    Every call raises StoreError when the store cannot be reached.
    """

    def orders(self, scope: Scope) -> list[OrderCount]:
        """Return how many runs came to each status."""

    def people(self, scope: Scope) -> list[PersonCount]:
        """Return what each person ordered."""

    def days(self, scope: Scope) -> list[DayCount]:
        """Return how the runs of each day ended."""

    def spreads(self, scope: Scope, measure: Measure) -> dict[str, Spread]:
        """Return how a time is spread, by product; products without such runs are left out."""

    def over(self, scope: Scope, measure: Measure, seconds: float) -> tuple[int, int]:
        """Return how many runs have this time, and how many of them took longer than `seconds`."""

    def hosts_reached(self, scope: Scope) -> dict[str, int]:
        """Return how many hosts there were runs on, by product, each host once."""

    def scores(self, scope: Scope) -> dict[str, dict[int, int]]:
        """Return how often each score was given, by product."""

    def comments(self, scope: Scope, most: int) -> list[Feedback]:
        """Return the newest feedback that has a comment."""

    def add_feedback(self, feedback: Feedback) -> None:
        """Keep what somebody says of a product."""

    def close(self) -> None:
        """Release connections and files; the next call opens them anew."""


def points_of(ordered: Sequence[float]) -> Spread | None:
    """Return the spread of ordered seconds; None of nothing. What `FigureRepository.spreads` does in the database."""
    if not ordered:
        return None
    return Spread(len(ordered), {point: ordered[rank(point, len(ordered)) - 1] for point in POINTS})


def rank(point: int, count: int) -> int:
    """Return the nearest rank, from 1, of a percentile among `count` values."""
    return max(1, -(-point * count // 100))
