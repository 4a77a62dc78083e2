"""`bedplate drift check`: look whether hosts are as agreed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import click

from bedplate.commands.completing import complete_limit
from bedplate.commands.context import App, pass_app
from bedplate.commands.drift_waivers import waiver_book
from bedplate.commands.executing import executed
from bedplate.commands.exits import ExitCode
from bedplate.commands.output import emit, output_option
from bedplate.commands.product_names import complete_product
from bedplate.drift.finding import Cause
from bedplate.drift.observation import UNREACHABLE, CheckOutcome
from bedplate.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from bedplate.drift.check import HostState
    from bedplate.drift.finding import Finding
    from bedplate.runs import Run
    from bedplate.watch import CheckResult, FastCheck, FleetBackground, FullCheck, Recording
    from bedplate.watch.netbox import Journal


@click.command()
@click.argument("product", default="baseline", shell_complete=complete_product)
@click.option(
    "-l", "--limit", metavar="PATTERN", help="Hosts and groups, as in Ansible.", shell_complete=complete_limit
)
@click.option("--full", is_flag=True, help="Run the product's playbook in check mode on every host.")
@click.option(
    "--escalate",
    "escalate",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="How many hosts are sent to the full check, because what is agreed changed since their seal; at least one.",
)
@click.option("--journal", is_flag=True, help="Write what NetBox has otherwise than a host into its journal there.")
@output_option
@pass_app
def check(
    app: App,
    *,
    product: str,
    limit: str | None,
    output: str,
    full: bool,
    escalate: float | None,
    journal: bool,
) -> int:
    """Check whether hosts are as a PRODUCT agrees (baseline by default).

    Hosts are compared with their seals, in one round trip each; `bedplate drift seal` takes these. Exits with 6 when
    something is not as agreed; with 4 when hosts could not be reached, and with 5 when they could not be judged for
    another reason: nothing is known of them then.

    What runs of the product patch updated on hosts since is no drift, and part of their seals (drift.renew_after);
    what somebody updated by hand is a finding.

    A host that is from NetBox is compared with its record there, too, as the inventory has it. --journal writes what
    differs into the host's journal, once; NETBOX_URL and NETBOX_TOKEN (or NETBOX_TOKEN_FILE) say where.

    \b
    Examples:
      bedplate drift check -l site_fra1
      bedplate drift check --full -l fra1-colo-01
    """
    app.recover()
    waiver_book(app).all()  # what is wrong with them is said before anything starts
    if full and journal:
        raise UsageError("only a fast check compares hosts with NetBox", where="--journal", hint="leave out --full")
    if full:
        return _check_fully(app, product, limit, output)
    notes = journal_of(app, forced=journal)
    return _check_fast(app, product, limit, output, escalate=escalate, journal=notes)


def _check_fully(app: App, product: str, limit: str | None, output: str) -> int:
    checking = full_check(app)
    run = run_check(app, checking, product, limit, quiet=output != "table")
    if run.exit_code not in _JUDGED:
        return _broken_off(run)
    result = checking.judge(run)
    show_result(result, output)
    return exit_code_of_check(result.states, result.open, [run])


def _check_fast(
    app: App, product: str, limit: str | None, output: str, *, escalate: float | None, journal: Journal | None
) -> int:
    from bedplate.watch import Escalation

    checking = fast_check(app)
    order = checking.order(product, limit)
    for warning in order.warnings:
        click.echo(f"bedplate: {warning}", err=True)
    percent = app.settings.drift.escalate_percent if escalate is None else escalate
    done = checking.check(order, Escalation(percent))
    if done.result is None:
        return _broken_off(done.runs[0])
    show_result(done.result, output)
    code = exit_code_of_check(done.result.states, done.result.open, done.runs)
    if journal is not None:
        noted = journal.write(done.result.open)
        click.echo(f"Journal: {', '.join(noted) or 'nothing new'}", err=True)
    return code


def journal_of(app: App, *, forced: bool = False) -> Journal | None:
    """Return what writes to NetBox's journals; None where nobody wants that. Raises SettingsError if it cannot."""
    if not (forced or app.settings.drift.journal):
        return None
    from bedplate.watch.netbox import Journal, netbox_of_journal

    return Journal(netbox_of_journal(), app.launcher.adapter)


def _broken_off(run: Run) -> int:
    click.echo(f"bedplate: {run.error}", err=True)
    return run.exit_code if run.exit_code is not None else ExitCode.INTERNAL


_JUDGED = frozenset({ExitCode.DONE, ExitCode.UNREACHABLE, ExitCode.FAILED})


def recording_of(app: App) -> Recording:
    """Return what keeps checks."""
    from bedplate.watch import Recording

    return Recording(app.drift, fleet_background(app), waiver_book(app))


def full_check(app: App) -> FullCheck:
    """Return what executes and reads full checks."""
    from bedplate.watch import FullCheck

    return FullCheck(app.launcher, recording_of(app))


def fast_check(app: App) -> FastCheck:
    """Return what executes fast checks, showing their runs as they go."""
    from bedplate.watch import FastCheck

    return FastCheck(app.launcher, app.seals, app.drift, recording_of(app), full_check(app), partial(executed, app))


def fleet_background(app: App) -> FleetBackground:
    """Return what is known of this invocation's hosts."""
    from bedplate.watch import FleetBackground
    from bedplate.watch.netbox import NetBox

    return FleetBackground(app.content, app.launcher.adapter, app.store, NetBox.from_environment())


def run_check(app: App, checking: FullCheck, product: str, limit: str | None, *, quiet: bool) -> Run:
    """Order and execute a full check, showing it as it goes; return its run as it ended."""
    prepared = checking.prepare(product, limit)
    for warning in prepared.warnings:
        click.echo(f"bedplate: {warning}", err=True)
    prepared = replace(prepared, run=app.launcher.accept(prepared))
    hosts = len(prepared.run.hosts)
    click.echo(f"Check {prepared.run.id}: {product} on {hosts} host{'' if hosts == 1 else 's'}", err=quiet)
    return executed(app, prepared, [])


def exit_code_of_check(states: Sequence[HostState], findings: Sequence[Finding], runs: Sequence[Run]) -> int:
    """Return what a check exits with: hosts that failed outrank hosts out of reach, and those outrank drift.

    A host that could not be judged for another reason than that it could not be reached counts as one that failed;
    updates that were expected count as nothing.
    """
    codes = {run.exit_code for run in runs}
    other = sorted(code for code in codes - _JUDGED if code is not None)
    reasons = [state.reason or "" for state in states if state.outcome is CheckOutcome.UNKNOWN]
    if other:
        return other[0]
    if ExitCode.FAILED in codes or not all(reason.startswith(UNREACHABLE) for reason in reasons):
        return ExitCode.FAILED
    if ExitCode.UNREACHABLE in codes or reasons:
        return ExitCode.UNREACHABLE
    drifted = any(finding.cause is not Cause.EXPECTED for finding in findings)
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
    out.print(host_state_table(result.states, result.open), "")
    if any(state.coverage for state in result.states):
        out.print(coverage_table(result.states), "")
    out.print(summary(result.check))
    out.print(f"Check {result.check.id}", highlight=False)
