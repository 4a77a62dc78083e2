"""`bedplate drift waive|unwaive|waivers`: findings that somebody accepts for a while."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import click

from bedplate.commands.completing import complete_limit
from bedplate.commands.context import App, pass_app
from bedplate.commands.output import emit, output_option
from bedplate.errors import UsageError

if TYPE_CHECKING:
    from bedplate.drift.finding import Finding
    from bedplate.drift.waivers import Scope, Waiver
    from bedplate.watch import WaiverBook


class Day(click.ParamType[date]):
    """A last day: a date, or a number of days from today."""

    name = "day"

    def convert(self, value: str | date, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        number = value.removesuffix("d")
        if number.isascii() and number.isdigit() and value.endswith("d") and len(number) < 6:
            return datetime.now(UTC).date() + timedelta(days=int(number))
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day; write 30d or 2026-12-31", param, ctx)


@click.command()
@click.argument("what", metavar="FINDING|RESOURCE")
@click.option("--host", "hosts", metavar="PATTERN", help="For a resource: only on hosts with such a name.")
@click.option("--group", help="For a resource: only on hosts of this group.", shell_complete=complete_limit)
@click.option("--everywhere", is_flag=True, help="For a resource: on every host.")
@click.option("--reason", required=True, metavar="TEXT", help="Why it is accepted.")
@click.option("--owner", metavar="WHO", help="On whose word; by default yours.")
@click.option("--until", type=Day(), metavar="DAY", help="The last day on which it holds: 30d, 2026-12-31.")
@output_option
@pass_app
def waive(
    app: App,
    *,
    what: str,
    hosts: str | None,
    group: str | None,
    everywhere: bool,
    reason: str,
    owner: str | None,
    until: date | None,
    output: str,
) -> None:
    """Accept a FINDING (by its id), or all that is found about a RESOURCE (KIND:NAME, with * and ?).

    It is looked at all the same, and only not reported. When the last day is over, the finding is back.

    \b
    Examples:
      bedplate drift waive 3f9a --reason 'new kernel next week' --until 14d
      bedplate drift waive 'file:/etc/motd' --group site_fra1 --reason 'anniversary' --until 2026-12-31
    """
    from bedplate.drift.waivers import Waiver
    from bedplate.reports.drift_documents import waiver_document

    if not reason.strip():
        raise UsageError("the reason is empty", where="--reason")
    scope = _scope(app, what, hosts, group, everywhere=everywhere)
    user = app.settings.user
    waiver = Waiver(scope, reason, owner or user, user, datetime.now(UTC), until)
    waiver_book(app).add(waiver)
    where = app.settings.waivers_file
    emit(
        waiver_document(waiver), output, lambda out: out.print(f"Accepted: {waiver.id}; it is in {where}", markup=False)
    )


def _scope(app: App, what: str, hosts: str | None, group: str | None, *, everywhere: bool) -> Scope:
    from bedplate.drift.waivers import Scope

    chosen = sum((hosts is not None, group is not None, everywhere))
    if ":" not in what:
        if chosen:
            raise UsageError("a finding has its host already", where=what, hint="write KIND:NAME for other hosts")
        return Scope.of_finding(app.drift.get(what))
    if chosen != 1:
        raise UsageError("say on which hosts", where=what, hint="one of --host, --group, --everywhere")
    return Scope.of(what, hosts=hosts, group=group)


@click.command()
@click.argument("waiver_id", metavar="WAIVER|FINDING")
@pass_app
def unwaive(app: App, waiver_id: str) -> None:
    """Take a WAIVER back, named as `bedplate drift waivers` names it, or by the finding that it was made for.

    Example: bedplate drift unwaive 'file:/etc/motd@group:site_fra1'
    """
    from bedplate.drift.waivers import Scope

    if ":" not in waiver_id:
        waiver_id = Scope.of_finding(app.drift.get(waiver_id)).id
    waiver_book(app).remove(waiver_id)
    click.echo(f"No longer accepted: {waiver_id}")


@click.command()
@output_option
@pass_app
def waivers(app: App, *, output: str) -> None:
    """List what is accepted, also what has expired.

    Example: bedplate drift waivers -o json
    """
    from bedplate.reports.drift_documents import waiver_document
    from bedplate.reports.drift_text import waiver_table

    kept = waiver_book(app).all()
    today = datetime.now(UTC).date()
    emit(
        [waiver_document(waiver) for waiver in kept],
        output,
        lambda out: out.print(waiver_table(kept, today) if kept else "No waivers."),
    )


def waiver_book(app: App) -> WaiverBook:
    """Return the waivers that hold for this invocation."""
    from bedplate.watch import WaiverBook

    return WaiverBook(app.drift, app.settings.waivers_file)


def waivers_of(app: App, findings: Sequence[Finding]) -> dict[str, Waiver]:
    """Return by finding id the waiver that accepts it today; what none accepts is left out."""
    from bedplate.drift.finding import HostFacts
    from bedplate.drift.waivers import Waivers
    from bedplate.watch import groups_by_host

    kept = waiver_book(app).all()
    groups = groups_by_host(app.launcher.adapter.names) if any(waiver.scope.group for waiver in kept) else {}
    facts = {host: HostFacts(groups=names) for host, names in groups.items()}
    holding = Waivers(kept, datetime.now(UTC).date(), facts)
    return {finding.id: waiver for finding in findings if (waiver := holding.of(finding)) is not None}
