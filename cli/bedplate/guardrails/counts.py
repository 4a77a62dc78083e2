"""Rules over which hosts, and how many."""

from __future__ import annotations

from fractions import Fraction

from bedplate.guardrails.order import Bound, Order
from bedplate.guardrails.verdict import Outcome, Verdict, listed


def host_class(order: Order) -> Verdict:
    """The hosts are of the classes that the product is made for."""
    return _bound(order, "host_class", "hosts of every class")


def forced_limit(order: Order) -> Verdict:
    """The hosts are within the limit that no option lifts."""
    return _bound(order, "forced_limit", "any host")


def host_cap(order: Order) -> Verdict:
    """There are not more hosts than the product allows."""
    limits, count = order.limits, len(order.hosts)
    if limits.max_hosts is None:
        return Verdict("host_cap", Outcome.NOT_APPLICABLE, "any number of hosts")
    if count <= limits.max_hosts:
        return Verdict("host_cap", Outcome.OK, f"{count} of at most {limits.max_hosts} hosts")
    sentence = f"{limits.product} runs on at most {limits.max_hosts} hosts at once, not on {count}"
    return Verdict("host_cap", Outcome.REFUSED, sentence, f"narrow it with --limit, or ask {limits.help}")


def host_percent(order: Order) -> Verdict:
    """The hosts are not a larger part of the fleet than the product allows."""
    limits, count = order.limits, len(order.hosts)
    if limits.max_percent is None:
        return Verdict("host_percent", Outcome.NOT_APPLICABLE, "any part of the fleet")
    most = int(order.fleet * Fraction(str(limits.max_percent)) / 100)  # as it is written: a float is a little off
    if count <= most:
        sentence = f"{count} of at most {most} hosts, {limits.max_percent:g} % of the fleet"
        return Verdict("host_percent", Outcome.OK, sentence)
    sentence = (
        f"{limits.product} runs on at most {limits.max_percent:g} % of the fleet at once, {most} of {order.fleet} "
        f"hosts, not on {count}"
    )
    return Verdict("host_percent", Outcome.REFUSED, sentence, f"narrow it with --limit, or ask {limits.help}")


def batches(order: Order) -> Verdict:
    """The playbook acts on the batches that the manifest promises."""
    asked = order.limits.batches
    if not asked:
        return Verdict("batches", Outcome.NOT_APPLICABLE, "all hosts go at once")
    if order.unread:
        sentence = f"{order.limits.product} promises {', '.join(order.unread)}, which its playbook does not act on"
        return Verdict("batches", Outcome.REFUSED, sentence, order.limits.help)
    return Verdict("batches", Outcome.OK, f"cut by {', '.join(asked)}")


def _bound(order: Order, rule: str, unbound: str) -> Verdict:
    bound: Bound | None = next((bound for bound in order.bounds if bound.rule == rule), None)
    if bound is None:
        return Verdict(rule, Outcome.NOT_APPLICABLE, f"{order.limits.product} runs on {unbound}")
    only = f"{order.limits.product} runs only on {bound.why}"
    if bound.none_left:
        return Verdict(rule, Outcome.REFUSED, f"{only}, not on {listed(bound.outside)}", order.limits.help)
    left_out = f"; left out: {listed(bound.outside)}" if bound.outside else ""
    return Verdict(rule, Outcome.OK, f"{only}{left_out}")
