"""The proof that a run of `verify` left: read, and shown as a table of checks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bedplate.errors import BedplateError

ARTIFACT = "verify.json"
_STYLES = {"passed": "green", "failed": "bold red", "blocked": "yellow", "skipped": "dim"}
_REACH = "reach"


def read_verification(folder: Path | None) -> dict[str, Any] | None:
    """Return the proof in a run's folder (docs/schemas/verify.schema.json); None where the run left none.

    Raises:
        BedplateError: the file is no JSON object.
    """
    path = None if folder is None else folder / "artifacts" / ARTIFACT
    if path is None or not path.is_file():
        return None
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BedplateError("the proof cannot be read", where=str(path), hint=str(error)) from error
    if not isinstance(document, dict):
        raise BedplateError("the proof is no JSON object", where=str(path))
    return document


def verification_table(document: Mapping[str, Any]) -> RenderableType:
    """Return a row a host with its score and a word for each check, then a line for each check that failed."""
    hosts = document["hosts"]
    names = [check["check"] for check in hosts[0]["checks"] if check["check"] != _REACH] if hosts else []
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("HOST", no_wrap=True, overflow="ellipsis")
    table.add_column("SCORE", justify="right", no_wrap=True)
    for name in names:
        table.add_column(name.upper(), no_wrap=True)
    for host in sorted(hosts, key=lambda host: (host["score"]["percent"], host["host"])):
        status = {check["check"]: check["status"] for check in host["checks"]}
        words = [Text(status[name], style=_STYLES[status[name]]) for name in names]
        table.add_row(escape(host["host"]), f"{host['score']['percent']} %", *words)
    checks = [(host["host"], check) for host in hosts for check in host["checks"]]
    return Group(table, *(_failure(host, check) for host, check in checks if check["status"] == "failed"))


def _failure(host: str, check: Mapping[str, str]) -> Text:
    return Text.assemble((host, "bold"), f" {check['check']}: {check['detail']}")
