"""The store's schema: which revision it has, making it, upgrading it.

Alembic is only loaded to migrate: a store that is up to date costs one query.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, text

from bedplate.errors import StoreError
from bedplate.store.connections import Database
from bedplate.store.faults import store_errors
from bedplate.store.tables import VERSION_TABLE

MIGRATIONS = Path(__file__).parent / "migrations"
_POSTGRESQL_LOCK = 0x62656470  # any number, the same for everybody
_VERSION_QUERY = text(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608 (a constant)
_TABLES_QUERIES = {
    "sqlite": text("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'"),
    "postgresql": text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"),
}


@dataclass(frozen=True)
class StoreUpgrade:
    """What an upgrade did.

    Attributes:
        before: the revision that was found; None for an empty store.
        after: the revision now.
        backup: the copy of the SQLite file that was made first, where there was something to copy.
    """

    before: str | None
    after: str
    backup: Path | None = None


class Schema:
    """The schema of one store.

    Args:
        database: the store's database.
        migrations: the folder of Alembic's revisions.
    """

    def __init__(self, database: Database, migrations: Path = MIGRATIONS) -> None:
        self._database = database
        self._address = database.address
        self._migrations = migrations

    @property
    def known(self) -> list[str]:
        """The revisions that this version of Bedplate knows, oldest first."""
        return sorted(file.name[1:5] for file in (self._migrations / "versions").glob("r[0-9][0-9][0-9][0-9]_*.py"))

    @property
    def latest(self) -> str:
        return self.known[-1]

    def current(self) -> str | None:
        """Return the revision of the store; None if it is empty or was not made yet.

        Raises:
            StoreError: the store cannot be read, or the database holds something else.
        """
        if self._address.path is not None and not _has_content(self._address.path):
            return None
        with self._database.reading() as connection:
            return self._revision(connection)

    def ensure(self) -> None:
        """Make a SQLite store that does not exist, upgrade one that is older, and refuse what does not fit.

        Raises:
            StoreError: the schema is newer than this version of Bedplate, or a PostgreSQL store needs
                `bedplate db upgrade`, or the store cannot be read, made or upgraded.
        """
        current = self.current()
        if current == self.latest:
            return
        self._refuse_newer(current)
        if self._address.path is None:
            state = "has no run store yet" if current is None else f"has an older run store (revision {current})"
            raise StoreError(f"the database {state}", where=self._address.where, hint="run: bedplate db upgrade")
        self.upgrade()

    def upgrade(self) -> StoreUpgrade:
        """Bring the store to the latest revision. Two processes at once are safe.

        Raises:
            StoreError: the schema is newer than this version of Bedplate, or the upgrade failed; the store is
                then as it was.
        """
        if self._address.path is None:
            return self._upgrade_postgresql()
        return self._upgrade_sqlite(self._address.path)

    def _upgrade_postgresql(self) -> StoreUpgrade:
        with self._database.writing() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _POSTGRESQL_LOCK})
            before = self._revision(connection)
            self._refuse_newer(before)
            if before != self.latest:
                self._migrate(connection)
            return StoreUpgrade(before, self.latest)

    def _upgrade_sqlite(self, path: Path) -> StoreUpgrade:
        with store_errors(self._address):
            _make_folder(path.parent)
        with store_errors(self._address), _lock(path, self._database.busy_timeout):
            before = self.current()
            self._refuse_newer(before)
            if before == self.latest:
                return StoreUpgrade(before, self.latest)
            backup = None
            if before is None:
                _make_file(path)
            else:
                backup = _back_up(path, before)
            with self._database.writing() as connection:
                self._migrate(connection)
            return StoreUpgrade(before, self.latest, backup)

    def _revision(self, connection: Connection) -> str | None:
        tables = set(connection.execute(_TABLES_QUERIES[self._address.backend]).scalars())
        if VERSION_TABLE in tables:
            version: str | None = connection.execute(_VERSION_QUERY).scalar()
            return version
        if tables and (self._address.path is not None or tables & {"runs", "run_hosts", "events"}):
            raise StoreError(
                f"this database holds something else: {', '.join(sorted(tables)[:3])}",
                where=self._address.where,
                hint="name another in store.url",
            )
        return None

    def _refuse_newer(self, revision: str | None) -> None:
        if revision is not None and revision not in self.known:
            raise StoreError(
                f"the run store has revision {revision}, made by a newer Bedplate; this one knows up to {self.latest}",
                where=self._address.where,
                hint="upgrade Bedplate, or name another store in store.url",
            )

    def _migrate(self, connection: Connection) -> None:
        from alembic import command  # noqa: PLC0415 (slow, and only needed here)
        from alembic.config import Config  # noqa: PLC0415

        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(self._migrations).replace("%", "%%"))
        command.upgrade(config, "head")


def _has_content(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"the run store cannot be read: {error.strerror}", where=str(path)) from error


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _make_file(path: Path) -> None:
    """Make the empty SQLite file in WAL mode."""
    os.close(_open_private(path))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


def _open_private(path: Path, flags: int = 0) -> int:
    """Open a file, made if it is not there: for its owner only, or for the group with which its folder is shared."""
    mode = _file_mode(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | flags, mode)
    if os.fstat(descriptor).st_uid == os.geteuid():
        os.fchmod(descriptor, mode)  # whatever the umask is
    return descriptor


def is_shared(folder: Path) -> bool:
    """Return whether a folder is shared by its group: it may write, and what is made there is the group's."""
    mode = folder.stat().st_mode
    return bool(mode & stat.S_ISGID and mode & stat.S_IWGRP)


def _file_mode(folder: Path) -> int:
    return 0o660 if is_shared(folder) else 0o600


@contextmanager
def _lock(path: Path, timeout: float) -> Iterator[None]:
    """Hold the lock of those who make or upgrade this store."""
    file = path.with_name(path.name + ".lock")
    descriptor = _open_private(file)
    try:
        _wait_for(descriptor, path, timeout)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, path: Path, timeout: float) -> None:
    end = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                raise StoreError(
                    "another process is making or upgrading the run store", where=str(path), hint="try again"
                ) from None
            time.sleep(0.02)
        else:
            return


def _back_up(path: Path, revision: str) -> Path:
    """Copy the store, as it is at one moment, next to it; a copy that failed is removed."""
    moment = datetime.now(UTC)
    backup = path.with_name(f"{path.name}.revision-{revision}-{moment:%Y%m%dT%H%M%S%f}")
    os.close(_open_private(backup, os.O_EXCL))
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(backup)) as target:
            source.backup(target)
    except BaseException:
        backup.unlink(missing_ok=True)
        raise
    return backup
