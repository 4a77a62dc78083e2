"""`bedplate runs`: what ran, what it did, and what to do about it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from bedplate.commands.completing import complete_host
from bedplate.commands.context import App, pass_app
from bedplate.commands.output import console, emit, output_option
from bedplate.commands.product_names import complete_product
from bedplate.commands.recovering import RunsGroup
from bedplate.commands.run_ids import complete_run
from bedplate.commands.runs_actions import cancel, prune, rerun, wait
from bedplate.commands.runs_approval import approve, reject, work
from bedplate.commands.runs_show import show_run
from bedplate.commands.times import Moment
from bedplate.errors import NotFoundError, UsageError
from bedplate.runs import Event, EventQuery, HostOutcome, Run, RunQuery, RunStatus

_POLL = 0.5
_OUTCOME = click.Choice([outcome.value for outcome in HostOutcome])
_STATUS = click.Choice([status.value for status in RunStatus])


@click.group(cls=RunsGroup)
def runs() -> None:
    """What ran: who ordered it, why, on which hosts, and what came of it.

    A run is named by its id, or by any beginning or end of it that no other run has.

    Example: bedplate runs list --product baseline --since 2d
    """


for action in (wait, cancel, rerun, prune, approve, reject, work):
    runs.add_command(action)


@runs.command("list")
@click.option("--product", help="Only runs of this product.", shell_complete=complete_product)
@click.option(
    "--status", "statuses", multiple=True, type=click.Choice([s.value for s in RunStatus]), help="Repeatable."
)
@click.option("--user", help="Only runs that this person ordered.")
@click.option("--host", help="Only runs on this host.", shell_complete=complete_host)
@click.option("--since", type=Moment(), help="Not older than: 2h, 3d, 2026-11-20.")
@click.option("--until", type=Moment(), help="Not younger than.")
@click.option("-n", "--limit", "count", type=click.IntRange(1), default=25, show_default=True, help="How many.")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@output_option
@pass_app
def list_runs(
    app: App,
    *,
    product: str | None,
    statuses: tuple[str, ...],
    user: str | None,
    host: str | None,
    since: datetime | None,
    until: datetime | None,
    count: int,
    output: str,
    everything: bool,
) -> None:
    """List runs, newest first.

    Example: bedplate runs list --status failed --since 1d -o json
    """
    from bedplate.reports.run_documents import run_document
    from bedplate.reports.run_table import RunTable

    query = RunQuery(
        product=product,
        statuses=tuple(RunStatus(status) for status in statuses),
        requester=user,
        host=host,
        since=since,
        until=until,
        limit=None if everything else count,
    )
    found = app.store.find(query)
    emit(
        [run_document(run) for run in found],
        output,
        lambda out: out.print(RunTable(found, datetime.now(UTC)) if found else "No runs."),
    )


@runs.command()
@click.argument("run_id", metavar="RUN", shell_complete=complete_run)
@output_option
@pass_app
def show(app: App, run_id: str, output: str) -> None:
    """Show all about one run.

    Example: bedplate runs show 20261122-151403-k7f2
    """
    show_run(app, app.store.get(run_id), output)


@runs.command()
@click.argument("run_id", metavar="RUN", shell_complete=complete_run)
@click.option("--outcome", type=_OUTCOME, help="Only hosts that came to this.")
@output_option
@pass_app
def hosts(app: App, run_id: str, outcome: str | None, output: str) -> None:
    """Show what a run did to each host.

    Example: bedplate runs hosts k7f2 --outcome failed
    """
    from bedplate.reports.run_documents import host_result_document
    from bedplate.reports.run_text import host_table

    run = app.store.get(run_id)
    results = [r for r in app.store.host_results(run.id) if outcome in {None, r.outcome.value}]
    emit(
        [host_result_document(result) for result in results],
        output,
        lambda out: out.print(host_table(results) if results else "No hosts."),
    )


@runs.command()
@click.argument("run_id", metavar="RUN", shell_complete=complete_run)
@click.option("--host", help="Only events of this host.", shell_complete=complete_host)
@click.option("--changed", is_flag=True, help="Only what changed something.")
@click.option("--failed", is_flag=True, help="Only what failed or was unreachable.")
@click.option("-n", "--limit", "count", type=click.IntRange(1), help="How many at most.")
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json", "yaml", "jsonl"]),
    default="table",
    show_default=True,
    help="jsonl is one event a line, as they come.",
)
@pass_app
def events(
    app: App,
    run_id: str,
    host: str | None,
    count: int | None,
    output: str,
    *,
    changed: bool,
    failed: bool,
    follow: bool,
) -> None:
    """Show what the runner reported, in order.

    Example: bedplate runs events k7f2 --host fra1-colo-01 --changed
    """
    run = app.store.get(run_id)
    query = EventQuery(host=host, only_changed=changed, only_failed=failed, limit=count)
    if follow and output in {"json", "yaml"}:
        raise UsageError("--follow cannot end a JSON or YAML document", hint="use -o jsonl")
    found = _follow_events(app, run, query) if follow else app.store.events(run.id, query)
    _show_events(found, output)


def _show_events(found: Iterator[Event], output: str) -> None:
    import json

    from bedplate.reports.plain import plain
    from bedplate.reports.run_documents import event_document

    if output == "table":
        from bedplate.reports.run_text import event_line

        out = console()
        for event in found:
            out.print(event_line(event), no_wrap=True, overflow="ellipsis", crop=out.is_terminal)
    elif output == "jsonl":
        for event in found:
            click.echo(json.dumps(plain(event_document(event)), ensure_ascii=False))
    else:
        emit([event_document(event) for event in found], output, lambda _: None)


def _follow_events(app: App, run: Run, query: EventQuery) -> Iterator[Event]:
    while True:
        ended = app.store.get(run.id).status.ended
        for event in app.store.events(run.id, query):
            query = replace(query, after=event.counter)
            yield event
        if ended:
            return
        time.sleep(_POLL)


@runs.command()
@click.argument("run_id", metavar="RUN", shell_complete=complete_run)
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends.")
@pass_app
def logs(app: App, run_id: str, *, follow: bool) -> None:
    """Print what ansible printed, without secrets.

    Example: bedplate runs logs k7f2 --follow
    """
    from bedplate.execution.teller import LOG

    run = app.store.get(run_id)
    log = run.folder / LOG if run.folder else None
    if log is None or not (log.is_file() or follow):
        raise NotFoundError(
            "its log is not on this machine",
            where=f"run {run.id}",
            hint="bedplate runs events shows what the store has",
        )
    _print_log(app, run, log, follow=follow)


def _print_log(app: App, run: Run, log: Path, *, follow: bool) -> None:
    position = 0
    while True:
        ended = not follow or app.store.get(run.id).status.ended
        if log.is_file():
            with log.open("rb") as stream:
                stream.seek(position)
                while chunk := stream.read(65536):
                    sys.stdout.buffer.write(chunk)
                position = stream.tell()
            sys.stdout.buffer.flush()
        if ended:
            return
        time.sleep(_POLL)
