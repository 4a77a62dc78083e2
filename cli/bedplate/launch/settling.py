"""Which hosts of a run have nothing to do: a look at each, in one round trip, says so before the run begins.

A host is settled where all of this holds, and is worked on like any other where anything of it does not:

- the last run of the product that did something to it was executed here, brought it to its state, and is not too old;
- it has a seal, and what it is meant to be - roles, playbooks, what the inventory says of it and of observers - is the
  same as then, with nothing in it that is looked up elsewhere: a file's or a program's answer may be another one now;
- a look finds the same machine, not started anew since, its clock right, as it was sealed, to the last detail;
- the seal says all of what the product manages on it;
- no observer has anything to do, and none was changed since: hosts have their certificates from there.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bedplate.drift.capture import CaptureError
from bedplate.drift.comparison import compare
from bedplate.drift.observation import CheckOutcome, HostCheck
from bedplate.drift.seal import Seal, SealError
from bedplate.drift.seals import SealRepository
from bedplate.execution.digest import content_digest
from bedplate.launch.capturing import Captures, Execute, capture
from bedplate.launch.launcher import Launcher
from bedplate.launch.request import PreparedRun
from bedplate.launch.sealing import intents, observers_of, seal_key
from bedplate.runs import LOCAL, HostOutcome, Run, RunMode, RunQuery, RunStatus

_RIGHT = frozenset({HostOutcome.OK, HostOutcome.CHANGED})
_NOTHING_DONE = frozenset({HostOutcome.OK, HostOutcome.SKIPPED})
# Runs that never touched a host.
_NEVER_BEGAN = frozenset({RunStatus.PENDING, RunStatus.REFUSED})
# What a template says today it may not say tomorrow, though nobody changed the inventory.
_ELSEWHERE = re.compile(r"\b(?:lookup|query|q|now)\s*\(|ansible_date_time|\|\s*(?:random|shuffle)\b")
# Where this machine keeps things is no content of anything.
_PLACES = re.compile(
    r"\b(?:lookup|query|q)\(\s*'(?:ansible\.builtin\.)?env'\s*,\s*'(?:HOME|USER|LOGNAME|XDG_\w+|BEDPLATE_HOME)'"
)
# So many seconds a clock may be off: the role packages sets one that is further off. A look takes its time, too.
_CLOCK_OFF = 3600
# So many seals are in memory at a time.
_AT_ONCE = 100


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
        if not self._is_wanted(prepared):
            return {}
        run = prepared.run
        same = self._meant_as_sealed(run.product, self._brought_here(run))
        if not same:
            return {}
        requests = (seal.request() for seal in self._opened(run.product, same))
        reason = f"whether run {run.id} has anything to do"
        looked = capture(self.launcher, same, requests, reason=reason, execute=self.execute)
        found = {seal.host: _sentence(seal) for seal in self._opened(run.product, same) if is_as_sealed(seal, looked)}
        looked.discard()
        return found if self._observers.intersection(run.hosts) <= found.keys() else {}

    @property
    def _observers(self) -> set[str]:
        return observers_of(self.launcher.adapter)

    def _opened(self, product: str, hosts: Sequence[str]) -> Iterator[Seal]:
        """Yield the seals of hosts, in their order; one that cannot be trusted is passed over."""
        key = seal_key(self.launcher.settings.home)
        for first in range(0, len(hosts), _AT_ONCE):
            signed = self.seals.signed(product, hosts[first : first + _AT_ONCE])
            for host in hosts[first : first + _AT_ONCE]:
                with contextlib.suppress(SealError, KeyError):
                    yield Seal.from_text(signed[host], host, key)

    def _is_wanted(self, prepared: PreparedRun) -> bool:
        settings, run = self.launcher.settings.drift, prepared.run
        asked = prepared.request.parameters if prepared.request else run.parameters
        applies = run.engine == LOCAL and run.mode is RunMode.APPLY and not asked
        return applies and run.product in settings.seal_after and settings.settled_hours > 0

    def _brought_here(self, run: Run) -> list[str]:
        """Return the hosts that the last run of the product which did anything to them brought to its state."""
        since = datetime.now(UTC) - timedelta(hours=self.launcher.settings.drift.settled_hours)
        left, right = set(run.hosts), set[str]()
        for earlier in self.launcher.store.find(RunQuery(product=run.product, since=since, limit=None)):
            if not left:
                break
            if earlier.id == run.id or earlier.mode is not RunMode.APPLY or earlier.status in _NEVER_BEGAN:
                continue
            outcomes = {one.host: one.outcome for one in self.launcher.store.host_results(earlier.id)}
            touched = {host for host in left & {*earlier.hosts} if outcomes.get(host) is not HostOutcome.SKIPPED}
            right |= {host for host in touched if earlier.engine == LOCAL and outcomes.get(host) in _RIGHT}
            left -= touched
            if any(outcomes.get(host, HostOutcome.OK) not in _NOTHING_DONE for host in self._observers):
                break
        return [host for host in run.hosts if host in right]

    def _meant_as_sealed(self, product: str, hosts: Sequence[str]) -> list[str]:
        """Return those of the hosts that are meant to be as when they were sealed, for all that anybody can tell."""
        if not hosts:
            return []
        adapter = self.launcher.adapter
        meant = intents(adapter, hosts, content_digest(self.launcher.content))
        same = [seal.host for seal in self._opened(product, hosts) if seal.intent == meant[seal.host]]
        return [host for host in same if not looks_elsewhere(adapter.host(host))]


def looks_elsewhere(value: Any) -> bool:  # noqa: ANN401
    """Return whether a template in plain data asks something that may answer otherwise the next time."""
    if isinstance(value, Mapping):
        return any(map(looks_elsewhere, value.values()))
    if isinstance(value, list | tuple):
        return any(map(looks_elsewhere, value))
    return (
        isinstance(value, str) and ("{{" in value or "{%" in value) and bool(_ELSEWHERE.search(_PLACES.sub("", value)))
    )


def is_as_sealed(seal: Seal, looked: Captures) -> bool:
    """Return whether a host is as it was sealed, to the last detail, and its seal tells of everything."""
    try:
        found = looked.of(seal.host)
    except CaptureError:
        return False
    if abs(found.taken_at - datetime.now(UTC).timestamp()) > _CLOCK_OFF:
        return False
    check = compare(seal, found)
    same = check.outcome is CheckOutcome.CLEAN and not check.observations
    return same and not check.reason and _is_whole(check) and seal.capture.boot_id == found.boot_id


def _is_whole(check: HostCheck) -> bool:
    return not any(role.unverifiable for role in check.coverage)


def _sentence(seal: Seal) -> str:
    return f"as it was sealed after run {seal.run}, and meant to be the same"
