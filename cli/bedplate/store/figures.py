"""Figures of products on SQLAlchemy: added up in the database, so that many runs cost little."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    ColumnElement,
    Float,
    Integer,
    Select,
    case,
    cast,
    extract,
    func,
    insert,
    or_,
    select,
    type_coerce,
)

from bedplate.figures import (
    JUDGED,
    POINTS,
    DayCount,
    Feedback,
    Measure,
    OrderCount,
    PersonCount,
    Scope,
    Spread,
    rank,
)
from bedplate.runs import RunMode, RunStatus
from bedplate.store.connections import Database
from bedplate.store.tables import RUN_HOSTS, RUNS
from bedplate.store.tables_figures import FEEDBACK

_DAY = 86400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ENDS: dict[Measure, tuple[str, str]] = {
    Measure.APPROVAL: ("created_at", "queued_at"),
    Measure.WAITING: ("queued_at", "started_at"),
    Measure.DURATION: ("started_at", "finished_at"),
    Measure.LEAD_TIME: ("created_at", "finished_at"),
}


class SqlFigures:
    """Implements `bedplate.figures.FigureRepository`; safe to share between threads.

    Args:
        database: a database whose schema is up to date.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sqlite = database.address.path is not None

    def orders(self, scope: Scope) -> list[OrderCount]:
        keys = (RUNS.c.product, RUNS.c.mode, RUNS.c.status)
        rows = self._rows(select(*keys, func.count()).where(*_asked(scope)).group_by(*keys))
        return [OrderCount(product, RunMode(mode), RunStatus(status), runs) for product, mode, status, runs in rows]

    def people(self, scope: Scope) -> list[PersonCount]:
        keys = (RUNS.c.product, RUNS.c.requester)
        spent = func.coalesce(self._seconds("started_at", "finished_at"), 0.0) * RUNS.c.host_count
        statement = select(*keys, func.count(), func.sum(RUNS.c.host_count), func.sum(spent))
        statement = statement.where(*_applied(scope), RUNS.c.started_at.is_not(None)).group_by(*keys).order_by(*keys)
        return [
            PersonCount(product, person, runs, int(hosts), float(seconds))
            for product, person, runs, hosts, seconds in self._rows(statement)
        ]

    def days(self, scope: Scope) -> list[DayCount]:
        day = cast(func.floor(self._since_epoch("created_at") / float(_DAY)), Integer).label("day")
        well = func.sum(case((RUNS.c.status == RunStatus.SUCCESSFUL.value, 1), else_=0))
        statement = select(RUNS.c.product, day, well, func.count()).where(*_applied(scope), _judged())
        statement = statement.group_by(RUNS.c.product, day).order_by(RUNS.c.product, day)
        return [
            DayCount(product, (_EPOCH + timedelta(days=number)).date(), int(good), int(runs) - int(good))
            for product, number, good, runs in self._rows(statement)
        ]

    def spreads(self, scope: Scope, measure: Measure) -> dict[str, Spread]:
        value = self._seconds(*_ENDS[measure])
        ranked = (
            select(
                RUNS.c.product,
                value.label("value"),
                func.row_number().over(partition_by=RUNS.c.product, order_by=value).label("place"),
                func.count().over(partition_by=RUNS.c.product).label("runs"),
            )
            .where(*_delivered(scope), value.is_not(None))
            .subquery()
        )
        wanted = [ranked.c.place == (ranked.c.runs * point + 99) // 100 for point in POINTS]
        rows = self._rows(select(ranked).where(or_(*wanted)))
        places: dict[str, dict[int, float]] = {}
        counts: dict[str, int] = {}
        for product, seconds, place, runs in rows:
            places.setdefault(product, {})[place] = float(seconds)
            counts[product] = runs
        return {
            product: Spread(count, {point: places[product][rank(point, count)] for point in POINTS})
            for product, count in counts.items()
        }

    def over(self, scope: Scope, measure: Measure, seconds: float) -> tuple[int, int]:
        value = self._seconds(*_ENDS[measure])
        slow = func.coalesce(func.sum(case((value > seconds, 1), else_=0)), 0)
        (row,) = self._rows(select(func.count(), slow).where(*_delivered(scope), value.is_not(None)))
        return int(row[0]), int(row[1])

    def hosts_reached(self, scope: Scope) -> dict[str, int]:
        # A host of many runs is met once a product: the key of a run is read from the index alone.
        statement = select(RUNS.c.product, func.count(RUN_HOSTS.c.host.distinct()))
        statement = statement.join_from(RUNS, RUN_HOSTS, RUN_HOSTS.c.run_key == RUNS.c.key)
        statement = statement.where(*_applied(scope), RUN_HOSTS.c.outcome.is_not(None)).group_by(RUNS.c.product)
        return {product: int(hosts) for product, hosts in self._rows(statement)}

    def scores(self, scope: Scope) -> dict[str, dict[int, int]]:
        keys = (FEEDBACK.c.product, FEEDBACK.c.score)
        found: dict[str, dict[int, int]] = {}
        for product, score, count in self._rows(select(*keys, func.count()).where(*_said(scope)).group_by(*keys)):
            found.setdefault(product, {})[score] = int(count)
        return found

    def comments(self, scope: Scope, most: int) -> list[Feedback]:
        columns = [FEEDBACK.c[name] for name in ("product", "person", "score", "at", "comment", "run_id")]
        statement = select(*columns).where(*_said(scope), FEEDBACK.c.comment.is_not(None))
        return [Feedback(*row) for row in self._rows(statement.order_by(FEEDBACK.c.at.desc()).limit(most))]

    def add_feedback(self, feedback: Feedback) -> None:
        with self._database.writing() as connection:
            connection.execute(insert(FEEDBACK), [vars(feedback)])

    def close(self) -> None:
        self._database.close()

    def _rows(self, statement: Select[Any]) -> list[Any]:
        with self._database.reading() as connection:
            return list(connection.execute(statement))

    def _seconds(self, begin: str, end: str) -> ColumnElement[float]:
        return self._since_epoch(end) - self._since_epoch(begin)

    def _since_epoch(self, name: str) -> ColumnElement[float]:
        if self._sqlite:
            return cast(type_coerce(RUNS.c[name], BigInteger) / 1_000_000.0, Float(53))
        return cast(extract("epoch", type_coerce(RUNS.c[name], TIMESTAMP(timezone=True))), Float(53))


def _asked(scope: Scope) -> list[ColumnElement[bool]]:
    bounds = [RUNS.c.created_at >= scope.since, RUNS.c.created_at < scope.until]
    return bounds if scope.product is None else [RUNS.c.product == scope.product, *bounds]


def _applied(scope: Scope) -> list[ColumnElement[bool]]:
    return [*_asked(scope), RUNS.c.mode == RunMode.APPLY.value]


def _delivered(scope: Scope) -> list[ColumnElement[bool]]:
    return [*_applied(scope), RUNS.c.status == RunStatus.SUCCESSFUL.value]


def _judged() -> ColumnElement[bool]:
    return RUNS.c.status.in_([status.value for status in JUDGED])


def _said(scope: Scope) -> list[ColumnElement[bool]]:
    bounds = [FEEDBACK.c.at >= scope.since, FEEDBACK.c.at < scope.until]
    return bounds if scope.product is None else [FEEDBACK.c.product == scope.product, *bounds]
