"""From an accepted run to what an executor needs to know, and to how it ended when nothing else says so."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from bedplate.errors import BedplateError
from bedplate.execution.executor import ExecutionOutcome, ExecutionRequest, RunEnd
from bedplate.execution.files import folder_of
from bedplate.launch.request import PreparedRun
from bedplate.runs import Run

INVENTORY = "inventory"


def execution_request(prepared: PreparedRun, settled: Collection[str] = ()) -> ExecutionRequest:
    """Return what an executor needs to know of an accepted run.

    Args:
        settled: hosts that nothing is done to.
    """
    return ExecutionRequest(
        run=prepared.run,
        playbook=prepared.playbook,
        inventory=_frozen(prepared.run),
        environment=prepared.environment,
        variables=prepared.variables,
        secrets=prepared.secrets,
        limit=prepared.limit,
        settled=settled,
    )


def broken_off(error: BaseException) -> ExecutionOutcome:
    """Return how a run ended that an error ended."""
    if isinstance(error, KeyboardInterrupt):
        return ExecutionOutcome(RunEnd.CANCELED, error="killed; hosts may be in the middle of a task")
    message = str(error) if isinstance(error, BedplateError) else f"internal error: {type(error).__name__}"
    return ExecutionOutcome(RunEnd.BROKEN, error=message)


def _frozen(run: Run) -> Path:
    """Return the frozen inventory of an accepted run, as ansible's `-i` gets it."""
    folder = folder_of(run) / INVENTORY
    file = folder / Path(run.inventory).name
    return file if file.is_file() and not Path(run.inventory).is_dir() else folder
