"""The use case behind `bedplate run`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bedplate.content import Content
from bedplate.execution.executor import Executor, RunEnd, RunObserver, StopControl
from bedplate.launch.request import LaunchRequest, PreparedRun, Recovery
from bedplate.runs import Run, RunRepository
from bedplate.settings import Settings


class Launcher:
    """Checks, accepts and executes runs.

    Args:
        inventory: folder or file, as ansible's `-i` would get it.
        exit_codes: what `bedplate run` exits with for each end of a run.
        executor: what executes; by default ansible on this machine.
    """

    def __init__(
        self,
        content: Content,
        settings: Settings,
        inventory: Path,
        store: RunRepository,
        exit_codes: Mapping[RunEnd, int],
        executor: Executor | None = None,
    ) -> None:
        self.content = content
        self.settings = settings
        self.inventory = inventory
        self.store = store
        self.exit_codes = exit_codes
        self._executor = executor

    def prepare(self, request: LaunchRequest) -> PreparedRun:
        """Check an order: product, parameters, hosts, guardrails. Nothing is written.

        Secret answers that stand in this process's own command line are overwritten there.

        Raises:
            NotFoundError: the product is unknown, or the limit matches nothing; says what was near.
            ManifestError: the product's manifest is not valid.
            ParameterError: a parameter is unknown, missing or out of range.
            RefusedError: a guardrail said no.
            InventoryError: there is no usable inventory.
        """

    def accept(self, prepared: PreparedRun) -> Run:
        """Keep a run in the store, with its private folder and frozen inventory, before anything starts.

        Raises:
            StoreError: the store cannot be written.
            InventoryError: the inventory cannot be frozen.
        """

    def execute(
        self, prepared: PreparedRun, observers: Sequence[RunObserver] = (), control: StopControl | None = None
    ) -> Run:
        """Execute an accepted run and return it as it ended, with status, exit code and error.

        Call it inside `control.signals()` in the main thread, so that Ctrl-C stops the run in order.
        Observers are called from another thread.

        Raises:
            EngineError: ansible could not be started at all; the run is stored as failed.
        """

    def detach(self, prepared: PreparedRun) -> Run:
        """Execute an accepted run in a process of its own, and return at once.

        Secrets pass through memory only. The process's own messages go to `detached.log` in the run's folder.

        Raises:
            EngineError: the process cannot be started; the run is stored as failed.
        """

    def rerun(self, run_id: str, *, failed_only: bool = False) -> LaunchRequest:
        """Return the order that repeats a run, on all its hosts or only on those that failed or were unreachable.

        `unknown_secrets` of the answer names the secret parameters; add them to `parameters`.

        Raises:
            NotFoundError: there is no such run.
            UsageError: the run has not ended, or no host failed.
        """

    def cancel(self, run: Run) -> bool:
        """Ask a run to stop in order. Return False if it had ended."""

    def recover(self) -> Recovery:
        """Write what could not be stored before, and close the runs whose process died. Call it before runs are read.

        Raises:
            StoreError: the store cannot be reached.
        """

    def remove_folders(self, runs: Sequence[Run]) -> None:
        """Remove the private folders of ended runs on this machine."""
