"""Rules over other people: who changes the same hosts, how many run the same, and who has to agree."""

from __future__ import annotations

from bedplate.guardrails.approvals import Decision, has_expired, valid_approvals
from bedplate.guardrails.order import Limits, Order
from bedplate.guardrails.verdict import Outcome, Verdict, listed
from bedplate.persons import Person
from bedplate.teams import Teams

# What a run can wait for.
TURN_RULES = frozenset({"host_lock", "concurrency"})


def host_lock(order: Order) -> Verdict:
    """Nobody else changes one of the hosts."""
    if order.check or not order.limits.exclusive:
        return Verdict("host_lock", Outcome.NOT_APPLICABLE, "nothing is changed")
    if not order.holders:
        return Verdict("host_lock", Outcome.OK, "no other run changes one of the hosts")
    runs = {holder.run_id: holder for holder in order.holders.values()}
    by = ", ".join(f"{holder.product} of {holder.requester}, run {holder.run_id}" for holder in runs.values())
    people = ", ".join(map(order.teams.reach_person, sorted({holder.requester for holder in runs.values()})))
    waiting = " && ".join(f"bedplate runs wait {run_id}" for run_id in runs)
    sentence = f"{listed(list(order.holders))} {'are' if len(order.holders) > 1 else 'is'} being changed by {by}"
    return Verdict("host_lock", Outcome.REFUSED, sentence, f"{waiting}, or ask {people}")


def concurrency(order: Order) -> Verdict:
    """There are not more runs of the product at once than it allows."""
    limits = order.limits
    if limits.concurrency is None:
        return Verdict("concurrency", Outcome.NOT_APPLICABLE, "any number of runs at once")
    if not order.running:
        return Verdict("concurrency", Outcome.OK, f"fewer than {limits.concurrency} runs at the moment")
    sentence = f"at most {limits.concurrency} runs of {limits.product} at once; there are {', '.join(order.running)}"
    helper = f"bedplate runs wait {order.running[0]}, or ask {limits.help}"
    return Verdict("concurrency", Outcome.REFUSED, sentence, helper)


def approval(order: Order) -> Verdict:
    """Somebody else agreed to exactly this, not too long ago."""
    limits = order.limits
    if limits.approvers is None:
        return Verdict("approval", Outcome.NOT_APPLICABLE, "nobody has to agree")
    if order.check:
        return Verdict("approval", Outcome.NOT_APPLICABLE, "a check changes nothing")
    if not order.person.listed:
        sentence = "no teams file says who may agree"
        return Verdict("approval", Outcome.REFUSED, sentence, f"name one in teams.file, or ask {limits.help}")
    if not order.shared_store:
        sentence = "nobody else can reach this store, so nobody can agree"
        return Verdict(
            "approval", Outcome.REFUSED, sentence, f"share it as docs/guardrails.md says, or ask {limits.help}"
        )
    valid = valid_approvals(
        order.approvals,
        digest=order.digest,
        requester=order.person.name,
        expires=limits.approval_expires,
        now=order.now,
    )
    if len(valid) >= limits.approvers:
        return Verdict("approval", Outcome.OK, f"approved by {', '.join(each.person for each in valid)}")
    teams = " or ".join(limits.approve) if limits.approve else "any team"
    sentence = f"{len(valid)} of {limits.approvers} approvals by others, of {teams}{_void(order)}"
    helper = f"ask {order.teams.reach(limits.approve)}: " if limits.approve else ""
    return Verdict("approval", Outcome.PENDING, sentence, f"{helper}bedplate runs approve RUN")


def may_decide(limits: Limits, requester: str, person: Person, teams: Teams | None = None) -> list[Verdict]:
    """Return whether a person may say yes or no to a run: another one than who ordered it, of the right team."""
    own = Verdict("own_order", Outcome.OK, f"{requester} ordered it")
    if requester in {person.name, person.login}:
        sentence = f"{requester} ordered it, so somebody else must agree"
        own = Verdict("own_order", Outcome.REFUSED, sentence, _others(limits, teams))
    trust = Verdict("identity", Outcome.OK, f"{person.name} answers")
    if not person.trusted:
        sentence = f"access.user says {person.name}, the operating system says {person.login}"
        trust = Verdict("identity", Outcome.REFUSED, sentence, "leave access.user out")
    if person.teams if limits.approve is None else person.is_one_of(limits.approve):
        team = Verdict("approver_team", Outcome.OK, f"{person.name} is in {', '.join(sorted(person.teams))}")
    else:
        wanted = f"in {' or '.join(limits.approve)}" if limits.approve else "in any team"
        sentence = f"{person.name} is not {wanted}"
        team = Verdict("approver_team", Outcome.REFUSED, sentence, _others(limits, teams))
    return [own, trust, team]


def _others(limits: Limits, teams: Teams | None) -> str:
    """Return whom to ask for an approval."""
    return f"ask {(teams or Teams()).reach(limits.approve)}" if limits.approve else f"ask {limits.help}"


def _void(order: Order) -> str:
    """Return why approvals that were given do not count."""
    given = [each for each in order.approvals if each.decision is Decision.APPROVE]
    expired = [each.person for each in given if has_expired(each, order.limits.approval_expires, order.now)]
    other = [each.person for each in given if each.digest != order.digest]
    reasons = [f"that of {', '.join(expired)} expired"] if expired else []
    reasons += [f"that of {', '.join(other)} was for other content, parameters or hosts"] if other else []
    return f"; {'; '.join(reasons)}" if reasons else ""
