"""What one check saw on one host: the same shape, whether a full or a fast check looked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

# An update that came by itself, as the policy allows: told, and no drift.
UPDATE_KIND = "update"
# What is written down of something, in NetBox or in AWX, and is not so.
RECORD_KIND = "record"
# How the reason begins where a host could not be reached.
UNREACHABLE = "could not be reached"


class CheckOutcome(StrEnum):
    """What a check can say of a host. A host that could not be judged is never clean."""

    CLEAN = "clean"
    DRIFTED = "drifted"
    STALE = "stale"
    UNKNOWN = "unknown"

    @property
    def judged(self) -> bool:
        """Whether the host was compared with what it is meant to be."""
        return self in {CheckOutcome.CLEAN, CheckOutcome.DRIFTED}


class Severity(StrEnum):
    """How much a finding matters."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Confidence(StrEnum):
    """How well it is known who did something.

    `certain`: a record says who, and what was changed. `likely`: a command of theirs that changes such things names
    it, at the time. `possible`: theirs are the only commands that change such things, and none of them names it.
    """

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


@dataclass(frozen=True, slots=True)
class By:
    """Who or what did it, where somebody can tell.

    Args:
        user: None where it is only known what did it.
        command: without secrets.
        evidence: the line that says so.
        time: when.
        source: the log that says so: `sudo`, `apt`, `dpkg`, `systemd`, `audit`; `git` or `netbox` of an intent.
    """

    user: str | None = None
    command: str | None = None
    evidence: str | None = None
    time: datetime | None = None
    source: str | None = None
    confidence: Confidence | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """One attribute of one resource that is not as agreed.

    Host, kind, key and attribute are its identity: both kinds of check name the same thing alike.

    Args:
        host: inventory name.
        kind: kind of the resource: `file`, `package`, `unit`, `sysctl`, `user`, `socket`, …
        key: the resource's name within its kind: a path, a package, a unit.
        attribute: what of it: `presence`, `content`, `mode`, `owner`, `version`, `state`, `enabled`, `value`, …
        before: as agreed; None where that is nothing, or not to be told.
        after: as found; None where that is nothing, or not to be told.
        role: the role that manages the resource, without the collection's name; None for what nobody manages.
        task: the task that manages it.
        diff: unified diff of a text, redacted and limited in size.
        by: who or what did it, where the host can tell.
    """

    host: str
    kind: str
    key: str
    attribute: str
    before: str | None = None
    after: str | None = None
    role: str | None = None
    task: str | None = None
    severity: Severity = Severity.MEDIUM
    diff: str | None = None
    by: By | None = field(default=None, compare=False)

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """Return what tells this finding from every other."""
        return (self.host, self.kind, self.key, self.attribute)


@dataclass(frozen=True, slots=True)
class RoleCoverage:
    """How much of a role a check could judge on one host, in tasks (full check) or resources (fast check)."""

    role: str
    judged: int
    unverifiable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Staleness:
    """What is agreed moved since the seal: where the host is otherwise than sealed it moved too, elsewhere it did not.

    Args:
        content, variables: whether roles and playbooks moved, and what the inventory says of the host.
        differences: what the host has otherwise than its seal.
        sealed: kind and key of what the seal could tell of.
        unsealed: the tasks of which nobody knows what they manage. What another one manages now, and is not sealed, is
            newly agreed.
    """

    content: bool
    variables: bool
    differences: tuple[Observation, ...] = ()
    sealed: frozenset[tuple[str, str]] = frozenset()
    unsealed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class HostCheck:
    """What a check says of one host.

    Args:
        reason: why a host is stale or unknown, in one sentence.
        coverage: per role, what was judged and what could not be.
        stale: of a host whose seal says nothing any more, what is known all the same.
        recorded: whether it was compared with what is written down of it.
    """

    host: str
    outcome: CheckOutcome
    observations: tuple[Observation, ...] = ()
    reason: str | None = None
    coverage: tuple[RoleCoverage, ...] = ()
    stale: Staleness | None = None
    recorded: bool = False
