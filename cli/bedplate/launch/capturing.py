"""Looking at hosts: one round trip each, as a tracked run of the product `drift_check`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from bedplate.drift.capture import Capture, CaptureError, read_capture
from bedplate.drift.observation import UNREACHABLE
from bedplate.drift.records import RecordCheck, read_record_check
from bedplate.execution.executor import ExecutionOutcome, RunObserver
from bedplate.execution.files import folder_of, make_private
from bedplate.execution.inventory_cache import write_private
from bedplate.execution.surroundings import SYSTEM_PYTHON
from bedplate.launch.launcher import Launcher
from bedplate.launch.request import LaunchRequest, PreparedRun
from bedplate.runs import Event, Run

PRODUCT = "drift_check"
# Executes an accepted run, of which these observers hear too.
Execute = Callable[[PreparedRun, Sequence[RunObserver]], Run]
_REQUESTS = "artifacts/seal"
_CAPTURES = "artifacts/captures"
_RECORDS = "artifacts/records"
_LONGEST_REASON = 300


@dataclass(frozen=True)
class Captures:
    """What came of a look at hosts. Answers are read one by one: a whole fleet would not fit into memory.

    Attributes:
        run: the run that looked.
        reasons: by host that failed or was not reached, why, in one sentence.
    """

    run: Run
    reasons: Mapping[str, str] = field(default_factory=dict)

    def of(self, host: str) -> Capture:
        """Return what a host said. Raises CaptureError with why there is nothing."""
        try:
            return read_capture((folder_of(self.run) / _CAPTURES / _quoted(host)).read_text(encoding="ascii"))
        except FileNotFoundError:
            raise CaptureError(self.reasons.get(host) or self.run.error or "it gave no answer") from None
        except CaptureError as error:
            raise CaptureError(f"what it answered is no capture: {error}") from error
        except (OSError, UnicodeDecodeError) as error:
            raise CaptureError(f"its answer cannot be read: {error}") from error

    def record_of(self, host: str) -> RecordCheck | None:
        """Return in what a host is not as NetBox says; None where that was not compared."""
        try:
            return read_record_check(host, (folder_of(self.run) / _RECORDS / _quoted(host)).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            return None

    def without_hosts(self) -> Captures:
        """Return the same without the list of all hosts, to be handed to other processes."""
        return replace(self, run=replace(self.run, hosts=()))

    def discard(self) -> None:
        """Remove what was asked and answered, once it is compared or sealed: every night would leave as much again."""
        for part in (_REQUESTS, _CAPTURES, _RECORDS):
            shutil.rmtree(folder_of(self.run) / part, ignore_errors=True)


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
        what = UNREACHABLE if event.kind == "runner_on_unreachable" else "could not be looked at"
        reason = " ".join(f"{what}: {message}".split())
        self.reasons.setdefault(event.host, reason[:_LONGEST_REASON])

    def finished(self, outcome: ExecutionOutcome) -> None:
        """Nothing to do."""


def capture(
    launcher: Launcher,
    hosts: Sequence[str],
    requests: Iterable[Mapping[str, Any]],
    *,
    reason: str | None = None,
    execute: Execute | None = None,
) -> Captures:
    """Look at hosts and return what each said.

    Args:
        requests: for each host, in their order, the arguments of the module `seal`: see `Seal.request` and
            `request_for`. They are taken one by one: a whole fleet's would not fit into memory.
        reason: why, for the run's record.
        execute: executes the run; by default without anybody who could end it. Hosts that were not looked at by its
            end have no answer.

    Raises:
        InventoryError, RefusedError, NotFoundError, StoreError, EngineError: as `Launcher` says.
    """
    prepared = launcher.prepare(LaunchRequest(product=PRODUCT, hosts=list(hosts), reason=reason))
    run = launcher.accept(prepared)
    # A search for a host's Python takes a trip of its own.
    accepted = replace(prepared, run=run, environment={**prepared.environment, **SYSTEM_PYTHON})
    folder = make_private(folder_of(run) / _REQUESTS)
    for host, request in zip(hosts, requests, strict=True):
        write_private(folder / f"{_quoted(host)}.json", json.dumps(request, separators=(",", ":")).encode())
    failures = _Failures()
    return Captures((execute or launcher.execute)(accepted, [failures]), failures.reasons)


def _quoted(host: str) -> str:
    return quote(host, safe="")
