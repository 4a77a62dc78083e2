"""How an execution ended, from what ansible said last and what happened to the hosts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bedplate.execution.executor import ExecutionOutcome, RunEnd
from bedplate.execution.results import HostTally
from bedplate.runs import HostOutcome

# As ansible-core marks an error, from 2.19 on and before.
_ERRORS = ("[ERROR]: ", "ERROR! ")
_LONGEST = 500


@dataclass(frozen=True)
class Ending:
    """The last that was seen of an ansible process.

    Attributes:
        exit_code: None if it was killed.
        errors: the last lines of errors, without secrets.
        fault: why it could not be started, if so.
        killed: a person wanted it to end at once.
        stopped: where it ended in order, if a person wanted that.
    """

    exit_code: int | None
    errors: Sequence[str] = ()
    fault: str | None = None
    killed: bool = False
    stopped: str | None = None


def outcome_of(ending: Ending, tally: HostTally) -> ExecutionOutcome:
    """Return the outcome: a person's word first, then ansible's own faults, then the hosts."""
    end, error = _end(ending, tally)
    return ExecutionOutcome(end, tally.results, tally.tasks, error)


def _end(ending: Ending, tally: HostTally) -> tuple[RunEnd, str | None]:
    if ending.killed and ending.exit_code is None:
        return RunEnd.CANCELED, "killed; hosts may be in the middle of a task"
    if ending.stopped is not None:
        return RunEnd.CANCELED, f"stopped before the task {ending.stopped}"
    if ending.fault is not None:
        return RunEnd.BROKEN, ending.fault
    if ending.exit_code is None:
        return RunEnd.BROKEN, "the ansible process was killed from outside"
    if ending.exit_code != 0 and not tally.complete:
        return RunEnd.BROKEN, _sentence(ending)
    return _end_by_hosts(ending, tally)


def _end_by_hosts(ending: Ending, tally: HostTally) -> tuple[RunEnd, str | None]:
    outcomes = [result.outcome for result in tally.results]
    for outcome, end, verb in (
        (HostOutcome.FAILED, RunEnd.FAILED, "failed"),
        (HostOutcome.UNREACHABLE, RunEnd.UNREACHABLE, "could not be reached"),
    ):
        if outcome in outcomes:
            return end, f"{outcomes.count(outcome)} of {len(outcomes)} hosts {verb}"
    return (RunEnd.FAILED, _sentence(ending)) if ending.exit_code else (RunEnd.DONE, None)


def _sentence(ending: Ending) -> str:
    """Return ansible's error in one line: from its last mark to the next empty line."""
    marks = [number for number, line in enumerate(ending.errors) if line.startswith(_ERRORS)]
    lines = list(ending.errors[marks[-1] :]) if marks else list(ending.errors[-1:])
    end = next((number for number, line in enumerate(lines) if not line.strip()), len(lines))
    text = " ".join(line.strip() for line in lines[:end])
    for mark in _ERRORS:
        text = text.removeprefix(mark)
    return text[:_LONGEST] or f"ansible ended with code {ending.exit_code}"
