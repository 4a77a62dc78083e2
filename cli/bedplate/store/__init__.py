"""The run store: SQLite in the state folder, or PostgreSQL by URL. The only importer of SQLAlchemy."""

from __future__ import annotations

from bedplate.drift.repository import DriftRepository
from bedplate.drift.seals import SealRepository
from bedplate.engine_runs import EngineRunRepository
from bedplate.figures import FigureRepository
from bedplate.notices import NoticeRepository
from bedplate.runs import RunRepository
from bedplate.settings import Settings
from bedplate.store.address import address_of
from bedplate.store.connections import Database
from bedplate.store.drift import SqlDriftRepository
from bedplate.store.engines import SqlEngineRuns
from bedplate.store.figures import SqlFigures
from bedplate.store.ledger import SqlLedger
from bedplate.store.notices import SqlNotices
from bedplate.store.repository import SqlRunRepository
from bedplate.store.schema import Schema, StoreUpgrade
from bedplate.store.seals import SqlSealRepository
from bedplate.store.status import StoreStatus, read_status

__all__ = [
    "SqlLedger",
    "StoreStatus",
    "StoreUpgrade",
    "open_drift",
    "open_engine_runs",
    "open_figures",
    "open_ledger",
    "open_notices",
    "open_seals",
    "open_store",
    "store_status",
    "upgrade_store",
]


def open_store(settings: Settings) -> RunRepository:
    """Open the run store; a SQLite store is made or upgraded where that is needed.

    Raises:
        SettingsError: `store.url` cannot be used.
        StoreError: the store cannot be reached, made or upgraded, or was made by a newer Bedplate, or a
            PostgreSQL store needs `bedplate db upgrade`.
    """
    return SqlRunRepository(_up_to_date(settings))


def open_ledger(settings: Settings) -> SqlLedger:
    """Open the part of the run store with locks, approvals and the audit log; raises as `open_store`."""
    return SqlLedger(_up_to_date(settings))


def open_figures(settings: Settings) -> FigureRepository:
    """Open the part of the run store that adds up what products did, with feedback; raises as `open_store`."""
    return SqlFigures(_up_to_date(settings))


def open_notices(settings: Settings) -> NoticeRepository:
    """Open the part of the run store that knows what people were told of; raises as `open_store`."""
    return SqlNotices(_up_to_date(settings))


def open_engine_runs(settings: Settings) -> EngineRunRepository:
    """Open the part of the run store that knows what other engines execute; raises as `open_store`."""
    return SqlEngineRuns(_up_to_date(settings))


def open_drift(settings: Settings) -> DriftRepository:
    """Open the findings in the run store; raises as `open_store` does."""
    return SqlDriftRepository(_up_to_date(settings))


def open_seals(settings: Settings) -> SealRepository:
    """Open the seals in the run store; raises as `open_store` does."""
    return SqlSealRepository(_up_to_date(settings))


def upgrade_store(settings: Settings) -> StoreUpgrade:
    """Make the run store, or bring it to the latest schema.

    Raises:
        SettingsError: `store.url` cannot be used.
        StoreError: the store cannot be reached, made or upgraded, or was made by a newer Bedplate.
    """
    database = _database(settings)
    try:
        return Schema(database).upgrade()
    finally:
        database.close()


def store_status(settings: Settings) -> StoreStatus:
    """Return where the run store is, its schema and its size. Nothing is made or changed.

    Raises:
        SettingsError: `store.url` cannot be used.
        StoreError: the store cannot be reached or read.
    """
    database = _database(settings)
    try:
        return read_status(database)
    finally:
        database.close()


def _up_to_date(settings: Settings) -> Database:
    database = _database(settings)
    try:
        Schema(database).ensure()
    except BaseException:
        database.close()
        raise
    return database


def _database(settings: Settings) -> Database:
    return Database(address_of(settings), settings.store.busy_timeout)
