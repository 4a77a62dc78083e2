"""The run store on SQLAlchemy."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, Table, delete, func, insert, literal, or_, select, text, update
from sqlalchemy.exc import IntegrityError

from bedplate.errors import NotFoundError, StoreError
from bedplate.runs import Event, EventQuery, HostOutcome, HostResult, Run, RunMode, RunQuery, RunStatus
from bedplate.store.columns import UtcTime, plain_text
from bedplate.store.connections import Database
from bedplate.store.rows import (
    RUN_COLUMNS,
    event_of,
    outcome_row,
    result_of,
    row_of_event,
    row_of_fields,
    row_of_result,
    row_of_run,
    run_of,
)
from bedplate.store.tables import EVENTS, OUTCOME_COLUMNS, RUN_HOSTS, RUNS

if TYPE_CHECKING:
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert

_WORKED_ON = RUNS.c.host_count - RUNS.c[OUTCOME_COLUMNS[HostOutcome.SKIPPED]]
_ENDED = tuple(status.value for status in RunStatus if status.ended)
_PAGE = 1000
_DELETED_AT_ONCE = 5000
_NAMED = 5
_NEAR_AMONG = 2000


class SqlRunRepository:
    """Runs in SQLite or PostgreSQL. Implements `bedplate.runs.RunRepository`; safe to share between threads.

    Args:
        database: a database whose schema is up to date.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        # Each dialect takes a while to import: only the one that is used.
        dialect = import_module(f"sqlalchemy.dialects.{database.address.backend}")
        self._insert: Callable[[Table], SqliteInsert] = dialect.insert

    def add(self, run: Run) -> None:
        with self._database.writing() as connection:
            try:
                key = connection.execute(insert(RUNS).returning(RUNS.c.key), row_of_run(run)).scalar_one()
            except IntegrityError as error:
                raise StoreError(f"there is a run {run.id} already", where=self._database.address.where) from error
            self._add_hosts(connection, key, run.hosts)

    def get(self, run_id: str) -> Run:
        with self._database.reading() as connection:
            rows = connection.execute(select(*RUN_COLUMNS).where(RUNS.c.id == run_id)).all()
            if not rows and run_id:
                part = or_(RUNS.c.id.startswith(run_id, autoescape=True), RUNS.c.id.endswith(run_id, autoescape=True))
                newest = select(*RUN_COLUMNS).where(part).order_by(RUNS.c.created_at.desc(), RUNS.c.key.desc())
                rows = connection.execute(newest.limit(_NAMED + 1)).all()
            if len(rows) == 1:
                return run_of(rows[0])
            if rows:
                raise _ambiguous(run_id, [row.id for row in rows])
            raise _not_found(connection, run_id)

    def find(self, query: RunQuery) -> list[Run]:
        statement = _narrow(select(*RUN_COLUMNS), query).order_by(RUNS.c.created_at.desc(), RUNS.c.key.desc())
        if query.limit is not None:
            statement = statement.limit(query.limit)
        if query.offset:
            statement = statement.offset(query.offset)
        with self._database.reading() as connection:
            return [run_of(row) for row in connection.execute(statement)]

    def count(self, query: RunQuery) -> int:
        with self._database.reading() as connection:
            return int(connection.execute(_narrow(select(func.count()).select_from(RUNS), query)).scalar_one())

    def update(self, run_id: str, *, only_from: Collection[RunStatus] = (), **fields: Any) -> bool:  # noqa: ANN401
        if not fields:
            raise TypeError("nothing to update")
        statement = update(RUNS).where(RUNS.c.id == run_id).values(row_of_fields(fields)).returning(RUNS.c.key)
        if only_from:
            statement = statement.where(RUNS.c.status.in_([status.value for status in only_from]))
        with self._database.writing() as connection:
            key = connection.execute(statement).scalar()
            if key is None:
                _key_of(connection, run_id)
                return False
            if "hosts" in fields:
                untouched = delete(RUN_HOSTS).where(RUN_HOSTS.c.run_key == key, RUN_HOSTS.c.outcome.is_(None))
                connection.execute(untouched)
                self._add_hosts(connection, key, fields["hosts"])
            return True

    def request_stop(self, run_id: str, at: datetime) -> bool:
        statement = (
            update(RUNS)
            .where(RUNS.c.id == run_id, RUNS.c.status.not_in(_ENDED))
            .values({"stop_requested_at": func.coalesce(RUNS.c.stop_requested_at, literal(at, UtcTime))})
        )
        with self._database.writing() as connection:
            if connection.execute(statement).rowcount:
                return True
            _key_of(connection, run_id)
            return False

    def stop_requested(self, run_id: str) -> bool:
        with self._database.reading() as connection:
            found = connection.execute(select(RUNS.c.stop_requested_at.is_not(None)).where(RUNS.c.id == run_id)).first()
            if found is None:
                raise _not_found(connection, run_id)
            return bool(found[0])

    def add_events(self, run_id: str, events: Sequence[Event]) -> None:
        if not events:
            return
        # In order of counter, so that two writers of the same events wait for each other instead of deadlocking.
        ordered = sorted(events, key=lambda event: event.counter)
        statement = self._insert(EVENTS).on_conflict_do_nothing()
        with self._database.writing() as connection:
            key = _key_of(connection, run_id)
            added = connection.execute(statement, [row_of_event(key, event) for event in ordered]).rowcount
            if added:
                counted = {"event_count": RUNS.c.event_count + added}
                connection.execute(update(RUNS).where(RUNS.c.key == key).values(counted))

    def events(self, run_id: str, query: EventQuery) -> Iterator[Event]:
        with self._database.reading() as connection:
            key = _key_of(connection, run_id)
        after, left = query.after, query.limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(left, _PAGE)
            with self._database.reading() as connection:
                rows = connection.execute(_event_page(key, query, after).limit(size)).all()
            yield from map(event_of, rows)
            if len(rows) < size:
                return
            after = rows[-1].counter
            left = None if left is None else left - len(rows)

    def put_host_results(self, run_id: str, results: Sequence[HostResult]) -> None:
        if not results:
            return
        with self._database.writing() as connection:
            key = _key_of(connection, run_id)
            rows = {result.host: row_of_result(key, result) for result in results}
            statement = self._insert(RUN_HOSTS)
            columns = {name: statement.excluded[name] for name in next(iter(rows.values())) if name not in _HOST_KEY}
            statement = statement.on_conflict_do_update(index_elements=_HOST_KEY, set_=columns)
            connection.execute(statement, [rows[host] for host in sorted(rows)])
            _count_outcomes(connection, key)

    def host_results(self, run_id: str) -> list[HostResult]:
        with self._database.reading() as connection:
            key = _key_of(connection, run_id)
            rows = connection.execute(
                select(RUN_HOSTS).where(RUN_HOSTS.c.run_key == key, RUN_HOSTS.c.outcome.is_not(None))
            )
            return sorted(map(result_of, rows), key=lambda result: result.host)

    def durations(self, product: str, mode: RunMode, limit: int = 20) -> list[tuple[int, float]]:
        statement = (
            select(_WORKED_ON.label("worked_on"), RUNS.c.started_at, RUNS.c.finished_at)
            .where(RUNS.c.product == product, RUNS.c.mode == mode.value, RUNS.c.status == RunStatus.SUCCESSFUL.value)
            .where(_WORKED_ON > 0, RUNS.c.started_at.is_not(None), RUNS.c.finished_at.is_not(None))
            .order_by(RUNS.c.created_at.desc(), RUNS.c.key.desc())
            .limit(limit)
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        return [(row.worked_on, (row.finished_at - row.started_at).total_seconds()) for row in rows]

    def unfinished(self) -> list[Run]:
        open_statuses = [status for status in RunStatus if not status.ended]
        return self.find(RunQuery(statuses=open_statuses, limit=None))

    def delete(self, run_ids: Sequence[str]) -> int:
        return sum(self._delete_one(run_id) for run_id in dict.fromkeys(run_ids))

    def close(self) -> None:
        self._database.close()

    def _delete_one(self, run_id: str) -> bool:
        """Delete an ended run, its events in portions: others can write to the store in between."""
        ended = select(RUNS.c.key).where(RUNS.c.id == run_id, RUNS.c.status.in_(_ENDED))
        with self._database.reading() as connection:
            key = connection.execute(ended).scalar()
        if key is None:
            return False
        while self._delete_events(key) == _DELETED_AT_ONCE:
            pass
        with self._database.writing() as connection:
            return connection.execute(delete(RUNS).where(RUNS.c.key == key)).rowcount > 0

    def _delete_events(self, key: int) -> int:
        start = time.monotonic()
        portion = select(EVENTS.c.counter).where(EVENTS.c.run_key == key).order_by(EVENTS.c.counter)
        statement = delete(EVENTS).where(
            EVENTS.c.run_key == key, EVENTS.c.counter.in_(portion.limit(_DELETED_AT_ONCE).scalar_subquery())
        )
        with self._database.writing() as connection:
            deleted = connection.execute(statement).rowcount
        if deleted == _DELETED_AT_ONCE:
            time.sleep(min(time.monotonic() - start, 0.1))
        return deleted

    def _add_hosts(self, connection: Connection, key: int, hosts: Sequence[str]) -> None:
        names = sorted({plain_text(host) for host in hosts})
        if names:
            statement = self._insert(RUN_HOSTS).on_conflict_do_nothing()
            connection.execute(statement, [{"run_key": key, "host": name} for name in names])


_HOST_KEY = ("run_key", "host")


def _narrow(statement: Select[Any], query: RunQuery) -> Select[Any]:
    if query.product is not None:
        statement = statement.where(RUNS.c.product == query.product)
    if query.statuses:
        statement = statement.where(RUNS.c.status.in_([status.value for status in query.statuses]))
    if query.requester is not None:
        statement = statement.where(RUNS.c.requester == query.requester)
    if query.host is not None:
        statement = statement.where(
            RUNS.c.key.in_(select(RUN_HOSTS.c.run_key).where(RUN_HOSTS.c.host == query.host).scalar_subquery())
        )
    if query.since is not None:
        statement = statement.where(RUNS.c.created_at >= query.since)
    if query.until is not None:
        statement = statement.where(RUNS.c.created_at < query.until)
    return statement


def _event_page(key: int, query: EventQuery, after: int) -> Select[Any]:
    statement = select(EVENTS).where(EVENTS.c.run_key == key, EVENTS.c.counter > after).order_by(EVENTS.c.counter)
    if query.host is not None:
        statement = statement.where(EVENTS.c.host == query.host)
    if query.kinds:
        statement = statement.where(EVENTS.c.kind.in_(sorted(query.kinds)))
    if query.only_changed:
        statement = statement.where(EVENTS.c.changed)
    if query.only_failed:
        # As the index has it: SQLite does not see that `failed = 1`, as SQLAlchemy would write, means the same.
        statement = statement.where(text("events.failed"))
    return statement


def _count_outcomes(connection: Connection, key: int) -> None:
    counted = (
        select(RUN_HOSTS.c.outcome, func.count())
        .where(RUN_HOSTS.c.run_key == key, RUN_HOSTS.c.outcome.is_not(None))
        .group_by(RUN_HOSTS.c.outcome)
    )
    counts = {row[0]: row[1] for row in connection.execute(counted)}
    connection.execute(update(RUNS).where(RUNS.c.key == key).values(outcome_row(counts)))


def _key_of(connection: Connection, run_id: str) -> int:
    key: int | None = connection.execute(select(RUNS.c.key).where(RUNS.c.id == run_id)).scalar()
    if key is None:
        raise _not_found(connection, run_id)
    return key


def _ambiguous(run_id: str, ids: Sequence[str]) -> NotFoundError:
    more = ", …" if len(ids) > _NAMED else ""
    return NotFoundError(
        f"several runs begin or end with {run_id}: {', '.join(ids[:_NAMED])}{more}", hint="type more of the id"
    )


def _not_found(connection: Connection, run_id: str) -> NotFoundError:
    recent = select(RUNS.c.id).order_by(RUNS.c.created_at.desc(), RUNS.c.key.desc()).limit(_NEAR_AMONG)
    near = get_close_matches(run_id, connection.execute(recent).scalars().all(), n=3)
    hint = f"near are {', '.join(near)}" if near else "bedplate runs list shows the ids"
    return NotFoundError(f"no run {run_id}" if run_id else "no run without an id", hint=hint)
