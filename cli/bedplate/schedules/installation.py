"""Units and cron's file in their folders: only files with our mark are replaced or removed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from bedplate.errors import ExternalError, UsageError
from bedplate.schedules.rendering import MARK


def install(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write files, and return those that were not there as they are now.

    Raises:
        UsageError: a file cannot be written, or is there and not ours.
    """
    for name in files:
        if (folder / name).exists() and not _is_ours(folder / name):
            raise UsageError("is there and was not written by bedplate", where=str(folder / name))
    changed = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            path = folder / name
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                beside = path.with_name(f".{name}.new")
                beside.write_text(text, encoding="utf-8")
                beside.chmod(0o644)
                beside.replace(path)
                changed.append(path)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=str(error.filename or folder)) from error
    return changed


def installed(folder: Path) -> list[Path]:
    """Return the files in a folder that are ours: units and cron's file."""
    found = [*folder.glob("bedplate-*.timer"), *folder.glob("bedplate-*.service"), folder / "bedplate"]
    return sorted(path for path in found if path.is_file() and _is_ours(path))


def remove(paths: Sequence[Path]) -> None:
    """Remove files. Raises UsageError if that cannot be done."""
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise UsageError(f"cannot be removed: {error.strerror}", where=str(path)) from error


def control(words: Sequence[str], *, user: bool, allow: Collection[int] = (0,)) -> None:
    """Run systemctl.

    Raises:
        ExternalError: there is none, or it failed.
    """
    program = shutil.which("systemctl")
    if program is None:
        raise ExternalError("there is no systemctl here", hint="--no-start only writes the files")
    command = [program, *(["--user"] if user else []), *words]
    done = subprocess.run(command, capture_output=True, check=False, encoding="utf-8", errors="replace")
    if done.returncode not in allow:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise ExternalError(f"systemctl {words[0]} failed: {said[0] if said else done.returncode}")


def _is_ours(path: Path) -> bool:
    try:
        return path.read_text(encoding="utf-8").startswith(MARK)
    except (OSError, UnicodeDecodeError):
        return False
