"""What the rules look at: an order, the limits of its product, and what is known of the moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from bedplate.guardrails.approvals import Approval
from bedplate.guardrails.calendars import Freeze
from bedplate.guardrails.locks import Holder
from bedplate.guardrails.questions import PolicyDecision
from bedplate.guardrails.windows import MaintenanceWindow
from bedplate.persons import Person
from bedplate.teams import Teams


@dataclass(frozen=True)
class Limits:
    """What a product's manifest asks for. None where it asks for nothing.

    Attributes:
        help: who answers for the product, and where.
        view, run, approve: teams.
        window_field: the NetBox custom field with each host's window.
        window: fixed hours.
        dry_run_first: how old a check may be.
        approvers: how many people must approve.
        approval_expires: how long an approval holds.
    """

    product: str
    help: str
    view: tuple[str, ...] | None = None
    run: tuple[str, ...] | None = None
    approve: tuple[str, ...] | None = None
    sunset: date | None = None
    replaced_by: str | None = None
    max_hosts: int | None = None
    max_percent: float | None = None
    exclusive: bool = True
    concurrency: int | None = None
    window_field: str | None = None
    window: MaintenanceWindow | None = None
    dry_run_first: timedelta | None = None
    approvers: int | None = None
    approval_expires: timedelta | None = None
    batches: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bound:
    """A bound of the hosts that a product may run on.

    Attributes:
        rule: the rule's name.
        why: the hosts that are within, for people.
        outside: hosts of the order that are not; they are left out.
        none_left: no host of the order is within.
    """

    rule: str
    why: str
    outside: tuple[str, ...] = ()
    none_left: bool = False


@dataclass(frozen=True)
class Order:
    """An order, and all that a rule may want to know about the moment.

    Attributes:
        hosts: those that are left within the bounds.
        fleet: how many hosts there are.
        check: nothing will be changed.
        freezes: those that hold now, by calendar.
        calendar_faults: why a calendar cannot be read, by calendar.
        windows: host → the text of its window; None where it has none.
        holders: who changes hosts of the order now, by host.
        running: the ids of unfinished runs of the product.
        checked_at: when such a check ended well, the newest; None if there was none.
        digest: what an approval is for.
        shared_store: several people use the store.
        unread: keys of the manifest that the playbook does not act on.
        engine: what executes it: `local` or `awx`.
        unkept: keys over batches that neither the engine nor the playbook by itself keeps to.
        left_out: hosts of the forced limit that are not in the order; looked for where the engine is not this machine.
        teams: where people can be asked.
        keeper: who can help with policies and calendars.
    """

    limits: Limits
    person: Person
    hosts: Sequence[str]
    fleet: int
    now: datetime
    check: bool = False
    bounds: Sequence[Bound] = ()
    freezes: Mapping[str, Freeze | None] = field(default_factory=dict)
    calendar_faults: Mapping[str, str] = field(default_factory=dict)
    windows: Mapping[str, str | None] = field(default_factory=dict)
    holders: Mapping[str, Holder] = field(default_factory=dict)
    running: Sequence[str] = ()
    checked_at: datetime | None = None
    digest: str = ""
    approvals: Sequence[Approval] = ()
    shared_store: bool = False
    policy: PolicyDecision | None = None
    unread: Sequence[str] = ()
    engine: str = "local"
    unkept: Sequence[str] = ()
    left_out: Sequence[str] = ()
    teams: Teams = field(default_factory=Teams)
    keeper: str = "whoever keeps the policies and calendars"
