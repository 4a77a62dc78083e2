"""Verdicts, audit entries and policy tests, as documents and for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from bedplate.guardrails import Outcome, Verdict, refusals, waits
from bedplate.guardrails.audit import AuditEntry, AuditFault
from bedplate.runs import Run

_STYLE = {
    Outcome.OK: "green",
    Outcome.REFUSED: "red",
    Outcome.PENDING: "yellow",
    Outcome.NOT_APPLICABLE: "dim",
}


def dry_run_document(run: Run, verdicts: Sequence[Verdict], warnings: Sequence[str]) -> dict[str, Any]:
    """Return `bedplate run --dry-run -o json`."""
    return {
        "schema": 1,
        "product": run.product,
        "mode": run.mode,
        "requester": run.requester,
        "hosts": list(run.hosts),
        "decision": decision_of(verdicts),
        "verdicts": [
            {"rule": each.rule, "outcome": each.outcome, "sentence": each.sentence, "help": each.help}
            for each in verdicts
        ],
        "warnings": list(warnings),
    }


def decision_of(verdicts: Sequence[Verdict]) -> str:
    """Return what would come of the order: `start`, `pending` or `refused`."""
    if refusals(verdicts):
        return "refused"
    return "pending" if waits(verdicts) else "start"


def verdict_table(verdicts: Sequence[Verdict]) -> Table:
    """Return the verdicts for people, one a line."""
    table = Table("RULE", "", "", box=None, pad_edge=False, header_style="bold")
    for each in verdicts:
        said = Text(each.sentence)
        if each.help and each.outcome in {Outcome.REFUSED, Outcome.PENDING}:
            said.append(f" ({each.help})", style="dim")
        table.add_row(each.rule, Text(each.outcome.value.replace("_", " "), style=_STYLE[each.outcome]), said)
    return table


def audit_document(entry: AuditEntry) -> dict[str, Any]:
    """Return an audit entry as a document, with all that its hash covers."""
    return {"number": entry.number, "previous": entry.previous, "hash": entry.hash, "body": entry.body}


def audit_row(entry: AuditEntry) -> dict[str, Any]:
    """Return an audit entry as `audit list -o json` shows it."""
    record = entry.record
    return {
        "number": entry.number,
        "at": record.at,
        "kind": record.kind,
        "person": record.person,
        "login": record.login,
        "machine": record.machine,
        "run": record.run,
        "product": record.product,
        "details": dict(record.details),
    }


def audit_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return audit entries for people."""
    table = Table(
        "NUMBER", "WHEN", "WHAT", "WHO", "RUN", "PRODUCT", "WHY", box=None, pad_edge=False, header_style="bold"
    )
    for row in rows:
        details = row["details"]
        why = details.get("why") or details.get("comment") or details.get("error") or details.get("reason") or ""
        when = f"{row['at']:%Y-%m-%d %H:%M:%S}"
        cells = (row["number"], when, row["kind"], row["person"], row["run"] or "", row["product"] or "", why)
        table.add_row(*(Text(str(cell).partition("\n")[0]) for cell in cells))
    return table


def audit_check_document(faults: Sequence[AuditFault], entries: int, anchors: int | None) -> dict[str, Any]:
    """Return `bedplate audit verify -o json`."""
    return {
        "schema": 1,
        "intact": not faults,
        "anchored": anchors is not None,
        "entries": entries,
        "anchors": anchors,
        "faults": [{"number": fault.number, "sentence": fault.sentence} for fault in faults],
    }
