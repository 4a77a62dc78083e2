"""A finding: what was observed, with its life, its cause and whose it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bedplate.drift.observation import By, Observation, Severity

Identity = tuple[str, str, str, str]


class CheckKind(StrEnum):
    """How a check looked: by the product's playbook in check mode, or by comparing with the seal."""

    FULL = "full"
    FAST = "fast"


class Cause(StrEnum):
    """Why something is not as agreed: the host moved, the intent moved, or it was to be expected."""

    CORRECTIVE = "corrective"
    INTENTIONAL = "intentional"
    EXPECTED = "expected"
    UNKNOWN = "unknown"


class FindingState(StrEnum):
    """Where a finding stands. `new` and `reopened` last until the next check sees it again."""

    NEW = "new"
    OPEN = "open"
    REOPENED = "reopened"
    RESOLVED = "resolved"

    @property
    def is_open(self) -> bool:
        return self is not FindingState.RESOLVED


class Transition(StrEnum):
    """What a check did to a finding; `changed` is another value than before of something that was open."""

    OPENED = "opened"
    CHANGED = "changed"
    RESOLVED = "resolved"
    REOPENED = "reopened"


@dataclass(frozen=True, slots=True)
class Since:
    """Between which moments it happened; not_before is None where the host was never seen without it."""

    not_before: datetime | None
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """One attribute of one resource on one host that is, or was, not as agreed.

    Args:
        observed: what the last check that saw it saw.
        product: whose intent it is that the host has left.
        check: how the last check that saw it looked.
        first_seen: when it was seen for the first time of all.
        opened_at: when it was opened this time.
        times_seen: how many checks saw it since it was opened.
        owner: the team or person that answers for the host or the product.
    """

    observed: Observation
    product: str
    check: CheckKind
    state: FindingState
    cause: Cause
    first_seen: datetime
    opened_at: datetime
    last_seen: datetime
    since: Since
    times_seen: int = 1
    resolved_at: datetime | None = None
    by: By | None = None
    owner: str | None = None

    @property
    def id(self) -> str:
        """The same for the same thing on the same host, whichever check saw it."""
        return finding_id(self.observed.identity)

    @property
    def identity(self) -> Identity:
        return self.observed.identity


def finding_id(identity: Identity) -> str:
    """Return the id of what has this identity: 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class FindingEvent:
    """One step in the life of a finding."""

    finding: str
    at: datetime
    transition: Transition
    check: str
    after: str | None = None


@dataclass(frozen=True, slots=True)
class FindingQuery:
    """Which findings: each given field narrows. Answers are by severity, then age."""

    states: Collection[FindingState] = ()
    product: str | None = None
    hosts: Collection[str] | None = None
    kind: str | None = None
    role: str | None = None
    owner: str | None = None
    severities: Collection[Severity] = ()
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What is known of a host beyond what a check saw: for causes, owners, waivers and reports."""

    owner: str | None = None
    site: str | None = None
    groups: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Intent:
    """What hosts were last brought to by a run: the digest of the content, and the commit that it was.

    Args:
        brought_at: when that run ended.
    """

    content_digest: str
    git_commit: str | None = None
    brought_at: datetime | None = None


Intents = Mapping[str, Intent]
