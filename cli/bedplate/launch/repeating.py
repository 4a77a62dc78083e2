"""Ordering again what a run was."""

from __future__ import annotations

from bedplate.errors import UsageError
from bedplate.launch.request import LaunchRequest
from bedplate.runs import REDACTED, HostOutcome, Run, RunMode, RunRepository


def repetition_of(store: RunRepository, run_id: str, *, failed_only: bool = False) -> LaunchRequest:
    """Return the order that repeats a run, on all its hosts or only on those that failed or were unreachable.

    `unknown_secrets` of the answer names the secret parameters; add them to `parameters`.

    Raises:
        NotFoundError: there is no such run.
        UsageError: the run has not ended, or no host failed.
    """
    run = store.get(run_id)
    if not run.status.ended:
        raise UsageError(f"has not ended yet ({run.status})", where=f"run {run.id}")
    hosts = _failed_hosts(store, run) if failed_only else list(run.hosts)
    if not hosts:
        raise UsageError("no host failed", where=f"run {run.id}")
    return LaunchRequest(
        product=run.product,
        parameters={name: value for name, value in run.parameters.items() if value != REDACTED},
        limit=run.limit,
        hosts=hosts,
        check=run.mode is RunMode.CHECK,
        diff=run.diff,
        reason=run.reason,
        rerun_of=run.id,
        unknown_secrets=[name for name, value in run.parameters.items() if value == REDACTED],
        engine=run.engine,
    )


def _failed_hosts(store: RunRepository, run: Run) -> list[str]:
    failed = {HostOutcome.FAILED, HostOutcome.UNREACHABLE}
    return [result.host for result in store.host_results(run.id) if result.outcome in failed]
