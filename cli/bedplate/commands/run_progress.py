"""What a person sees while a run goes on: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from bedplate.reports.run_text import short_role, took
from bedplate.runs import Event, Run

_FAILURES = {"runner_on_failed": "failed", "runner_on_unreachable": "unreachable"}
_TASK_STARTS = {"playbook_on_task_start", "playbook_on_handler_task_start"}
_COUNTED = {"runner_on_ok": "ok", "runner_on_skipped": "skipped", **_FAILURES}


class Tally:
    """Counts what has happened so far in a run."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.hosts_lost: set[str] = set()
        self.task = ""

    def add(self, event: Event) -> None:
        if event.kind in _TASK_STARTS:
            self.task = f"{short_role(event.role)} : {event.task}" if event.role else event.task or ""
            return
        word = _COUNTED.get(event.kind)
        if word is None:
            return
        if word in _FAILURES.values() and not event.failed:
            word = "ok"  # somebody expected it
        self.counts["changed" if word == "ok" and event.changed else word] += 1
        if word in _FAILURES.values():
            self.hosts_lost.add(event.host or "")


def failure_line(event: Event) -> Text:
    """Return the line that tells of a failure as it happens: host, task, why."""
    result = event.data.get("res", {})
    line = Text(f"{_FAILURES[event.kind]}: ", style="bold red")
    line.append(event.host or "", style="bold")
    line.append(f"  {short_role(event.role) + ' : ' if event.role else ''}{event.task or ''}")
    line.append(f"\n    {_why(result)}")
    return line


def _why(result: Any) -> str:  # noqa: ANN401
    if not isinstance(result, dict):
        return str(result)
    for key in ("msg", "stderr", "module_stderr", "stdout", "exception"):
        if result.get(key):
            return str(result[key]).strip()[:2000]
    return "no message; bedplate runs events shows the whole result"


class PlainProgress:
    """Plain lines: one for each task, and each failure as it happens."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._tally = Tally()
        self._begun = time.monotonic()

    def started(self, _run: Run) -> None:
        self._begun = time.monotonic()

    def event(self, event: Event) -> None:
        self._tally.add(event)
        if event.kind in _TASK_STARTS:
            self._out.print(
                f"[{time.monotonic() - self._begun:7.1f} s] {self._tally.task}", markup=False, soft_wrap=True
            )
        elif event.kind in _FAILURES and event.failed:
            self._out.print(failure_line(event), soft_wrap=True)

    def finished(self, _outcome: object) -> None:
        pass


class LiveProgress:
    """One live line below what has happened: hosts, tasks, time, and how long it took before.

    Args:
        out: a console on a terminal.
        expected: seconds that earlier runs took, scaled to these hosts; None when there are none.
    """

    def __init__(self, out: Console, expected: float | None) -> None:
        self._out = out
        self._expected = expected
        self._tally = Tally()
        self._begun = time.monotonic()
        self._hosts = 0
        self._spinner = Spinner("dots", style="cyan")
        self._live = Live(console=out, refresh_per_second=4, transient=True, get_renderable=self._render)

    def started(self, run: Run) -> None:
        self._hosts = len(run.hosts)
        self._begun = time.monotonic()
        self._live.start()

    def event(self, event: Event) -> None:
        self._tally.add(event)
        if event.kind in _FAILURES and event.failed:
            self._live.console.print(failure_line(event))

    def finished(self, _outcome: object) -> None:
        self._live.stop()

    def _render(self) -> Table:
        counts = self._tally.counts
        elapsed = time.monotonic() - self._begun
        clock = took(elapsed)
        if self._expected is not None:
            clock += f" of about {took(self._expected)}"
        line = Text.assemble(
            (f"{self._hosts} hosts", "bold"),
            "  ",
            (f"{counts['ok']} ok", "green"),
            "  ",
            (f"{counts['changed']} changed", "yellow"),
            "  ",
            (f"{counts['failed'] + counts['unreachable']} failed", "red" if self._tally.hosts_lost else "dim"),
            f"  {clock}",
        )
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(width=1)
        grid.add_column(no_wrap=True, overflow="ellipsis")
        grid.add_row(self._spinner, line)
        grid.add_row("", Text(self._tally.task, style="dim"))
        return grid
