"""`bedplate drift seal`: take down how hosts are now, as what is agreed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from bedplate.commands.completing import complete_limit
from bedplate.commands.context import App, pass_app
from bedplate.commands.executing import executed
from bedplate.commands.exits import ExitCode
from bedplate.commands.output import emit, output_option
from bedplate.commands.product_names import complete_product
from bedplate.commands.run_ids import complete_run
from bedplate.drift.observation import UNREACHABLE
from bedplate.errors import BedplateError, UsageError

if TYPE_CHECKING:
    from bedplate.drift.seals import Sealed
    from bedplate.launch.seal_keeping import SealKeeping
    from bedplate.runs import Run

_AGAIN = "the next drift check, or the next such run, tries again"


@click.command()
@click.argument("run_id", metavar="[RUN]", required=False, shell_complete=complete_run)
@click.option(
    "--product", help="By the last runs of this product; by default baseline.", shell_complete=complete_product
)
@click.option(
    "-l", "--limit", metavar="PATTERN", help="Hosts and groups, as in Ansible.", shell_complete=complete_limit
)
@click.option("--show", is_flag=True, help="Take nothing down: show the seals that there are, and why they say so.")
@output_option
@pass_app
def seal(app: App, *, run_id: str | None, product: str | None, limit: str | None, show: bool, output: str) -> int:
    """Take down how hosts are now: what RUN manages on them, or the last runs of a product.

    What is there now is what later checks compare with, also what no role manages: look at the findings first. Hosts
    that the run did not bring to their state are left out. Exits with 5 or 4 when hosts could not be sealed.

    After runs of drift.seal_after (baseline) this is done by itself; after those of drift.renew_after (patch, observe),
    what they updated or wrote is taken over and nothing else.

    \b
    Examples:
      bedplate drift seal
      bedplate drift seal --product metal -l rack_a1
      bedplate drift seal --show -l site_fra1
    """
    from bedplate.reports.seal_documents import sealed_document, sealed_table

    if run_id is not None and product is not None:
        raise UsageError("a run has its product already", where="--product")
    if show and run_id is not None:
        raise UsageError("seals are shown by host, not by run", where="--show", hint="--limit says which hosts")
    app.recover()
    keeping = _keeping(app)
    hosts = app.launcher.adapter.resolve(limit) if limit is not None else None
    if show:
        return _show(app, product or "baseline", hosts, output)
    if run_id is not None:
        sealed = keeping.seal_run(app.store.get(run_id).id, hosts)
    else:
        names = hosts if hosts is not None else list(app.launcher.adapter.names.hosts)
        sealed = keeping.seal_product(product or "baseline", names)
    emit(sealed_document(sealed), output, lambda out: out.print(sealed_table(sealed), highlight=False))
    return _exit_code(sealed)


def _show(app: App, product: str, hosts: list[str] | None, output: str) -> int:
    """Show the seals of hosts, by default of all that have one."""
    from bedplate.launch.seal_renewal import Renewed, SealRenewal
    from bedplate.reports.seal_documents import seals_document, seals_table

    names = hosts if hosts is not None else sorted(app.seals.sealed(product))
    result = Renewed()
    opened = [seal for _, _, seal in SealRenewal(app.launcher, app.seals).opened(product, names, result)]
    document = seals_document(product, opened, result.failures)
    emit(document, output, lambda out: out.print(seals_table(opened, result.failures), highlight=False))
    return ExitCode.FAILED if result.failures else ExitCode.DONE


def seal_after(app: App, run: Run) -> None:
    """Seal the hosts of a run that ended well, where that is wanted. It is only told of: the run stays as it ended."""
    keeping = _keeping(app)
    if not keeping.is_due(run):
        _renew_after(app, run)
        return
    click.echo(f"Sealing what run {run.id} brought to its state (drift.seal_after)", err=True)
    try:
        sealed = keeping.seal_after(run)
    except BedplateError as error:
        click.echo(f"bedplate: not sealed: {error}; bedplate drift seal {run.id} tries again", err=True)
        return
    for host, reason in sealed.failures.items():
        click.echo(f"bedplate: not sealed: {host}: {reason}", err=True)
    click.echo(f"Sealed: {len(sealed.new)} new, {len(sealed.unchanged)} unchanged", err=True)


def _renew_after(app: App, run: Run) -> None:
    """Take over into seals what a run updated or wrote, where that is wanted."""
    from bedplate.launch.seal_following import SealFollowing
    from bedplate.launch.seal_renewal import SealRenewal

    renewal = SealRenewal(app.launcher, app.seals, partial(executed, app))
    if not renewal.is_due(run):
        return
    try:
        renewed = renewal.renew(run.hosts)
        followed = SealFollowing(app.launcher, app.seals, partial(executed, app)).follow(run)
    except BedplateError as error:
        click.echo(f"bedplate: seals are as they were: {error}; {_AGAIN}", err=True)
        return
    for host, reason in {**renewed.failures, **followed.failures}.items():
        click.echo(f"bedplate: its seal is as it was: {host}: {reason}; {_AGAIN}", err=True)
    for what, hosts in (("updated", renewed.hosts), ("wrote", followed.hosts)):
        if hosts:
            click.echo(f"Sealed anew, what run {run.id} {what} (drift.renew_after): {len(hosts)}", err=True)


def _keeping(app: App) -> SealKeeping:
    from bedplate.launch.seal_keeping import SealKeeping

    return SealKeeping(app.launcher, app.seals, app.drift, partial(executed, app))


def _exit_code(sealed: Sealed) -> int:
    if not sealed.failures:
        return ExitCode.DONE
    away = all(reason.startswith(UNREACHABLE) for reason in sealed.failures.values())
    return ExitCode.UNREACHABLE if away else ExitCode.FAILED
