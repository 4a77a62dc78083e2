"""What `make bench` writes is as its schema says, and says where a limit was passed."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema

from benchmarks.figures import PAGE, compare, page, record, table

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "bench.schema.json"


def test_results_are_as_the_schema_says(tmp_path: Path) -> None:
    figures = [
        compare("start / bare", [1.0, 3.0, 2.0], [1.0, 1.0, 1.0], limit=1.5, note="three pairs"),
        compare("memory / bare", [10.0], [20.0], limit=None, unit="MB"),
    ]
    record("start", figures, tmp_path / "results.json")
    record("memory", figures[1:], tmp_path / "results.json")
    document = json.loads((tmp_path / "results.json").read_text())
    expected = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator(expected, format_checker=jsonschema.FormatChecker()).validate(document)
    assert list(document["benchmarks"]) == ["start", "memory"]
    rows = document["benchmarks"]["start"]["figures"]
    assert [(row["ratio"], row["within"]) for row in rows] == [(2.0, False), (0.5, True)]
    assert [line.count("OVER") for line in table(figures).splitlines()[2:]] == [1, 0]


def test_the_documentation_shows_what_was_measured_last() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "say: python -m tests.benchmarks NAME, which writes the page anew"
