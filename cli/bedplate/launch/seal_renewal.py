"""Seals that follow what tracked runs updated: after such a run, and before a check where that was missed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bedplate.drift.capture import CaptureError
from bedplate.drift.renewal import renewal_request, renewed
from bedplate.drift.seal import Seal, SealError
from bedplate.drift.seals import KeptSeal, SealRepository
from bedplate.drift.updates import UPDATED, Updates, updates_in
from bedplate.launch.capturing import Captures, Execute, capture
from bedplate.launch.launcher import Launcher
from bedplate.launch.sealing import seal_key
from bedplate.runs import LOCAL, EventQuery, HostOutcome, Run, RunMode, RunQuery, RunStatus

# So many seals are in memory at a time.
_AT_ONCE = 100
# Of each product, so many runs of the past are looked at.
_RUNS = 50
_ENDS = (RunStatus.SUCCESSFUL, RunStatus.FAILED)
_Pending = dict[str, list[Updates]]


@dataclass
class Renewed:
    """What came of renewing seals.

    Attributes:
        runs: those that looked at the hosts.
        hosts: those that have another seal than before.
        failures: by host whose seal was not renewed, why.
    """

    runs: list[Run] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Whether nobody ended the looks before their time."""
        return all(run.status in _ENDS for run in self.runs)


class SealRenewal:
    """Takes over into seals what runs of `drift.renew_after` updated, and nothing else.

    What is still to be taken over is known from runs and seals alone: nothing is lost where a process died.

    Args:
        execute: executes the runs that look at hosts: see `capture`.
    """

    def __init__(self, launcher: Launcher, seals: SealRepository, execute: Execute | None = None) -> None:
        self._launcher = launcher
        self._seals = seals
        self._execute = execute

    def is_due(self, run: Run) -> bool:
        """Return whether seals are renewed after this run by themselves; of one elsewhere, the next check does it."""
        wanted = run.product in self._launcher.settings.drift.renew_after
        return wanted and run.engine == LOCAL and run.mode is RunMode.APPLY and run.status in _ENDS

    def renew(self, hosts: Collection[str], product: str | None = None) -> Renewed:
        """Renew the seals of hosts for whatever runs updated since; only those of one product, where it is named.

        Raises:
            StoreError, InventoryError, EngineError, RefusedError, NotFoundError: the hosts cannot be looked at.
        """
        result = Renewed()
        taken = self._seals.taken(hosts)
        wanted = {key: at for key, at in taken.items() if product in {None, key[0]}}
        for each in sorted({key[0] for key in wanted}):
            pending = self._pending({host: at for (of, host), at in wanted.items() if of == each})
            trusted = dict(self._trusted(each, pending, result))
            if trusted:
                self._take(each, trusted, result)
        return result

    def _pending(self, taken: Mapping[str, datetime]) -> _Pending:
        """Return what runs updated on hosts after their seals, oldest first."""
        found: _Pending = {}
        for run in self._runs(min(taken.values())):
            ended = run.finished_at
            late = {host for host in run.hosts if ended is not None and host in taken and taken[host] < ended}
            results = self._launcher.store.host_results(run.id) if late else []
            right = {one.host for one in results if one.outcome is HostOutcome.CHANGED} & late
            if ended is None or not right:
                continue
            events = self._launcher.store.events(run.id, EventQuery(kinds=UPDATED, only_changed=True))
            for host, updates in updates_in(events, run.id, ended).items():
                if host in right:
                    found.setdefault(host, []).append(updates)
        return found

    def _runs(self, since: datetime) -> list[Run]:
        products = self._launcher.settings.drift.renew_after
        queries = [RunQuery(product=product, statuses=_ENDS, limit=_RUNS) for product in products]
        runs = [run for query in queries for run in self._launcher.store.find(query) if run.mode is RunMode.APPLY]
        late = [(run.finished_at, run) for run in runs if run.finished_at is not None and run.finished_at > since]
        return [run for _, run in sorted(late, key=lambda each: each[0])]

    def _trusted(self, product: str, pending: _Pending, result: Renewed) -> Iterator[tuple[str, list[Updates]]]:
        """Yield what is pending for hosts whose seal can be trusted, and does not have it yet."""
        for host, _, seal in self.opened(product, list(pending), result):
            known = {one.run for one in seal.renewals}
            left = [one for one in pending[host] if one.run not in known and one.at > seal.taken_at]
            if left:
                yield host, left

    def opened(
        self, product: str, hosts: Sequence[str], result: Renewed | None = None
    ) -> Iterator[tuple[str, KeptSeal, Seal]]:
        """Yield the seals of hosts, as they are kept and as they say; those that cannot be trusted are failures.

        Hosts without a seal are left out. Raises StoreError, EngineError.
        """
        key = seal_key(self._launcher.settings.home)
        for first in range(0, len(hosts), _AT_ONCE):
            some = hosts[first : first + _AT_ONCE]
            kept = self._seals.kept(product, some)
            for host in (host for host in some if host in kept):
                try:
                    yield host, kept[host], Seal.from_text(kept[host].signed, host, key)
                except SealError as error:
                    if result is not None:
                        result.failures[host] = str(error)

    def _take(self, product: str, pending: _Pending, result: Renewed) -> None:
        hosts = list(pending)
        requests = (renewal_request(seal, pending[host]) for host, _, seal in self.opened(product, hosts))
        of = sorted({one.run for each in pending.values() for one in each})
        reason = f"seals of {product} anew: what run {', '.join(of)} updated"
        looked = capture(self._launcher, hosts, requests, reason=reason, execute=self._execute)
        result.runs.append(looked.run)
        fresh: list[tuple[KeptSeal, str]] = []
        for host, kept, seal in self.opened(product, hosts, result):
            try:
                fresh.append((self._renewed(kept, seal, looked, pending[host]), kept.digest))
            except CaptureError as error:
                result.failures[host] = str(error)
            if len(fresh) == _AT_ONCE:
                result.hosts += self._seals.renew(fresh)
                fresh = []
        result.hosts += self._seals.renew(fresh)
        looked.discard()

    def _renewed(self, kept: KeptSeal, seal: Seal, looked: Captures, updates: Sequence[Updates]) -> KeptSeal:
        now = looked.of(kept.host)
        other = seal.capture.identity.difference(now.identity)
        if other or now.truncated:
            raise CaptureError(f"it is another machine: {other}" if other else "there was too much to answer")
        new = renewed(seal, now, updates)
        text = new.to_text(seal_key(self._launcher.settings.home))
        return KeptSeal(kept.host, kept.product, kept.run, max(one.at for one in updates), new.digest, text, kept.texts)
