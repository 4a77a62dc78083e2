"""`bedplate product report` and `bedplate feedback`: figures of recorded runs, as text, JSON and a page."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from bedplate.main import main
from bedplate.runs import HostResult, Run, RunMode, RunQuery, RunStatus, new_run_id
from bedplate.settings import load_settings
from bedplate.store import open_store

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
NOW = datetime.now(UTC)
MANIFEST = """\
name: sample
title: Sample <b>
summary: A sample.
owner: {team: platform, contact: "#platform"}
lifecycle: {stage: beta}
playbook: playbooks/sample.yml
slo:
  - {objective: success_ratio, target: 0.75, window: 7d}
  - {objective: duration_p95, target: 90s, window: 7d}
  - {objective: lead_time_p95, target: 1h, window: 4w}
cost: {amount: 0.5, currency: EUR, per: host}
roadmap:
  - {when: "2020", what: The past, status: done}
  - {when: 2020-Q4, what: The late past, status: in_progress}
  - {when: 2020-02, what: Nothing, status: dropped}
  - {when: 2999-Q1, what: The future}
"""
TEAMS = """\
teams:
  web: {members: [kim], cost_centre: "4711"}
  data: {members: [lee, kim], cost_centre: "4712"}
"""


class Bedplate:
    """The command, on a catalog and a store of its own."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capsys = capsys
        (root / "playbooks/products").mkdir(parents=True)
        (root / "galaxy.yml").write_text("namespace: bedplate\n", encoding="utf-8")
        (root / "playbooks/products/sample.yml").write_text(MANIFEST, encoding="utf-8")
        other = MANIFEST.replace("name: sample", "name: other")
        (root / "playbooks/products/other.yml").write_text(other, encoding="utf-8")
        (root / "teams.yml").write_text(TEAMS, encoding="utf-8")

    def __call__(self, *words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main(words)
        out, err = self._capsys.readouterr()
        return int(stop.value.code or 0), out, err

    def document(self, *words: str) -> dict[str, Any]:
        code, out, err = self(*words, "-o", "json")
        assert code == 0, err
        document: dict[str, Any] = json.loads(out)
        schema = json.loads((SCHEMAS / "product_report.schema.json").read_text(encoding="utf-8"))
        Draft202012Validator.check_schema(schema)
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(document)
        return document


def run(days: float, seconds: int, **fields: Any) -> Run:
    asked = NOW - timedelta(days=days)
    times = {
        "created_at": asked,
        "queued_at": asked + timedelta(minutes=30),
        "started_at": asked + timedelta(minutes=31),
        "finished_at": asked + timedelta(minutes=31, seconds=seconds),
    }
    values = {"status": RunStatus.SUCCESSFUL, "mode": RunMode.APPLY, "hosts": ("a", "b"), "requester": "kim", **times}
    return Run(id=new_run_id(asked), product="sample", **{**values, **fields})


@pytest.fixture
def bedplate(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Bedplate:
    for name, value in {
        "BEDPLATE_CONTENT_PATH": str(tmp_path),
        "BEDPLATE_HOME": str(tmp_path / "home"),
        "BEDPLATE_TEAMS_FILE": str(tmp_path / "teams.yml"),
        "BEDPLATE_ACCESS_USER": "kim",
        "COLUMNS": "160",
        "NO_COLOR": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "getuid", lambda: 0)  # root may call in any name
    monkeypatch.chdir(tmp_path)
    return Bedplate(tmp_path, capsys)


@pytest.fixture
def ordered(bedplate: Bedplate) -> Bedplate:
    """Runs of `sample`: 6 good ones of 60 s and one of 120 s, a failed one, a check, a canceled and an old one."""
    store = open_store(load_settings())
    runs = [run(number / 10, 60) for number in range(1, 7)]
    runs += [
        run(1, 120, requester="lee", hosts=("a", "b", "c")),
        run(1, 10, status=RunStatus.FAILED, requester="guest"),
        run(2, 10, mode=RunMode.CHECK),
        run(2, 10, status=RunStatus.CANCELED, started_at=None, finished_at=None),
        run(20, 10, status=RunStatus.FAILED),
        run(60, 10),
    ]
    for each in runs:
        store.add(each)
        store.put_host_results(each.id, [HostResult(host, ok=1) for host in each.hosts])
    store.close()
    return bedplate


def test_figures_of_recorded_runs(ordered: Bedplate) -> None:
    found = ordered.document("product", "report", "sample")["products"]
    assert len(found) == 1
    figures = found[0]
    assert figures["orders"] == 10
    assert figures["by_status"] == {"successful": 7, "failed": 2, "canceled": 1}
    assert figures["checks"] == 1
    assert figures["success_ratio"] == pytest.approx(7 / 9)
    assert figures["times"]["duration"]["p50"] == pytest.approx(60)
    assert figures["times"]["duration"]["max"] == pytest.approx(120)
    assert figures["times"]["approval"]["p95"] == pytest.approx(1800)
    assert figures["times"]["waiting"]["p95"] == pytest.approx(60)
    assert figures["times"]["lead_time"]["p50"] == pytest.approx(1920)
    assert (figures["hosts"], figures["people"], figures["teams"]) == (3, 3, ["data", "web"])
    assert sum(day["successful"] for day in figures["days"]) == 7
    assert figures["roadmap"] == {
        "kept": 1,
        "late": [{"when": "2020-Q4", "what": "The late past", "status": "in_progress"}],
    }


def test_objectives_are_measured_over_their_own_windows(ordered: Bedplate) -> None:
    success, duration, lead = ordered.document("product", "report", "sample", "--since", "1h")["products"][0][
        "objectives"
    ]
    assert (success["runs"], success["met"]) == (8, True)
    assert success["measured"] == pytest.approx(7 / 8)
    assert success["budget_left"] == pytest.approx(0.5)
    assert (duration["runs"], duration["measured"], duration["met"]) == (7, pytest.approx(120), False)
    assert duration["budget_left"] == pytest.approx(1 - 1 / 0.35)
    assert (lead["met"], lead["budget_left"]) == (True, 1)


def test_who_pays(ordered: Bedplate) -> None:
    cost = ordered.document("product", "report", "sample")["products"][0]["cost"]
    assert cost["by_team"] == {"data+web": 7.0, "data": 1.5, "no team": 1.0}
    assert cost["by_cost_centre"] == {"4711+4712": 7.0, "4712": 1.5, "no cost centre": 1.0}
    assert (cost["amount"], cost["currency"]) == (9.5, "EUR")


def test_nothing_ran(bedplate: Bedplate) -> None:
    found = bedplate.document("product", "report")["products"]
    assert [each["name"] for each in found] == ["other", "sample"]
    assert found[0]["success_ratio"] is None
    assert found[0]["objectives"][0]["met"] is None
    assert bedplate("product", "report")[0] == 0
    assert "no runs" in bedplate("product", "report", "sample")[1]


def test_for_people(ordered: Bedplate) -> None:
    code, out, _ = ordered("product", "report")
    assert code == 0
    assert re.search(r"sample +10 +1 +77\.7 % +1 min 00 s +2 min 00 s .* 9\.50 EUR .* 1 of 3 missed", out)
    out = ordered("product", "report", "sample")[1]
    assert "success ratio 75 % over 7d: 87.5 %, met; 50% of the error budget left (8 runs)" in out
    assert "late: 2020-Q4  The late past (in progress)" in out


def test_feedback_is_added_up(ordered: Bedplate) -> None:
    assert ordered("feedback", "sample", "5")[0] == 0
    run_id = open_store(load_settings()).find(RunQuery())[0].id
    code, _, err = ordered("feedback", "sample", "2", "--comment", "<script>alert(1)</script>", "--run", run_id)
    assert (code, err) == (0, "Thank you: sample has 2 of 5 from kim.\n")
    feedback = ordered.document("product", "report", "sample")["products"][0]["feedback"]
    assert (feedback["count"], feedback["mean"]) == (2, 3.5)
    assert [(each["comment"], each["run"]) for each in feedback["comments"]] == [("<script>alert(1)</script>", run_id)]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("sampel", "3"), "there is no product 'sampel' (did you mean sample?)"),
        (("sample", "6"), "6 is not in the range 1<=x<=5"),
        (("other", "3", "--run", "LAST"), "is a run of sample, not of other"),
        (("sample", "3", "--comment", "x" * 2001), "--comment: must have at most 2000 characters, not 2001"),
    ],
)
def test_feedback_that_is_refused(ordered: Bedplate, words: tuple[str, ...], sentence: str) -> None:
    last = open_store(load_settings()).find(RunQuery())[0].id
    code, _, err = ordered("feedback", *(last if word == "LAST" else word for word in words))
    assert code == 2
    assert sentence in err
    assert ordered.document("product", "report", "sample")["products"][0]["feedback"]["count"] == 0


class Page(HTMLParser):
    """What is in a page: its elements, and whatever it would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        named = dict(attrs)
        self.fetched += [str(named[key]) for key in ("src", "srcset", "data", "action") if key in named]
        if tag == "link":
            self.fetched.append(str(named.get("href")))


def test_the_page_is_whole_by_itself_and_escapes_what_people_say(ordered: Bedplate, tmp_path: Path) -> None:
    ordered("feedback", "sample", "2", "--comment", "<script>alert(1)</script>")
    code, _, err = ordered("product", "report", "--html", str(tmp_path / "page.html"))
    assert code == 0, err
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.fetched == []
    assert "script" not in page.tags
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "Sample &lt;b&gt;" in text
    assert "@import" not in text
    assert "url(" not in text
    assert page.tags.count("svg") == 5
    assert "prefers-color-scheme: dark" in text
    assert ordered("product", "report", "--html", str(tmp_path / "no/page.html"))[0] == 2


def test_the_whole_catalog_after_a_day_of_runs(tmp_path: Path) -> None:
    """The command that makes a day's worth of runs, and the pages that it leaves."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.benchmarks.day_of_runs", str(tmp_path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    products = sorted(file.stem for file in (root / "playbooks" / "products").glob("*.yml"))
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.fetched == []
    assert page.tags.count("svg") >= len(products)
    for name in products:
        assert name in text
        assert (tmp_path / "site" / f"{name}.html").is_file()
