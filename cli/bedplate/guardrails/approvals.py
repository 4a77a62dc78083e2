"""Approvals: the consent of somebody else, for exactly what was ordered."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol


class Decision(StrEnum):
    """What an approver said."""

    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True)
class Approval:
    """What one person said of a run.

    Attributes:
        digest: of the order that was looked at.
    """

    run_id: str
    person: str
    decision: Decision
    at: datetime
    digest: str
    comment: str | None = None


class ApprovalRepository(Protocol):
    """Where approvals are kept. Every call raises StoreError when the store cannot be reached."""

    @property
    def shared(self) -> bool:
        """Whether other people can reach the store, too."""

    def decide(self, approval: Approval) -> None:
        """Keep what a person said, over what the same person said before. Raises NotFoundError without the run."""

    def approvals(self, run_id: str) -> list[Approval]:
        """Return what people said of a run, oldest first."""


def order_digest(product: str, content: str, parameters: Mapping[str, Any], hosts: Sequence[str]) -> str:
    """Return the sha256 that stands for an order: product, content, parameters (without secrets) and hosts.

    Args:
        product, content: the digests of the product's files and of all content.
    """
    document = [product, content, parameters, sorted(hosts)]
    return hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest()


def valid_approvals(
    approvals: Sequence[Approval], *, digest: str, requester: str, expires: timedelta | None, now: datetime
) -> list[Approval]:
    """Return the approvals that count: for this very order, of others than who ordered it, and not expired."""
    return [
        approval
        for approval in approvals
        if approval.decision is Decision.APPROVE
        and approval.digest == digest
        and approval.person != requester
        and not has_expired(approval, expires, now)
    ]


def has_expired(approval: Approval, expires: timedelta | None, now: datetime) -> bool:
    """Return whether an approval is too old."""
    return expires is not None and now >= approval.at + expires
