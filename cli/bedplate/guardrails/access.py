"""Rules over who orders, and whether the product is on offer."""

from __future__ import annotations

from bedplate.guardrails.order import Order
from bedplate.guardrails.verdict import Outcome, Verdict


def offered(order: Order) -> Verdict:
    """The product is still on offer."""
    limits = order.limits
    if limits.sunset is None:
        return Verdict("offered", Outcome.NOT_APPLICABLE, f"{limits.product} has no last day")
    if limits.sunset >= order.now.date():
        return Verdict("offered", Outcome.OK, f"{limits.product} is offered until {limits.sunset}")
    instead = f"order {limits.replaced_by}" if limits.replaced_by else limits.help
    sentence = f"{limits.product} is not offered any more since {limits.sunset}"
    return Verdict("offered", Outcome.REFUSED, sentence, instead)


def identity(order: Order) -> Verdict:
    """The person is who the operating system says."""
    person = order.person
    if not person.listed:
        return Verdict("identity", Outcome.NOT_APPLICABLE, "no teams file says who is who")
    if person.trusted:
        return Verdict("identity", Outcome.OK, f"{person.name} orders")
    sentence = f"access.user says {person.name}, the operating system says {person.login}"
    return Verdict("identity", Outcome.REFUSED, sentence, "leave access.user out where a teams file says who is who")


def access(order: Order) -> Verdict:
    """The person is in a team that may see and run the product."""
    limits, person = order.limits, order.person
    wanted = [(verb, teams) for verb, teams in (("see", limits.view), ("run", limits.run)) if teams is not None]
    if not wanted:
        return Verdict("access", Outcome.NOT_APPLICABLE, f"everybody may run {limits.product}")
    for verb, teams in wanted:
        if not person.is_one_of(teams):
            sentence = f"{limits.product} is for {' or '.join(teams)} to {verb}; {person.name} {person.standing}"
            others = f"ask {order.teams.reach(teams)} to order it, or {limits.help}, to let you"
            return Verdict("access", Outcome.REFUSED, sentence, others)
    return Verdict("access", Outcome.OK, f"{person.name} {person.standing}")


def policy(order: Order) -> Verdict:
    """The organisation's own policies agree."""
    decision = order.policy
    if decision is None:
        return Verdict("policy", Outcome.NOT_APPLICABLE, "no folder of policies is named in guardrails.policies")
    if decision.allowed:
        return Verdict("policy", Outcome.OK, f"permitted by {', '.join(decision.policies)}")
    helper = " or ".join(decision.contacts) or order.keeper
    if decision.errors:
        return Verdict("policy", Outcome.REFUSED, "; ".join(decision.errors), f"ask {helper}")
    said = f"forbidden by {', '.join(decision.policies)}" if decision.policies else "no policy permits it"
    return Verdict("policy", Outcome.REFUSED, said, f"ask {helper}")
