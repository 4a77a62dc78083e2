"""Findings, checks and waivers on SQLAlchemy."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, case, delete, or_, select, update

from bedplate.drift.check import CheckRecord, DriftCheck, HostState
from bedplate.drift.finding import Finding, FindingEvent, FindingQuery, FindingState
from bedplate.drift.night import Night
from bedplate.drift.observation import Severity
from bedplate.drift.waivers import Waiver
from bedplate.errors import NotFoundError
from bedplate.store.columns import plain_text
from bedplate.store.connections import Database
from bedplate.store.locks import night_lock
from bedplate.store.rows_drift import (
    check_of,
    finding_event_of,
    finding_of,
    night_of,
    row_of_check,
    row_of_finding,
    row_of_finding_event,
    row_of_night,
    row_of_state,
    row_of_waiver,
    state_of,
    waiver_of,
)
from bedplate.store.tables_drift import DRIFT_CHECKS, DRIFT_HOSTS, FINDING_EVENTS, FINDINGS, NIGHTS, WAIVERS
from bedplate.store.upserts import Upserts

_AT_ONCE = 500
_NAMED = 5
_RANK = {severity.value: rank for rank, severity in enumerate(reversed(Severity))}


class SqlDriftRepository:
    """Implements `bedplate.drift.repository.DriftRepository` in SQLite or PostgreSQL; safe to share between threads.

    Args:
        database: a database whose schema is up to date.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = Upserts(database)

    def record(self, record: CheckRecord) -> bool:
        with self._database.writing() as connection:
            added = self._rows.insert(DRIFT_CHECKS).values(row_of_check(record.check)).on_conflict_do_nothing()
            if connection.execute(added.returning(DRIFT_CHECKS.c.id)).first() is None:
                return False
            self._rows.put(connection, DRIFT_HOSTS, [row_of_state(state) for state in record.states])
            self._rows.put(connection, FINDINGS, [row_of_finding(finding) for finding in record.changed])
            self._rows.put(connection, FINDING_EVENTS, [row_of_finding_event(event) for event in record.events])
            _see_again(connection, record.seen, record.check.finished_at or record.check.started_at)
            return True

    def known(self, hosts: Collection[str]) -> Iterator[Finding]:
        for names in _portions(sorted(map(plain_text, hosts))):
            with self._database.reading() as connection:
                statement = select(FINDINGS).where(FINDINGS.c.host.in_(names)).order_by(FINDINGS.c.host)
                rows = connection.execute(statement).all()
            yield from map(finding_of, rows)

    def find(self, query: FindingQuery) -> list[Finding]:
        statement = _narrow(_ordered(), query)
        if query.limit is not None and query.hosts is None:
            statement = statement.limit(query.limit)
        with self._database.reading() as connection:
            found = [finding_of(row) for row in connection.execute(statement)]
        if query.hosts is None:
            return found
        wanted = frozenset(query.hosts)
        return [finding for finding in found if finding.observed.host in wanted][: query.limit]

    def get(self, finding_id: str) -> Finding:
        statement = select(FINDINGS).where(FINDINGS.c.id.startswith(finding_id, autoescape=True)).limit(_NAMED + 1)
        with self._database.reading() as connection:
            rows = connection.execute(statement).all() if finding_id else []
        if len(rows) == 1:
            return finding_of(rows[0])
        if rows:
            named = ", ".join(row.id for row in rows[:_NAMED])
            raise NotFoundError(f"several findings begin with {finding_id}: {named}", hint="type more of the id")
        raise NotFoundError(f"no finding {finding_id}", hint="bedplate drift list shows the ids")

    def history(self, finding_id: str) -> list[FindingEvent]:
        statement = (
            select(FINDING_EVENTS).where(FINDING_EVENTS.c.finding_id == finding_id).order_by(FINDING_EVENTS.c.at)
        )
        with self._database.reading() as connection:
            return [finding_event_of(row) for row in connection.execute(statement)]

    def host_states(self, product: str, hosts: Collection[str] | None = None) -> list[HostState]:
        statement = select(DRIFT_HOSTS).where(DRIFT_HOSTS.c.product == product).order_by(DRIFT_HOSTS.c.host)
        with self._database.reading() as connection:
            states = [state_of(row) for row in connection.execute(statement)]
        wanted = None if hosts is None else frozenset(hosts)
        return [state for state in states if wanted is None or state.host in wanted]

    def checks(self, product: str | None = None, limit: int | None = None) -> list[DriftCheck]:
        statement = select(DRIFT_CHECKS).order_by(DRIFT_CHECKS.c.started_at.desc(), DRIFT_CHECKS.c.id.desc())
        if product is not None:
            statement = statement.where(DRIFT_CHECKS.c.product == product)
        if limit is not None:
            statement = statement.limit(limit)
        with self._database.reading() as connection:
            return [check_of(row) for row in connection.execute(statement)]

    def put_waiver(self, waiver: Waiver) -> None:
        with self._database.writing() as connection:
            self._rows.put(connection, WAIVERS, [row_of_waiver(waiver)])

    def remove_waiver(self, waiver_id: str) -> None:
        with self._database.writing() as connection:
            if not connection.execute(delete(WAIVERS).where(WAIVERS.c.id == waiver_id)).rowcount:
                raise NotFoundError(f"no waiver {waiver_id}", hint="bedplate drift waive --list shows them")

    def waivers(self) -> Sequence[Waiver]:
        with self._database.reading() as connection:
            return [waiver_of(row) for row in connection.execute(select(WAIVERS).order_by(WAIVERS.c.id))]

    def untold(self, product: str) -> list[Finding]:
        fresh = or_(FINDINGS.c.told_at.is_(None), FINDINGS.c.told_at < FINDINGS.c.opened_at)
        statement = _ordered().where(FINDINGS.c.state != FindingState.RESOLVED.value, fresh)
        with self._database.reading() as connection:
            return [finding_of(row) for row in connection.execute(statement.where(FINDINGS.c.product == product))]

    def set_told(self, finding_ids: Collection[str], at: datetime | None) -> None:
        statement = update(FINDINGS).where(FINDINGS.c.id == bindparam("finding")).values(told_at=at)
        if finding_ids:
            with self._database.writing() as connection:
                connection.execute(statement, [{"finding": finding} for finding in sorted(finding_ids)])

    def put_night(self, night: Night) -> None:
        with self._database.writing() as connection:
            self._rows.put(connection, NIGHTS, [row_of_night(night)])

    def nights(self, product: str, inventory: str, limit: int | None = None) -> list[Night]:
        statement = select(NIGHTS).where(NIGHTS.c.product == product, NIGHTS.c.inventory == inventory)
        statement = statement.order_by(NIGHTS.c.started_at.desc(), NIGHTS.c.id.desc())
        with self._database.reading() as connection:
            return [night_of(row) for row in connection.execute(statement if limit is None else statement.limit(limit))]

    def forget(self, before: datetime) -> None:
        over = select(FINDINGS.c.id).where(FINDINGS.c.resolved_at < before)
        with self._database.writing() as connection:
            connection.execute(delete(FINDING_EVENTS).where(FINDING_EVENTS.c.finding_id.in_(over)))
            connection.execute(delete(FINDINGS).where(FINDINGS.c.resolved_at < before))
            connection.execute(delete(DRIFT_CHECKS).where(DRIFT_CHECKS.c.started_at < before))
            connection.execute(delete(NIGHTS).where(NIGHTS.c.started_at < before))

    @contextmanager
    def night_lock(self) -> Iterator[bool]:
        with night_lock(self._database) as held:
            yield held

    def close(self) -> None:
        self._database.close()


def _see_again(connection: Connection, ids: Sequence[str], at: datetime) -> None:
    if not ids:
        return
    statement = (
        update(FINDINGS)
        .where(FINDINGS.c.id == bindparam("finding"))
        .values(times_seen=FINDINGS.c.times_seen + 1, last_seen=at, state=FindingState.OPEN.value)
    )
    connection.execute(statement, [{"finding": finding} for finding in sorted(ids)])


def _ordered() -> Select[Any]:
    rank = case(_RANK, value=FINDINGS.c.severity)
    return select(FINDINGS).order_by(rank, FINDINGS.c.opened_at, FINDINGS.c.host, FINDINGS.c.resource)


def _narrow(statement: Select[Any], query: FindingQuery) -> Select[Any]:
    if query.states:
        statement = statement.where(FINDINGS.c.state.in_([state.value for state in query.states]))
    if query.severities:
        statement = statement.where(FINDINGS.c.severity.in_([severity.value for severity in query.severities]))
    for name in ("product", "kind", "role", "owner"):
        value = getattr(query, name)
        if value is not None:
            statement = statement.where(FINDINGS.c[name] == value)
    return statement


def _portions(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), _AT_ONCE):
        yield names[start : start + _AT_ONCE]
