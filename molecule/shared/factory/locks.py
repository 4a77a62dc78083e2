"""A lock between processes: whoever holds the file's lock works, the others wait."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the lock on `file`, which is made if missing and removed again when nobody waits for its folder."""
    descriptor = _acquire(file)
    try:
        yield
    finally:
        # Removed while held: a process that waits on this file sees that it is gone and takes a new one.
        with suppress(PermissionError):  # a killed process of another user left it in a shared folder
            file.unlink(missing_ok=True)
        os.close(descriptor)


def _acquire(file: Path) -> int:
    while True:
        try:
            descriptor = _open(file)
        except FileExistsError:
            continue  # another process made it just now
        except FileNotFoundError:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # or removed it, with its folder
            continue
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if _is_current(descriptor, file):
            return descriptor
        os.close(descriptor)


def _open(file: Path) -> int:
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
    if file.exists():  # the kernel refuses O_CREAT on another user's file in a sticky folder
        return os.open(file, flags)
    return os.open(file, flags | os.O_CREAT | os.O_EXCL, 0o644)


def _is_current(descriptor: int, file: Path) -> bool:
    try:
        return os.fstat(descriptor).st_ino == file.stat().st_ino
    except FileNotFoundError:
        return False
