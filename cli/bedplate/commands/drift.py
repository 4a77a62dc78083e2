"""`bedplate drift`: what is not as agreed on which host, since when, and whose it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bedplate.commands.completing import complete_host, complete_limit
from bedplate.commands.context import App, pass_app
from bedplate.commands.drift_check import check
from bedplate.commands.drift_report import report
from bedplate.commands.drift_seal import seal
from bedplate.commands.drift_trend import trend
from bedplate.commands.drift_waivers import unwaive, waive, waivers, waivers_of
from bedplate.commands.output import emit, output_option
from bedplate.commands.product_names import complete_product
from bedplate.drift.finding import FindingQuery, FindingState
from bedplate.drift.observation import Severity

if TYPE_CHECKING:
    from bedplate.drift.finding import Finding
    from bedplate.drift.waivers import Waiver

_OPEN = tuple(state for state in FindingState if state.is_open)


@click.group()
def drift() -> None:
    """What is not as agreed: on which host, since when, and whose it is.

    A finding is named by its id, or by any beginning of it that no other finding has.

    Example: bedplate drift list --severity high --severity critical
    """


for command in (check, seal, waive, unwaive, waivers, trend, report):
    drift.add_command(command)


@drift.command("list")
@click.option("--product", help="Only what this product agrees on.", shell_complete=complete_product)
@click.option("-l", "--limit", metavar="PATTERN", help="Only on these hosts.", shell_complete=complete_limit)
@click.option("--host", help="Only on this host, also one that is gone.", shell_complete=complete_host)
@click.option("--kind", help="Only resources of this kind: file, package, unit, user, …")
@click.option("--role", help="Only what this role manages.")
@click.option("--owner", help="Only what this team or person answers for.")
@click.option(
    "--severity", "severities", multiple=True, type=click.Choice([s.value for s in Severity]), help="Repeatable."
)
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([s.value for s in FindingState]),
    help="Repeatable; without it all that are open.",
)
@click.option("--waived", is_flag=True, help="Show findings that were accepted, too.")
@click.option("-n", "count", type=click.IntRange(1), default=50, show_default=True, help="How many in the table.")
@output_option
@pass_app
def list_findings(
    app: App,
    *,
    product: str | None,
    limit: str | None,
    host: str | None,
    kind: str | None,
    role: str | None,
    owner: str | None,
    severities: tuple[str, ...],
    states: tuple[str, ...],
    count: int,
    output: str,
    waived: bool,
) -> None:
    """List findings, the gravest and then the oldest first.

    Example: bedplate drift list -l site_fra1 --role access -o json
    """
    from bedplate.reports.drift_documents import finding_document

    hosts = app.launcher.adapter.resolve(limit) if limit is not None else None
    query = FindingQuery(
        states=tuple(FindingState(state) for state in states) or _OPEN,
        product=product,
        hosts=[host] if host else hosts,
        kind=kind,
        role=role,
        owner=owner,
        severities=tuple(Severity(severity) for severity in severities),
    )
    found = app.drift.find(query)
    accepted = waivers_of(app, found)
    shown = [finding for finding in found if waived or finding.id not in accepted]
    emit(
        [finding_document(finding, accepted.get(finding.id)) for finding in shown],
        output,
        lambda out: out.print(_table(shown, accepted, count), _rest(len(found) - len(shown), len(shown) - count)),
    )


def _table(findings: list[Finding], accepted: dict[str, Waiver], count: int) -> object:
    from bedplate.reports.drift_text import FindingTable

    return FindingTable(findings[:count], accepted, datetime.now(UTC)) if findings else "No findings."


def _rest(waived: int, more: int) -> str:
    parts = [f"{more} more; -n shows them"] if more > 0 else []
    parts += [f"{waived} waived; --waived shows them"] if waived else []
    return "\n".join(parts)


@drift.command()
@click.argument("finding_id", metavar="FINDING")
@output_option
@pass_app
def show(app: App, finding_id: str, output: str) -> None:
    """Show all about one finding, with the difference and the steps of its life.

    Example: bedplate drift show 3f9a
    """
    from bedplate.reports.drift_documents import finding_document
    from bedplate.reports.drift_text import finding_details

    finding = app.drift.get(finding_id)
    history = app.drift.history(finding.id)
    waiver = waivers_of(app, [finding]).get(finding.id)
    emit(
        finding_document(finding, waiver, history),
        output,
        lambda out: out.print(finding_details(finding, waiver, history, datetime.now(UTC))),
    )
