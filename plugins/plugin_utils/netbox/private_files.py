"""Files and folders for their owner only."""

from __future__ import annotations

import os
import tempfile

from .faults import InventoryError


def write_privately(path: str, data: bytes) -> None:
    """Write a file in one step (0600), with the folders above it that are missing.

    Raises:
        InventoryError: the file cannot be written; what was there before is still there.
    """
    folder = os.path.dirname(os.path.abspath(path))
    temporary = ""
    try:
        make_private_folder(folder)
        handle, temporary = tempfile.mkstemp(prefix=".%s." % os.path.basename(path), suffix=".tmp", dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise InventoryError("cannot write the snapshot: %s" % error.strerror, where=path) from error
    finally:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)


def make_private_folder(folder: str) -> None:
    """Make a folder with all that is missing above it, for its owner only."""
    above = os.path.dirname(folder)
    if not os.path.isdir(folder):
        make_private_folder(above)
        try:
            os.mkdir(folder, 0o700)
        except FileExistsError:
            if not os.path.isdir(folder):
                raise
