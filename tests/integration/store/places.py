"""Stores for tests: a SQLite file or a database on a throw-away PostgreSQL server, each new and empty."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from bedplate.runs import Event, Run, RunMode, RunRepository, RunStatus, new_run_id
from bedplate.settings import Settings, StoreSettings
from bedplate.store import open_store, upgrade_store
from bedplate.store.schema import MIGRATIONS
from bedplate.store.tables import METADATA
from integration.postgresql import PostgresqlServer

NOW = datetime(2026, 11, 22, 15, 14, 3, 123456, tzinfo=UTC)
LATEST = max(file.name[1:5] for file in (MIGRATIONS / "versions").glob("r[0-9]*.py"))
_SHARED = "shared"
_names = count()


@dataclass(frozen=True)
class Place:
    """Where a store is made. `server` is None for SQLite."""

    settings: Settings
    server: PostgresqlServer | None = None

    @contextmanager
    def opened(self) -> Iterator[RunRepository]:
        store = open_store(self.settings)
        try:
            yield store
        finally:
            store.close()


def sqlite_place(folder: Path, *, busy_timeout: float = 10.0) -> Place:
    """Return a place in a folder that need not exist."""
    return Place(Settings(home=folder, store=StoreSettings(busy_timeout=busy_timeout)))


@contextmanager
def postgresql_place(server: PostgresqlServer, folder: Path, *, busy_timeout: float = 10.0) -> Iterator[Place]:
    """Yield a database with the latest schema; it is emptied afterwards, which is faster than a new one each time."""
    url = server.url(_SHARED)
    settings = Settings(home=folder, store=StoreSettings(url=url, busy_timeout=busy_timeout))
    if _SHARED not in server.databases():
        server.create_database(_SHARED)
        upgrade_store(settings)
    try:
        yield Place(settings, server)
    finally:
        with server.connect(_SHARED) as connection:
            tables = ", ".join(table.name for table in METADATA.sorted_tables)
            connection.execute(f"TRUNCATE {tables} RESTART IDENTITY")


@contextmanager
def empty_database(server: PostgresqlServer, folder: Path) -> Iterator[Place]:
    """Yield a new database without any schema."""
    name = f"empty_{next(_names)}"
    url = server.create_database(name)
    try:
        yield Place(Settings(home=folder, store=StoreSettings(url=url)), server)
    finally:
        server.drop_database(name)


def make_run(**fields: Any) -> Run:
    """Return a queued run of the baseline on two hosts; fields change it."""
    values: dict[str, Any] = {
        "product": "baseline",
        "status": RunStatus.QUEUED,
        "mode": RunMode.APPLY,
        "requester": "ada",
        "created_at": NOW,
        "hosts": ("web-1", "web-2"),
    }
    values |= fields
    return Run(id=values.pop("id", None) or new_run_id(), **values)


def make_events(counters: range, **fields: Any) -> list[Event]:
    """Return events with these counters, one a second."""
    values: dict[str, Any] = {"kind": "runner_on_ok", "host": "web-1", "task": "A task", "data": {"res": {"rc": 0}}}
    values |= fields
    return [Event(counter=number, created=NOW + timedelta(seconds=number), **values) for number in counters]
