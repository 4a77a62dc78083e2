"""How a product does: its orders, times, objectives, cost, feedback and roadmap in a period."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeVar

from bedplate.catalog.durations import parse_duration
from bedplate.catalog.product import Product
from bedplate.catalog.service import Cost, Milestone, Objective
from bedplate.figures import (
    JUDGED,
    SCORES,
    DayCount,
    Feedback,
    FigureRepository,
    Measure,
    OrderCount,
    PersonCount,
    Scope,
    Spread,
)
from bedplate.runs import RunMode, RunStatus
from bedplate.teams import Teams

NO_TEAM = "no team"
NO_CENTRE = "no cost centre"
_COMMENTS = 200
_HOUR = 3600
_MEASURES = {"duration_p95": Measure.DURATION, "lead_time_p95": Measure.LEAD_TIME}
_P95 = 0.05
_Row = TypeVar("_Row", OrderCount, PersonCount, DayCount, Feedback)


@dataclass(frozen=True)
class ObjectiveFigure:
    """An objective, and what was measured over its own window, which ends with the period.

    Attributes:
        runs: runs that count; without any there is nothing to measure.
        measured: a ratio, or seconds.
        budget_left: the part of the runs that may be bad or slow and were not, from 1 down; below 0 it is overdrawn.
    """

    objective: Objective
    runs: int = 0
    measured: float | None = None
    met: bool | None = None
    budget_left: float | None = None


@dataclass(frozen=True)
class CostFigure:
    """What was spent, in the currency of the product."""

    amount: float
    currency: str
    by_team: Mapping[str, float]
    by_cost_centre: Mapping[str, float]


@dataclass(frozen=True)
class FeedbackFigure:
    """Scores, their mean, and the newest comments."""

    scores: Mapping[int, int]
    comments: Sequence[Feedback] = ()

    @property
    def count(self) -> int:
        return sum(self.scores.values())

    @property
    def mean(self) -> float | None:
        return sum(score * count for score, count in self.scores.items()) / self.count if self.count else None


@dataclass(frozen=True)
class RoadmapFigure:
    """Milestones whose time has come: `kept` are done, `late` are not; dropped ones count as neither."""

    kept: int
    late: Sequence[Milestone]


@dataclass(frozen=True)
class ProductReport:
    """All figures of one product in one period.

    Attributes:
        orders: runs that were not only checked, by status.
        checks: check runs.
        spreads: the times of runs that were successful.
        teams: the teams of those who ordered.
    """

    product: Product
    orders: Mapping[RunStatus, int]
    checks: int
    spreads: Mapping[Measure, Spread]
    days: Sequence[DayCount]
    objectives: Sequence[ObjectiveFigure]
    hosts: int
    people: int
    teams: Sequence[str]
    cost: CostFigure | None
    feedback: FeedbackFigure
    roadmap: RoadmapFigure

    @property
    def judged(self) -> int:
        return sum(self.orders.get(status, 0) for status in JUDGED)

    @property
    def success_ratio(self) -> float | None:
        return self.orders.get(RunStatus.SUCCESSFUL, 0) / self.judged if self.judged else None


@dataclass(frozen=True)
class _Found:
    """What the store said of the period, of all products at once."""

    orders: Mapping[str, list[OrderCount]]
    people: Mapping[str, list[PersonCount]]
    days: Mapping[str, list[DayCount]]
    hosts: Mapping[str, int]
    spreads: Mapping[Measure, Mapping[str, Spread]]
    scores: Mapping[str, Mapping[int, int]]
    comments: Mapping[str, list[Feedback]]


@dataclass
class Reporter:
    """Makes reports of products.

    Args:
        teams: who is in which team, and which cost centre pays; None where nobody knows.
    """

    figures: FigureRepository
    scope: Scope
    teams: Teams | None = None
    _windows: dict[timedelta, dict[str, tuple[int, int]]] = field(default_factory=dict)
    _times: dict[tuple[timedelta, Measure], Mapping[str, Spread]] = field(default_factory=dict)

    def reports(self, products: Iterable[Product]) -> list[ProductReport]:
        """Return a report of each product; with `scope.product`, of that one alone is anything asked.

        Raises:
            StoreError: the store cannot be reached.
        """
        found = self._found()
        return [self._report(product, found) for product in products]

    def _found(self) -> _Found:
        figures, scope = self.figures, self.scope
        return _Found(
            orders=_by_product(figures.orders(scope)),
            people=_by_product(figures.people(scope)),
            days=_by_product(figures.days(scope)),
            hosts=figures.hosts_reached(scope),
            spreads={measure: figures.spreads(scope, measure) for measure in Measure},
            scores=figures.scores(scope),
            comments=_by_product(figures.comments(scope, _COMMENTS)),
        )

    def _report(self, product: Product, found: _Found) -> ProductReport:
        name = product.name
        orders = found.orders.get(name, [])
        people = found.people.get(name, [])
        return ProductReport(
            product=product,
            orders={each.status: each.runs for each in orders if each.mode is RunMode.APPLY},
            checks=sum(each.runs for each in orders if each.mode is RunMode.CHECK),
            spreads={measure: of[name] for measure, of in found.spreads.items() if name in of},
            days=found.days.get(name, []),
            objectives=[self._objective(product, each) for each in product.slo],
            hosts=found.hosts.get(name, 0),
            people=len(people),
            teams=sorted({team for each in people for team in (self.teams.of(each.person) if self.teams else ())}),
            cost=self._cost(product.cost, people) if product.cost else None,
            feedback=FeedbackFigure(
                {score: found.scores.get(name, {}).get(score, 0) for score in SCORES}, found.comments.get(name, [])
            ),
            roadmap=_roadmap(product.roadmap, self.scope.until.date()),
        )

    def _objective(self, product: Product, objective: Objective) -> ObjectiveFigure:
        if objective.objective == "success_ratio":
            good, bad = self._outcomes(objective.window).get(product.name, (0, 0))
            if not good + bad:
                return ObjectiveFigure(objective)
            target = float(objective.target)
            ratio = good / (good + bad)
            left = _left(bad, good + bad, 1 - target)
            return ObjectiveFigure(objective, good + bad, ratio, ratio >= target, left)
        measure = _MEASURES[objective.objective]
        spread = self._spreads(objective.window, measure).get(product.name)
        if spread is None:
            return ObjectiveFigure(objective)
        limit = parse_duration(str(objective.target)).total_seconds()
        scope = Scope(self.scope.until - objective.window, self.scope.until, product.name)
        runs, slow = self.figures.over(scope, measure, limit)
        return ObjectiveFigure(objective, runs, spread.points[95], spread.points[95] <= limit, _left(slow, runs, _P95))

    def _spreads(self, window: timedelta, measure: Measure) -> Mapping[str, Spread]:
        if (window, measure) not in self._times:
            scope = Scope(self.scope.until - window, self.scope.until, self.scope.product)
            self._times[window, measure] = self.figures.spreads(scope, measure)
        return self._times[window, measure]

    def _outcomes(self, window: timedelta) -> Mapping[str, tuple[int, int]]:
        """Return (good, bad) runs by product; many products share a window, which is then asked for once."""
        if window not in self._windows:
            counts: dict[str, tuple[int, int]] = {}
            for each in self.figures.orders(Scope(self.scope.until - window, self.scope.until, self.scope.product)):
                if each.mode is RunMode.APPLY and each.status in JUDGED:
                    good, bad = counts.get(each.product, (0, 0))
                    well = each.status is RunStatus.SUCCESSFUL
                    counts[each.product] = (good + each.runs, bad) if well else (good, bad + each.runs)
            self._windows[window] = counts
        return self._windows[window]

    def _cost(self, cost: Cost, people: Sequence[PersonCount]) -> CostFigure:
        by_team: dict[str, float] = defaultdict(float)
        by_centre: dict[str, float] = defaultdict(float)
        for each in people:
            amount = cost.amount * _units(cost, each)
            by_team[self._team(each.person)] += amount
            by_centre[self._centre(each.person)] += amount
        return CostFigure(sum(by_team.values()), cost.currency, dict(by_team), dict(by_centre))

    def _team(self, person: str) -> str:
        """Return the team that a person orders for; of several, all: nobody wrote down which one it was."""
        return "+".join(sorted(self.teams.of(person))) or NO_TEAM if self.teams else NO_TEAM

    def _centre(self, person: str) -> str:
        if self.teams is None:
            return NO_CENTRE
        mine = (self.teams.get(name) for name in self.teams.of(person))
        return "+".join(sorted({team.cost_centre for team in mine if team and team.cost_centre})) or NO_CENTRE


def _units(cost: Cost, each: PersonCount) -> float:
    return {"run": float(each.runs), "host": float(each.hosts), "host_hour": each.host_seconds / _HOUR}[cost.per]


def _left(bad: int, runs: int, allowed: float) -> float:
    """Return the part of the error budget that is left; of no budget at all, nothing or everything."""
    budget = allowed * runs
    if budget <= 0:
        return 0.0 if bad else 1.0
    return 1 - bad / budget


def _roadmap(milestones: Sequence[Milestone], today: date) -> RoadmapFigure:
    due = [each for each in milestones if each.status != "dropped" and _last_day(each.when) <= today]
    return RoadmapFigure(sum(each.status == "done" for each in due), [each for each in due if each.status != "done"])


def _last_day(when: str) -> date:
    """Return the last day of a year, quarter, month or day."""
    year, _, rest = when.partition("-")
    if len(rest) == 5:
        return date.fromisoformat(when)
    month = 12 if not rest else 3 * int(rest[1]) if rest.startswith("Q") else int(rest)
    return date(int(year) + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def _by_product(rows: Iterable[_Row]) -> dict[str, list[_Row]]:
    found: dict[str, list[_Row]] = {}
    for row in rows:
        found.setdefault(row.product, []).append(row)
    return found
