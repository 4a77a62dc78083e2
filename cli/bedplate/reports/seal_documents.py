"""What came of sealing, as a document and for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from bedplate.drift.seals import Sealed

SCHEMA = 1


def sealed_document(sealed: Sealed) -> dict[str, Any]:
    """Return what came of sealing as a document."""
    return {
        "schema": SCHEMA,
        "product": sealed.product,
        "runs": list(sealed.runs),
        "sealed": list(sealed.new),
        "unchanged": list(sealed.unchanged),
        "failures": [{"host": host, "reason": reason} for host, reason in sealed.failures.items()],
    }


def sealed_table(sealed: Sealed) -> Table:
    """Return what came of sealing, one host a line, those first that were not sealed."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("HOST", no_wrap=True)
    table.add_column("SEAL", no_wrap=True)
    table.add_column("", overflow="fold", ratio=1)
    for host, reason in sealed.failures.items():
        table.add_row(Text(host), Text("none", style="red"), Text(reason))
    for host in sealed.new:
        table.add_row(Text(host), Text("new", style="green"), "")
    for host in sealed.unchanged:
        table.add_row(Text(host), Text("unchanged", style="dim"), "")
    return table
