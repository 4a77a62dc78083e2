"""A check as one page: no script, nothing loaded from elsewhere, light or dark as the reader's screen is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape

from bedplate.drift import CheckOutcome
from bedplate.drift.check import coverage_percent
from bedplate.drift.finding import Finding
from bedplate.drift.telling import who
from bedplate.drift.waivers import Waiver
from bedplate.reports.charts import Bar, Point, bars, course
from bedplate.reports.drift_report import DriftReport

_MOST_FINDINGS = 1000
_MOST_BARS = 15
_LOST = frozenset({CheckOutcome.UNKNOWN, CheckOutcome.STALE})
_STYLE = """
:root { color-scheme: light dark; --back: #fff; --text: #1c2733; --dim: #5d6b7a; --line: #d5dce4; --box: #f5f7fa;
  --accent: #2f6fb5; --area: #2f6fb522; --critical: #a4123f; --high: #c7391a; --medium: #9a6b00; --low: #2c7a7b; }
@media (prefers-color-scheme: dark) { :root { --back: #14181d; --text: #dde4ec; --dim: #93a0ad; --line: #343d47;
  --box: #1c2229; --accent: #6fa8e6; --area: #6fa8e622; --critical: #ff7a9f; --high: #ff8d70; --medium: #e3b341;
  --low: #5fc4c4; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1400px; padding: 24px; background: var(--back); color: var(--text);
  font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 28px 0 8px; } p { margin: 4px 0; }
.dim { color: var(--dim); }
.numbers { display: flex; flex-wrap: wrap; gap: 12px; margin: 18px 0; }
.numbers div { background: var(--box); border: 1px solid var(--line); border-radius: 8px; padding: 10px 16px; }
.numbers b { display: block; font-size: 26px; line-height: 1.1; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(560px, 100%), 1fr)); gap: 8px 32px; }
svg { max-width: 100%; height: auto; font: 12px system-ui, sans-serif; }
.bar, .dot { fill: var(--accent); } .line { fill: none; stroke: var(--accent); stroke-width: 2; }
.area { fill: var(--area); } .grid { stroke: var(--line); } .label { fill: var(--text); } .value { fill: var(--dim); }
.table { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 5px 10px; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--dim); font-weight: 600; } td.key { overflow-wrap: anywhere; }
.critical { color: var(--critical); font-weight: 600; } .high { color: var(--high); } .medium { color: var(--medium); }
.low, .info { color: var(--low); }
pre { background: var(--box); border: 1px solid var(--line); border-radius: 6px; padding: 8px; overflow-x: auto; }
summary { cursor: pointer; }
"""
_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
"""


def drift_html(report: DriftReport) -> str:
    """Return the page."""
    title = f"Drift of {report.check.product}, {report.at:%Y-%m-%d}"
    parts = [
        f"{_HEAD}<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(title)}</h1>",
        _origin(report),
        _numbers(report),
        f'<div class="charts">{_charts(report)}</div>',
        _findings("Open", report.open, report.at),
        _lost(report),
        _waived(report.waived),
        _findings("Resolved by this check", report.resolved, report.at),
        _coverage(report),
        "</body></html>\n",
    ]
    return "\n".join(part for part in parts if part)


def _origin(report: DriftReport) -> str:
    check = report.check
    return (
        f'<p class="dim">Check {escape(check.id)} ({check.kind}) by {escape(check.requester)}, '
        f"ended {_moment(check.finished_at)}</p>"
    )


def _numbers(report: DriftReport) -> str:
    counts, outcomes = report.check.findings, Counter(state.outcome for state in report.states)
    judged = [sum(part[index] for part in report.coverage.values()) for index in (0, 1)]
    percent = coverage_percent(judged[0], judged[1])
    numbers = [
        (len(report.states), "hosts"),
        (outcomes[CheckOutcome.CLEAN], "clean"),
        (outcomes[CheckOutcome.DRIFTED], "drifted"),
        (sum(outcomes[lost] for lost in _LOST), "not judged"),
        (len(report.open), "open findings"),
        (counts.new + counts.reopened, "new"),
        (counts.resolved, "resolved"),
        (len(report.waived), "accepted"),
        ("none" if percent is None else f"{percent:g} %", "of tasks judged"),
    ]
    return f'<div class="numbers">{"".join(f"<div><b>{value}</b>{word}</div>" for value, word in numbers)}</div>'


def _charts(report: DriftReport) -> str:
    sites = {state.host: state.site or "no site" for state in report.states}
    oldest = sorted(report.open, key=lambda finding: finding.opened_at)[:_MOST_BARS]
    ages = [Bar(f"{f.observed.host}: {f.observed.key}", _days(f, report.at), _age(f, report.at)) for f in oldest]
    points = [Point(f"{_moment(check.finished_at)}", check.findings.open) for check in report.trend]
    coverage = [
        Bar(role, value, f"{value:g} %")
        for role, parts in report.coverage.items()
        if (value := coverage_percent(*parts)) is not None
    ]
    charts = [
        ("Open findings, check by check", course("Open findings, check by check", points) if points else ""),
        ("By owner", _counted("By owner", (finding.owner or "nobody" for finding in report.open))),
        ("By role", _counted("By role", (finding.observed.role or "nobody's" for finding in report.open))),
        ("By site", _counted("By site", (sites.get(f.observed.host, "no site") for f in report.open))),
        ("Oldest findings", bars("Oldest findings", ages) if ages else ""),
        ("Coverage by role", bars("Coverage by role", coverage, most=100) if coverage else ""),
    ]
    return "".join(f"<section><h2>{title}</h2>{chart}</section>" for title, chart in charts if chart)


def _counted(title: str, names: Iterable[str]) -> str:
    rows = [Bar(name, count, str(count)) for name, count in Counter(names).most_common(_MOST_BARS)]
    return bars(title, rows) if rows else ""


def _findings(title: str, findings: Sequence[Finding], at: datetime) -> str:
    if not findings:
        return ""
    rows = "".join(_finding(finding, at) for finding in findings[:_MOST_FINDINGS])
    more = len(findings) - _MOST_FINDINGS
    rest = f'<p class="dim">{more} more are not shown here; the JSON report has all.</p>' if more > 0 else ""
    head = _row("th", ("Severity", "Host", "What", "As agreed", "As found", "Role", "Owner", "Cause", "Who", "Since"))
    return f'<h2>{title} ({len(findings)})</h2><div class="table"><table>{head}{rows}</table></div>{rest}'


def _finding(finding: Finding, at: datetime) -> str:
    seen = finding.observed
    what = f"{escape(seen.kind)} {escape(seen.key)}: {escape(seen.attribute)}"
    if seen.diff:
        what = f"<details><summary>{what}</summary><pre>{escape(seen.diff)}</pre></details>"
    cells = (
        f'<td class="{seen.severity}">{seen.severity}</td><td>{escape(seen.host)}</td><td class="key">{what}</td>'
        f'<td class="key">{escape(seen.before or "")}</td><td class="key">{escape(seen.after or "")}</td>'
    )
    rest = (
        escape(seen.role or ""),
        escape(finding.owner or ""),
        str(finding.cause),
        escape(who(finding.by)),
        _age(finding, at),
    )
    return f"<tr>{cells}{''.join(f'<td>{cell}</td>' for cell in rest)}</tr>"


def _lost(report: DriftReport) -> str:
    lost = [state for state in report.states if state.outcome in _LOST]
    if not lost:
        return ""
    rows = "".join(
        _row("td", (state.host, state.outcome.value, state.reason or "", _moment(state.judged_at))) for state in lost
    )
    head = _row("th", ("Host", "Outcome", "Why", "Last judged"))
    return f'<h2>Hosts that could not be judged ({len(lost)})</h2><div class="table"><table>{head}{rows}</table></div>'


def _waived(waived: Sequence[tuple[Finding, Waiver]]) -> str:
    if not waived:
        return ""
    rows = "".join(
        _row(
            "td",
            (
                finding.observed.host,
                f"{finding.observed.kind} {finding.observed.key}: {finding.observed.attribute}",
                waiver.reason,
                waiver.owner,
                str(waiver.expires or "no end"),
            ),
        )
        for finding, waiver in waived[:_MOST_FINDINGS]
    )
    head = _row("th", ("Host", "What", "Why it is accepted", "By", "Until"))
    return f'<h2>Accepted ({len(waived)})</h2><div class="table"><table>{head}{rows}</table></div>'


def _coverage(report: DriftReport) -> str:
    names: dict[tuple[str, str], int] = {}
    for part in (part for state in report.states for part in state.coverage):
        for name in part.unverifiable:
            names[part.role, name] = names.get((part.role, name), 0) + 1
    if not names:
        return ""
    rows = "".join(_row("td", (role, name, str(hosts))) for (role, name), hosts in sorted(names.items()))
    head = _row("th", ("Role", "Task", "Hosts"))
    return f'<h2>What could not be judged</h2><div class="table"><table>{head}{rows}</table></div>'


def _row(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"


def _days(finding: Finding, at: datetime) -> float:
    return max((at - finding.opened_at).total_seconds() / 86400, 0.0)


def _age(finding: Finding, at: datetime) -> str:
    days = _days(finding, at)
    return f"{days:.0f} d" if days >= 1 else f"{days * 24:.0f} h"


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "never"
