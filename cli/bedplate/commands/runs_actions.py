"""`bedplate runs wait|cancel|rerun|prune`: what to do about a run."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import click

from bedplate.commands.context import App, pass_app
from bedplate.commands.exits import ExitCode
from bedplate.commands.output import output_option
from bedplate.commands.recovering import RecoveringCommand
from bedplate.commands.run import execution_options, launch
from bedplate.commands.run_ids import complete_run
from bedplate.commands.runs_show import show_run
from bedplate.commands.secret_answers import secret_answers
from bedplate.errors import ParameterError, UsageError
from bedplate.runs import RunQuery

_POLL = 0.5


@click.command(cls=RecoveringCommand)
@click.argument("run_id", metavar="RUN", shell_complete=complete_run)
@click.option("--timeout", type=click.IntRange(1), help="Give up after so many seconds (exit 8).")
@output_option
@pass_app
def wait(app: App, run_id: str, timeout: int | None, output: str) -> int:
    """Wait until a run has ended, and exit as the run would have.

    Example: bedplate runs wait k7f2 && echo done
    """
    run = app.store.get(run_id)
    deadline = None if timeout is None else time.monotonic() + timeout
    while not run.status.ended:
        if deadline is not None and time.monotonic() > deadline:
            click.echo(f"bedplate: run {run.id} is still {run.status}", err=True)
            return ExitCode.CANCELED
        time.sleep(_POLL)
        app.recover()
        run = app.store.get(run.id)
    show_run(app, run, output)
    return run.exit_code if run.exit_code is not None else ExitCode.FAILED


@click.command(cls=RecoveringCommand)
@click.argument("run_id", metavar="RUN", shell_complete=complete_run)
@pass_app
def cancel(app: App, run_id: str) -> None:
    """Ask a run to stop in order: the tasks under way end, no new one starts.

    Example: bedplate runs cancel k7f2
    """
    run = app.store.get(run_id)
    if not app.launcher.cancel(run):
        raise UsageError(f"has ended already ({run.status})", where=f"run {run.id}")
    click.echo(f"Run {run.id} was asked to stop; bedplate runs wait {run.id} tells when it has.")


@click.command(cls=RecoveringCommand)
@click.argument("run_id", metavar="RUN", shell_complete=complete_run)
@click.option("--failed", is_flag=True, help="Only on the hosts that failed or were unreachable.")
@execution_options
@pass_app
def rerun(
    app: App,
    run_id: str,
    *,
    failed: bool,
    check: bool,
    diff: bool,
    reason: str | None,
    patience: timedelta | None,
    detach: bool,
    output: str,
    look: bool,
) -> int:
    """Order the same again, on the same hosts and with the same answers; secret ones are asked for anew.

    Example: bedplate runs rerun k7f2 --failed --reason "disk replaced"
    """
    from bedplate.launch.repeating import repetition_of

    request = repetition_of(app.store, run_id, failed_only=failed)
    answers = secret_answers({name: name for name in request.unknown_secrets}, request.unknown_secrets)
    missing = [name for name in request.unknown_secrets if name not in answers]
    if missing:
        raise ParameterError(
            f"secret answers are not kept: {', '.join(missing)}",
            where=f"run {request.rerun_of}",
            hint="say it at a terminal, which asks for them, or give them as BEDPLATE_SECRET_NAME",
        )
    changed = replace(
        request,
        parameters={**request.parameters, **answers},
        unknown_secrets=(),
        check=check or request.check,
        diff=diff or request.diff,
        reason=reason or request.reason,
        patience=patience,
    )
    return launch(app, changed, detach=detach, output=output, look=look)


@click.command(cls=RecoveringCommand)
@click.option("--days", type=click.IntRange(0), help="Keep what is younger (default: retention.days).")
@click.option("--runs", "count", type=click.IntRange(0), help="Keep the newest of each product (retention.runs).")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@pass_app
def prune(app: App, days: int | None, count: int | None, *, dry_run: bool) -> None:
    """Remove old runs with their events and folders; runs that have not ended are never touched.

    Example: bedplate runs prune --days 30 --dry-run
    """
    from bedplate.retention import select_for_pruning

    kept_days = app.settings.retention.days if days is None else days
    kept_runs = app.settings.retention.runs if count is None else count
    everything = app.store.find(RunQuery(limit=None))
    old = select_for_pruning(everything, kept_for=timedelta(days=kept_days), kept_runs=kept_runs, now=datetime.now(UTC))
    if not dry_run:
        app.launcher.remove_folders(old)
        app.store.delete([run.id for run in old])
    click.echo(f"{'Would remove' if dry_run else 'Removed'} {len(old)} of {len(everything)} runs.")
