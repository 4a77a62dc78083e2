"""Showing one run, whichever command asked."""

from __future__ import annotations

from datetime import UTC, datetime

from bedplate.commands.context import App
from bedplate.commands.output import emit
from bedplate.runs import Run


def show_run(app: App, run: Run, output: str) -> None:
    """Show a run with its hosts in the asked form."""
    from bedplate.reports.run_documents import artifact_names, run_document
    from bedplate.reports.run_text import run_details

    results = app.store.host_results(run.id)
    emit(
        run_document(run, results),
        output,
        lambda out: out.print(run_details(run, results, artifact_names(run.folder), datetime.now(UTC))),
    )
