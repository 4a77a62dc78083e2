"""Showing one run, whichever command asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bedplate.commands.context import App
from bedplate.commands.output import emit
from bedplate.runs import Run

if TYPE_CHECKING:
    from rich.console import Console


def show_run(app: App, run: Run, output: str) -> None:
    """Show a run with its hosts in the asked form."""
    from bedplate.reports.run_documents import artifact_names, run_document
    from bedplate.reports.run_text import run_details

    results = app.store.host_results(run.id)

    def draw(out: Console) -> None:
        out.print(run_details(run, results, artifact_names(run.folder), datetime.now(UTC)))
        show_verification(out, run)

    emit(run_document(run, results), output, draw)


def show_verification(out: Console, run: Run) -> None:
    """Show the checks of a run that left a proof, below what stands there already."""
    from bedplate.reports.verification import read_verification, verification_table

    proof = read_verification(run.folder)
    if proof is not None:
        out.print("", verification_table(proof), sep="\n")
