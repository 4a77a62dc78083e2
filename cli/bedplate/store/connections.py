"""Connections to the store: how each is set up, and transactions that read or write."""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from bedplate.store.address import Address
from bedplate.store.faults import store_errors

_WRITES = "bedplate_writes"
# A server that vanished is noticed within a minute, not after the two hours of TCP's defaults.
_POSTGRESQL_ARGUMENTS = {
    "connect_timeout": 10,
    "application_name": "bedplate",
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30000,
}


class Database:
    """Transactions on the store's database. Safe to share between threads, and usable after a fork.

    Args:
        address: where it is.
        busy_timeout: seconds to wait for another process's lock.
    """

    def __init__(self, address: Address, busy_timeout: float) -> None:
        self.address = address
        self.busy_timeout = busy_timeout
        self._engine = _make_engine(address, busy_timeout)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection in a transaction that only reads.

        Raises:
            StoreError: the store cannot be reached or read.
        """
        with store_errors(self.address), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection in a transaction that writes; it is kept whole or not at all.

        Raises:
            StoreError: the store cannot be reached, is locked for too long, or is full.
        """
        with (
            store_errors(self.address),
            self._engine.connect().execution_options(**{_WRITES: True}) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """Yield a connection of its own without a transaction, for what lasts as long as the connection.

        Raises:
            StoreError: the store cannot be reached or read.
        """
        with store_errors(self.address), self._engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def close(self) -> None:
        """Release the connections; the next transaction makes new ones."""
        self._engine.dispose()


def _make_engine(address: Address, busy_timeout: float) -> Engine:
    if address.path is not None:
        path = address.path
        engine = create_engine(
            address.url,
            creator=lambda: _connect_sqlite(path, busy_timeout),
            hide_parameters=True,
            pool_timeout=busy_timeout,
        )
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "connect", lambda _, record: record.info.update(file=_identity(path)))
        event.listen(engine, "checkout", lambda _, record, __: _still_there(path, record))
        event.listen(engine, "begin", _begin_sqlite)
    else:
        given = address.url.query
        engine = create_engine(
            address.url,
            connect_args={name: value for name, value in _POSTGRESQL_ARGUMENTS.items() if name not in given},
            hide_parameters=True,
            pool_pre_ping=True,
            pool_timeout=busy_timeout,
            use_native_hstore=False,
        )
        event.listen(engine, "connect", _postgresql_set_up(busy_timeout))
    _forget_after_fork(engine)
    return engine


def _connect_sqlite(path: Path, busy_timeout: float) -> sqlite3.Connection:
    # Without mode=rw a store that vanished would come back as an empty file.
    location = f"file:{quote(str(path))}?mode=rw"
    return sqlite3.connect(location, uri=True, timeout=busy_timeout, check_same_thread=False)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _still_there(path: Path, record: ConnectionPoolEntry) -> None:
    # What is written to a file that was moved away or replaced would be lost without a word.
    if _identity(path) != record.info["file"]:
        raise DisconnectionError(f"{path} is another file now")


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    for pragma in ("foreign_keys=ON", "synchronous=NORMAL", "journal_size_limit=67108864", "cache_size=-16000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later would fail at once, not wait, if another wrote in between.
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql_set_up(busy_timeout: float) -> Any:  # noqa: ANN401
    milliseconds = max(1, int(busy_timeout * 1000))

    def set_up(connection: Any, _record: object) -> None:  # noqa: ANN401
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {milliseconds}")
        connection.commit()

    return set_up


def _forget_after_fork(engine: Engine) -> None:
    reference = weakref.ref(engine)

    def forget() -> None:
        engine = reference()
        if engine is not None:
            engine.dispose(close=False)

    os.register_at_fork(after_in_child=forget)
