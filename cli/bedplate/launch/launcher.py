"""The use case behind `bedplate run`."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from bedplate.content import Content
from bedplate.errors import EngineError, RefusedError
from bedplate.execution.executor import ExecutionOutcome, Executor, RunEnd, RunObserver, StopControl
from bedplate.execution.files import make_private
from bedplate.execution.heartbeat import Heartbeat
from bedplate.execution.inventory import InventoryAdapter
from bedplate.execution.inventory_frozen import freeze
from bedplate.execution.machine import Machine, own_folders
from bedplate.execution.recorder import RunRecorder
from bedplate.execution.settled import SettledHosts
from bedplate.execution.surroundings import stop_file
from bedplate.guardrails import Outcome, refusal_text, waits
from bedplate.guardrails.consent import TURN_RULES
from bedplate.launch.admission import Admission
from bedplate.launch.auditing import Auditor, asked_details
from bedplate.launch.consenting import Consent
from bedplate.launch.detached import DetachedOrder, start_detached
from bedplate.launch.engines import check_engine, executor_of
from bedplate.launch.performing import INVENTORY, broken_off, execution_request
from bedplate.launch.preparation import Preparation
from bedplate.launch.recovery import recover
from bedplate.launch.request import LaunchRequest, PreparedRun, Recovery
from bedplate.launch.turn import Turn
from bedplate.launch.watch import Watch
from bedplate.notify import Announcer
from bedplate.notify.announcing import log_of
from bedplate.runs import LOCAL, Run, RunRepository, RunStatus
from bedplate.settings import Settings
from bedplate.store import SqlLedger, open_ledger

_ARTIFACTS = "artifacts"
_STOPPED_LOOKING = ExecutionOutcome(RunEnd.CANCELED, error="canceled while it looked which hosts have anything to do")
# Says which hosts of an accepted run have nothing to do, each with a sentence on why.
Look = Callable[[PreparedRun, StopControl], Mapping[str, str]]


class Launcher:
    """Checks, accepts and executes runs.

    Args:
        inventory: folder or file, as ansible's `-i` would get it.
        exit_codes: what `bedplate run` exits with for each end of a run.
        executor: what executes every run; by default the engine that it is ordered for.
        tell: says a sentence to people while a run goes on; to nobody by default.
    """

    def __init__(  # noqa: PLR0917 (each is a part of its own, named where it is made)
        self,
        content: Content,
        settings: Settings,
        inventory: Path,
        store: RunRepository,
        exit_codes: Mapping[RunEnd, int],
        executor: Executor | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self.content = content
        self.settings = settings
        self.inventory = inventory
        self.store = store
        self.exit_codes = exit_codes
        self.machine = Machine.this()
        self._executor = executor
        self._tell = tell or (lambda _sentence: None)

    @cached_property
    def adapter(self) -> InventoryAdapter:
        """Answers about the inventory. Raises InventoryError if there is none."""
        return InventoryAdapter(self.content, self.settings, self.inventory)

    @cached_property
    def ledger(self) -> SqlLedger:
        """Locks, approvals and the audit log. Raises StoreError."""
        return open_ledger(self.settings)

    @cached_property
    def auditor(self) -> Auditor:
        """Writes the audit log."""
        return Auditor(self.ledger, self.settings, self.machine)

    @cached_property
    def consent(self) -> Consent:
        """What can be done about runs that wait for approval."""
        refused = self.exit_codes[RunEnd.REFUSED]
        return Consent(self.content, self.settings, self.store, self.ledger, self.auditor, refused)

    def judge(self, request: LaunchRequest) -> PreparedRun:
        """Check an order and let every guardrail say what it thinks of it. Nothing is written.

        Secret answers that stand in this process's own command line are overwritten there.

        Raises:
            NotFoundError: the product is unknown, or the limit matches nothing; says what was near.
            ManifestError: the product's manifest is not valid.
            ParameterError: a parameter is unknown, missing or out of range.
            InventoryError: there is no usable inventory.
            SettingsError: the teams file or a policy cannot be read, or the settings do not say where AWX is.
        """
        check_engine(request.engine, self.settings)
        return Preparation(self.content, self.settings, self.adapter, self.store, self.ledger).prepare(request)

    def prepare(self, request: LaunchRequest) -> PreparedRun:
        """Check an order, and refuse what a guardrail refuses. Nothing but the refusal is written, to the audit log.

        Raises:
            RefusedError: guardrails said no; names all that did.
            BedplateError: as `judge` says.
        """
        prepared = self.judge(request)
        if request.resumes is not None:
            self.consent.check_same(request.resumes, prepared.run)
        no = {Outcome.REFUSED} if request.resumes is None else {Outcome.REFUSED, Outcome.PENDING}
        later = TURN_RULES if request.patience is not None else frozenset()
        told = [each for each in prepared.verdicts if each.outcome in no and each.rule not in later]
        said = [replace(each, outcome=Outcome.REFUSED) for each in told]
        if said:
            self.auditor.record("refused", prepared.run, **asked_details(prepared.run), why=refusal_text(said))
            raise RefusedError(refusal_text(said))
        return prepared

    def accept(self, prepared: PreparedRun) -> Run:
        """Keep a run in the store, with its private folder and frozen inventory, before anything starts.

        A run that somebody else has to agree to is kept as `pending`, and no more than that.

        Raises:
            RefusedError: another run took a host, or the product's last place, in this moment.
            StoreError: the store cannot be written.
            InventoryError: the inventory cannot be frozen.
            EngineError: the run's folder cannot be made.
        """
        if waits(prepared.verdicts):
            run = replace(prepared.run, status=RunStatus.PENDING, folder=None)
            self.auditor.record("asked", run, **asked_details(run))
            self.store.add(run)
            return run
        now = datetime.now(UTC)
        machine = self.machine
        run = replace(
            prepared.run, queued_at=now, host_id=machine.host_id, boot_id=machine.boot_id, pid=os.getpid()
        )  # fmt: skip
        folder = make_private(self.settings.runs_folder / run.id)
        try:
            if run.engine == LOCAL:
                if run.product in {*self.settings.drift.seal_after, *self.settings.drift.renew_after}:
                    self.adapter.read_variables()  # seals are of what was meant now, whoever changes it meanwhile
                freeze(self.adapter, run.hosts, prepared.context, folder / INVENTORY)
            make_private(folder / _ARTIFACTS)
            patient = prepared.patience is not None
            self._admission.admit(run, prepared.order, resumed=prepared.resumed, patient=patient)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return run

    def execute(
        self,
        prepared: PreparedRun,
        observers: Sequence[RunObserver] = (),
        control: StopControl | None = None,
        look: Look | None = None,
    ) -> Run:
        """Execute an accepted run and return it as it ended, with status, exit code and error.

        Call it inside `control.signals()` in the main thread, so that Ctrl-C stops the run in order.
        Observers are called from another thread.

        Args:
            look: says which hosts have nothing to do, once it is the run's turn, and why; without it, nobody asks.

        Raises:
            EngineError: ansible could not be started at all; the run is stored as failed.
        """
        run = prepared.run
        control = control or StopControl()
        recorder = RunRecorder(self.store, run, self._spool_folder, self.exit_codes)
        try:
            with Heartbeat(self.store, run.id, control):
                turned_away = self._turn.wait(prepared, control)
                settled: Mapping[str, str] = {}
                if look is not None and turned_away is None:
                    settled = look(prepared, control)
                    turned_away = _STOPPED_LOOKING if control.stop_requested else None
                if turned_away is None:
                    self._perform(prepared, settled, [*observers, recorder], control)
                else:
                    recorder.finished(turned_away)
        except BaseException as error:
            if not recorder.run.status.ended:
                recorder.finished(broken_off(error))
            raise
        finally:
            self._admission.dismiss(recorder.run)
            self._announce(run)
        return recorder.run

    def _perform(
        self,
        prepared: PreparedRun,
        settled: Mapping[str, str],
        observers: Sequence[RunObserver],
        control: StopControl,
    ) -> None:
        run, request = prepared.run, execution_request(prepared, settled.keys())
        executor = self._executor or executor_of(run.engine, self.settings, self._tell)
        self.auditor.record("started", run)
        with Watch(self.settings, prepared.order, prepared.calendars, run.folder):
            SettledHosts(executor, settled).execute(request, observers, control)

    def ahead(self, prepared: PreparedRun) -> str | None:
        """Return why an accepted run has to wait for its turn; None if it has not, or does not wait."""
        return self._turn.ahead(prepared) if prepared.patience is not None else None

    def _announce(self, run: Run) -> None:
        """Tell of a run that ended; what goes wrong with that is a file in its folder, and nothing else."""
        wrong = Announcer(self.content, self.settings, self.store).announce(run.id)
        if wrong and run.folder is not None and run.folder.is_dir():
            with contextlib.suppress(OSError), log_of(run.folder).open("a", encoding="utf-8") as file:
                file.write(f"{wrong}\n")

    def detach(self, prepared: PreparedRun) -> Run:
        """Execute an accepted run in a process of its own, and return at once.

        Secrets pass through memory only. The process's own messages go to `detached.log` in the run's folder.

        Raises:
            EngineError: the process cannot be started; the run is stored as failed.
        """
        run = prepared.run
        order = DetachedOrder(self.content, self.settings, self.inventory, dict(self.exit_codes), prepared)
        try:
            pid = start_detached(order)
        except EngineError as error:
            recorder = RunRecorder(self.store, run, self._spool_folder, self.exit_codes)
            recorder.finished(ExecutionOutcome(RunEnd.BROKEN, error=str(error)))
            raise
        now = datetime.now(UTC)
        self.store.update(run.id, only_from=(RunStatus.QUEUED,), pid=pid, heartbeat_at=now)
        return self.store.get(run.id)

    def cancel(self, run: Run) -> bool:
        """Ask a run to stop in order. Return False if it had ended."""
        if self._admission.withdraw(run, self.exit_codes[RunEnd.CANCELED]):
            return True
        if not self.store.request_stop(run.id, datetime.now(UTC)):
            return False
        self.auditor.record("stop_asked", run)
        if self.machine.executes(run) and run.folder is not None:
            with contextlib.suppress(OSError):  # the process asks the store every few seconds
                stop_file(run.folder).touch(mode=0o600)
        return True

    def recover(self) -> Recovery:
        """Write what could not be stored before, and close the runs whose process died. Call it before runs are read.

        Raises:
            StoreError: the store cannot be reached.
        """
        recovery = recover(self.store, self.machine, self._spool_folder, self.exit_codes[RunEnd.BROKEN])
        for run_id in (*recovery.expired, *recovery.saved):
            self._admission.dismiss(self.store.get(run_id))
        for run_id in recovery.expired:
            self._announce(self.store.get(run_id))
        return recovery

    def remove_folders(self, runs: Sequence[Run]) -> None:
        """Remove the private folders of ended runs on this machine."""
        for folder in own_folders(runs, self.machine):
            shutil.rmtree(folder, ignore_errors=True)

    def _judge_anew(self, request: LaunchRequest) -> PreparedRun:
        """Judge an order by the inventory as it is now."""
        adapter = InventoryAdapter(self.content, self.settings, self.inventory)
        return Preparation(self.content, self.settings, adapter, self.store, self.ledger).prepare(request)

    @cached_property
    def _turn(self) -> Turn:
        return Turn(self.ledger, self._judge_anew, self.recover)

    @cached_property
    def _admission(self) -> Admission:
        return Admission(self.store, self.ledger, self.auditor, self.exit_codes[RunEnd.REFUSED])

    @property
    def _spool_folder(self) -> Path:
        return self.settings.home / "spool"
