"""`bedplate drift check`: look whether hosts are as agreed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bedplate.commands.completing import complete_limit
from bedplate.commands.context import App, pass_app
from bedplate.commands.drift_waivers import waiver_book
from bedplate.commands.exits import ExitCode
from bedplate.commands.output import emit, output_option
from bedplate.commands.product_names import complete_product
from bedplate.commands.run import Results, executed

if TYPE_CHECKING:
    from rich.console import Console

    from bedplate.runs import Run
    from bedplate.watch import CheckResult, FleetBackground, FullCheck


@click.command()
@click.argument("product", default="baseline", shell_complete=complete_product)
@click.option(
    "-l", "--limit", metavar="PATTERN", help="Hosts and groups, as in Ansible.", shell_complete=complete_limit
)
@click.option("--full", is_flag=True, required=True, help="Run the product's playbook in check mode.")
@output_option
@pass_app
def check(app: App, *, product: str, limit: str | None, output: str, full: bool) -> int:
    """Check whether hosts are as a PRODUCT agrees (baseline by default).

    Exits with 6 when something is not; with 5 or 4 when hosts failed or could not be reached, of which then nothing
    is known.

    Example: bedplate drift check --full -l site_fra1
    """
    del full
    app.recover()
    waiver_book(app).all()  # what is wrong with them is said before anything starts
    checking = full_check(app)
    run = run_check(app, checking, product, limit, quiet=output != "table")
    if run.exit_code not in _JUDGED:
        click.echo(f"bedplate: {run.error}", err=True)
        return run.exit_code if run.exit_code is not None else ExitCode.INTERNAL
    result = checking.judge(run)
    show_result(result, output)
    return exit_code_of_check(run, drifted=bool(result.open))


_JUDGED = frozenset({ExitCode.DONE, ExitCode.UNREACHABLE, ExitCode.FAILED})


def full_check(app: App) -> FullCheck:
    """Return what executes and reads full checks."""
    from bedplate.watch import FullCheck, Recording

    return FullCheck(app.launcher, Recording(app.drift, fleet_background(app), waiver_book(app)))


def fleet_background(app: App) -> FleetBackground:
    """Return what is known of this invocation's hosts."""
    from bedplate.watch import FleetBackground

    return FleetBackground(app.content, app.launcher.adapter, app.store)


def run_check(app: App, checking: FullCheck, product: str, limit: str | None, *, quiet: bool) -> Run:
    """Order and execute a full check, showing it as it goes; return its run as it ended."""
    prepared = checking.prepare(product, limit)
    for warning in prepared.warnings:
        click.echo(f"bedplate: {warning}", err=True)
    prepared = replace(prepared, run=app.launcher.accept(prepared))
    hosts = len(prepared.run.hosts)
    click.echo(f"Check {prepared.run.id}: {product} on {hosts} host{'' if hosts == 1 else 's'}", err=quiet)
    return executed(app, prepared, Results())


def exit_code_of_check(run: Run, *, drifted: bool) -> int:
    """Return what a check exits with: hosts that failed outrank hosts out of reach, and those outrank drift."""
    if run.exit_code:
        return run.exit_code
    return ExitCode.DRIFT if drifted else ExitCode.DONE


def show_result(result: CheckResult, output: str) -> None:
    """Show what a check came to."""
    from bedplate.reports.drift_documents import check_document, finding_document

    findings = [finding_document(finding) for finding in result.open]
    emit(check_document(result.check, result.states, findings), output, lambda out: draw_result(out, result))


def draw_result(out: Console, result: CheckResult) -> None:
    """Draw what a check came to: findings, hosts, coverage, and the sum of it."""
    from bedplate.reports.drift_text import FindingTable, coverage_table, host_state_table, summary

    out.print()
    if result.open:
        out.print(FindingTable(result.open, {}, datetime.now(UTC)), "")
    out.print(host_state_table(result.states, result.open), "", coverage_table(result.states), "")
    out.print(summary(result.check))
    out.print(f"Check {result.check.id}", highlight=False)
