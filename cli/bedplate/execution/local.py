"""Execution on this machine. The only importer of ansible_runner."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pexpect  # type: ignore[import-untyped]
from ansible_runner.config.runner import RunnerConfig
from ansible_runner.runner import Runner

from bedplate.errors import EngineError
from bedplate.execution.channel import EngineChannel
from bedplate.execution.events import Report
from bedplate.execution.executor import ExecutionOutcome, ExecutionRequest, RunObserver, StopControl
from bedplate.execution.files import folder_of, make_private
from bedplate.execution.inventory_cache import write_private
from bedplate.execution.outcome import Ending, outcome_of
from bedplate.execution.redaction import Redactor
from bedplate.execution.reporter import Reporter
from bedplate.execution.results import HostTally
from bedplate.execution.secrets import secrets_in_environment
from bedplate.execution.surroundings import (
    engine_folder,
    environment_of,
    hold_file,
    open_part,
    options_of,
    stop_file,
    temporary_folder,
)
from bedplate.execution.teller import LOG, tell_finished
from bedplate.execution.untemplated import untemplated_yaml
from bedplate.settings import ExecutionSettings

_LAUNCHER = Path(__file__).with_name("launcher.py")
_IDENT = "run"
_POLL = 0.5
# Matches whatever came: pexpect forgets then what it has read, which it would keep to the end of the run otherwise.
_ANYTHING = r"(?s).+"


class LocalExecutor:
    """Executes runs with ansible-runner on this machine. Implements `bedplate.execution.executor.Executor`."""

    def __init__(self, settings: ExecutionSettings) -> None:
        self._settings = settings

    def execute(
        self, request: ExecutionRequest, observers: Sequence[RunObserver], control: StopControl
    ) -> ExecutionOutcome:
        folder = make_private(folder_of(request.run))
        channel = EngineChannel()
        try:
            environment = self._offer(channel, request, folder)
            redactor = Redactor([*request.secrets, *secrets_in_environment(environment)])
            config = _config(channel, folder, environment)
            tally = HostTally(request.run.hosts)
            reporter = Reporter(channel, redactor, tally, observers, log=folder / LOG)
            for observer in observers:
                observer.started(request.run)
            fault = _run(config, channel, reporter, control)
            ending = Ending(channel.exit_code, reporter.last_errors, fault, control.kill_requested, _stopped(folder))
            outcome = outcome_of(ending, tally)
        finally:
            _end(channel, folder, request.run.id)
        error = tell_finished(observers, outcome) or reporter.error
        if error is not None:
            raise error
        return outcome

    def _offer(self, channel: EngineChannel, request: ExecutionRequest, folder: Path) -> dict[str, str]:
        environment = environment_of(request, self._settings, folder)
        limit = folder / "hosts"
        try:
            write_private(limit, "".join(f"{host}\n" for host in request.hosts).encode())
            temporary_folder(request.run.id).mkdir(mode=0o700)
        except OSError as error:
            raise EngineError(f"cannot be written: {error.strerror}", where=str(error.filename or limit)) from error
        channel.offer(
            {
                "environment": environment,
                "arguments": options_of(request, self._settings, limit),
                "variables": untemplated_yaml(request.variables),
                "temporary": str(temporary_folder(request.run.id)),
            }
        )
        return environment


class _PrintingRunner(Runner):  # type: ignore[misc]
    """ansible-runner's runner. What it sees is only what was printed outside of events: they come by the channel."""

    def __init__(self, config: RunnerConfig, reporter: Reporter, cancel: Callable[[], bool]) -> None:
        super().__init__(config, cancel_callback=cancel)
        self._reporter = reporter

    def event_callback(self, event_data: dict[str, Any]) -> None:
        """Take a printed line."""
        if "stdout" in event_data:
            self._reporter.put(Report(printed=event_data["stdout"]))


def _run(config: RunnerConfig, channel: EngineChannel, reporter: Reporter, control: StopControl) -> str | None:
    """Run ansible to its end. Return why it could not be started, if so."""
    runner = _PrintingRunner(config, reporter, _canceler(control, Path(config.private_data_dir)))
    reporter.start()
    channel.listen(lambda event: reporter.put(Report(event)))
    try:
        with warnings.catch_warnings():
            # pexpect forks while our threads wait; the child does nothing but become another program.
            warnings.filterwarnings("ignore", message=".*use of fork.*", category=DeprecationWarning)
            runner.run()
    except pexpect.TIMEOUT:
        return None  # something holds the terminal open after the end: that is an end, too
    except OSError as error:
        if channel.pid is None:
            return f"ansible could not be started: {error.strerror}"
        return None  # it has ended, and ansible-runner could not write its own notes about that
    finally:
        _kill(channel)
        channel.drain()
        reporter.finish()
    return None


def _config(channel: EngineChannel, folder: Path, environment: dict[str, str]) -> RunnerConfig:
    try:
        config = RunnerConfig(
            private_data_dir=str(folder),
            artifact_dir=str(engine_folder(folder)),
            ident=_IDENT,
            playbook="-",
            quiet=True,
            fact_cache_type="none",
            passwords={_ANYTHING: None},
        )
        config.prepare()
    except OSError as error:
        raise EngineError(f"cannot be written: {error.strerror}", where=str(folder)) from error
    config.env = open_part(environment)
    config.command = [sys.executable, "-P", str(_LAUNCHER), channel.path]
    config.cwd = str(folder)
    config.suppress_output_file = True
    config.pexpect_timeout = _POLL
    return config


def _canceler(control: StopControl, folder: Path) -> Callable[[], bool]:
    """Return what ansible-runner asks again and again: whether to kill. A stop in order is asked for by a file."""
    asked = False

    def canceled() -> bool:
        nonlocal asked
        if control.stop_requested and not asked:
            asked = True
            stop_file(folder).touch(mode=0o600)
        return control.kill_requested

    return canceled


def _kill(channel: EngineChannel) -> None:
    """Make sure that ansible is gone; its workers go with it."""
    if channel.exit_code is None and channel.pid is not None:
        with contextlib.suppress(OSError):
            os.killpg(channel.pid, signal.SIGKILL)


def _end(channel: EngineChannel, folder: Path, run_id: str) -> None:
    channel.close()
    for leftover in (engine_folder(folder), temporary_folder(run_id)):
        shutil.rmtree(leftover, ignore_errors=True)


def _stopped(folder: Path) -> str | None:
    """Return the task before which the run ended in order, and why no further batch began; None if it went on."""
    try:
        reason, _, task = hold_file(folder).read_text(encoding="utf-8").strip().partition("\n")
    except OSError:
        reason = task = ""
    if task:
        return f"{task}: {reason}"
    try:
        return stop_file(folder).read_text(encoding="utf-8").strip() or None
    except OSError:
        return None
