"""All rules, in the order in which they are shown. A rule is added here, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable

from bedplate.guardrails.access import access, identity, offered, policy
from bedplate.guardrails.consent import approval, concurrency, host_lock
from bedplate.guardrails.counts import batches, forced_limit, host_cap, host_class, host_percent
from bedplate.guardrails.engines import engine
from bedplate.guardrails.order import Order
from bedplate.guardrails.times import dry_run_first, freeze, window
from bedplate.guardrails.verdict import Verdict

RULES: tuple[Callable[[Order], Verdict], ...] = (
    offered,
    identity,
    access,
    policy,
    host_class,
    forced_limit,
    host_cap,
    host_percent,
    freeze,
    window,
    host_lock,
    concurrency,
    dry_run_first,
    batches,
    engine,
    approval,
)


def judge(order: Order) -> list[Verdict]:
    """Return what every rule says of an order, whatever the others say."""
    return [rule(order) for rule in RULES]
