"""Who hears of a run that ended, and whether they know already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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
# Takes the name and number of an address, the address, and what is told.
_Deliver = Callable[[str, str, Message], None]


def _send(_to: str, address: str, message: Message) -> None:
    send([address], message)


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
        wanted = [each for each in product.notifications if run.status.value in each.outcomes]
        names = list(dict.fromkeys(to for each in wanted for to in each.to))
        notices = open_notices(self.settings)
        try:
            name = run.product if run.mode is RunMode.APPLY else f"{run.product} (check)"
            if run.status is RunStatus.SUCCESSFUL:
                notices.settle(name, run.hosts)
                return self._tell(run, names, _message(run, product))
            return self._tell_trouble(run, product, names, notices, name) if names else None
        finally:
            notices.close()

    def _tell_trouble(
        self, run: Run, product: Product, names: Sequence[str], notices: NoticeRepository, name: str
    ) -> str | None:
        failed = [result.host for result in self.store.host_results(run.id) if result.outcome in _BAD]
        trouble = Trouble(name, failed or run.hosts, self._first_task(run))

        def send_once(to: str, address: str, message: Message) -> None:
            told = replace(trouble, to=to)
            if not notices.remember(told, run.id, datetime.now(UTC)):
                return
            try:
                send([address], message)
            except BedplateError:
                notices.forget(told)
                raise

        return self._tell(run, names, _message(run, product, failed, trouble.task), send_once)

    def _first_task(self, run: Run) -> str:
        first = next(self.store.events(run.id, EventQuery(only_failed=True, limit=1)), None)
        return (first.task if first else None) or run.status.value

    def _tell(self, run: Run, names: Sequence[str], message: Message, deliver: _Deliver = _send) -> str | None:
        """Tell every address of these receivers; return who could not be told, and why."""
        wrong = []
        for name in names:
            try:
                addresses = load_receivers(self.settings).addresses(name)
            except BedplateError as error:
                wrong.append(f"{name}: {error}")
                continue
            for number, address in enumerate(addresses, 1):
                try:
                    deliver(f"{name} {number}", address, message)
                except BedplateError as error:
                    wrong.append(f"{name}: {error}")
        return f"run {run.id}: {'; '.join(wrong)}" if wrong else None


def _message(run: Run, product: Product, failed: Sequence[str] = (), task: str | None = None) -> Message:
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
