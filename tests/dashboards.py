"""Dashboards as data: their panels' queries, as Prometheus is asked them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "roles" / "observer" / "files" / "dashboards"
FILES = sorted(FOLDER.glob("*.json"))
# What Grafana itself fills in.
_BUILT_IN = {"__rate_interval": "1m", "__range": "1h", "__interval": "15s"}


@dataclass(frozen=True)
class Query:
    """One query of one panel, with the variables of its dashboard as `$name`."""

    dashboard: str
    panel: str
    expression: str

    @property
    def variables(self) -> set[str]:
        return set(re.findall(r"\$\{?(\w+)", self.expression))

    def filled(self, **values: str) -> str:
        """Return the query with its variables filled in; one that is not given raises KeyError."""
        known = {**_BUILT_IN, **values}
        return re.sub(r"\$\{?(\w+)\}?", lambda found: known[found[1]], self.expression)


def read(file: Path) -> dict[str, Any]:
    """Return one dashboard."""
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return document


def queries() -> list[Query]:
    """Return every query of every panel."""
    return [
        Query(file.stem, panel["title"], target["expr"])
        for file in FILES
        for panel in read(file)["panels"]
        for target in panel["targets"]
    ]


def variable_queries(file: Path) -> list[str]:
    """Return what the variables of a dashboard are chosen from."""
    chosen = [variable.get("query") for variable in read(file)["templating"]["list"]]
    return [query["query"] for query in chosen if isinstance(query, dict)]


def variable_values() -> list[Query]:
    """Return, for each variable that is chosen from a label, a query for samples that have it."""
    found = []
    for file in FILES:
        for text in variable_queries(file):
            chosen = re.fullmatch(r"label_values\(([\w:]+)(?:\{(.+)\})?, (\w+)\)", text)
            assert chosen, f"{file.stem}: a variable is chosen from {text}"
            name, matchers, label = chosen.groups()
            found.append(
                Query(file.stem, f"variable {label}", f'{name}{{{matchers + ", " if matchers else ""}{label}!=""}}')
            )
    return found
