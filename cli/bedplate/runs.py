"""Runs: what was asked for, what happened, on which host."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

_ID_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
LOCAL, AWX = "local", "awx"


class RunStatus(StrEnum):
    """Where a run stands. `expired` means that its process died."""

    PENDING = "pending"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCESSFUL = "successful"
    FAILED = "failed"
    CANCELED = "canceled"
    REFUSED = "refused"
    EXPIRED = "expired"

    @property
    def ended(self) -> bool:
        return self not in {RunStatus.PENDING, RunStatus.QUEUED, RunStatus.RUNNING}


class RunMode(StrEnum):
    """Whether a run changes hosts or only says what it would change."""

    APPLY = "apply"
    CHECK = "check"


class HostOutcome(StrEnum):
    """The one word for what a run did to a host."""

    OK = "ok"
    CHANGED = "changed"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class HostResult:
    """What a run did to one host, counted in tasks."""

    host: str
    ok: int = 0
    changed: int = 0
    failed: int = 0
    unreachable: int = 0
    skipped: int = 0
    rescued: int = 0
    ignored: int = 0

    @property
    def outcome(self) -> HostOutcome:
        for outcome, count in (
            (HostOutcome.FAILED, self.failed),
            (HostOutcome.UNREACHABLE, self.unreachable),
            (HostOutcome.CHANGED, self.changed),
            (HostOutcome.OK, self.ok),
            (HostOutcome.SKIPPED, self.skipped),
        ):
            if count:
                return outcome
        return HostOutcome.UNKNOWN


FAILURE_KINDS = frozenset({"runner_on_failed", "runner_on_unreachable", "runner_item_on_failed"})
_FORGIVEN = ("ignore_errors", "ignore_unreachable", "rescued")


@dataclass(frozen=True)
class Event:
    """One immutable fact that the runner reported.

    Attributes:
        counter: position in the run, from 1, unique in the run.
        kind: ansible-runner's event name, such as `runner_on_ok`.
        created: when it happened (UTC).
        duration: seconds, where the event ends something.
        stdout: what the event printed, without secrets.
        data: the rest of the event's data, without secrets.
    """

    counter: int
    kind: str
    created: datetime
    uuid: str = ""
    parent_uuid: str = ""
    host: str | None = None
    play: str | None = None
    role: str | None = None
    task: str | None = None
    action: str | None = None
    changed: bool = False
    duration: float | None = None
    stdout: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether it tells of a failure that counts: one that was ignored or rescued does not."""
        return self.kind in FAILURE_KINDS and not any(map(self.data.get, _FORGIVEN))


@dataclass(frozen=True)
class Run:
    """One execution of a product.

    Attributes:
        product_digest: sha256 of the manifest and the playbook.
        content_digest: sha256 over all roles, playbooks and plugins.
        git_commit: the content's commit, with `-dirty` where the tree was changed; None outside a checkout.
        parameters: what was asked, secret values replaced by `REDACTED`.
        limit: the pattern as it was typed; None for the product's default.
        hosts: the hosts that the limit meant when the run was accepted.
        engine: `local` or `awx`.
        folder: the run's private folder on the machine that executes it.
        host_id: the machine that executes it (machine-id), with `boot_id` and `pid`.
        exit_code: what `bedplate run` exits with; None until it ended.
        error: one sentence on why it did not end well, where there is one.
        stop_requested_at: somebody asked it to stop.
        outcomes: how many hosts came to each outcome so far; kept by the store from the host results.
    """

    id: str
    product: str
    status: RunStatus
    mode: RunMode
    requester: str
    created_at: datetime
    diff: bool = False
    reason: str | None = None
    product_title: str = ""
    product_digest: str = ""
    content_digest: str = ""
    git_commit: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    limit: str | None = None
    hosts: Sequence[str] = ()
    engine: str = LOCAL
    inventory: str = ""
    folder: Path | None = None
    host_id: str | None = None
    boot_id: str | None = None
    pid: int | None = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    heartbeat_at: datetime | None = None
    stop_requested_at: datetime | None = None
    exit_code: int | None = None
    error: str | None = None
    rerun_of: str | None = None
    tasks: int | None = None
    outcomes: Mapping[HostOutcome, int] = field(default_factory=dict)

    @property
    def duration(self) -> timedelta | None:
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at


REDACTED = "********"


@dataclass(frozen=True)
class RunQuery:
    """Which runs: each given field narrows. Answers are newest first."""

    product: str | None = None
    statuses: Collection[RunStatus] = ()
    requester: str | None = None
    host: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = 50
    offset: int = 0


@dataclass(frozen=True)
class EventQuery:
    """Which events of one run: each given field narrows. Answers are in order of `counter`."""

    after: int = 0
    host: str | None = None
    kinds: Collection[str] = ()
    only_changed: bool = False
    only_failed: bool = False
    limit: int | None = None


class RunRepository(Protocol):
    """Where runs are kept. Each call is one transaction; times are UTC. Safe to share between threads.

    Every call raises StoreError when the store cannot be reached, is locked for too long or is full. All but `get`
    take a whole id, and raise NotFoundError where there is no such run.
    """

    def add(self, run: Run) -> None:
        """Keep a new run. Raises StoreError if its id is taken."""

    def get(self, run_id: str) -> Run:
        """Return the run of this id, or of the only id that begins or ends so. Raises NotFoundError."""

    def find(self, query: RunQuery) -> list[Run]:
        """Return runs, newest first."""

    def count(self, query: RunQuery) -> int:
        """Return how many runs the query means, ignoring its limit and offset."""

    def update(self, run_id: str, *, only_from: Collection[RunStatus] = (), **fields: Any) -> bool:  # noqa: ANN401
        """Set fields of a run, atomically, if its status is one of `only_from` (or always). Return whether it was.

        `id` never changes, and `outcomes` follows the host results. Raises NotFoundError.
        """

    def request_stop(self, run_id: str, at: datetime) -> bool:
        """Ask a run to stop. Return False if it had ended. Raises NotFoundError."""

    def stop_requested(self, run_id: str) -> bool:
        """Return whether somebody asked the run to stop."""

    def add_events(self, run_id: str, events: Sequence[Event]) -> None:
        """Keep events; those whose counter is there already are left alone."""

    def events(self, run_id: str, query: EventQuery) -> Iterator[Event]:
        """Yield events in order of counter, without holding all of them in memory."""

    def put_host_results(self, run_id: str, results: Sequence[HostResult]) -> None:
        """Keep host results, over those of the same hosts."""

    def host_results(self, run_id: str) -> list[HostResult]:
        """Return the host results of a run, by host name."""

    def durations(self, product: str, mode: RunMode, limit: int = 20) -> list[tuple[int, float]]:
        """Return (number of hosts, seconds) of the last successful runs of a product, newest first.

        Hosts that nothing was done to do not count, and neither do runs of such hosts alone.
        """

    def unfinished(self) -> list[Run]:
        """Return the runs that have not ended."""

    def delete(self, run_ids: Sequence[str]) -> int:
        """Remove ended runs with all that belongs to them. Return how many there were."""

    def close(self) -> None:
        """Release connections and files; the next call opens them anew."""


def new_run_id(at: datetime | None = None) -> str:
    """Return a new id: the second in UTC and four random characters, such as `20261122-151403-k7f2`."""
    import secrets  # noqa: PLC0415 (it loads OpenSSL, and completion of runs waits for this module)

    moment = (at or datetime.now(UTC)).astimezone(UTC)
    tail = "".join(secrets.choice(_ID_ALPHABET) for _ in range(4))
    return f"{moment:%Y%m%d-%H%M%S}-{tail}"
