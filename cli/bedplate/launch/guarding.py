"""Gathers what the guardrails look at: an order with all that is known of the moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bedplate.awx.own_limits import limits_left_to_awx
from bedplate.catalog import Product
from bedplate.content import Content
from bedplate.execution.inventory import InventoryAdapter
from bedplate.execution.inventory_cache import InventoryNames
from bedplate.guardrails import Limits, Order
from bedplate.guardrails.approvals import Approval, ApprovalRepository, order_digest
from bedplate.guardrails.batches import cut
from bedplate.guardrails.locks import Claim, LockRepository, Occupied
from bedplate.guardrails.questions import PolicyDecision, PolicyQuestion
from bedplate.launch.limits import limits_of
from bedplate.launch.rulebooks import load_policies, read_calendars, unread_batches, zone_of_policies
from bedplate.launch.targets import Target
from bedplate.launch.whereabouts import custom_field_of, domain_of
from bedplate.persons import Person, person_among
from bedplate.runs import LOCAL, Run, RunMode, RunQuery, RunRepository, RunStatus
from bedplate.settings import Settings
from bedplate.store import SqlLedger
from bedplate.teams import Teams, load_teams


@dataclass(frozen=True)
class Guarded:
    """A run that is to be judged.

    Attributes:
        parameters: the answers without secrets, as policies see them.
        resumed: it was ordered before, and waited for approval.
    """

    product: Product
    run: Run
    target: Target
    parameters: Mapping[str, Any]
    resumed: bool = False


class Gathering:
    """Makes orders for the guardrails. Reads only.

    Args:
        adapter: answers about the inventory.
        store: knows earlier runs.
        ledger: knows locks and approvals.
    """

    def __init__(
        self, content: Content, settings: Settings, adapter: InventoryAdapter, store: RunRepository, ledger: SqlLedger
    ) -> None:
        self._content = content
        self._settings = settings
        self._adapter = adapter
        self._store = store
        self._locks: LockRepository = ledger
        self._approvals: ApprovalRepository = ledger

    def order(self, guarded: Guarded, now: datetime) -> Order:
        """Return the order that a run means at a moment.

        Raises:
            SettingsError: the teams file or a policy cannot be read.
        """
        product, run = guarded.product, guarded.run
        limits = limits_of(product)
        check = run.mode is RunMode.CHECK
        teams = load_teams(self._settings)
        person = person_among(teams, self._settings, run.requester if guarded.resumed else None)
        calendars = read_calendars(self._settings, () if check else product.guardrails.freeze or ())
        occupied = Occupied() if check else self._locks.occupied(claim_of(run, limits))
        return Order(
            limits=limits,
            person=person,
            hosts=run.hosts,
            fleet=len(self._adapter.names.hosts),
            now=now,
            check=check,
            bounds=guarded.target.bounds,
            freezes=calendars.at(now),
            calendar_faults=calendars.faults,
            windows=self._windows(limits, run),
            holders=occupied.hosts,
            running=occupied.running,
            checked_at=self._checked_at(limits, run, now),
            digest=digest_of(run),
            approvals=self._given(limits, run),
            shared_store=self._approvals.shared,
            policy=self._policy(guarded, person, now),
            unread=unread_batches(self._content, product.playbook, limits.batches),
            engine=run.engine,
            unkept=self._unkept(product, run),
            left_out=self._left_out(product, run),
            teams=teams or Teams(),
            keeper=self._settings.guardrails.contact or Order.keeper,
        )

    def batches(self, product: Product, hosts: Sequence[str]) -> list[list[str]] | None:
        """Return the batches of a run's hosts; None where its product has none."""
        guardrails = product.guardrails
        if guardrails.canary is None and guardrails.serial_by is None:
            return None
        domains = domain_of(self._adapter, hosts, guardrails.serial_by) if guardrails.serial_by else None
        return cut(hosts, canary=guardrails.canary, domains=domains)

    def _windows(self, limits: Limits, run: Run) -> dict[str, str | None]:
        if limits.window_field is None or run.mode is RunMode.CHECK:
            return {}
        return custom_field_of(self._adapter, run.hosts, limits.window_field)

    def _checked_at(self, limits: Limits, run: Run, now: datetime) -> datetime | None:
        if limits.dry_run_first is None or run.mode is RunMode.CHECK:
            return None
        since = now - limits.dry_run_first
        checks = self._store.find(
            RunQuery(product=run.product, statuses=(RunStatus.SUCCESSFUL,), since=since, limit=None)
        )
        ends = [check.finished_at for check in checks if check.finished_at and _checks(check, run)]
        return max(ends, default=None)

    def _unkept(self, product: Product, run: Run) -> Sequence[str]:
        if run.engine == LOCAL:
            return ()
        (left,) = limits_left_to_awx([product], self._content.root)
        return limits_of(left).batches

    def _left_out(self, product: Product, run: Run) -> Sequence[str]:
        forced = product.targets.force_limit
        if run.engine == LOCAL or forced is None:
            return ()
        return sorted(set(self._adapter.resolve(forced)).difference(run.hosts))

    def _given(self, limits: Limits, run: Run) -> list[Approval]:
        return self._approvals.approvals(run.id) if limits.approvers is not None else []

    def _policy(self, guarded: Guarded, person: Person, now: datetime) -> PolicyDecision | None:
        policies = load_policies(self._settings)
        if policies is None:
            return None
        product, run = guarded.product, guarded.run
        return policies.decide(
            PolicyQuestion(
                person=person.name,
                teams=sorted(person.teams),
                action="check" if run.mode is RunMode.CHECK else "run",
                product=product.name,
                owner=product.owner.team,
                stage=product.lifecycle.stage.value,
                tags=product.tags,
                parameters=guarded.parameters,
                hosts=run.hosts,
                groups=sorted(_groups_of(self._adapter.names, run.hosts)),
                reason=run.reason,
                now=now.astimezone(zone_of_policies(self._settings)),
            )
        )


def claim_of(run: Run, limits: Limits) -> Claim:
    """Return what a run needs for itself while it changes hosts."""
    if run.mode is RunMode.CHECK:
        return Claim(run.id, run.product)
    return Claim(run.id, run.product, run.hosts if limits.exclusive else (), limits.concurrency)


def digest_of(run: Run) -> str:
    """Return what an approval of a run is for."""
    return order_digest(run.product_digest, run.content_digest, run.parameters, run.hosts)


def _checks(check: Run, run: Run) -> bool:
    """Return whether a check was of the same content and parameters, and of these hosts or more."""
    same = ("product_digest", "content_digest", "parameters")
    return (
        check.mode is RunMode.CHECK
        and all(getattr(check, name) == getattr(run, name) for name in same)
        and set(run.hosts) <= set(check.hosts)
    )


def _groups_of(names: InventoryNames, hosts: Sequence[str]) -> set[str]:
    """Return the groups that have one of the hosts, in themselves or in a group below."""
    wanted = set(hosts)
    found = {name for name, group in names.groups.items() if not wanted.isdisjoint(group.hosts)}
    parents: dict[str, list[str]] = {}
    for name, group in names.groups.items():
        for child in group.children:
            parents.setdefault(child, []).append(name)
    return found | set(_above(found, parents))


def _above(groups: set[str], parents: Mapping[str, Sequence[str]]) -> Iterator[str]:
    waiting, seen = list(groups), set(groups)
    while waiting:
        for parent in parents.get(waiting.pop(), ()):
            if parent not in seen:
                seen.add(parent)
                waiting.append(parent)
                yield parent
