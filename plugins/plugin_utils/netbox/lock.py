"""One refresh of a snapshot at a time: whoever comes second waits, and finds the snapshot fresh."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import Iterator

from .faults import InventoryError
from .private_files import make_private_folder

LOCKED_AT_MOST = 900.0
"""Seconds that one refresh waits for another."""
_LOOK_EVERY = 0.1


@contextmanager
def refresh_lock(path: str, timeout: float) -> Iterator[bool]:
    """Hold the lock of a snapshot; gives whether somebody else had it first.

    Where no lock file can be written there is nothing to share either: then there is no lock.

    Args:
        timeout: seconds to wait at most.

    Raises:
        InventoryError: somebody else held it for longer.
    """
    try:
        make_private_folder(os.path.dirname(os.path.abspath(path)))
        handle = os.open(path + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield False
        return
    try:
        yield _wait(handle, path, time.monotonic() + timeout)
    finally:
        os.close(handle)


def _wait(handle: int, path: str, until: float) -> bool:
    waited = False
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return waited
        except BlockingIOError:
            waited = True
        if time.monotonic() > until:
            raise InventoryError(
                "another refresh of this snapshot has been under way for long",
                where=path,
                hint="end it, or wait for it",
            )
        time.sleep(_LOOK_EVERY)
