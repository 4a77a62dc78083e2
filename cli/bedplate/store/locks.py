"""Locks that end with the process that holds them, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from bedplate.store.connections import Database

_NIGHT = 0x62656E69  # any number, the same for everybody who shares a server
_TAKE = text("SELECT pg_try_advisory_lock(:key)")
_GIVE = text("SELECT pg_advisory_unlock(:key)")


@contextmanager
def night_lock(database: Database) -> Iterator[bool]:
    """Hold the lock of nights of one store; yield False where another process has it."""
    if database.address.path is not None:
        with _file_lock(database.address.path.with_name(f"{database.address.path.name}.nightly")) as held:
            yield held
        return
    with database.session() as connection:
        held = bool(connection.execute(_TAKE, {"key": _NIGHT}).scalar())
        try:
            yield held
        finally:
            if held:
                connection.execute(_GIVE, {"key": _NIGHT})


@contextmanager
def _file_lock(file: Path) -> Iterator[bool]:
    # Closed when another program is started: what a killed process leaves running does not keep it.
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held = True
    except BlockingIOError:
        held = False
    try:
        yield held
    finally:
        os.close(descriptor)
