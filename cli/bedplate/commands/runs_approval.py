"""`bedplate runs approve|reject|work`: runs that wait for somebody's consent."""

from __future__ import annotations

import time

import click

from bedplate.commands.context import App, pass_app
from bedplate.commands.output import output_option
from bedplate.commands.recovering import RecoveringCommand
from bedplate.commands.run_ids import complete_run
from bedplate.commands.runs_show import show_run
from bedplate.errors import BedplateError, ExternalError
from bedplate.runs import RunQuery, RunStatus


@click.command(cls=RecoveringCommand)
@click.argument("run_id", metavar="RUN", shell_complete=complete_run)
@click.option("--comment", metavar="TEXT", help="Kept with the approval.")
@output_option
@pass_app
def approve(app: App, run_id: str, comment: str | None, output: str) -> None:
    """Agree to a run that somebody else ordered; it holds for this content, these parameters and these hosts.

    Example: bedplate runs approve k7f2 --comment "as agreed in the change meeting"
    """
    from bedplate.guardrails.approvals import Decision

    show_run(app, app.launcher.consent.decide(run_id, Decision.APPROVE, comment), output)


@click.command(cls=RecoveringCommand)
@click.argument("run_id", metavar="RUN", shell_complete=complete_run)
@click.option("--comment", metavar="TEXT", help="Why not; the requester sees it.")
@output_option
@pass_app
def reject(app: App, run_id: str, comment: str | None, output: str) -> None:
    """Refuse a run that somebody else ordered; it ends as refused.

    Example: bedplate runs reject k7f2 --comment "not before the release"
    """
    from bedplate.guardrails.approvals import Decision

    show_run(app, app.launcher.consent.decide(run_id, Decision.REJECT, comment), output)


@click.command(cls=RecoveringCommand)
@click.option("--once", is_flag=True, help="Look once instead of going on.")
@click.option("--interval", type=click.IntRange(1), default=15, show_default=True, help="Seconds between two looks.")
@pass_app
def work(app: App, *, interval: int, once: bool) -> None:
    """Start runs as soon as they are approved, for an account that `guardrails.workers` names.

    Runs with secret parameters wait for their requester: secrets are not kept.

    Example: bedplate runs work --once
    """
    told: dict[str, str] = {}
    while True:
        for run in app.store.find(RunQuery(statuses=(RunStatus.PENDING,), limit=None)):
            said = _start(app, run.id)
            if told.get(run.id) != said:
                told[run.id] = said
                click.echo(f"Run {run.id}: {said}")
        if once:
            return
        time.sleep(interval)
        app.recover()


def _start(app: App, run_id: str) -> str:
    """Start a run if that may be; return what came of it."""
    from dataclasses import replace

    from bedplate.guardrails import Outcome

    launcher = app.new_launcher()  # it looks at the inventory anew
    try:
        order = launcher.consent.order_again(run_id, {})
        against = [
            verdict.sentence
            for verdict in launcher.judge(order).verdicts
            if verdict.outcome in {Outcome.REFUSED, Outcome.PENDING}
        ]
        if against:
            return f"waits: {'; '.join(against)}"
        prepared = launcher.prepare(order)
        started = launcher.detach(replace(prepared, run=launcher.accept(prepared)))
    except ExternalError:
        raise
    except BedplateError as error:
        return str(error)
    return f"started, process {started.pid}"
