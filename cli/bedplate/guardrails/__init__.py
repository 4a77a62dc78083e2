"""Guardrails: what may be done, by whom, where and when. Pure; no input or output."""

from __future__ import annotations

from bedplate.guardrails.order import Bound, Limits, Order
from bedplate.guardrails.registry import judge
from bedplate.guardrails.verdict import Outcome, Verdict, refusal_text, refusals, waits
from bedplate.persons import Person

__all__ = [
    "Bound",
    "Limits",
    "Order",
    "Outcome",
    "Person",
    "Verdict",
    "judge",
    "refusal_text",
    "refusals",
    "waits",
]
