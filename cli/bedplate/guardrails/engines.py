"""The rule over what executes a run."""

from __future__ import annotations

from bedplate.guardrails.order import Order
from bedplate.guardrails.verdict import Outcome, Verdict, listed

# A program's argument may have 128 KiB, and AWX passes the limit on in one.
_LONGEST_LIMIT = 120_000


def engine(order: Order) -> Verdict:
    """What executes the run can keep to all that the product asks for."""
    if order.engine == "local":
        return Verdict("engine", Outcome.NOT_APPLICABLE, "it runs on this machine")
    limits = order.limits
    if order.unkept and not order.check:
        sentence = f"{limits.product} goes through its hosts by {', '.join(order.unkept)}, which AWX does not do"
        return Verdict("engine", Outcome.REFUSED, sentence, "run it without --on awx")
    if order.left_out:
        sentence = f"AWX runs {limits.product} on all hosts of its forced limit, also on {listed(order.left_out)}"
        return Verdict("engine", Outcome.REFUSED, sentence, "leave --limit out, or run it without --on awx")
    if sum(len(host) + 1 for host in order.hosts) > _LONGEST_LIMIT:
        sentence = f"the names of {len(order.hosts)} hosts are too long for a limit of AWX"
        return Verdict("engine", Outcome.REFUSED, sentence, "narrow it with --limit")
    return Verdict("engine", Outcome.OK, "AWX can keep to what the product asks for")
