"""What came of sealing, as a document and for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from bedplate.reports.plain import plain

if TYPE_CHECKING:
    from bedplate.drift.seal import Seal
    from bedplate.drift.seals import Sealed
    from bedplate.drift.updates import PackageUpdate

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


def seals_document(product: str, seals: Sequence[Seal], failures: Mapping[str, str]) -> dict[str, Any]:
    """Return seals as a document: of which run, and what of later runs they have taken over."""
    return {
        "schema": SCHEMA,
        "product": product,
        "seals": [_seal_row(seal) for seal in seals],
        "failures": [{"host": host, "reason": reason} for host, reason in failures.items()],
    }


def _seal_row(seal: Seal) -> dict[str, Any]:
    return {
        "host": seal.host,
        "run": seal.run,
        "taken_at": plain(seal.taken_at),
        "renewals": [
            {
                "run": renewal.run,
                "at": plain(renewal.at),
                "packages": [{"name": one.name, "before": one.before, "after": one.after} for one in renewal.packages],
            }
            for renewal in seal.renewals
        ],
    }


def seals_table(seals: Sequence[Seal], failures: Mapping[str, str]) -> Table:
    """Return seals, one host a line, and what they have taken over; those first that cannot be trusted."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("HOST", "TAKEN", "OF RUN"):
        table.add_column(title, no_wrap=True)
    table.add_column("TAKEN OVER SINCE", overflow="fold", ratio=1)
    for host, reason in failures.items():
        table.add_row(Text(host), "", "", Text(reason, style="red"))
    for seal in seals:
        since = [f"{renewal.run}: {', '.join(map(_told, renewal.packages)) or 'nothing'}" for renewal in seal.renewals]
        table.add_row(
            Text(seal.host), f"{seal.taken_at.astimezone():%Y-%m-%d %H:%M}", Text(seal.run), Text("\n".join(since))
        )
    return table


def _told(package: PackageUpdate) -> str:
    return f"{package.name} {package.before or 'new'} → {package.after}"
