"""`bedplate audit`: who asked, approved, refused and did what, in a log that cannot be changed unseen."""

from __future__ import annotations

import json
from datetime import datetime
from itertools import islice
from typing import IO, Any

import click

from bedplate.commands.context import App, pass_app
from bedplate.commands.exits import ExitCode
from bedplate.commands.output import emit, output_option
from bedplate.commands.times import Moment

_KINDS = ("asked", "approved", "rejected", "refused", "started", "stop_asked", "ended")


@click.group()
def audit() -> None:
    """Who asked, approved, refused and did what: entries chained by hash, the end of the chain said outside.

    Example: bedplate audit list --since 2d
    """


@audit.command("list")
@click.option("--since", type=Moment(), help="Not older than: 2h, 3d, 2026-11-20.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(_KINDS), help="Repeatable.")
@click.option("--person", help="Only what this person did.")
@click.option("--run", "run_id", help="Only what is about this run.")
@click.option("-n", "--limit", "count", type=click.IntRange(1), default=50, show_default=True, help="How many.")
@output_option
@pass_app
def list_entries(
    app: App,
    *,
    since: datetime | None,
    kinds: tuple[str, ...],
    person: str | None,
    run_id: str | None,
    count: int,
    output: str,
) -> None:
    """List entries, newest first.

    Example: bedplate audit list --kind refused --since 7d -o json
    """
    from bedplate.errors import StoreError
    from bedplate.reports.guardrails import audit_row, audit_table

    def wanted() -> list[dict[str, Any]]:
        rows = (audit_row(entry) for entry in app.launcher.ledger.entries(newest_first=True))
        kept = (
            row
            for row in rows
            if (since is None or row["at"] >= since)
            and (not kinds or row["kind"] in kinds)
            and person in {None, row["person"]}
            and run_id in {None, row["run"]}
        )
        return list(islice(kept, count))

    try:
        found = wanted()
    except ValueError as fault:
        raise StoreError(str(fault), where="audit log", hint="bedplate audit verify") from None
    emit(found, output, lambda out: out.print(audit_table(found) if found else "No entries."))


@audit.command()
@output_option
@pass_app
def verify(app: App, output: str) -> int:
    """Check the chain, and hold it against its anchors; exits 9 if something is wrong.

    Example: bedplate audit verify -o json
    """
    from bedplate.reports.guardrails import audit_check_document

    faults, anchors = app.launcher.auditor.verify()
    newest = next(app.launcher.ledger.entries(newest_first=True), None)
    document = audit_check_document(faults, newest.number if newest else 0, anchors)
    emit(document, output, lambda out: out.print("\n".join(_lines(document)), markup=False))
    return ExitCode.EXTERNAL if faults else ExitCode.DONE


@audit.command()
@click.argument("target", type=click.File("w", "utf-8"), default="-", metavar="[FILE]")
@pass_app
def export(app: App, target: IO[str]) -> None:
    """Write all entries as JSON lines, with their hashes: body, previous and hash are what `verify` looks at.

    Example: bedplate audit export audit.jsonl
    """
    from bedplate.reports.guardrails import audit_document

    for entry in app.launcher.ledger.entries():
        target.write(json.dumps(audit_document(entry)) + "\n")


def _lines(document: dict[str, Any]) -> list[str]:
    faults = [fault["sentence"] for fault in document["faults"]]
    head = f"{document['entries']} entries, " + (f"{len(faults)} faults" if faults else "chain intact")
    anchored = (
        f"held against {document['anchors']} anchors"
        if document["anchored"]
        else "not anchored: a log written anew as a whole looks right; see audit.key_file and audit.anchor_file"
    )
    return [head, *map(str, faults), anchored]
