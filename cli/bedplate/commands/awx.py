"""`bedplate awx`: the catalog as job templates of an AWX."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bedplate.commands.awx_sync import sync
from bedplate.commands.context import App, pass_app
from bedplate.commands.exits import ExitCode
from bedplate.commands.output import console, emit, output_option
from bedplate.errors import EngineError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from bedplate.awx.applying import Applier, Result
    from bedplate.awx.comparison import Plan
    from bedplate.catalog import Product

_surveys_option = click.option(
    "--surveys", is_flag=True, help="Read every survey, not only those of templates that somebody else wrote last."
)


@click.group()
def awx() -> None:
    """The catalog as job templates of an AWX: plan, apply, export; and what ran there: sync.

    The catalog is the source: a field that somebody changed in AWX is set back. Only objects that bear Bedplate's mark,
    at the end of their description, are ever written. Where AWX is, the section [awx] of bedplate.toml says.

    Example: bedplate awx plan
    """


awx.add_command(sync)


@awx.command()
@_surveys_option
@output_option
@pass_app
def plan(app: App, *, surveys: bool, output: str) -> None:
    """Show what AWX has otherwise than the catalog wants. Nothing is changed.

    Example: bedplate awx plan -o json
    """
    from bedplate.awx.service import planned
    from bedplate.commands.awx_documents import draw_plan, plan_document
    from bedplate.notify.receivers import load_receivers

    products, receivers = _products(app), load_receivers(app.settings).all()
    with planned(app.settings.awx, products, surveys=surveys, receivers=receivers) as (found, _):
        document = plan_document(found, app.settings.awx.url)
        emit(document, output, lambda out: draw_plan(out, found))


@awx.command()
@click.option("--prune", is_flag=True, help="Also delete objects of ours that the catalog no longer has.")
@_surveys_option
@output_option
@pass_app
@click.pass_context
def apply(ctx: click.Context, app: App, *, prune: bool, surveys: bool, output: str) -> None:
    """Bring AWX to what the catalog wants. Applied again, it completes what was interrupted, or changes nothing.

    What AWX refuses is said, the rest goes on, and the exit code is 9.

    Example: bedplate awx apply --prune
    """
    from bedplate.awx.service import planned
    from bedplate.commands.awx_documents import plan_document
    from bedplate.notify.receivers import load_receivers

    products, receivers = _products(app), load_receivers(app.settings).all()
    if prune and not products:
        raise UsageError("has no products, so --prune would delete all of them", where=str(app.content.products))
    with planned(app.settings.awx, products, surveys=surveys, receivers=receivers) as (found, applier):
        results = _carry_out(found, applier, prune=prune, quiet=output != "table")
    document = plan_document(found, app.settings.awx.url, results)
    emit(document, output, lambda out: _draw_end(out, found, results))
    if any(result.error for result in results):
        ctx.exit(ExitCode.EXTERNAL)


@awx.command()
@click.option(
    "--form",
    type=click.Choice(["collection", "awx"]),
    default="collection",
    show_default=True,
    help="A playbook for the collection awx.awx, or the JSON that `awx import` reads.",
)
@click.option(
    "--write",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file, not to the terminal.",
)
@pass_app
def export(app: App, *, form: str, target: Path | None) -> None:
    """Write what the catalog wants of AWX as a file. AWX is not asked, and no secret is in the file.

    Example: bedplate awx export --write awx.yml
    """
    import json

    import yaml

    from bedplate.awx.export import collection_playbook, import_assets, left_out
    from bedplate.awx.service import wishes
    from bedplate.commands.output import write_text

    wanted = wishes(app.settings.awx, _products(app))
    notes = list(wanted.notes)
    if form == "awx":
        text = json.dumps(import_assets(wanted), indent=2, ensure_ascii=False) + "\n"
    else:
        playbook = yaml.safe_dump(collection_playbook(wanted), sort_keys=False, allow_unicode=True, width=120)
        text = f"---\n{playbook}"
        notes += left_out(wanted)
    if target is None:
        click.echo(text, nl=False)
    else:
        write_text(target, text)
    for note in notes:
        click.echo(f"bedplate: {note}", err=True)


def _carry_out(found: Plan, applier: Applier, *, prune: bool, quiet: bool) -> list[Result]:
    from bedplate.commands.awx_documents import result_line

    out, results = console(), []
    due = sum(change.acts for change in found.changes)
    try:
        for result in applier.apply(found, prune=prune):
            results.append(result)
            if result.error:
                click.echo(f"bedplate: {result_line(result)}", err=True)
            elif not quiet:
                out.print(result_line(result), markup=False, soft_wrap=True)
    except EngineError as error:
        done = sum(result.error is None for result in results)
        error.hint = f"{error.hint + '; ' if error.hint else ''}{done} of {due} changes were made, apply again"
        raise
    return results


def _draw_end(out: Console, found: Plan, results: list[Result]) -> None:
    from bedplate.awx.comparison import Action
    from bedplate.commands.awx_documents import draw_notes

    made = {id(result.change) for result in results}
    for change in found.changes:
        if id(change) not in made and change.action in {Action.FOREIGN, Action.BLOCKED, Action.PRUNE}:
            hint = " (--prune deletes it)" if change.action is Action.PRUNE else ""
            out.print(f"left alone: {change.kind} {change.name}: {change.why}{hint}", markup=False, soft_wrap=True)
    draw_notes(out, found.notes)
    done = sum(result.error is None for result in results)
    out.print(f"{done} changed, {len(results) - done} refused, {found.unchanged} as wanted.")


def _products(app: App) -> list[Product]:
    """Return the catalog as far as AWX has to see to it."""
    from bedplate.awx.own_limits import limits_left_to_awx
    from bedplate.catalog import load_catalog

    return limits_left_to_awx(load_catalog(app.content.products).products(), app.content.root)
