"""Runs for people: rich tables that follow the terminal's width."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bedplate.runs import Event, HostOutcome, HostResult, Run, RunStatus

STATUS_STYLE = {
    RunStatus.PENDING: "yellow",
    RunStatus.QUEUED: "yellow",
    RunStatus.RUNNING: "cyan",
    RunStatus.SUCCESSFUL: "green",
    RunStatus.FAILED: "red",
    RunStatus.CANCELED: "magenta",
    RunStatus.REFUSED: "magenta",
    RunStatus.EXPIRED: "red",
}
OUTCOME_STYLE = {
    HostOutcome.OK: "green",
    HostOutcome.CHANGED: "yellow",
    HostOutcome.FAILED: "bold red",
    HostOutcome.UNREACHABLE: "bold red",
    HostOutcome.SKIPPED: "cyan",
    HostOutcome.UNKNOWN: "dim",
}
COUNTS = ("ok", "changed", "failed", "unreachable", "skipped", "rescued", "ignored")


def run_table(runs: Sequence[Run], now: datetime) -> RenderableType:
    """Return a table of runs, one a line."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("ID", no_wrap=True, min_width=20)
    table.add_column("PRODUCT", no_wrap=True, min_width=7, overflow="ellipsis")
    table.add_column("STATUS", no_wrap=True, min_width=10, overflow="ellipsis")
    table.add_column("HOSTS", justify="right", no_wrap=True, min_width=5)
    table.add_column("WHO", no_wrap=True, min_width=4, overflow="ellipsis")
    table.add_column("AGO", no_wrap=True, min_width=6)
    table.add_column("TOOK", justify="right", no_wrap=True, min_width=6)
    limited = any(run.limit for run in runs)
    if limited:
        table.add_column("LIMIT", overflow="ellipsis")  # may wrap: rich takes from such columns first
    for run in runs:
        status = Text(run.status.value, style=STATUS_STYLE[run.status])
        if run.mode == "check":
            status.append(" check", style="dim")
        row = (run.id, escape(run.product), status, str(len(run.hosts)), escape(run.requester))
        limit = (escape(run.limit or ""),) if limited else ()
        table.add_row(*row, age(run.created_at, now), took(run.duration), *limit)
    return table


def run_details(run: Run, results: Sequence[HostResult], artifacts: Sequence[str], now: datetime) -> RenderableType:
    """Return all about one run: the facts, then a table of its hosts."""
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in _facts(run, artifacts, now):
        if value:
            facts.add_row(name, value if isinstance(value, Text) else escape(value))
    return Group(facts, "", host_table(results)) if results else facts


def _facts(run: Run, artifacts: Sequence[str], now: datetime) -> list[tuple[str, str | Text | None]]:
    title = f"{run.product} ({run.product_title})" if run.product_title else run.product
    content = f"{run.git_commit or 'no commit'}, digest {run.content_digest[:12]}" if run.content_digest else None
    return [
        ("run", run.id),
        ("product", title),
        ("status", Text(run.status.value, style=STATUS_STYLE[run.status])),
        ("error", run.error),
        ("mode", run.mode.value + (" with diff" if run.diff else "")),
        ("who", run.requester),
        ("why", run.reason),
        ("limit", run.limit),
        ("hosts", str(len(run.hosts))),
        ("parameters", ", ".join(f"{name}={value!r}" for name, value in run.parameters.items())),
        ("created", f"{moment(run.created_at)} ({age(run.created_at, now)} ago)"),
        ("started", moment(run.started_at)),
        ("finished", moment(run.finished_at)),
        ("took", took(run.duration)),
        ("tasks", None if run.tasks is None else str(run.tasks)),
        ("exit code", None if run.exit_code is None else str(run.exit_code)),
        ("content", content),
        ("inventory", run.inventory),
        ("rerun of", run.rerun_of),
        ("folder", str(run.folder) if run.folder else None),
        ("artifacts", ", ".join(artifacts)),
    ]


def host_table(results: Sequence[HostResult]) -> RenderableType:
    """Return the per-host summary, the worst hosts first."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("HOST", no_wrap=True, overflow="ellipsis")
    table.add_column("OUTCOME", no_wrap=True)
    shown = [name for name in COUNTS if name in COUNTS[:3] or any(getattr(result, name) for result in results)]
    for name in shown:
        table.add_column(name.upper(), justify="right")
    for result in sorted(results, key=lambda result: (_RANK[result.outcome], result.host)):
        counts = [Text(str(getattr(result, name)), style="" if getattr(result, name) else "dim") for name in shown]
        style = OUTCOME_STYLE[result.outcome]
        table.add_row(escape(result.host), Text(result.outcome.value, style=style), *counts)
    return table


_RANK = {
    outcome: rank
    for rank, outcome in enumerate(
        (
            HostOutcome.FAILED,
            HostOutcome.UNREACHABLE,
            HostOutcome.UNKNOWN,
            HostOutcome.CHANGED,
            HostOutcome.OK,
            HostOutcome.SKIPPED,
        )
    )
}


def event_line(event: Event) -> Text:
    """Return an event as one line: when, host, what became of the task."""
    word, style = _event_word(event)
    line = Text(f"{event.counter:>6} {event.created.astimezone():%H:%M:%S} ", style="dim")
    line.append(f"{word:<12}", style=style)
    line.append(f"{event.host or '':<20} ")
    line.append(f"{short_role(event.role)} : " if event.role else "", style="dim")
    line.append(event.task or event.play or event.stdout.strip().split("\n")[0])
    if event.duration is not None:
        line.append(f"  {event.duration:.1f} s", style="dim")
    return line


def short_role(role: str) -> str:
    """Return a role's name without its collection."""
    return role.rpartition(".")[2]


_EVENT_WORDS = {
    "runner_on_failed": ("failed", "bold red"),
    "runner_on_unreachable": ("unreachable", "bold red"),
    "runner_on_skipped": ("skipped", "cyan"),
    "playbook_on_play_start": ("play", "bold"),
    "playbook_on_task_start": ("task", "bold"),
    "playbook_on_handler_task_start": ("handler", "bold"),
    "playbook_on_stats": ("end", "bold"),
    "warning": ("warning", "yellow"),
    "error": ("error", "red"),
    "deprecated": ("deprecated", "yellow"),
}


def _event_word(event: Event) -> tuple[str, str]:
    if event.kind == "runner_on_ok":
        return ("changed", "yellow") if event.changed else ("ok", "green")
    return _EVENT_WORDS.get(event.kind, (event.kind.removeprefix("runner_").removeprefix("on_"), "dim"))


def moment(at: datetime | None) -> str:
    """Return a time in the reader's zone, to the second."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S %Z}" if at else ""


def took(duration: timedelta | float | None) -> str:
    """Return a duration as people say it: 42 s, 3 min 05 s, 2 h 10 min."""
    if duration is None:
        return ""
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else duration
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def age(at: datetime, now: datetime) -> str:
    """Return how long ago something was, in its largest unit: 5 min."""
    seconds = max(0, int((now.astimezone(UTC) - at.astimezone(UTC)).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
