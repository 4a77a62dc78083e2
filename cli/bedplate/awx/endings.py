"""How a run on AWX ended: AWX's word first, then the hosts, as for a run on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bedplate.awx.executions import Execution
from bedplate.execution.executor import ExecutionOutcome, RunEnd
from bedplate.execution.outcome import Ending, outcome_of
from bedplate.execution.results import HostTally

_MIDDLE = "hosts may be in the middle of a task"


def ending_of(
    execution: Execution, tally: HostTally, errors: Sequence[str], refusal: str | None = None, *, asked: bool = False
) -> ExecutionOutcome:
    """Return the outcome of a job that has ended.

    Args:
        errors: the last lines of errors.
        refusal: what the product's manifest has against the answers.
        asked: whether we told AWX to cancel it.
    """
    revision = execution.revision
    if execution.status == "canceled":
        error = f"canceled; {_MIDDLE}" if asked else f"somebody canceled it in AWX; {_MIDDLE}"
        return ExecutionOutcome(RunEnd.CANCELED, tally.results, tally.tasks, error, revision)
    failed = execution.status != "successful"
    fault = execution.explanation if failed and not tally.complete else None
    outcome = outcome_of(Ending(2 if failed else 0, errors, fault), tally)
    if refusal and failed:
        error = f"the content that AWX runs refuses an answer: {refusal}"
        return replace(outcome, end=RunEnd.FAILED, error=error, revision=revision)
    return replace(outcome, revision=revision)


def lost(tally: HostTally, error: str, revision: str = "") -> ExecutionOutcome:
    """Return the outcome of a job whose end nobody knows."""
    return ExecutionOutcome(RunEnd.BROKEN, tally.results, tally.tasks, error, revision)


def left_alone(tally: HostTally, number: int, revision: str = "", *, told: bool) -> ExecutionOutcome:
    """Return the outcome of a job that was not waited for.

    Args:
        told: whether AWX was told to cancel it.
    """
    what = f"AWX was told to cancel its job {number}" if told else f"AWX could not be told to cancel its job {number}"
    error = f"{what}, which was not waited for; {_MIDDLE}"
    return ExecutionOutcome(RunEnd.CANCELED, tally.results, tally.tasks, error, revision)
