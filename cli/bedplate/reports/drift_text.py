"""Findings and checks for people: rich tables that follow the terminal's width."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.markup import escape
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from bedplate.drift import CheckOutcome, Severity
from bedplate.drift.check import DriftCheck, HostState, coverage_percent
from bedplate.drift.finding import CheckKind, Finding, FindingEvent, FindingState
from bedplate.drift.telling import who
from bedplate.drift.waivers import Waiver
from bedplate.reports.drift_documents import host_coverage
from bedplate.reports.drift_report import DriftReport
from bedplate.reports.run_text import ago, moment

SEVERITY_STYLE = {
    Severity.INFO: "dim",
    Severity.LOW: "cyan",
    Severity.MEDIUM: "yellow",
    Severity.HIGH: "red",
    Severity.CRITICAL: "bold red",
}
STATE_STYLE = {
    FindingState.NEW: "bold yellow",
    FindingState.OPEN: "yellow",
    FindingState.REOPENED: "bold magenta",
    FindingState.RESOLVED: "green",
}
OUTCOME_STYLE = {
    CheckOutcome.CLEAN: "green",
    CheckOutcome.DRIFTED: "yellow",
    CheckOutcome.STALE: "magenta",
    CheckOutcome.UNKNOWN: "bold red",
}
_WORDS = {
    FindingState.NEW: "new",
    FindingState.REOPENED: "new",
    FindingState.OPEN: "staying",
    FindingState.RESOLVED: "resolved",
}
_BAR = 30
_GAP = 2
_WIDE = "RESOURCE"
_SHORTEST_RESOURCE = 24
_COLUMNS = ("ID", "SEVERITY", "STATE", "SINCE", "HOST", _WIDE, "BY", "ROLE", "OWNER")
_FIRST_TO_GO = ("OWNER", "ROLE", "BY", "SINCE", "STATE", "SEVERITY")
_RANK = {
    outcome: rank
    for rank, outcome in enumerate((CheckOutcome.UNKNOWN, CheckOutcome.STALE, CheckOutcome.DRIFTED, CheckOutcome.CLEAN))
}


class FindingTable:
    """Findings, one a line. What `drift show` tells too is left out where there is no room.

    Args:
        waivers: by finding id.
        now: what ages are counted from.
    """

    def __init__(self, findings: Sequence[Finding], waivers: Mapping[str, Waiver], now: datetime) -> None:
        self._rows = [_cells(finding, finding.id in waivers, now) for finding in findings]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it at the width that there is."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        names = self._that_fit(options.max_width)
        for name in names:
            wide = name == _WIDE
            table.add_column(name, no_wrap=not wide, overflow="fold" if wide else "ellipsis", ratio=1 if wide else None)
        for row in self._rows:
            table.add_row(*(row[name] for name in names))
        yield table

    def _that_fit(self, width: int) -> list[str]:
        names = list(_COLUMNS)
        for name in _FIRST_TO_GO:
            if sum(self._width(kept) + _GAP for kept in names) <= width:
                break
            names.remove(name)
        return names

    def _width(self, name: str) -> int:
        longest = max(len(name), *(row[name].cell_len for row in self._rows))
        return min(longest, _SHORTEST_RESOURCE) if name == _WIDE else longest


def _cells(finding: Finding, waived: bool, now: datetime) -> dict[str, Text]:
    seen = finding.observed
    texts = {
        "ID": Text(finding.id[:8]),
        "SEVERITY": Text(seen.severity.value, style=SEVERITY_STYLE[seen.severity]),
        "STATE": Text("waived", style="dim") if waived else Text(finding.state, style=STATE_STYLE[finding.state]),
        "SINCE": Text(ago(finding.opened_at, now)),
        "HOST": Text(printable(seen.host)),
        _WIDE: Text(resource(finding)),
        "BY": Text(printable((finding.by and (finding.by.user or finding.by.source)) or "")),
        "ROLE": Text(seen.role or ""),
        "OWNER": Text(finding.owner or ""),
    }
    return {name: texts[name] for name in _COLUMNS}


def resource(finding: Finding) -> str:
    """Return what a finding is about in one line: `file /etc/motd: content`."""
    seen = finding.observed
    return printable(f"{seen.kind} {seen.key}: {seen.attribute}")


def printable(text: str) -> str:
    """Return text in one line: what a terminal could take for a command is written as Python would."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def host_state_table(states: Sequence[HostState], findings: Sequence[Finding]) -> Table:
    """Return how hosts stand, those that nothing is known of first.

    Args:
        findings: open and not waived.
    """
    counts: dict[str, int] = {}
    for finding in findings:
        counts[finding.observed.host] = counts.get(finding.observed.host, 0) + 1
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("HOST", no_wrap=True)
    table.add_column("OUTCOME", no_wrap=True)
    table.add_column("FINDINGS", justify="right")
    table.add_column("JUDGED", justify="right")
    table.add_column("", overflow="fold", ratio=1)
    for state in sorted(states, key=lambda state: (_RANK[state.outcome], state.host)):
        table.add_row(
            escape(state.host),
            Text(state.outcome.value, style=OUTCOME_STYLE[state.outcome]),
            str(counts.get(state.host, 0)),
            percent(coverage_percent(*host_coverage(state))),
            escape(state.reason or ""),
        )
    return table


def coverage_table(states: Sequence[HostState]) -> RenderableType:
    """Return per role how much could be judged over all hosts, and what could not."""
    judged: dict[str, int] = {}
    lacking: dict[str, list[str]] = {}
    for part in (part for state in states for part in state.coverage):
        judged[part.role] = judged.get(part.role, 0) + part.judged
        lacking.setdefault(part.role, []).extend(part.unverifiable)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("ROLE", no_wrap=True)
    table.add_column("JUDGED", justify="right")
    table.add_column("UNVERIFIABLE", overflow="fold", ratio=1)
    for role, count in judged.items():
        names = ", ".join(dict.fromkeys(lacking[role]))
        table.add_row(escape(role), percent(coverage_percent(count, len(lacking[role]))), Text(names))
    return table


def summary(check: DriftCheck) -> str:
    """Return what a check came to in one line."""
    found = check.findings
    words = {"new": found.new, "reopened": found.reopened, "staying": found.staying, "resolved": found.resolved}
    told = ", ".join(f"{count} {word}" for word, count in {**words, "waived": found.waived}.items() if count)
    what = "tasks" if check.kind is CheckKind.FULL else "resources"
    if check.coverage is None:
        return f"No host could be judged: {sum(check.outcomes.values())} looked at"
    return f"{told or 'nothing drifted'}; {percent(check.coverage)} of all {what} could be judged"


def owner_table(report: DriftReport) -> Table:
    """Return what is new, what stays and what is resolved, by who answers for it."""
    rows: dict[str, Counter[str]] = {}
    for finding in (*report.open, *report.resolved):
        word = _WORDS[finding.state]
        rows.setdefault(finding.owner or "nobody", Counter())[word] += 1
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("OWNER", no_wrap=True)
    for word in ("NEW", "STAYING", "RESOLVED"):
        table.add_column(word, justify="right")
    for owner, counts in sorted(rows.items()):
        table.add_row(escape(owner), *(str(counts[word]) for word in ("new", "staying", "resolved")))
    return table


def percent(value: float | None) -> str:
    """Return a share as people read it; nothing where there is none."""
    return "" if value is None else f"{value:g} %"


def finding_details(
    finding: Finding, waiver: Waiver | None, history: Sequence[FindingEvent], now: datetime
) -> RenderableType:
    """Return all about one finding: the facts, the difference, its life."""
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in _facts(finding, waiver, now):
        if value:
            facts.add_row(name, value if isinstance(value, Text) else Text(printable(value)))
    parts: list[RenderableType] = [facts]
    if finding.observed.diff:
        parts += ["", Syntax(finding.observed.diff, "diff", theme="ansi_dark", background_color="default")]
    if history:
        parts += ["", *(Text(f"{moment(event.at)}  {event.transition.value}", style="dim") for event in history)]
    return Group(*parts)


def _facts(finding: Finding, waiver: Waiver | None, now: datetime) -> list[tuple[str, str | Text | None]]:
    seen, since = finding.observed, finding.since
    earliest = moment(since.not_before) if since.not_before else "nobody knows when"
    ends = "" if waiver is None else f", until {waiver.expires}" if waiver.expires else ", without an end"
    return [
        ("finding", finding.id),
        ("host", seen.host),
        ("resource", resource(finding)),
        ("severity", Text(seen.severity.value, style=SEVERITY_STYLE[seen.severity])),
        ("state", Text(finding.state.value, style=STATE_STYLE[finding.state])),
        ("cause", finding.cause.value),
        ("as agreed", seen.before),
        ("as found", seen.after),
        ("managed by", ": ".join(filter(None, (seen.role, seen.task)))),
        ("happened", f"between {earliest} and {moment(since.not_after)}"),
        ("who", who(finding.by)),
        ("evidence", finding.by.evidence if finding.by else None),
        ("open since", f"{moment(finding.opened_at)} ({ago(finding.opened_at, now)}), seen {finding.times_seen} times"),
        ("first seen", moment(finding.first_seen)),
        ("resolved", moment(finding.resolved_at)),
        ("owner", finding.owner),
        ("waived", f"{waiver.reason} ({waiver.owner}{ends})" if waiver else None),
    ]


def waiver_table(waivers: Sequence[Waiver], today: date) -> Table:
    """Return waivers, one a line; those that have expired say so."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("WAIVER", "UNTIL", "OWNER", "REASON"):
        table.add_column(name, overflow="fold", no_wrap=name == "UNTIL")
    for waiver in waivers:
        until = Text(str(waiver.expires or "no end"))
        if not waiver.holds(today):
            until = Text(f"expired {waiver.expires}", style="red")
        table.add_row(Text(waiver.id), until, escape(waiver.owner), escape(waiver.reason))
    return table


def trend_table(checks: Sequence[DriftCheck]) -> Table:
    """Return checks, one a line, with a bar for what was open."""
    most = max((check.findings.open for check in checks), default=0)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("CHECK", no_wrap=True)
    table.add_column("WHEN", no_wrap=True)
    for name in ("HOSTS", "UNKNOWN", "NEW", "RESOLVED", "OPEN", "JUDGED"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", ratio=1)
    for check in checks:
        found, outcomes = check.findings, check.outcomes
        unknown = outcomes.get(CheckOutcome.UNKNOWN, 0) + outcomes.get(CheckOutcome.STALE, 0)
        counts = (sum(outcomes.values()), unknown, found.new + found.reopened, found.resolved, found.open)
        bar = Text("█" * round(_BAR * found.open / most) if most else "", style="yellow")
        table.add_row(
            check.id, moment(check.finished_at), *(str(count) for count in counts), percent(check.coverage), bar
        )
    return table
