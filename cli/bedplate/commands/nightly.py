"""`bedplate nightly`: what runs unattended, and says in the morning what changed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from bedplate.commands.context import App, pass_app
from bedplate.commands.drift_check import exit_code_of_check, fast_check, fleet_background, journal_of, recording_of
from bedplate.commands.drift_waivers import waiver_book
from bedplate.commands.executing import executed
from bedplate.commands.exits import ExitCode
from bedplate.commands.output import emit, output_option
from bedplate.commands.product_names import complete_product

if TYPE_CHECKING:
    from typing import Any

    from rich.console import Console

    from bedplate.watch.awx_check import AwxCheck
    from bedplate.watch.nightly import NightResult
    from bedplate.watch.repair import Repair, Repaired


@click.command()
@click.option("--product", default="baseline", show_default=True, help="What.", shell_complete=complete_product)
@click.option("--believe-inventory", "believe", is_flag=True, help="However many hosts vanished since the last night.")
@click.option("--remediate", is_flag=True, help="Repair what drift.repair_… allows: one host first, then the others.")
@output_option
@pass_app
def nightly(app: App, *, product: str, output: str, believe: bool, remediate: bool) -> int:
    """Check the whole fleet: refresh the inventory, look, write reports, tell what is new.

    Started again after it was killed, it goes on where it was. A second one says that the first is under way, and
    leaves. Messages go where drift.notify says, reports to drift.reports, metrics to drift.textfile.

    With --remediate, what its roles may repair by themselves (drift.repair_roles) is repaired before reports are
    written, within its window and caps.

    Where AWX is configured, it is compared with the catalog, too. Exits with 6 when something is not as agreed, with 7
    when too many hosts vanished or changed their class since the last night, and with 9 when the message could not be
    sent, or AWX not be asked.

    Example: bedplate nightly --product baseline
    """
    from bedplate.watch import Reporting
    from bedplate.watch.nightly import Nightly

    app.recover()
    book = waiver_book(app)
    book.all()  # what is wrong with them is said before anything starts
    repair = _repair(app) if remediate else None
    reporting = Reporting(app.drift, fleet_background(app), book)
    recording, execute = recording_of(app), partial(executed, app)
    night = Nightly(
        app.launcher, app.drift, app.seals, recording, reporting, execute, _awx_check(app), journal_of(app), repair
    )
    result = night.run(product, believe=believe)
    emit(night_document(result), output, lambda out: draw_night(out, result))
    for error in result.errors:
        click.echo(f"bedplate: {error}", err=True)
    check = result.report.check
    states = [state for state in result.report.states if state.check == check.id]
    runs = [*([result.run] if result.run else []), *(result.repaired.runs if result.repaired else ())]
    code = exit_code_of_check(states, result.report.open, runs)
    return ExitCode.EXTERNAL if result.errors and code in {ExitCode.DONE, ExitCode.DRIFT} else code


def _repair(app: App) -> Repair:
    """Return what repairs by policy, once that can be kept."""
    from bedplate.watch.repair import Repair

    background, book = fleet_background(app), waiver_book(app)
    repair = Repair(app.launcher, app.drift, fast_check(app), background, book, partial(executed, app))
    repair.check_policy()
    return repair


def _awx_check(app: App) -> AwxCheck | None:
    from bedplate.catalog import load_catalog
    from bedplate.notify.receivers import load_receivers
    from bedplate.watch.awx_check import AwxCheck

    if not app.settings.awx.url:
        return None
    receivers = load_receivers(app.settings).all()
    return AwxCheck(app.settings.awx, load_catalog(app.content.products).products(), app.drift, receivers)


def night_document(result: NightResult) -> dict[str, Any]:
    """Return a night as a document."""
    from bedplate.reports.drift_documents import SCHEMA, check_document, finding_document

    night, report = result.night, result.report
    return {
        "schema": SCHEMA,
        "id": night.id,
        "product": night.product,
        "inventory": night.inventory,
        "started_at": night.started_at,
        "finished_at": night.finished_at,
        "resumed": result.resumed,
        "run": night.run_id,
        "check": check_document(report.check),
        "message": night.message,
        "told": [finding_document(finding) for finding in result.told],
        "repair": result.repaired and repair_document(result.repaired),
        "owners": {owner: len(findings) for owner, findings in report.owners.items()},
        "reports": result.files,
    }


def repair_document(repaired: Repaired) -> dict[str, Any]:
    """Return what was repaired as a document."""
    from bedplate.reports.drift_documents import finding_document

    return {
        "runs": [run.id for run in repaired.runs],
        "mended": [finding_document(finding) for finding in repaired.mended],
        "stopped": repaired.stopped,
    }


def draw_night(out: Console, result: NightResult) -> None:
    """Draw a night: what is new, hosts that could not be judged, the sum by owner, where the reports are."""
    from bedplate.reports.drift_text import FindingTable, host_state_table, owner_table, summary

    report = result.report
    out.print()
    if result.told:
        out.print(FindingTable(result.told, {}, report.at), "")
    lost = [state for state in report.states if state.judged_at != state.checked_at]
    if lost:
        out.print(host_state_table(lost, report.open), "")
    if report.open or report.resolved:
        out.print(owner_table(report), "")
    out.print(summary(report.check))
    if result.repaired is not None:
        out.print(_told_of_repair(result.repaired), highlight=False, markup=False)
    for kind, file in result.files.items():
        out.print(f"{kind}: {file}", markup=False, soft_wrap=True)
    if result.night.message is not None:
        out.print(f"message: {result.night.message}")
    out.print(f"Night {result.night.id}", highlight=False)


def _told_of_repair(repaired: Repaired) -> str:
    count = len(repaired.mended)
    runs = f" by {', '.join(run.id for run in repaired.runs)}" if repaired.runs else ""
    stopped = f"; stopped: {repaired.stopped}" if repaired.stopped else ""
    return f"repaired: {count} finding{'' if count == 1 else 's'}{runs}{stopped}"
