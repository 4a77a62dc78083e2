"""What can execute a run: ansible on this machine, or an AWX. Each is imported when it is needed."""
# ruff: noqa: PLC0415

from __future__ import annotations

import os
from collections.abc import Callable

from bedplate.execution.executor import Executor
from bedplate.runs import LOCAL
from bedplate.settings import Settings
from bedplate.store import open_engine_runs


def check_engine(engine: str, settings: Settings) -> None:
    """Raise SettingsError where the settings do not say enough to use an engine."""
    if engine != LOCAL:
        from bedplate.awx.client import api_root
        from bedplate.awx.credential import find_credential

        api_root(settings.awx)
        find_credential(settings.awx, os.environ)


def executor_of(engine: str, settings: Settings, tell: Callable[[str], None]) -> Executor:
    """Return what executes runs of an engine.

    Args:
        tell: says a sentence to people while a run goes on.
    """
    if engine != LOCAL:
        from bedplate.awx.executor import AwxExecutor

        return AwxExecutor(settings.awx, open_engine_runs(settings), tell)
    from bedplate.execution.local import LocalExecutor  # ansible_runner is slow to import

    return LocalExecutor(settings.execution)
