"""Repairing by policy what a night found: one host first, then the others, by ordinary runs that are looked after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bedplate.catalog import load_catalog
from bedplate.drift.check import DriftCheck
from bedplate.drift.finding import Finding, FindingQuery, FindingState
from bedplate.drift.night import Night
from bedplate.drift.repair import Plan, RepairPolicy, is_mended, steps
from bedplate.drift.repository import DriftRepository
from bedplate.drift.waivers import Waivers
from bedplate.errors import EngineError, RefusedError, SettingsError
from bedplate.guardrails import waits
from bedplate.guardrails.windows import parse_window
from bedplate.launch import Launcher, LaunchRequest
from bedplate.launch.capturing import Execute
from bedplate.runs import Run, RunQuery, RunStatus
from bedplate.settings import DriftSettings
from bedplate.watch.background import FleetBackground
from bedplate.watch.fast_check import Escalation, FastCheck
from bedplate.watch.waiver_file import WaiverBook

PRODUCT = "repair"
_ROLES = "repair_roles"
_OPEN = tuple(state for state in FindingState if state.is_open)
# One that expired has a dead process, and is ordered again.
_COUNTS = (RunStatus.SUCCESSFUL, RunStatus.FAILED, RunStatus.CANCELED)
_NAMED = 3


@dataclass(frozen=True)
class Repaired:
    """What a night repaired.

    Attributes:
        mended: findings that a look after these runs did not find any more.
        stopped: why not all was repaired that could have been, in one sentence; None if it was.
    """

    runs: Sequence[Run] = ()
    mended: Sequence[Finding] = ()
    stopped: str | None = None


class Repair:
    """Orders, executes and proves repairs.

    Args:
        fast: looks at hosts after their repair.
        background, book: what else is known of hosts, and what was accepted of their findings.
        execute: executes an accepted run, showing it.
    """

    def __init__(  # noqa: PLR0917 (each is a part of its own, named where it is made)
        self,
        launcher: Launcher,
        drift: DriftRepository,
        fast: FastCheck,
        background: FleetBackground,
        book: WaiverBook,
        execute: Execute,
    ) -> None:
        self._launcher = launcher
        self._drift = drift
        self._fast = fast
        self._background = background
        self._book = book
        self._execute = execute
        settings = self._settings
        self._policy = RepairPolicy(frozenset(settings.repair_roles), settings.repair_hosts, settings.repair_percent)

    @property
    def _settings(self) -> DriftSettings:
        return self._launcher.settings.drift

    def check_policy(self) -> None:
        """Raise SettingsError where the policy cannot be kept, and NotFoundError where there is no such product."""
        asked = load_catalog(self._launcher.content.products).get(PRODUCT).parameter(_ROLES)
        known = (asked.choices if asked else None) or []
        if not self._policy.roles:
            raise SettingsError("no role may be repaired", where="drift.repair_roles", hint=f"such as {known[:2]}")
        unknown = sorted(self._policy.roles - set(known))
        if unknown:
            raise SettingsError(f"{unknown[0]} is none that can be", where="drift.repair_roles", hint=", ".join(known))
        try:
            self._is_open()
        except ValueError as error:
            raise SettingsError(str(error), where="drift.repair_window") from error

    def mend(self, night: Night, check: DriftCheck) -> Repaired:
        """Repair what the policy allows of what a night's check found; go on where a killed process was.

        Raises:
            StoreError, InventoryError: the store or the inventory cannot be read.
        """
        runs = self._runs(night)
        tried = {host for run in runs for host in run.hosts}
        stopped = self._proved(night.product, runs) if runs else None
        while stopped is None:
            plan = {host: roles for host, roles in self._plan(night.product, check).items() if host not in tried}
            if not plan:
                break
            stopped = self._objection(len(tried | plan.keys()), check)
            if stopped is None:
                hosts, roles = steps(plan, canary=not runs)[0]
                tried.update(hosts)
                stopped = self._step(night, hosts, roles, runs)
        return replace(self.recall(night, check, runs), stopped=stopped)

    def recall(self, night: Night, check: DriftCheck, runs: Sequence[Run] | None = None) -> Repaired:
        """Return what was repaired in a night, without doing more."""
        runs = self._runs(night) if runs is None else runs
        hosts = {host for run in runs for host in run.hosts}
        query = FindingQuery((FindingState.RESOLVED,), night.product, hosts)
        begun = check.finished_at or check.started_at
        gone = [one for one in self._drift.find(query) if one.resolved_at and one.resolved_at > begun] if hosts else []
        return Repaired(runs, [one for one in gone if one.observed.role in self._policy.roles])

    def _step(self, night: Night, hosts: Sequence[str], roles: frozenset[str], runs: list[Run]) -> str | None:
        """Repair some hosts, and look whether they are; return why nothing more is to be repaired, if so."""
        try:
            order = LaunchRequest(PRODUCT, {_ROLES: sorted(roles)}, hosts=hosts, reason=_reason(night))
            prepared = self._launcher.prepare(order)
            if waits(prepared.verdicts):
                return f"the product {PRODUCT} needs somebody's approval"
            run = self._execute(replace(prepared, run=self._launcher.accept(prepared)), ())
        except (RefusedError, EngineError) as error:
            return error.message
        runs.append(run)
        return self._proved(night.product, [run])

    def _proved(self, product: str, runs: Sequence[Run]) -> str | None:
        """Look at the hosts of repairs again; return what is wrong with one of them."""
        for run in runs:
            if run.status is not RunStatus.SUCCESSFUL:
                return f"run {run.id} did not end well: {run.error or run.status.value}"
        hosts = sorted({host for run in runs for host in run.hosts})
        try:
            looked = self._fast.check(self._fast.order(product, ",".join(hosts)), Escalation(100, unsealed=True))
        except (RefusedError, EngineError) as error:
            return f"nobody could look after the repair: {error.message}"
        if looked.result is None:
            return "nobody could look after the repair"
        repaired = {(host, role) for run in runs for host in run.hosts for role in run.parameters.get(_ROLES, ())}
        openly = [one.observed for one in self._drift.find(FindingQuery(_OPEN, product, hosts))]
        still = sorted({seen.host for seen in openly if (seen.host, seen.role) in repaired and is_mended(seen)})
        return f"not as agreed after the repair: {', '.join(still[:_NAMED])}" if still else None

    def _plan(self, product: str, check: DriftCheck) -> Plan:
        openly = self._drift.find(FindingQuery(_OPEN, product, self._background.groups.keys()))
        facts = self._background.facts(product, {finding.observed.host for finding in openly})
        waivers = Waivers(self._book.all(), datetime.now(UTC).date(), facts)
        accepted = {finding.id for finding in openly if waivers.of(finding) is not None}
        return self._policy.plan(openly, accepted, check.started_at)

    def _objection(self, hosts: int, check: DriftCheck) -> str | None:
        if not self._is_open():
            return f"the window is closed: {self._settings.repair_window}"
        return self._policy.objection(hosts, sum(check.outcomes.values()))

    def _is_open(self) -> bool:
        window = self._settings.repair_window
        return not window or parse_window(window).is_open(datetime.now(UTC))

    def _runs(self, night: Night) -> list[Run]:
        """Return the repairs that were ordered for a night and ended, oldest first."""
        query = RunQuery(product=PRODUCT, statuses=_COUNTS, since=night.started_at, limit=None)
        return [run for run in reversed(self._launcher.store.find(query)) if run.reason == _reason(night)]


def _reason(night: Night) -> str:
    return f"repair of night {night.id}"
