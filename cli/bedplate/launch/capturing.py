"""Looking at hosts: one round trip each, as a tracked run of the product `drift_check`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bedplate.drift.capture import Capture, CaptureError, read_capture
from bedplate.errors import EngineError
from bedplate.execution.executor import ExecutionOutcome, StopControl
from bedplate.execution.files import make_private
from bedplate.execution.inventory_cache import write_private
from bedplate.launch.launcher import Launcher
from bedplate.launch.request import LaunchRequest
from bedplate.runs import Event, Run

PRODUCT = "drift_check"
_REQUESTS = "artifacts/seal"
_CAPTURES = "artifacts/captures"
_LONGEST_REASON = 300


@dataclass(frozen=True)
class Captures:
    """What came of a look at hosts.

    Attributes:
        run: the run that looked.
        found: by host, its actual state.
        failures: by host that gave none, why, in one sentence.
    """

    run: Run
    found: Mapping[str, Capture] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)


class _Failures:
    """Hears of a run, and keeps the first failure of each host. Implements `RunObserver`."""

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}

    def started(self, run: Run) -> None:
        """Nothing to do."""

    def event(self, event: Event) -> None:
        """Keep why a host failed or was not reached."""
        if event.host is None or not event.failed:
            return
        result = event.data.get("res")
        message = str(result.get("msg", "")) if isinstance(result, Mapping) else ""
        what = "could not be reached" if event.kind == "runner_on_unreachable" else "could not be looked at"
        reason = " ".join(f"{what}: {message}".split())
        self.reasons.setdefault(event.host, reason[:_LONGEST_REASON])

    def finished(self, outcome: ExecutionOutcome) -> None:
        """Nothing to do."""


def capture(
    launcher: Launcher,
    requests: Mapping[str, Mapping[str, Any]],
    *,
    reason: str | None = None,
    control: StopControl | None = None,
) -> Captures:
    """Look at hosts and return what each said.

    Args:
        requests: by host, the arguments of the module `seal`: see `Seal.request` and `request_for`.
        reason: why, for the run's record.
        control: how a person ends it; hosts that were not looked at by then are among the failures.

    Raises:
        InventoryError, RefusedError, NotFoundError, StoreError, EngineError: as `Launcher` says.
    """
    prepared = launcher.prepare(LaunchRequest(product=PRODUCT, hosts=list(requests), reason=reason))
    run = launcher.accept(prepared)
    if run.folder is None:
        raise EngineError("has no folder on this machine", where=f"run {run.id}")
    folder = make_private(run.folder / _REQUESTS)
    for host, request in requests.items():
        write_private(folder / f"{_quoted(host)}.json", json.dumps(request, separators=(",", ":")).encode())
    failures = _Failures()
    ended = launcher.execute(prepared, [failures], control)
    return _captures(ended, run.folder / _CAPTURES, list(requests), failures.reasons)


def _captures(run: Run, folder: Path, hosts: Sequence[str], reasons: Mapping[str, str]) -> Captures:
    found, failures = {}, {}
    for host in hosts:
        try:
            found[host] = read_capture((folder / _quoted(host)).read_text(encoding="ascii"))
        except FileNotFoundError:
            failures[host] = reasons.get(host) or run.error or "it gave no answer"
        except (CaptureError, UnicodeDecodeError) as error:
            failures[host] = f"what it answered is no capture: {error}"
        except OSError as error:
            failures[host] = f"its answer cannot be read: {error.strerror}"
    return Captures(run, found, failures)


def _quoted(host: str) -> str:
    return quote(host, safe="")
