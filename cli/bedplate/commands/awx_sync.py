"""`bedplate awx sync`: the runs that were launched in AWX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from bedplate.commands.context import App, pass_app
from bedplate.commands.output import emit, output_option
from bedplate.errors import BedplateError

if TYPE_CHECKING:
    from rich.console import Console

    from bedplate.awx.syncing import Brought, SyncNotes


@click.command()
@output_option
@pass_app
def sync(app: App, *, output: str) -> None:
    """Bring in the runs that people and schedules launched in AWX, once each, with who launched them.

    It goes on where the last one was left. Only jobs of templates that bear Bedplate's mark are brought in; a run that
    was launched from here and lost on the way is completed.

    Example: bedplate awx sync
    """
    from bedplate.awx.service import syncing
    from bedplate.catalog import load_catalog
    from bedplate.commands.run_ends import EXIT_CODES
    from bedplate.store import open_engine_runs

    app.recover()
    products = load_catalog(app.content.products).products()
    kept = open_engine_runs(app.settings)
    brought: list[Brought] = []
    with syncing(app.settings.awx, products, app.store, kept, EXIT_CODES) as work:
        try:
            brought.extend(work.sync(app.settings.awx.organization))
        except BedplateError as error:
            said = f"{_count(len(brought))} brought in so far, say it again"
            error.hint = f"{error.hint}; {said}" if error.hint else said
            raise
    emit(_document(brought, work.notes), output, lambda out: _draw(out, brought, work.notes))


def _document(brought: Sequence[Brought], notes: SyncNotes) -> dict[str, Any]:
    from bedplate.reports.run_documents import run_document

    runs = [{"job": each.number, "completed": each.completed, "run": run_document(each.run)} for each in brought]
    return {"schema": 1, "runs": runs, "under_way": notes.under_way, "notes": notes.sentences}


def _draw(out: Console, brought: Sequence[Brought], notes: SyncNotes) -> None:
    for each in brought:
        run = each.run
        word = "completed" if each.completed else "brought in"
        reason = f", {run.reason}" if run.reason and not each.completed else ""
        said = f"{word} run {run.id}: {run.product}, {run.status}, by {run.requester}{reason} (job {each.number})"
        out.print(said, markup=False, highlight=False, soft_wrap=True)
    for sentence in notes.sentences:
        out.print(f"note: {sentence}", markup=False, soft_wrap=True)
    going = f", {notes.under_way} still under way" if notes.under_way else ""
    out.print(f"{_count(len(brought))} brought in{going}.", highlight=False)


def _count(runs: int) -> str:
    return f"{runs} run{'' if runs == 1 else 's'}"
