"""What other engines execute, on SQLAlchemy."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, select, update

from bedplate.engine_runs import EngineRun
from bedplate.store.connections import Database
from bedplate.store.tables_engines import ENGINE_POSITIONS, ENGINE_RUNS
from bedplate.store.upserts import Upserts


class SqlEngineRuns:
    """Implements `bedplate.engine_runs.EngineRunRepository`; safe to share between threads.

    Args:
        database: a database whose schema is up to date.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._upserts = Upserts(database)

    def claim(self, engine: str, number: int, run_id: str) -> EngineRun:
        row = {"engine": engine, "number": number, "run_id": run_id, "complete": False}
        with self._database.writing() as connection:
            self._upserts.add(connection, ENGINE_RUNS, [row])
            found = connection.execute(select(ENGINE_RUNS).where(*_of(engine, number))).one()
        return EngineRun(found.engine, found.number, found.run_id, found.complete)

    def known(self, engine: str, numbers: Collection[int]) -> dict[int, EngineRun]:
        statement = select(ENGINE_RUNS).where(ENGINE_RUNS.c.engine == engine, ENGINE_RUNS.c.number.in_(numbers))
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        return {row.number: EngineRun(row.engine, row.number, row.run_id, row.complete) for row in rows}

    def settle(self, engine: str, number: int) -> None:
        with self._database.writing() as connection:
            connection.execute(update(ENGINE_RUNS).where(*_of(engine, number)).values(complete=True))

    def position(self, engine: str) -> int:
        statement = select(ENGINE_POSITIONS.c.position).where(ENGINE_POSITIONS.c.engine == engine)
        with self._database.reading() as connection:
            return int(connection.execute(statement).scalar() or 0)

    def advance(self, engine: str, position: int) -> None:
        behind = ENGINE_POSITIONS.c.engine == engine, ENGINE_POSITIONS.c.position < position
        with self._database.writing() as connection:
            self._upserts.add(connection, ENGINE_POSITIONS, [{"engine": engine, "position": 0}])
            connection.execute(update(ENGINE_POSITIONS).where(*behind).values(position=position))

    def close(self) -> None:
        self._database.close()


def _of(engine: str, number: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return ENGINE_RUNS.c.engine == engine, ENGINE_RUNS.c.number == number
