"""What a guardrail says of an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What a rule came to. `pending` means that somebody else has to agree first."""

    OK = "ok"
    REFUSED = "refused"
    PENDING = "pending"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True)
class Verdict:
    """What one rule says.

    Attributes:
        rule: the rule's name.
        sentence: what it found, without a final full stop.
        help: what would be right, or who can help.
    """

    rule: str
    outcome: Outcome
    sentence: str
    help: str | None = None


def refusals(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return those that refuse."""
    return [verdict for verdict in verdicts if verdict.outcome is Outcome.REFUSED]


def waits(verdicts: Sequence[Verdict]) -> bool:
    """Return whether nothing refuses, but somebody has to agree first."""
    return not refusals(verdicts) and any(verdict.outcome is Outcome.PENDING for verdict in verdicts)


def refusal_text(verdicts: Sequence[Verdict]) -> str:
    """Return all refusals for people, each with its rule and who can help."""
    lines = [
        f"{verdict.rule}: {verdict.sentence}" + (f" ({verdict.help})" if verdict.help else "")
        for verdict in refusals(verdicts)
    ]
    if len(lines) == 1:
        return f"refused by {lines[0]}"
    return "\n  ".join([f"refused by {len(lines)} guardrails", *lines])


def listed(names: Sequence[str], most: int = 3) -> str:
    """Return the first names, and how many more there are."""
    named = ", ".join(names[:most])
    return f"{named} and {len(names) - most} more" if len(names) > most else named
