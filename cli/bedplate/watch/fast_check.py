"""The fast check: hosts against their seals, in one round trip each; the full check where a seal says nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bedplate.drift.check import DriftCheck
from bedplate.drift.finding import CheckKind
from bedplate.drift.observation import CheckOutcome, HostCheck
from bedplate.drift.repository import DriftRepository
from bedplate.drift.seals import SealRepository
from bedplate.errors import EngineError, RefusedError
from bedplate.launch import Launcher, LaunchRequest, PreparedRun
from bedplate.launch.capturing import Execute
from bedplate.launch.seal_renewal import SealRenewal
from bedplate.launch.sealing import fast_check
from bedplate.runs import Run, RunStatus, new_run_id
from bedplate.watch.full_check import FullCheck
from bedplate.watch.recording import CheckResult, Recording

# So many seals are in memory at a time.
_AT_ONCE = 100
_ENDS = frozenset({RunStatus.SUCCESSFUL, RunStatus.FAILED})
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class FastResult:
    """What a fast check came to.

    Attributes:
        result: None where its run did not come to its end; nothing was kept then.
        runs: those that looked: at seals, where any host had one, and the full check, where hosts were sent to it.
        fully: hosts of which the full check said something.
    """

    result: CheckResult | None
    runs: Sequence[Run]
    fully: Sequence[str] = ()


@dataclass(frozen=True)
class Escalation:
    """Which hosts are sent to the full check.

    Attributes:
        percent: of all hosts, how many at most because what is agreed changed since their seal; one at least, unless 0.
        unsealed: all that have no seal, too.
    """

    percent: float
    unsealed: bool = False


class FastCheck:
    """Executes, completes and keeps fast checks.

    Args:
        recording: keeps what they saw.
        full: checks hosts of which a seal says nothing.
        drift: knows when hosts were last judged.
        execute: executes an accepted run, showing it: see `capture`.
    """

    def __init__(  # noqa: PLR0917 (each is a part of its own, named where it is made)
        self,
        launcher: Launcher,
        seals: SealRepository,
        drift: DriftRepository,
        recording: Recording,
        full: FullCheck,
        execute: Execute,
    ) -> None:
        self._launcher = launcher
        self._seals = seals
        self._drift = drift
        self._recording = recording
        self._full = full
        self._execute = execute

    def order(self, product: str, limit: str | None) -> PreparedRun:
        """Return what a check of a product would be about. Nothing is written.

        Raises:
            RefusedError: the product may run on none of these hosts.
            BedplateError: as `Launcher.judge` says.
        """
        request = LaunchRequest(product=product, limit=limit, check=True)
        order = self._launcher.judge(request)
        return order if order.run.hosts else self._launcher.prepare(request)

    def check(self, order: PreparedRun, escalation: Escalation) -> FastResult:
        """Check the hosts of an order, keep what was seen, and return it.

        Raises:
            RefusedError: a guardrail refuses to look at the hosts.
            InventoryError, EngineError, StoreError: they cannot be looked at, or what was seen cannot be kept.
        """
        asked = order.run
        started = datetime.now(UTC)
        renewed = SealRenewal(self._launcher, self._seals, self._execute).renew(asked.hosts, asked.product)
        if not renewed.is_whole:
            return FastResult(None, renewed.runs)
        sealed = self._seals.sealed(asked.product) if escalation.unsealed else set(asked.hosts)
        hosts = [host for host in asked.hosts if host in sealed]
        known = _Seals(self._seals, asked.product, hosts)
        looked = fast_check(self._launcher, hosts, known, texts=self._seals.texts, execute=self._execute)
        if looked.run is not None and looked.run.status not in _ENDS:
            return FastResult(None, [looked.run])
        seen = {check.host: check for check in looked.checks}
        stale, left = self._stale(asked, looked.checks, escalation.percent)
        seen |= {host: _because(seen[host], "more hosts are stale than may be sent to the full check") for host in left}
        unsealed = [host for host in asked.hosts if host not in sealed]
        fully, run = self._check_fully(asked.product, [*stale, *unsealed], seen)
        runs = [one for one in (looked.run, run) if one is not None]
        checks = [seen[host] for host in asked.hosts]
        result = self._recording.record(_check_of(asked, runs, started), checks, datetime.now(UTC), fully=fully)
        return FastResult(result, runs, fully)

    def _stale(self, asked: Run, checks: Sequence[HostCheck], percent: float) -> tuple[list[str], list[str]]:
        """Return the stale hosts that are sent to the full check, those longest not judged first; and the rest."""
        stale = [check.host for check in checks if check.outcome is CheckOutcome.STALE]
        states = self._drift.host_states(asked.product, stale) if stale else []
        judged = {state.host: state.judged_at or _NEVER for state in states}
        stale.sort(key=lambda host: (judged.get(host, _NEVER), host))
        most = math.ceil(len(asked.hosts) * percent / 100)
        return stale[:most], stale[most:]

    def _check_fully(
        self, product: str, hosts: Sequence[str], seen: dict[str, HostCheck]
    ) -> tuple[list[str], Run | None]:
        """Put what a full check says of hosts among what was seen; return the hosts that it judged, and its run."""
        run: Run | None = None
        if not hosts:
            return [], run
        try:
            prepared = self._full.prepare(product, None, hosts)
            run = self._execute(replace(prepared, run=self._launcher.accept(prepared)), ())
            found = {check.host: check for check in self._full.read(run)[0]}
        except (RefusedError, EngineError) as error:
            why = f"the full check came to nothing: {error.message}"
            unsealed = HostCheck("", CheckOutcome.UNKNOWN, reason="there is no seal of it")
            seen |= {host: _because(seen.get(host, replace(unsealed, host=host)), why) for host in hosts}
            return [], run
        missing = HostCheck("", CheckOutcome.UNKNOWN, reason="the full check said nothing of it")
        seen |= {host: _completed(found.get(host, replace(missing, host=host)), seen.get(host)) for host in hosts}
        return [host for host in hosts if host in found], run


def _check_of(asked: Run, runs: Sequence[Run], started: datetime) -> DriftCheck:
    return DriftCheck(
        id=runs[0].id if runs else new_run_id(started),
        product=asked.product,
        kind=CheckKind.FAST,
        requester=asked.requester,
        started_at=started,
        limit=asked.limit,
        content_digest=asked.content_digest,
        git_commit=asked.git_commit,
    )


def _completed(full: HostCheck, fast: HostCheck | None) -> HostCheck:
    """Return what a full check says, with what else is known of a host whose seal says nothing any more."""
    if fast is None:
        return full
    found = {CheckOutcome.CLEAN: CheckOutcome.DRIFTED}.get(full.outcome, full.outcome)
    return replace(
        full,
        outcome=found if fast.observations else full.outcome,
        observations=(*full.observations, *fast.observations),
        stale=fast.stale,
        recorded=fast.recorded,
    )


def _because(check: HostCheck, why: str) -> HostCheck:
    return replace(check, reason="; ".join(filter(None, (check.reason, why))))


class _Seals(Mapping[str, str]):
    """The seals of hosts, read in portions: a whole fleet's would not fit into memory."""

    def __init__(self, seals: SealRepository, product: str, hosts: Sequence[str]) -> None:
        self._read: Callable[[Sequence[str]], dict[str, str]] = lambda names: seals.signed(product, names)
        self._hosts = hosts
        self._places = {host: place for place, host in enumerate(hosts)}
        self._portion: dict[str, str] = {}
        self._first: int | None = None

    def __getitem__(self, host: str) -> str:
        first = self._places[host] // _AT_ONCE * _AT_ONCE
        if first != self._first:
            self._portion = self._read(self._hosts[first : first + _AT_ONCE])
            self._first = first
        return self._portion[host]

    def __iter__(self) -> Iterator[str]:
        return (host for host in self._hosts if host in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)
