# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""What a product did to each host, as a document and as a table for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SCHEMA = 1
NOT_STARTED = "not_started"


def outcome(result: Mapping[str, Any] | None) -> str:
    """Return what became of a host by what its task left."""
    if not result:
        return NOT_STARTED
    if result.get("unreachable"):
        return "unreachable"
    if result.get("failed"):
        return "failed"
    if result.get("skipped"):
        return "skipped"
    return "changed" if result.get("changed") else "unchanged"


def detail(result: Mapping[str, Any] | None) -> str:
    """Return what the task said of the host, on one line."""
    return " ".join(str((result or {}).get("msg") or "").split())


def report(
    product: str, results: Mapping[str, Mapping[str, Any] | None], fields: Sequence[str], mode: str, taken_at: str
) -> dict[str, Any]:
    """Return the document (docs/schemas/host_report.schema.json).

    Args:
        results: by host, what its task left; None for a host that had no turn.
        fields: which of a result's keys belong to the report.
        mode: `apply` or `check`.
        taken_at: when, in UTC (ISO 8601).
    """
    hosts = [
        {
            "host": host,
            "outcome": outcome(result),
            "detail": detail(result),
            "values": {field: (result or {}).get(field) for field in fields if field in (result or {})},
        }
        for host, result in sorted(results.items())
    ]
    return {"schema": SCHEMA, "product": product, "mode": mode, "taken_at": taken_at, "hosts": hosts}


def table(document: Mapping[str, Any], columns: Sequence[str], rows: str = "") -> list[str]:
    """Return the document as lines: a host a line, then an own table of the lists that the hosts have under `rows`."""
    lines = [["HOST", "OUTCOME", *(name.upper().replace("_", " ") for name in columns), "DETAIL"]]
    for host in document["hosts"]:
        values = [_text(host["values"].get(name)) for name in columns]
        lines.append([host["host"], host["outcome"], *values, host["detail"]])
    return _aligned(lines) + (_aligned(_rows(document, rows)) if rows else [])


def _rows(document: Mapping[str, Any], key: str) -> list[list[str]]:
    entries = [(host["host"], entry) for host in document["hosts"] for entry in host["values"].get(key) or ()]
    if not entries:
        return []
    names = list(entries[0][1])
    head = ["HOST", *(name.upper().replace("_", " ") for name in names)]
    return [head, *([host, *(_text(entry.get(name)) for name in names)] for host, entry in entries)]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        plain = all(isinstance(each, str) for each in value)
        return ", ".join(value) if plain and len(value) < 4 else str(len(value))
    return "" if value is None else " ".join(str(value).split())


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(word.ljust(widths[column]) for column, word in enumerate(row)).rstrip() for row in rows]


def failures(document: Mapping[str, Any]) -> dict[str, str]:
    """Return by host what failed there; an empty text for hosts that did not fail."""
    bad = ("failed", "unreachable")
    return {
        host["host"]: (host["detail"] or host["outcome"]) if host["outcome"] in bad else ""
        for host in document["hosts"]
    }
