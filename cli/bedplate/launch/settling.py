"""Which hosts of a run have nothing to do: a look at each, in one round trip, says so before the run begins.

A host is settled where all of this holds, and is worked on like any other where anything of it does not:

- the last run of the product that did something to it was executed by this machine, with the same answers, brought it
  to its state, and is not too old;
- it has a seal that was taken after such a run, not by hand, and what it is meant to be - roles, playbooks, what the
  inventory says of it and of observers - is the same as then, with nothing in it that may say something else now;
- a look finds the same machine, not started anew since, its clock right, as it was sealed, to the last detail;
- the seal says all of what the product manages on it;
- all observers, also those that the run does not ask for, are settled, and were as they are now before the host was
  last worked on: hosts have their certificates from there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bedplate.drift.capture import Capture, CaptureError, State
from bedplate.drift.comparison import compare
from bedplate.drift.managing import RIGHT
from bedplate.drift.observation import CheckOutcome, HostCheck
from bedplate.drift.seal import Seal
from bedplate.drift.seals import SealRepository
from bedplate.errors import NotFoundError
from bedplate.execution.digest import digest_is_whole
from bedplate.launch.capturing import Captures, Execute, capture
from bedplate.launch.launcher import Launcher
from bedplate.launch.request import PreparedRun
from bedplate.launch.seal_renewal import SealRenewal
from bedplate.launch.sealing import intents, lasting, observers_of
from bedplate.launch.templating import looks_elsewhere
from bedplate.runs import LOCAL, HostOutcome, Run, RunMode, RunQuery, RunStatus

_NOTHING_DONE = frozenset({HostOutcome.OK, HostOutcome.SKIPPED})
# Runs that never touched a host.
_NEVER_BEGAN = frozenset({RunStatus.PENDING, RunStatus.REFUSED})
# So many seconds a clock may be off: the role packages sets one that is further off. A look takes its time, too.
_CLOCK_OFF = 3600


@dataclass(frozen=True)
class Settling:
    """Looks at the hosts of runs before these begin.

    Args:
        execute: executes the run that looks: see `capture`.
    """

    launcher: Launcher
    seals: SealRepository
    execute: Execute

    def settled(self, prepared: PreparedRun) -> dict[str, str]:
        """Return the hosts of an accepted run that have nothing to do, each with a sentence on why.

        Raises:
            InventoryError, StoreError, EngineError, RefusedError, NotFoundError: they cannot be looked at.
        """
        run = prepared.run
        if not self._is_wanted(prepared):
            return {}
        observers = observers_of(self.launcher.adapter)
        same = self._meant_as_sealed(run, self._brought_here(run, observers), observers)
        if not (observers <= same.keys() and same.keys() & {*run.hosts}):
            return {}
        hosts = [*same]
        today = datetime.now(UTC).date()
        requests = (seal.request(today) for seal in self._opened(run.product, hosts))
        reason = f"whether run {run.id} has anything to do"
        looked = capture(self.launcher, hosts, requests, reason=reason, execute=self.execute)
        found = {seal.host: _sentence(seal) for seal in self._opened(run.product, hosts) if is_as_sealed(seal, looked)}
        looked.discard()
        return {host: found[host] for host in run.hosts if host in found} if observers <= found.keys() else {}

    def _opened(self, product: str, hosts: Sequence[str]) -> Iterator[Seal]:
        """Yield the seals of hosts, in their order; one that cannot be trusted is passed over."""
        return (seal for _, _, seal in SealRenewal(self.launcher, self.seals).opened(product, hosts))

    def _is_wanted(self, prepared: PreparedRun) -> bool:
        settings, run = self.launcher.settings.drift, prepared.run
        asked = prepared.request.parameters if prepared.request else run.parameters
        applies = run.engine == LOCAL and run.mode is RunMode.APPLY and not asked
        return applies and run.product in settings.seal_after and settings.settled_hours > 0

    def _brought_here(self, run: Run, observers: Collection[str]) -> dict[str, Run]:
        """Return the last runs of the product that did anything to hosts and observers, where they ended well there."""
        since = datetime.now(UTC) - timedelta(hours=self.launcher.settings.drift.settled_hours)
        wanted = dict.fromkeys([*run.hosts, *observers])
        left, right = set(wanted), dict[str, Run]()
        for earlier in self.launcher.store.find(RunQuery(product=run.product, since=since, limit=None)):
            if not left:
                break
            if earlier.id == run.id or earlier.mode is not RunMode.APPLY or earlier.status in _NEVER_BEGAN:
                continue
            outcomes = {one.host: one.outcome for one in self.launcher.store.host_results(earlier.id)}
            touched = {host for host in left & {*earlier.hosts} if outcomes.get(host) is not HostOutcome.SKIPPED}
            if _is_alike(earlier, run) and earlier.status is RunStatus.SUCCESSFUL:
                right |= {host: earlier for host in touched if outcomes.get(host) in RIGHT}
            left -= touched
            asked = {*earlier.hosts}.intersection(observers)
            # What a run that did not go to its end had changed by then, it may not have told.
            if asked and (
                earlier.status is not RunStatus.SUCCESSFUL
                or any(outcomes.get(host) not in _NOTHING_DONE for host in asked)
            ):
                break
        return {host: right[host] for host in wanted if host in right}

    def _meant_as_sealed(self, run: Run, brought: Mapping[str, Run], observers: Collection[str]) -> dict[str, Run]:
        """Return those of the hosts that are meant to be as when they were sealed, for all that anybody can tell."""
        if not (brought.keys() >= {*observers} and digest_is_whole(self.launcher.content)):
            return {}
        adapter = self.launcher.adapter
        meant = intents(adapter, brought, run.content_digest)
        sealed = {
            seal.host: seal.run
            for seal in self._opened(run.product, [*brought])
            if seal.intent == meant[seal.host]
            and not seal.by_hand
            and not looks_elsewhere(lasting(adapter.host(seal.host)))
        }
        moved = [self._run(sealed[host]) for host in observers if host in sealed]
        return {host: brought[host] for host in sealed if all(_is_after(brought[host], each) for each in moved)}

    def _run(self, run_id: str) -> Run | None:
        with contextlib.suppress(NotFoundError):
            return self.launcher.store.get(run_id)
        return None


def _is_alike(earlier: Run, run: Run) -> bool:
    """Return whether a run was executed by the same machine, from where hosts let it in, with the same answers."""
    here = earlier.engine == LOCAL and earlier.host_id == run.host_id
    return here and dict(earlier.parameters) == dict(run.parameters)


def _is_after(last: Run, moved: Run | None) -> bool:
    """Return whether the run that worked on a host last knew what another one had made of an observer."""
    if moved is None:
        return False
    if last.id == moved.id:
        return True
    return bool(last.started_at and moved.finished_at and last.started_at >= moved.finished_at)


def is_as_sealed(seal: Seal, looked: Captures) -> bool:
    """Return whether a host is as it was sealed, to the last detail, and its seal tells of everything."""
    try:
        found = looked.of(seal.host)
    except CaptureError:
        return False
    if abs(found.taken_at - datetime.now(UTC).timestamp()) > _CLOCK_OFF:
        return False
    check = compare(seal, found)
    same = check.outcome is CheckOutcome.CLEAN and not check.observations and _states(seal.capture) == _states(found)
    return same and not check.reason and _is_whole(seal, check) and seal.capture.boot_id == found.boot_id


def _states(capture: Capture) -> dict[str, dict[str, State]]:
    """Return all that was asked for, without which package it is from: that is not told each time."""
    return {
        kind: {key: {name: text for name, text in state.items() if name != "package"} for key, state in found.items()}
        for kind, found in capture.states.items()
        if found
    }


def _is_whole(seal: Seal, check: HostCheck) -> bool:
    files = seal.capture.states.get("file", {})
    known = (files.get(one.key, {}) for one in seal.managed.resources if one.kind == "file")
    unread = any(state.get("type") == "file" and "content" not in state for state in known)
    return not unread and not any(role.unverifiable for role in check.coverage)


def _sentence(seal: Seal) -> str:
    return f"as it was sealed after run {seal.run}, and meant to be the same"
