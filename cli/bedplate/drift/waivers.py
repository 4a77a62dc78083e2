"""Waivers: findings that somebody accepted, why, on whose word, and until when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fnmatch import fnmatchcase

from bedplate.drift.finding import Finding, HostFacts
from bedplate.errors import UsageError

_HOST, _GROUP = "host:", "group:"
_EVERYWHERE = "all"
_SPECIAL = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Scope:
    """Which findings a waiver is about: a resource, and the hosts on which it is accepted.

    Args:
        resource: pattern of `kind:key` or `kind:key#attribute`, with `*`, `?` and `[…]` as in a shell.
        hosts: pattern of host names; None for every host.
        group: only hosts of this inventory group; None for every host.
    """

    resource: str
    hosts: str | None = None
    group: str | None = None

    @property
    def id(self) -> str:
        """The scope as one text, which is the waiver's id: `file:/etc/motd@host:fra1-*`."""
        if self.group is not None:
            return f"{self.resource}@{_GROUP}{self.group}"
        return f"{self.resource}@{_HOST}{self.hosts}" if self.hosts is not None else f"{self.resource}@{_EVERYWHERE}"

    @classmethod
    def parse(cls, text: str) -> Scope:
        """Return the scope that an id says.

        Raises:
            UsageError: it is no such id.
        """
        resource, at, where = text.rpartition("@")
        if at and where.startswith(_HOST) and where != _HOST:
            return cls.of(resource, hosts=where.removeprefix(_HOST))
        if at and where.startswith(_GROUP) and where != _GROUP:
            return cls.of(resource, group=where.removeprefix(_GROUP))
        if at and where == _EVERYWHERE:
            return cls.of(resource)
        raise UsageError(
            f"{text!r} is not the scope of a waiver",
            hint="write KIND:NAME@host:PATTERN, KIND:NAME@group:GROUP or KIND:NAME@all",
        )

    @classmethod
    def of(cls, resource: str, *, hosts: str | None = None, group: str | None = None) -> Scope:
        """Return a scope; raises UsageError if the resource has no kind, or both hosts and a group are given."""
        kind, colon, key = resource.partition(":")
        if not (kind and colon and key):
            raise UsageError(f"{resource!r} names no resource", hint="write KIND:NAME, such as file:/etc/motd")
        if hosts is not None and group is not None:
            raise UsageError("a waiver is for hosts or for a group, not for both")
        return cls(resource, hosts, group)

    @classmethod
    def of_finding(cls, finding: Finding) -> Scope:
        """Return the scope that is just this finding."""
        seen = finding.observed
        return cls(_literal(f"{seen.kind}:{seen.key}#{seen.attribute}"), _literal(seen.host))

    def covers(self, finding: Finding, facts: HostFacts) -> bool:
        """Return whether the finding is within the scope."""
        seen = finding.observed
        if self.group is not None and self.group not in facts.groups:
            return False
        if self.hosts is not None and not fnmatchcase(seen.host, self.hosts):
            return False
        name = f"{seen.kind}:{seen.key}"
        return fnmatchcase(name, self.resource) or fnmatchcase(f"{name}#{seen.attribute}", self.resource)


def _literal(text: str) -> str:
    """Return the pattern that matches just this text."""
    return _SPECIAL.sub(r"[\g<0>]", text)


@dataclass(frozen=True, slots=True)
class Waiver:
    """An accepted finding.

    Args:
        expires: the last day on which it holds; None for no end.
    """

    scope: Scope
    reason: str
    owner: str
    created_by: str
    created_at: datetime
    expires: date | None = None

    @property
    def id(self) -> str:
        return self.scope.id

    def holds(self, today: date) -> bool:
        """Return whether it has not expired."""
        return self.expires is None or today <= self.expires


class Waivers:
    """The waivers that hold on one day.

    Args:
        facts: by host, its groups; hosts that are not in it have none.
    """

    def __init__(self, waivers: Iterable[Waiver], today: date, facts: Mapping[str, HostFacts]) -> None:
        self._holding = [waiver for waiver in waivers if waiver.holds(today)]
        self._facts = facts

    def of(self, finding: Finding) -> Waiver | None:
        """Return the waiver that accepts a finding: the one that holds longest, if there are several."""
        facts = self._facts.get(finding.observed.host, HostFacts())
        covering = [waiver for waiver in self._holding if waiver.scope.covers(finding, facts)]
        return max(covering, key=lambda waiver: (waiver.expires or date.max, waiver.id), default=None)
