"""`bedplate run`: order a product."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from bedplate.commands.completing import complete_limit
from bedplate.commands.context import App, pass_app
from bedplate.commands.exits import ExitCode
from bedplate.commands.output import console, emit, leave_pipe, output_option
from bedplate.commands.product_names import complete_parameter, complete_product
from bedplate.commands.run_ids import complete_run
from bedplate.commands.times import Length
from bedplate.errors import ParameterError, UsageError

if TYPE_CHECKING:
    from datetime import timedelta

    from bedplate.launch import ExecutionOutcome, LaunchRequest, PreparedRun
    from bedplate.runs import Event, HostResult, Run

_Command = TypeVar("_Command", bound=Callable[..., Any])


def execution_options(command: _Command) -> _Command:
    """Add what `run` and `runs rerun` have in common."""
    for option in (
        click.option("--reason", metavar="TEXT", help="Why; kept with the run."),
        click.option("--diff", is_flag=True, help="Show what changes in files."),
        click.option("--check", is_flag=True, help="Change nothing; say what would change."),
        click.option(
            "--wait", "patience", type=Length(), metavar="TIME", help="Wait so long for hosts that another run changes."
        ),
        click.option(
            "--look/--no-look",
            default=True,
            help="Leave alone what a look finds as it was sealed, after runs of drift.seal_after; by default it looks.",
        ),
        click.option("--detach", is_flag=True, help="Print the run's id and go on in the background."),
        output_option,
    ):
        command = option(command)
    return command


class Results:
    """Keeps what the run did to each host, so that the end is shown even when the store is away."""

    def __init__(self) -> None:
        self.hosts: Sequence[HostResult] = ()

    def started(self, _run: Run) -> None:
        pass

    def event(self, _event: Event) -> None:
        pass

    def finished(self, outcome: ExecutionOutcome) -> None:
        self.hosts = outcome.results


@click.command()
@click.argument("product", required=False, shell_complete=complete_product)
@click.option(
    "-l", "--limit", metavar="PATTERN", help="Hosts and groups, as in Ansible.", shell_complete=complete_limit
)
@click.option(
    "-p",
    "--parameter",
    "assignments",
    multiple=True,
    metavar="NAME=VALUE",
    help="Answer to one of the product's questions; repeatable.",
    shell_complete=complete_parameter,
)
@click.option(
    "--params-file", type=click.File("r", "utf-8"), metavar="FILE", help="Answers as YAML or JSON; - reads them here."
)
@click.option(
    "--on",
    "engine",
    type=click.Choice(["local", "awx"]),
    help="What executes it; by default this machine.",
)
@click.option("--resume", metavar="RUN", help="Start a run that was approved.", shell_complete=complete_run)
@click.option("--refresh", is_flag=True, help="Ask NetBox first, however fresh the last answer is.")
@click.option("--dry-run", is_flag=True, help="Only show what every guardrail says; exits 3 if one refuses.")
@execution_options
@pass_app
def run(
    app: App,
    *,
    product: str | None,
    limit: str | None,
    assignments: tuple[str, ...],
    params_file: IO[str] | None,
    check: bool,
    diff: bool,
    reason: str | None,
    patience: timedelta | None,
    detach: bool,
    output: str,
    resume: str | None,
    dry_run: bool,
    engine: str | None,
    look: bool,
    refresh: bool,
) -> int:
    """Run a PRODUCT on hosts.

    The hosts are resolved and every parameter is checked before anything starts. Ctrl-C stops in order: the tasks
    under way end, no new one starts; a second Ctrl-C ends everything at once. On AWX the first one cancels its job,
    which ends at once, and a second one does not wait for that. A product that needs approval is kept as pending,
    and started by --resume once somebody agreed. Where another run changes one of the hosts, the order is refused,
    unless --wait says how long it may be queued.

    A host that was brought to the product within a day (drift.settled_hours), whose roles and variables are the same as
    then, is looked at first, in one round trip: if it is as it was sealed to the last detail, it counts as skipped.
    --no-look and --check run everything on every host.

    \b
    Examples:
      bedplate run baseline --limit 'site_fra1:&class_colo' --check --diff
      bedplate run ping -l fra1-colo-01 -o json
      bedplate run baseline --dry-run
      bedplate run patch -l site_fra1 --wait 2h
      bedplate run baseline -l site_fra1 --on awx
    """
    from bedplate.catalog import parse_assignments, parse_parameters
    from bedplate.launch import LaunchRequest

    given = parse_parameters(_text(params_file), params_file.name) if params_file else {}
    given = {**given, **parse_assignments(assignments)}
    if resume is not None:
        if (product, limit, patience, engine) != (None,) * 4 or check or dry_run or refresh:
            sentence = "goes on as it was ordered: no product, --limit, --on, --wait, --check, --refresh or --dry-run"
            raise UsageError(sentence, where="--resume")
        return _resumed(app, resume, given, detach=detach, output=output, look=look)
    if product is None:
        raise UsageError("no product is named", hint="bedplate product list shows what there is")
    app.launcher.adapter.wants_fresh = refresh
    request = LaunchRequest(
        product=product,
        parameters={**given, **_asked_secrets(app, product, given)},
        limit=limit,
        check=check,
        diff=diff,
        reason=reason,
        engine=engine or "local",
        patience=patience,
    )
    return _judged(app, request, output) if dry_run else launch(app, request, detach=detach, output=output, look=look)


def _judged(app: App, request: LaunchRequest, output: str) -> int:
    """Show what every guardrail says of an order."""
    from bedplate.reports.guardrails import decision_of, dry_run_document, verdict_table

    app.recover()
    prepared = app.launcher.judge(request)
    document = dry_run_document(prepared.run, prepared.verdicts, prepared.warnings)
    emit(document, output, lambda out: out.print(verdict_table(prepared.verdicts)))
    return ExitCode.REFUSED if decision_of(prepared.verdicts) == "refused" else ExitCode.DONE


def _resumed(app: App, run_id: str, given: Mapping[str, Any], *, detach: bool, output: str, look: bool) -> int:
    """Start a run that was approved; only its secrets are asked for anew."""
    consent = app.launcher.consent
    waiting = consent.pending(run_id)
    unknown = consent.unknown_secrets(waiting)
    other = sorted(given.keys() - set(unknown))
    if other:
        raise UsageError(f"goes on as it was ordered: not with another {other[0]}", where="--resume")
    asked = [name for name in unknown if name not in given] if sys.stdin.isatty() else []
    answers = {name: click.prompt(name, hide_input=True, err=True) for name in asked}
    return launch(app, consent.order_again(waiting.id, {**given, **answers}), detach=detach, output=output, look=look)


def _text(file: IO[str]) -> str:
    try:
        return file.read()
    except UnicodeDecodeError as error:
        raise ParameterError(f"is not UTF-8 text: {error.reason} at byte {error.start}", where=file.name) from error


def _asked_secrets(app: App, product: str, given: Mapping[str, Any]) -> dict[str, str]:
    """Return the secrets that were not given, from where they are kept or from a person at a terminal."""
    from bedplate.catalog import load_catalog
    from bedplate.commands.secret_answers import secret_answers

    questions = load_catalog(app.content.products).get(product).parameters
    missing = [question for question in questions if question.is_secret and question.name not in given]
    required = {question.name for question in missing if question.required}
    return secret_answers({question.name: question.title for question in missing}, required)


def launch(app: App, request: LaunchRequest, *, detach: bool, output: str, look: bool) -> int:
    """Check, accept and execute an order, showing it as it goes; return the exit code."""
    from dataclasses import replace

    from bedplate.commands.executing import executed
    from bedplate.runs import RunStatus

    app.recover()
    prepared = app.launcher.prepare(request)
    for warning in prepared.warnings:
        click.echo(f"bedplate: {warning}", err=True)
    accepted = app.launcher.accept(prepared)
    prepared = replace(prepared, run=accepted)
    if accepted.status is RunStatus.PENDING:
        return _waits(prepared, output)
    hosts = f"{len(accepted.hosts)} host{'' if len(accepted.hosts) == 1 else 's'}"
    mode = ", check only" if request.check else ""
    try:
        click.echo(f"Run {accepted.id}: {accepted.product} on {hosts}{mode}", err=output != "table")
        ahead = app.launcher.ahead(prepared)
        if ahead is not None:
            click.echo(f"It waits: {ahead.removeprefix('refused by ')}", err=output != "table")
    except BrokenPipeError:  # it was accepted, so it runs
        leave_pipe()
    if detach:
        return _detached(app, prepared, output)
    results = Results()
    try:
        ended = executed(app, prepared, [results], look=look)
        _show_end(ended, results.hosts, output)
    except BrokenPipeError:  # nobody reads any more; what the run came to counts all the same
        leave_pipe()
        ended = app.store.get(accepted.id)
    _seal_after(app, ended)
    return ended.exit_code if ended.exit_code is not None else ExitCode.INTERNAL


def _seal_after(app: App, ended: Run) -> None:
    from bedplate.commands.drift_seal import seal_after

    seal_after(app, ended)


def _waits(prepared: PreparedRun, output: str) -> int:
    """Tell that somebody else has to agree to a run that is kept now."""
    from bedplate.guardrails import Outcome
    from bedplate.reports.run_documents import run_document

    accepted = prepared.run
    said = [verdict.sentence for verdict in prepared.verdicts if verdict.outcome is Outcome.PENDING]
    lines = [
        f"Run {accepted.id} is pending: {'; '.join(said)}.",
        f"Somebody else says bedplate runs approve {accepted.id}, then you say bedplate run --resume {accepted.id}.",
    ]
    emit(run_document(accepted), output, lambda out: out.print("\n".join(lines), highlight=False, markup=False))
    return ExitCode.DONE


def _detached(app: App, prepared: PreparedRun, output: str) -> int:
    from bedplate.reports.run_documents import run_document

    started = app.launcher.detach(prepared)
    emit(run_document(started), output, lambda out: out.print(f"It goes on; bedplate runs wait {started.id}"))
    return ExitCode.DONE


def _show_end(ended: Run, results: Sequence[HostResult], output: str) -> None:
    from bedplate.commands.runs_show import show_verification
    from bedplate.reports.run_documents import outcome_counts, run_document
    from bedplate.reports.run_text import STATUS_STYLE, host_table, took

    if output != "table":
        emit(run_document(ended, results), output, lambda _: None)
        return
    out = console()
    out.print()
    if results:
        out.print(host_table(results))
        show_verification(out, ended)
        out.print()
    style = STATUS_STYLE[ended.status]
    counts = ", ".join(f"{count} {outcome}" for outcome, count in outcome_counts(results).items() if count)
    tasks = f", {ended.tasks} task{'' if ended.tasks == 1 else 's'}" if ended.tasks else ""
    how_long = f" in {took(ended.duration)}" if ended.duration is not None else ""
    out.print(f"[{style}]{ended.status}[/]{how_long}: {counts or 'no hosts'}{tasks}")
    if ended.error:
        out.print(ended.error, style="red", markup=False)
    out.print(f"Run {ended.id}", highlight=False)
