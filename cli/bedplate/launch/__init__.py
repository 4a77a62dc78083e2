"""From an order to a run: product, parameters, hosts and guardrails are checked, then it is accepted and executed."""

from __future__ import annotations

from bedplate.execution.executor import ExecutionOutcome, RunEnd, RunObserver, StopControl
from bedplate.launch.launcher import Launcher
from bedplate.launch.request import LaunchRequest, PreparedRun, Recovery

__all__ = [
    "ExecutionOutcome",
    "LaunchRequest",
    "Launcher",
    "PreparedRun",
    "Recovery",
    "RunEnd",
    "RunObserver",
    "StopControl",
]
