"""Execution by AWX: its job is launched, followed into our store, and canceled, as if it ran here."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from bedplate.awx.client import AwxClient
from bedplate.awx.credential import find_credential
from bedplate.awx.endings import ending_of, left_alone, lost
from bedplate.awx.executions import Execution
from bedplate.awx.faults import AwxError
from bedplate.awx.following import Follower, LeftAlone
from bedplate.awx.launching import Launch, launch
from bedplate.awx.retelling import Retelling
from bedplate.engine_runs import EngineRunRepository
from bedplate.errors import EngineError, StoreError
from bedplate.execution.executor import (
    ExecutionOutcome,
    ExecutionRequest,
    RunEnd,
    RunObserver,
    StopControl,
)
from bedplate.execution.files import folder_of, make_private
from bedplate.execution.redaction import Redactor
from bedplate.execution.results import HostTally
from bedplate.execution.teller import LOG, Teller, tell_finished
from bedplate.runs import Run, RunMode
from bedplate.settings import AwxSettings


class AwxExecutor:
    """Executes runs as jobs of an AWX. Implements `bedplate.execution.executor.Executor`.

    Args:
        kept: remembers which job a run is, so that it is not brought in a second time.
        tell: says a sentence to people.
        env: where the token may be; the process's own environment by default.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        settings: AwxSettings,
        kept: EngineRunRepository,
        tell: Callable[[str], None],
        *,
        env: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._kept = kept
        self._tell = tell
        self._env = os.environ if env is None else env
        self._sleep = sleep

    def execute(
        self, request: ExecutionRequest, observers: Sequence[RunObserver], control: StopControl
    ) -> ExecutionOutcome:
        folder = make_private(folder_of(request.run))
        credential = find_credential(self._settings, self._env)
        with AwxClient(self._settings, credential, self._sleep) as client:
            if control.stop_requested:
                return _never_launched(request.run, observers)
            number = self._launch(client, request)
            self._tell(f"AWX's job {number}: {page_of(client.root, number)}")
            attendance = _Attendance(request, folder, observers, self._tell)
            follower = Follower(
                client,
                number,
                take=attendance.retelling.take,
                control=control,
                look=attendance.look,
                tell=self._tell,
                sleep=self._sleep,
            )
            outcome = attendance.until_the_end(follower, number, control)
        error = tell_finished(observers, outcome) or attendance.error
        if attendance.complete:
            self._settle(client.root, number)
        if error is not None:
            raise error
        return outcome

    def _launch(self, client: AwxClient, request: ExecutionRequest) -> int:
        run = request.run
        order = Launch(
            product=run.product,
            answers={name: request.variables[name] for name in run.parameters},
            limit=request.limit,
            check=run.mode is RunMode.CHECK,
            diff=run.diff,
        )
        try:
            for number in launch(client, self._settings.organization, order):
                if self._is_ours(client.root, number, run):
                    return number
        except EngineError as fault:
            # AWX quotes answers that it does not take, those of secret questions too.
            clean = Redactor(request.secrets).text(fault.message)
            raise EngineError(clean, where=fault.where, hint=fault.hint) from None
        raise EngineError(f"AWX's job of run {run.id} was brought in as another run already", where=client.root)

    def _is_ours(self, engine: str, number: int, run: Run) -> bool:
        """Whether a job is this run; a store that is away can say nothing else."""
        try:
            return self._kept.claim(engine, number, run.id).run_id == run.id
        except StoreError as error:
            self._tell(f"{error}; bedplate awx sync may bring job {number} in a second time")
            return True

    def _settle(self, engine: str, number: int) -> None:
        """Remember that nothing is left to be brought in."""
        try:
            self._kept.settle(engine, number)
        except StoreError:
            return  # the next sync finds that nothing is left


class _Attendance:
    """What is told, counted and written while a job goes on."""

    def __init__(
        self,
        request: ExecutionRequest,
        folder: Path,
        observers: Sequence[RunObserver],
        tell: Callable[[str], None],
    ) -> None:
        self._run = request.run
        self._observers = observers
        self._tell = tell
        self._tally = HostTally(request.run.hosts)
        self._teller = Teller(self._tally, observers, folder / LOG)
        self.retelling = Retelling(Redactor(request.secrets), self._teller.tell)
        self._started = False
        self._revision = ""
        self.complete = False

    @property
    def error(self) -> BaseException | None:
        return self._teller.error

    def look(self, execution: Execution) -> None:
        """Take note of how the job stands."""
        self._teller.flush()
        if execution.begun:
            self._start()
        if execution.revision and execution.revision != self._revision:
            self._revision = execution.revision
            if execution.revision != self._run.git_commit:
                here = self._run.git_commit or "no git checkout"
                self._tell(f"AWX runs commit {execution.revision}; the content here is {here}")

    def until_the_end(self, follower: Follower, number: int, control: StopControl) -> ExecutionOutcome:
        """Return the outcome of the job, however its following ended."""
        try:
            execution = follower.follow()
        except LeftAlone as left:
            return left_alone(self._tally, number, self._revision, told=left.told)
        except EngineError as fault:
            if isinstance(fault, AwxError) and fault.status == 404:
                self.complete = True
                deleted = f"AWX has no job {number} any more: somebody deleted it while it was followed"
                return lost(self._tally, deleted, self._revision)
            sentence = f"{fault}; AWX's job {number} may go on, and bedplate awx sync brings in what it comes to"
            return lost(self._tally, sentence, self._revision)
        finally:
            self._start()
            self._teller.close()
        self.complete = True
        errors, asked = self._teller.last_errors, control.stop_requested
        return ending_of(execution, self._tally, errors, self.retelling.refusal, asked=asked)

    def _start(self) -> None:
        if not self._started:
            self._started = True
            for observer in self._observers:
                observer.started(self._run)


def page_of(root: str, number: int) -> str:
    """Return where people see a job: AWX's page, or its API where a gateway is in front."""
    parts = urlsplit(root)
    if parts.path == "/api/v2/":
        return f"{parts.scheme}://{parts.netloc}/#/jobs/playbook/{number}/output"
    return f"{root}jobs/{number}/"


def _never_launched(run: Run, observers: Sequence[RunObserver]) -> ExecutionOutcome:
    for observer in observers:
        observer.started(run)
    outcome = ExecutionOutcome(RunEnd.CANCELED, HostTally(run.hosts).results, error="canceled before AWX launched it")
    error = tell_finished(observers, outcome)
    if error is not None:
        raise error
    return outcome
