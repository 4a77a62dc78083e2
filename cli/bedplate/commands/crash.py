"""The report of an internal error: the traceback and versions, never the environment or local variables."""

from __future__ import annotations

import os
import platform
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path

from bedplate import __version__
from bedplate.settings import load_settings


def write_report() -> Path:
    """Write the exception being handled to a file (0600) and return its path."""
    text = (
        f"bedplate {__version__}, Python {platform.python_version()}, {platform.platform()}\n{traceback.format_exc()}"
    )
    name = f"crash-{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}.txt"
    for folder in (_state_folder(), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = folder / name
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
                stream.write(text)
        except OSError:
            continue
        return file
    return Path(os.devnull)


def _state_folder() -> Path:
    try:
        return load_settings(env={"HOME": str(Path.home()), **os.environ}).home
    except Exception:  # noqa: BLE001 (a report about broken settings must still be written)
        return Path(tempfile.gettempdir())
