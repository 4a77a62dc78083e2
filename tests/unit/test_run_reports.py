"""Runs as documents and as text."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
from rich.console import Console

from bedplate.errors import BedplateError
from bedplate.reports.plain import plain
from bedplate.reports.run_documents import event_document, host_result_document, outcome_counts, run_document
from bedplate.reports.run_table import RunTable
from bedplate.reports.run_text import ago, event_line, host_table, run_details, took
from bedplate.reports.verification import read_verification, verification_table
from bedplate.runs import Event, HostOutcome, HostResult, Run, RunMode, RunStatus

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
RUN = Run(
    id="20261122-145000-abcd",
    product="baseline",
    status=RunStatus.FAILED,
    mode=RunMode.APPLY,
    requester="kim [bold]",
    created_at=NOW - timedelta(minutes=10),
    started_at=NOW - timedelta(minutes=9),
    finished_at=NOW,
    hosts=("a", "b"),
    parameters={"token": "********"},
    limit="site_fra1:&[x]",
    exit_code=5,
)
RESULTS = [HostResult("a", ok=3, changed=1), HostResult("b", ok=2, failed=1)]
EVENT = Event(3, "runner_on_failed", NOW, host="b", role="access", task="Make [it] so", data={"res": {"msg": "no"}})


def _valid(document: object, name: str) -> None:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(plain(document), schema, format_checker=jsonschema.FormatChecker())


class TestDocuments:
    def test_a_run_fits_its_schema(self) -> None:
        _valid(run_document(RUN), "run")
        _valid(run_document(RUN, RESULTS), "run")

    def test_a_host_result_fits_its_schema(self) -> None:
        for result in RESULTS:
            _valid(host_result_document(result), "host_result")

    def test_an_event_fits_its_schema(self) -> None:
        _valid(event_document(EVENT), "event")

    def test_every_outcome_is_counted(self) -> None:
        assert outcome_counts(RESULTS) == {
            "ok": 0, "changed": 1, "failed": 1, "unreachable": 0, "skipped": 0, "unknown": 0,
        }  # fmt: skip


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        (HostResult("h", ok=1, failed=1, unreachable=1), HostOutcome.FAILED),
        (HostResult("h", ok=1, unreachable=1), HostOutcome.UNREACHABLE),
        (HostResult("h", ok=2, changed=1), HostOutcome.CHANGED),
        (HostResult("h", ok=2, skipped=4), HostOutcome.OK),
        (HostResult("h", skipped=4), HostOutcome.SKIPPED),
        (HostResult("h"), HostOutcome.UNKNOWN),
    ],
)
def test_the_worst_decides_a_hosts_outcome(result: HostResult, outcome: HostOutcome) -> None:
    assert result.outcome is outcome


class TestText:
    @pytest.mark.parametrize("width", [80, 200])
    def test_nothing_is_wider_than_the_terminal_and_markup_is_data(self, width: int) -> None:
        out = Console(file=io.StringIO(), width=width, color_system=None)
        out.print(RunTable([RUN], NOW))
        out.print(run_details(RUN, RESULTS, ["report.json"], NOW))
        out.print(host_table(RESULTS))
        out.print(event_line(EVENT), no_wrap=True, overflow="ellipsis")
        text = out.file.getvalue()  # type: ignore[attr-defined]
        assert max(map(len, text.splitlines())) <= width
        assert "kim [bold]" in text
        assert RUN.id in text
        assert "Make [it] so" in text

    @pytest.mark.parametrize(
        ("width", "heads"),
        [
            (200, "ID PRODUCT STATUS HOSTS WHO WHEN TOOK LIMIT"),
            (86, "ID PRODUCT STATUS HOSTS WHEN TOOK LIMIT"),
            (80, "ID PRODUCT STATUS HOSTS WHEN LIMIT"),
            (70, "ID PRODUCT STATUS HOSTS WHEN"),
        ],
    )
    def test_runs_get_the_columns_that_have_room(self, width: int, heads: str) -> None:
        run = replace(RUN, product="baseline", requester="kim", limit="site_fra1:&class_colo", mode=RunMode.CHECK)
        out = Console(file=io.StringIO(), width=width, color_system=None)
        out.print(RunTable([run, replace(run, limit=None)], NOW))
        head, first, _second = out.file.getvalue().splitlines()  # type: ignore[attr-defined]
        assert head.split() == heads.split()
        assert run.id in first
        assert "baseline" in first

    def test_an_empty_column_is_left_out(self) -> None:
        out = Console(file=io.StringIO(), width=200, color_system=None)
        out.print(RunTable([replace(RUN, limit=None)], NOW))
        assert "LIMIT" not in out.file.getvalue()  # type: ignore[attr-defined]

    def test_the_worst_host_comes_first(self) -> None:
        out = Console(file=io.StringIO(), width=80)
        out.print(host_table(RESULTS))
        lines = out.file.getvalue().splitlines()  # type: ignore[attr-defined]
        assert [line.split()[0] for line in lines[1:]] == ["b", "a"]

    @pytest.mark.parametrize(
        ("seconds", "text"), [(1.23, "1.2 s"), (42, "42 s"), (185, "3 min 05 s"), (7800, "2 h 10 min")]
    )
    def test_durations(self, seconds: float, text: str) -> None:
        assert took(seconds) == text

    def test_ages(self) -> None:
        assert ago(NOW - timedelta(seconds=5), NOW) == "5 s ago"
        assert ago(NOW - timedelta(hours=30), NOW) == "1 d ago"
        assert ago(NOW + timedelta(seconds=5), NOW) == "0 s ago"


PROOF = {
    "schema": 1,
    "mode": "apply",
    "taken_at": "2026-11-22T15:00:00Z",
    "score": {"passed": 2, "failed": 1, "blocked": 0, "skipped": 1, "percent": 66},
    "hosts": [
        {
            "host": name,
            "outcome": "failed" if percent < 100 else "passed",
            "score": {"passed": 1, "failed": int(percent < 100), "blocked": 0, "skipped": 0, "percent": percent},
            "checks": [
                {"check": "reach", "status": "passed", "detail": ""},
                {"check": "logs", "status": "failed" if percent < 100 else "passed", "detail": "no [line] came"},
            ],
        }
        for name, percent in (("a", 100), ("b", 50))
    ],
}


class TestVerification:
    def _run(self, folder: Path, text: str) -> Run:
        (folder / "artifacts").mkdir()
        (folder / "artifacts" / "verify.json").write_text(text, encoding="utf-8")
        return replace(RUN, folder=folder)

    def test_a_runs_document_has_the_proof_that_it_left(self, tmp_path: Path) -> None:
        document = run_document(self._run(tmp_path, json.dumps(PROOF)), RESULTS)
        _valid(document, "run")
        _valid(document["verification"], "verify")
        assert "verification" not in run_document(RUN, RESULTS)

    @pytest.mark.parametrize("text", ["{", "[]"])
    def test_a_proof_that_cannot_be_read_is_named(self, tmp_path: Path, text: str) -> None:
        with pytest.raises(BedplateError) as error:
            read_verification(self._run(tmp_path, text).folder)
        assert "verify.json" in str(error.value.where)

    def test_the_worst_host_comes_first_and_what_failed_is_said(self) -> None:
        out = Console(file=io.StringIO(), width=80, color_system=None)
        out.print(verification_table(PROOF))
        lines = out.file.getvalue().splitlines()  # type: ignore[attr-defined]
        assert [line.split() for line in lines] == [
            ["HOST", "SCORE", "LOGS"],
            ["b", "50", "%", "failed"],
            ["a", "100", "%", "passed"],
            ["b", "logs:", "no", "[line]", "came"],
        ]
