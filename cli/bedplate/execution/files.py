"""Private files and folders."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TextIO

from bedplate.errors import EngineError
from bedplate.runs import Run


def folder_of(run: Run) -> Path:
    """Return a run's private folder. Raises EngineError where it has none here: it was, or is, executed elsewhere."""
    if run.folder is None:
        raise EngineError("has no folder on this machine", where=f"run {run.id}")
    return run.folder


def make_private(folder: Path) -> Path:
    """Make a folder, and all above it, for its owner only. Raises EngineError if that cannot be."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EngineError(
            f"cannot be made: {error.strerror}", where=str(folder), hint="BEDPLATE_HOME names the state folder"
        ) from error
    return folder


def open_private(file: Path) -> TextIO:
    """Open a file to append text, for its owner only. Raises EngineError if that cannot be."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EngineError(f"cannot be written: {error.strerror}", where=str(file)) from error
    return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")
