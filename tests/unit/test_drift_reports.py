"""Reports on drift, each as those read it that it is for."""

from __future__ import annotations

import io
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rich.console import Console, RenderableType

from bedplate.drift import CheckOutcome, Observation, RoleCoverage, Severity
from bedplate.drift.check import DriftCheck, FindingCounts, HostState
from bedplate.drift.finding import Cause, CheckKind, Finding, FindingEvent, FindingState, Since, Transition
from bedplate.drift.observation import By, Confidence
from bedplate.drift.telling import who
from bedplate.drift.waivers import Scope, Waiver
from bedplate.errors import SettingsError
from bedplate.reports.drift_documents import check_document, finding_document, waiver_document
from bedplate.reports.drift_html import drift_html
from bedplate.reports.drift_junit import drift_junit
from bedplate.reports.drift_metrics import drift_metrics
from bedplate.reports.drift_report import DriftReport, report_document
from bedplate.reports.drift_sarif import drift_sarif
from bedplate.reports.drift_text import (
    FindingTable,
    coverage_table,
    finding_details,
    host_state_table,
    trend_table,
    waiver_table,
)
from bedplate.reports.plain import plain
from bedplate.watch.message import body_of, send, title_of

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
AT = datetime(2026, 11, 25, 5, 0, tzinfo=UTC)
NASTY = '<b>&"\\\n\x01\udcff[bold]'


def finding(host: str, key: str, **fields: Any) -> Finding:
    severity = fields.pop("severity", Severity.HIGH)
    observed = Observation(host, "file", key, "content", "one", "two", "access", "Write it", severity, "-one\n+<two>")
    opened = AT - timedelta(days=fields.pop("days", 0))
    base = Finding(
        observed,
        "baseline",
        CheckKind.FULL,
        FindingState.NEW,
        Cause.CORRECTIVE,
        opened,
        opened,
        AT,
        Since(None, AT),
        by=By("kim", f"vi {NASTY}", "sudo: kim: vi", AT, "sudo", Confidence.LIKELY),
        owner="netops",
    )
    return replace(base, **fields)


CHECK = DriftCheck(
    "c1", "baseline", CheckKind.FULL, "kim", AT - timedelta(minutes=3), AT, None, "d1", None,
    {CheckOutcome.DRIFTED: 1, CheckOutcome.UNKNOWN: 1, CheckOutcome.CLEAN: 1}, FindingCounts(1, 0, 1, 1, 1), 5, 1,
)  # fmt: skip
STATES = [
    HostState(
        "a", "baseline", "c1", CheckOutcome.DRIFTED, AT, AT, None, "fra1", "netops", (RoleCoverage("access", 3),)
    ),
    HostState("b", "baseline", "c1", CheckOutcome.UNKNOWN, AT, None, f"away {NASTY}", "fra1", None),
    HostState(
        "c", "baseline", "c1", CheckOutcome.CLEAN, AT, AT, None, None, None,
        (RoleCoverage("access", 2, ("Restart it",)), RoleCoverage("logging", 1)),
    ),
]  # fmt: skip
WAIVER = Waiver(Scope.parse("file:/etc/ok@all"), f"fine {NASTY}", "kim", "kim", AT, date(2026, 12, 1))
REPORT = DriftReport(
    AT,
    CHECK,
    STATES,
    [
        finding("a", f"/etc/{NASTY}"),
        finding("a", "/etc/old", days=9, state=FindingState.OPEN, severity=Severity.CRITICAL),
    ],
    [(finding("a", "/etc/ok"), WAIVER)],
    [finding("a", "/etc/gone", state=FindingState.RESOLVED, resolved_at=AT)],
    [replace(CHECK, id="c0", findings=FindingCounts(staying=4)), CHECK],
)
EMPTY = DriftReport(AT, replace(CHECK, findings=FindingCounts()), [], [])


def valid(document: object, name: str) -> None:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(plain(document))


class TestDocuments:
    def test_they_fit_their_schemas(self) -> None:
        event = FindingEvent(REPORT.open[0].id, AT, Transition.OPENED, "c1", "two")
        valid(finding_document(REPORT.open[0], WAIVER, [event]), "finding")
        valid(waiver_document(WAIVER), "waiver")
        valid(check_document(CHECK), "drift_check")
        valid(check_document(CHECK, STATES, [finding_document(one) for one in REPORT.open]), "drift_check")
        valid(report_document(REPORT), "drift_report")
        valid(report_document(EMPTY), "drift_report")


class Tags(HTMLParser):
    """Collects the tags of a page, and fails where they are not closed in order."""

    VOID = frozenset({"meta", "br", "rect", "line", "polygon", "polyline"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


class TestPage:
    @pytest.mark.parametrize("report", [REPORT, EMPTY])
    def test_it_is_whole_and_needs_nothing_else(self, report: DriftReport) -> None:
        page = drift_html(report)
        tags = Tags()
        tags.feed(page)
        assert tags.open == []
        assert not {tag for tag, _ in tags.seen} & {"script", "link", "img", "iframe"}
        assert not [
            value for _, attributes in tags.seen for name, value in attributes.items() if name in {"src", "href"}
        ]
        assert not re.search(r"url\(|@import|https?:", page)
        assert "prefers-color-scheme: dark" in page

    def test_it_has_every_chart_and_list(self) -> None:
        tags = Tags()
        tags.feed(drift_html(REPORT))
        drawn = {attributes["aria-label"] for tag, attributes in tags.seen if tag == "svg"}
        assert drawn == {
            "Open findings, check by check", "By owner", "By role", "By site", "Oldest findings", "Coverage by role",
        }  # fmt: skip
        for words in ("Open (2)", "Accepted (1)", "Resolved by this check (1)", "Restart it", "kim: vi <b>", '<b>&"\\'):
            assert words in tags.text


def test_junit_counts_what_it_tells() -> None:
    root = ET.fromstring(drift_junit(REPORT))  # noqa: S314 (our own)
    suites = {suite.get("name"): suite for suite in root}
    counts = {
        name: tuple(suite.get(key) for key in ("tests", "failures", "errors", "skipped"))
        for name, suite in suites.items()
    }
    assert counts == {"a": ("2", "2", "0", "0"), "b": ("1", "0", "1", "0"), "c": ("3", "0", "0", "1")}
    for suite in root:
        assert len(suite) == int(suite.get("tests", ""))


class TestSarif:
    DOCUMENT = plain(drift_sarif(REPORT))

    def test_it_has_what_the_standard_requires(self) -> None:
        assert self.DOCUMENT["version"] == "2.1.0"
        (run,) = self.DOCUMENT["runs"]
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        assert len(rules) == len(set(rules))
        for result in run["results"]:
            assert rules[result["ruleIndex"]] == result["ruleId"]
            assert result["level"] in {"none", "note", "warning", "error"}
            assert result["message"]["text"]
            uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
            assert re.fullmatch(r"[A-Za-z0-9._~/%-]+", uri)

    def test_it_says_what_is_new_and_what_is_accepted(self) -> None:
        results = {one["partialFingerprints"]["bedplateFinding/v1"]: one for one in self.DOCUMENT["runs"][0]["results"]}
        states = [results[one.id]["baselineState"] for one in (*REPORT.open, *REPORT.resolved)]
        assert states == ["new", "unchanged", "absent"]
        ((accepted, waiver),) = REPORT.waived
        assert results[accepted.id]["suppressions"][0]["justification"] == waiver.reason


def test_metrics() -> None:
    lines = drift_metrics(replace(REPORT, open=[finding('a"\\\n', "/x")]), AT).splitlines()
    assert "bedplate_nightly_last_run_timestamp_seconds 1795582800" in lines
    assert 'bedplate_drift_findings{subject="a\\"\\\\\\n",severity="high"} 1' in lines
    assert 'bedplate_drift_hosts{outcome="unknown"} 1' in lines
    assert "bedplate_drift_waived_findings 1" in lines
    assert "nightly" not in drift_metrics(REPORT), "only the night may say when the night was"


def shown(renderable: RenderableType, width: int) -> str:
    out = Console(file=io.StringIO(), width=width)
    out.print(renderable)
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


@pytest.mark.parametrize("width", [60, 200])
def test_tables_keep_to_the_width(width: int) -> None:
    event = FindingEvent("x", AT, Transition.OPENED, "c1")
    tables = [
        FindingTable(REPORT.open, {}, AT),
        host_state_table(STATES, REPORT.open),
        coverage_table(STATES),
        trend_table(REPORT.trend),
        waiver_table([WAIVER], AT.date()),
        finding_details(REPORT.open[1], WAIVER, [event], AT),
    ]
    for table in tables:
        assert max(map(len, shown(table, width).splitlines())) <= width


def test_hosts_of_which_nothing_is_known_come_first() -> None:
    rows = [
        line.split()[0] for line in shown(host_state_table(STATES, REPORT.open), 200).splitlines()[1:] if line[0] != " "
    ]
    assert rows[0] == "b"


def test_an_expired_waiver_says_so() -> None:
    assert "expired 2026-12-01" in shown(waiver_table([WAIVER], date(2026, 12, 2)), 200)


class TestMessage:
    def test_it_tells_what_is_new_by_owner(self) -> None:
        fresh = [finding("a", "/etc/x"), finding("b", "/etc/y", owner=None, by=None)]
        assert title_of(CHECK, fresh) == "Drift of baseline: 2 new findings on 2 hosts"
        assert body_of(CHECK, fresh).splitlines() == [
            "netops:",
            f"- high: a: file /etc/x: content (corrective), by {who(fresh[0].by)}",
            "nobody:",
            "- high: b: file /etc/y: content (corrective), by unknown",
            "",
            "1 resolved, 2 open; check c1",
        ]

    def test_it_stays_short(self) -> None:
        body = body_of(CHECK, [finding("a", f"/etc/{number}") for number in range(500)])
        assert body.splitlines()[20:] == ["… 481 more lines", "", "1 resolved, 2 open; check c1"]

    @pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # apprise's own
    def test_an_address_that_is_none_is_not_shown(self) -> None:
        with pytest.raises(SettingsError, match=r"drift.notify: address 1 is none that apprise knows") as told:
            send(["nowhere://sesam-9@x"], "t", "b")
        assert "sesam" not in str(told.value)
