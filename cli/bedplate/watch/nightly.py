"""The night: believe the inventory, check, report, tell; go on where a killed process was."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bedplate.drift.check import DriftCheck
from bedplate.drift.finding import Cause, Finding
from bedplate.drift.night import Fleet, Gate, Message, Night, NightPhase
from bedplate.drift.repository import DriftRepository
from bedplate.drift.seals import SealRepository
from bedplate.errors import (
    EngineError,
    ExternalError,
    InventoryError,
    NotFoundError,
    RefusedError,
    SettingsError,
    UsageError,
)
from bedplate.launch import Launcher, PreparedRun, RunObserver
from bedplate.launch.capturing import PRODUCT as LOOK
from bedplate.launch.capturing import Execute
from bedplate.persons import person_of
from bedplate.reports.drift_report import DriftReport
from bedplate.runs import Run, RunStatus, new_run_id
from bedplate.settings import DriftSettings
from bedplate.watch.awx_check import PRODUCT as AWX
from bedplate.watch.awx_check import AwxCheck
from bedplate.watch.fast_check import Escalation, FastCheck
from bedplate.watch.full_check import FullCheck
from bedplate.watch.message import body_of, send, title_of
from bedplate.watch.netbox import Journal
from bedplate.watch.recording import Recording
from bedplate.watch.repair import Repair, Repaired
from bedplate.watch.reporting import Reporting, write_metrics, write_reports

# A night that was broken off longer ago is not gone on with: what it saw is of another day.
_PATIENCE = timedelta(hours=18)
_OVER = frozenset({NightPhase.DONE, NightPhase.STOPPED})
_CHECKED = frozenset({NightPhase.CHECKED, NightPhase.REPORTED, NightPhase.TELLING, NightPhase.TOLD, NightPhase.DONE})
_SENT_OR_NOT = frozenset({NightPhase.TOLD, NightPhase.DONE})
_ENDS = frozenset({RunStatus.SUCCESSFUL, RunStatus.FAILED})


@dataclass(frozen=True)
class NightResult:
    """What a night came to.

    Attributes:
        run: the run that looked; of a fast check, the one that looked at seals.
        told: the findings of the message.
        repaired: what was repaired by itself; None where nobody asked for that.
        files: the reports by form.
        resumed: whether another process had begun it.
        errors: what of other systems came to nothing: AWX could not be read, or NetBox not be written to.
    """

    night: Night
    run: Run | None
    report: DriftReport
    told: Sequence[Finding]
    files: dict[str, Path]
    resumed: bool
    errors: Sequence[str] = ()
    repaired: Repaired | None = None


class Nightly:
    """Nights of one product on one inventory.

    Args:
        seals: of the hosts that are compared with theirs; all others get a full check.
        recording: keeps what checks saw.
        execute: executes an accepted run, showing it: see `capture`.
        awx: compares AWX with the catalog, where there is one.
        journal: writes to journals in NetBox, where that is wanted.
        repair: mends what its policy allows; None for nothing.
    """

    def __init__(  # noqa: PLR0917 (each is a part of its own, named where it is made)
        self,
        launcher: Launcher,
        drift: DriftRepository,
        seals: SealRepository,
        recording: Recording,
        reporting: Reporting,
        execute: Execute,
        awx: AwxCheck | None = None,
        journal: Journal | None = None,
        repair: Repair | None = None,
    ) -> None:
        self._awx = awx
        self._journal = journal
        self._launcher = launcher
        self._drift = drift
        self._seals = seals
        self._recording = recording
        self._checking = FullCheck(launcher, recording)
        self._reporting = reporting
        self._execute = execute
        self._repair = repair

    @property
    def _settings(self) -> DriftSettings:
        return self._launcher.settings.drift

    def run(self, product: str, *, believe: bool = False) -> NightResult:
        """Do all of a night that was not done yet.

        Args:
            believe: take the inventory as it is, however much of it is gone.

        Raises:
            RefusedError: another night is under way.
            InventoryError: there is no usable inventory, or it is not believed.
            EngineError: the check did not come to its end; the next call goes on.
            ExternalError: the message could not be sent; all else was done.
        """
        with self._only_one():
            night, resumed = self._begin(product)
            if night.fleet is None:
                night = self._pass_gate(night, believe=believe)
            run, night = self._check(night)
            errors = self._check_awx(night)
            kept = self._kept(night)
            repaired = self._repaired(night, kept)
            at = kept.finished_at if kept else None
            report = self._reporting.report(product, at or night.started_at, check_id=night.run_id)
            report = self._reporting.with_others(report, self._others)
            errors += self._write_journal(night, report)
            folder = self._launcher.settings.reports_folder / night.id
            files = write_reports(report, folder) | write_metrics(report, self._settings.textfile)
            if night.phase is NightPhase.CHECKED:
                night = self._keep(night, phase=NightPhase.REPORTED)
            night, told = self._tell(night, report, repaired.mended if repaired else ())
            now = datetime.now(UTC)
            self._drift.forget(now - timedelta(days=self._launcher.settings.retention.days))
            self._seals.sweep()
            night = self._keep(night, phase=NightPhase.DONE, finished_at=now)
            return NightResult(night, run, report, told, files, resumed, errors, repaired)

    @property
    def _others(self) -> Sequence[str]:
        """The products besides the night's own of whose findings it tells."""
        return [AWX] if self._awx else []

    def _check_awx(self, night: Night) -> list[str]:
        """Compare AWX with the catalog; return why that could not be done. The hosts' part of the night goes on."""
        if self._awx is None or night.phase is not NightPhase.CHECKED:
            return []
        try:
            self._awx.check(f"{night.id}-{AWX}", person_of(self._launcher.settings).name, datetime.now(UTC))
        except (EngineError, SettingsError) as error:
            return [f"AWX could not be compared with the catalog: {error}"]
        return []

    def _write_journal(self, night: Night, report: DriftReport) -> list[str]:
        """Write what differs from NetBox into its journals, each once; return why that could not be done."""
        if self._journal is None or night.phase is not NightPhase.CHECKED:
            return []
        try:
            self._journal.write(report.open)
        except ExternalError as error:
            return [f"the journal could not be written: {error}"]
        return []

    @contextlib.contextmanager
    def _only_one(self) -> Iterator[None]:
        with self._drift.night_lock() as held:
            if not held:
                raise RefusedError("another night is under way", hint="bedplate runs list shows its check")
            yield

    def _begin(self, product: str) -> tuple[Night, bool]:
        now = datetime.now(UTC)
        inventory = str(self._launcher.inventory)
        for night in self._drift.nights(product, inventory, limit=1):
            if night.phase not in _OVER and now - night.started_at < _PATIENCE:
                return night, True
        night = Night(new_run_id(now), product, inventory, NightPhase.STARTED, now)
        self._drift.put_night(night)
        return night, False

    def _pass_gate(self, night: Night, *, believe: bool) -> Night:
        adapter = self._launcher.adapter
        if adapter.source.is_live:
            adapter.refresh()
        fleet: Fleet = {
            host: record.host_class if (record := adapter.records.get(host)) else None for host in adapter.names.hosts
        }
        gate = Gate(self._settings.vanished_percent, self._settings.moved_percent)
        objection = None if believe else gate.objection(self._last_fleet(night), fleet)
        if objection is not None:
            self._keep(night, phase=NightPhase.STOPPED, error=objection, finished_at=datetime.now(UTC))
            raise InventoryError(
                objection, where=night.inventory, hint="if that is right: bedplate nightly --believe-inventory"
            )
        return self._keep(night, phase=NightPhase.GATED, fleet=fleet)

    def _last_fleet(self, night: Night) -> Fleet:
        kept = self._drift.nights(night.product, night.inventory)
        return next((one.fleet for one in kept if one.fleet is not None), {})

    def _check(self, night: Night) -> tuple[Run | None, Night]:
        run = self._ended_run(night)
        if self._kept(night) is None and (run is None or not self._judged(night, run)):
            night = self._check_fast(night) if self._seals.sealed(night.product) else self._check_fully(night)
            run = self._ended_run(night)
        return run, night if night.phase in _CHECKED else self._keep(night, phase=NightPhase.CHECKED)

    def _check_fully(self, night: Night) -> Night:
        prepared = self._checking.prepare(night.product, None)
        prepared = replace(prepared, run=self._launcher.accept(prepared))
        night = self._keep(night, phase=NightPhase.CHECKING, run_id=prepared.run.id)
        self._checking.judge(self._execute(prepared, ()))
        return night

    def _check_fast(self, night: Night) -> Night:
        """Compare hosts with their seals, and check those fully that have none; all of it is kept at once."""
        night = self._keep(night, phase=NightPhase.CHECKING, run_id=None)

        def execute(prepared: PreparedRun, observers: Sequence[RunObserver]) -> Run:
            if prepared.run.product == LOOK:  # the check has its id
                self._keep(night, run_id=prepared.run.id)
            return self._execute(prepared, observers)

        fast = FastCheck(self._launcher, self._seals, self._drift, self._recording, self._checking, execute)
        escalation = Escalation(self._settings.escalate_percent, unsealed=True)
        done = fast.check(fast.order(night.product, None), escalation)
        if done.result is None:
            run = done.runs[0]
            raise EngineError(f"did not come to its end: {run.error or run.status.value}", where=f"run {run.id}")
        return self._keep(night, run_id=done.result.check.id)

    def _repaired(self, night: Night, check: DriftCheck | None) -> Repaired | None:
        """Repair what may be, if that was not done yet: reports and message are about what is left then."""
        if self._repair is None or check is None:
            return None
        if night.phase is NightPhase.CHECKED:
            return self._repair.mend(night, check)
        return self._repair.recall(night, check)

    def _kept(self, night: Night) -> DriftCheck | None:
        """Return what is kept of the night's check."""
        checks = self._drift.checks(night.product) if night.run_id else []
        return next((check for check in checks if check.id == night.run_id), None)

    def _judged(self, night: Night, run: Run) -> bool:
        """Judge the run that a killed process left; return whether that could be done."""
        if run.product != night.product:
            return False
        with contextlib.suppress(EngineError):
            self._checking.judge(run)
            return True
        return False

    def _ended_run(self, night: Night) -> Run | None:
        """Return the night's run if it came to its end."""
        if night.run_id is None:
            return None
        try:
            run = self._launcher.store.get(night.run_id)
        except NotFoundError:
            return None
        return run if run.status in _ENDS else None

    def _tell(self, night: Night, report: DriftReport, mended: Sequence[Finding]) -> tuple[Night, Sequence[Finding]]:
        """Send what is new, at most once: that a message was sent can be kept only before or after it was."""
        if night.phase in _SENT_OR_NOT:
            return night, ()
        if night.phase is NightPhase.TELLING:
            return self._keep(night, phase=NightPhase.TOLD, message=Message.UNKNOWN), ()
        self._drift.set_told([finding.id for finding, _ in report.waived], None)  # news when the waiver expires
        openly = {finding.id for finding in report.open if finding.cause is not Cause.EXPECTED}
        untold = [finding for product in (night.product, *self._others) for finding in self._drift.untold(product)]
        fresh = [finding for finding in untold if finding.id in openly]
        if not (fresh or mended) or not self._settings.notify:
            return self._keep(night, phase=NightPhase.TOLD, message=Message.NONE), fresh
        night = self._keep(night, phase=NightPhase.TELLING)
        self._drift.set_told([finding.id for finding in fresh], datetime.now(UTC))
        try:
            body = body_of(report.check, fresh, mended)
            send(self._settings.notify, title_of(report.check, fresh, mended), body)
        except (ExternalError, UsageError):
            self._drift.set_told([finding.id for finding in fresh], None)
            self._keep(night, phase=NightPhase.DONE, message=Message.FAILED, finished_at=datetime.now(UTC))
            raise
        return self._keep(night, phase=NightPhase.TOLD, message=Message.SENT), fresh

    def _keep(self, night: Night, **fields: object) -> Night:
        kept = replace(night, **fields)  # type: ignore[arg-type]
        self._drift.put_night(kept)
        return kept
