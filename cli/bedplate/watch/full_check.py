"""The full check: a product's playbook in check and diff mode, as an ordinary run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bedplate.drift.check import DriftCheck
from bedplate.drift.finding import CheckKind
from bedplate.drift.observation import HostCheck
from bedplate.drift.reading import CheckReading
from bedplate.errors import EngineError
from bedplate.launch import Launcher, LaunchRequest, PreparedRun, RunObserver, StopControl
from bedplate.runs import EventQuery, Run, RunStatus
from bedplate.watch.recording import CheckResult, Recording

_ENDS = frozenset({RunStatus.SUCCESSFUL, RunStatus.FAILED})


class FullCheck:
    """Orders, executes and reads full checks.

    Args:
        launcher: executes the run.
        recording: keeps what it saw.
    """

    def __init__(self, launcher: Launcher, recording: Recording) -> None:
        self._launcher = launcher
        self._recording = recording

    def prepare(self, product: str, limit: str | None, hosts: Sequence[str] | None = None) -> PreparedRun:
        """Check an order; raises as `Launcher.prepare` does. Nothing is written."""
        order = LaunchRequest(product=product, limit=limit, hosts=hosts, check=True, diff=True, reason="drift check")
        return self._launcher.prepare(order)

    def execute(
        self, prepared: PreparedRun, observers: Sequence[RunObserver] = (), control: StopControl | None = None
    ) -> Run:
        """Execute an accepted check and return its run as it ended."""
        return self._launcher.execute(prepared, observers, control)

    def judge(self, run: Run) -> CheckResult:
        """Read what an ended run saw, keep it and return it; harmless when repeated.

        Raises:
            EngineError: the run did not come to its end, so that nothing can be said of any host.
            StoreError: the store cannot be read or written.
        """
        seen, at = self.read(run)
        check = DriftCheck(
            id=run.id,
            product=run.product,
            kind=CheckKind.FULL,
            requester=run.requester,
            started_at=run.started_at or run.created_at,
            limit=run.limit,
            content_digest=run.content_digest,
            git_commit=run.git_commit,
        )
        return self._recording.record(check, seen, at)

    def read(self, run: Run) -> tuple[list[HostCheck], datetime]:
        """Return what an ended run saw on each host, and when it ended; raises as `judge` does. Nothing is kept."""
        reading = CheckReading()
        for event in self._launcher.store.events(run.id, EventQuery()):
            reading.add(event)
        if run.status not in _ENDS or not reading.complete or run.started_at is None or run.finished_at is None:
            raise EngineError(
                f"did not come to its end: {run.error or run.status.value}",
                where=f"run {run.id}",
                hint="nothing is said of any host",
            )
        return list(reading.checks(self._launcher.store.host_results(run.id))), run.finished_at
