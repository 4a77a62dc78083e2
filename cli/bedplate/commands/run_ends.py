"""What `bedplate run` exits with for each end of a run."""

from __future__ import annotations

from bedplate.commands.exits import ExitCode
from bedplate.launch import RunEnd

EXIT_CODES = {
    RunEnd.DONE: ExitCode.DONE,
    RunEnd.UNREACHABLE: ExitCode.UNREACHABLE,
    RunEnd.FAILED: ExitCode.FAILED,
    RunEnd.CANCELED: ExitCode.CANCELED,
    RunEnd.BROKEN: ExitCode.EXTERNAL,
    RunEnd.REFUSED: ExitCode.REFUSED,
}
