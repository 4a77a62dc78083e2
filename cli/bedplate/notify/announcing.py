"""Who hears of a run that ended, and whether they know already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from bedplate.catalog import Product, load_catalog
from bedplate.content import Content
from bedplate.errors import BedplateError
from bedplate.notices import NoticeRepository, Trouble
from bedplate.notify.receivers import load_receivers
from bedplate.notify.sending import Message, send
from bedplate.reports.run_text import took
from bedplate.runs import EventQuery, HostOutcome, Run, RunMode, RunRepository, RunStatus
from bedplate.settings import Settings
from bedplate.store import open_notices

_NAMED = 10
_BAD = (HostOutcome.FAILED, HostOutcome.UNREACHABLE)
_KINDS: dict[RunStatus, Literal["success", "failure", "warning"]] = {
    RunStatus.SUCCESSFUL: "success",
    RunStatus.CANCELED: "warning",
    RunStatus.REFUSED: "warning",
}


@dataclass(frozen=True)
class Announcer:
    """Tells those whom a product's manifest names of its results."""

    content: Content
    settings: Settings
    store: RunRepository

    def announce(self, run_id: str) -> str | None:
        """Tell of a run that ended, unless its trouble was told of before.

        Returns:
            Why somebody could not be told, in one sentence; None where nothing went wrong. It never raises for that:
            a run is what it is, whoever hears of it.
        """
        try:
            run = self.store.get(run_id)
            product = load_catalog(self.content.products).get(run.product)
            if not product.notifications or not run.status.ended:
                return None
            return self._announce(run, product)
        except BedplateError as error:
            return f"nobody was told of run {run_id}: {error}"

    def _announce(self, run: Run, product: Product) -> str | None:
        notices = open_notices(self.settings)
        try:
            name = run.product if run.mode is RunMode.APPLY else f"{run.product} (check)"
            if run.status is RunStatus.SUCCESSFUL:
                notices.settle(name, run.hosts)
                return self._tell(run, product, ())
            names = {to for each in product.notifications if run.status.value in each.outcomes for to in each.to}
            return self._tell_trouble(run, product, notices, name) if names else None
        finally:
            notices.close()

    def _tell_trouble(self, run: Run, product: Product, notices: NoticeRepository, name: str) -> str | None:
        failed = [result.host for result in self.store.host_results(run.id) if result.outcome in _BAD]
        trouble = Trouble(name, failed or run.hosts, self._first_task(run))
        if not notices.remember(trouble, run.id, datetime.now(UTC)):
            return None
        wrong = self._tell(run, product, failed, trouble.task)
        if wrong:
            notices.forget(trouble)
        return wrong

    def _first_task(self, run: Run) -> str:
        first = next(self.store.events(run.id, EventQuery(only_failed=True, limit=1)), None)
        return (first.task if first else None) or run.status.value

    def _tell(self, run: Run, product: Product, failed: Sequence[str], task: str | None = None) -> str | None:
        names = dict.fromkeys(
            to for each in product.notifications if run.status.value in each.outcomes for to in each.to
        )
        wrong = []
        message = _message(run, product, failed, task)
        for name in names:
            try:
                send(load_receivers(self.settings).addresses(name), message)
            except BedplateError as error:
                wrong.append(f"{name}: {error}")
        return f"run {run.id}: {'; '.join(wrong)}" if wrong else None


def _message(run: Run, product: Product, failed: Sequence[str], task: str | None) -> Message:
    mode = " (check)" if run.mode is RunMode.CHECK else ""
    lines = [f"Run {run.id} of {run.product}{mode} by {run.requester}: {run.status.value} on {len(run.hosts)} hosts"]
    lines += [f"It took {took(run.duration)}."] if run.duration is not None else []
    if failed:
        more = f" and {len(failed) - _NAMED} more" if len(failed) > _NAMED else ""
        lines.append(f"Failed: {', '.join(sorted(failed)[:_NAMED])}{more}")
    lines += [f"First task that failed: {task}"] if task and failed else []
    lines += [run.error] if run.error else []
    lines += [f"Why: {run.reason}"] if run.reason else []
    lines.append(f"bedplate runs show {run.id}")
    return Message(f"{product.title}{mode}: {run.status.value}", "\n".join(lines), _KINDS.get(run.status, "failure"))


def log_of(folder: Path) -> Path:
    """Return the file in a run's folder that says who could not be told of it."""
    return folder / "notifications.log"
