"""What an organisation's policies are asked, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class PolicyDecision:
    """What the policies say.

    Attributes:
        policies: those that decided, as `file#id`.
        errors: policies that could not be evaluated; each refuses.
        contacts: whom the deciding policies name with @contact.
    """

    allowed: bool
    policies: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()


@dataclass(frozen=True)
class PolicyQuestion:
    """What the policies are asked: may this person do this now?

    Attributes:
        action: `run` or `check`.
        tags, stage, owner: of the product.
        groups: those that a host of the order is in.
        now: in the organisation's time zone.
    """

    person: str
    product: str
    now: datetime
    teams: Sequence[str] = ()
    action: str = "run"
    owner: str = ""
    stage: str = ""
    tags: Sequence[str] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    hosts: Sequence[str] = ()
    groups: Sequence[str] = ()
    reason: str | None = None
