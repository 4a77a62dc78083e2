"""Database errors as one sentence each, without a password and without what was being written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bedplate.errors import StoreError
from bedplate.store.address import Address

# Longest prefix first: SQLITE_IOERR_WRITE before SQLITE_IOERR.
_SQLITE = (
    ("SQLITE_BUSY", "the run store is locked by another process", "try again, or raise store.busy_timeout"),
    ("SQLITE_LOCKED", "the run store is locked by another process", "try again, or raise store.busy_timeout"),
    ("SQLITE_FULL", "the disk of the run store is full", "free some space, or run: bedplate runs prune"),
    ("SQLITE_IOERR_WRITE", "the run store cannot be written, the disk may be full", "see df and the kernel's log"),
    ("SQLITE_IOERR", "the disk of the run store failed", "see df and the kernel's log"),
    ("SQLITE_CANTOPEN", "the run store cannot be opened", "the file must be there, it and its folder yours to write"),
    ("SQLITE_READONLY", "the run store cannot be written", "the file and its folder must be yours to write"),
    ("SQLITE_PERM", "the run store may not be read", "the file and its folder must be yours to write"),
    ("SQLITE_NOTADB", "this file is not a run store", "move it away, or name another in store.url"),
    ("SQLITE_CORRUPT", "the run store is damaged", "restore a backup, or move the file away to begin anew"),
)
_UPGRADE = "run: bedplate db upgrade"
# By SQLSTATE, longest prefix first.
_POSTGRESQL = (
    ("28P01", "the database server refused the login", "check user and password in store.url or ~/.pgpass"),
    ("28", "the database server refused the login", "check user and password in store.url, and pg_hba.conf"),
    ("3D000", "the database does not exist", "create it first: createdb"),
    ("42P01", "the database has no run store, or an older one", _UPGRADE),
    ("42703", "the database has an older run store", _UPGRADE),
    ("42501", "the database user lacks a right", "the user must own the run store's tables"),
    ("25006", "the database is read-only", "name its primary server in store.url"),
    ("53100", "the disk of the database server is full", None),
    ("53300", "the database server has no free connection", "try again"),
    ("53", "the database server is out of resources", "try again"),
    ("55P03", "the run store is locked by another process", "try again, or raise store.busy_timeout"),
    ("57014", "the database server gave up a query", "try again"),
    ("57", "the database server is stopping or starting", "try again"),
    ("08", "the connection to the database server broke", "try again"),
)


@contextmanager
def store_errors(address: Address) -> Iterator[None]:
    """Turn database errors inside the block into StoreError."""
    try:
        yield
    except DBAPIError as error:
        raise explain(error, address) from error
    except PoolTimeoutError as error:
        raise StoreError("no free connection to the run store", where=address.where, hint="try again") from error
    except sqlite3.Error as error:
        raise _explain_sqlite(error, address) from error
    except OSError as error:
        raise StoreError(f"the run store cannot be used: {error.strerror or error}", where=address.where) from error


def explain(error: DBAPIError, address: Address) -> StoreError:
    """Return the sentence for a database error."""
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return _explain_sqlite(cause, address)
    state = getattr(cause, "sqlstate", None)
    if state is None:
        return _unreachable(cause, address)
    for prefix, message, hint in _POSTGRESQL:
        if state.startswith(prefix):
            return StoreError(message, where=address.where, hint=hint)
    return StoreError(f"the database refused (SQLSTATE {state}): {_first_line(cause, address)}", where=address.where)


def _explain_sqlite(error: sqlite3.Error, address: Address) -> StoreError:
    name = getattr(error, "sqlite_errorname", None) or ""
    for prefix, message, hint in _SQLITE:
        if name.startswith(prefix):
            return StoreError(message, where=address.where, hint=hint)
    if "no such table" in str(error) or "no such column" in str(error):
        return StoreError("the run store lacks its tables", where=address.where, hint=_UPGRADE)
    return StoreError(f"the run store failed: {error}", where=address.where)


def _unreachable(cause: BaseException | None, address: Address) -> StoreError:
    text = _first_line(cause, address)
    for sign, state in (("password authentication failed", "28P01"), ("no password supplied", "28P01")):
        if sign in text:
            message, hint = next((m, h) for prefix, m, h in _POSTGRESQL if prefix == state)
            return StoreError(message, where=address.where, hint=hint)
    if "does not exist" in text:
        return StoreError(f"the database server refused: {text}", where=address.where, hint="create it first")
    return StoreError(f"the database server cannot be reached: {text}", where=address.where, hint="is it running?")


def _first_line(cause: BaseException | None, address: Address) -> str:
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    text = lines[0] if lines else type(cause).__name__
    password = address.url.password
    return text.replace(str(password), "***") if password else text
