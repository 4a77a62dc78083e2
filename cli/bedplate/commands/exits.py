"""Exit codes: the only place where they are assigned."""

from __future__ import annotations

from enum import IntEnum

from bedplate import errors


class ExitCode(IntEnum):
    """What a command's exit code means; documented in README.md."""

    DONE = 0
    INTERNAL = 1
    USAGE = 2
    REFUSED = 3
    UNREACHABLE = 4
    FAILED = 5
    DRIFT = 6
    INVENTORY = 7
    CANCELED = 8
    EXTERNAL = 9


_BY_ERROR: tuple[tuple[type[errors.BedplateError], ExitCode], ...] = (
    (errors.UsageError, ExitCode.USAGE),
    (errors.RefusedError, ExitCode.REFUSED),
    (errors.InventoryError, ExitCode.INVENTORY),
    (errors.CanceledError, ExitCode.CANCELED),
    (errors.ExternalError, ExitCode.EXTERNAL),
)


def exit_code_of(error: errors.BedplateError) -> ExitCode:
    """Return the exit code of an error; a bare BedplateError is a bug."""
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), ExitCode.INTERNAL)
