"""Repair by policy: which findings may be mended without anybody being asked, and how many hosts at a time."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bedplate.drift.finding import Cause, Finding
from bedplate.drift.observation import UPDATE_KIND, Observation

# By host, the roles that are applied to it again.
Plan = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class RepairPolicy:
    """What a night may repair by itself.

    Attributes:
        roles: only what these manage.
        most_hosts, most_percent: with more hosts than either, nothing is repaired: that is no colleague in a hurry.
    """

    roles: frozenset[str]
    most_hosts: int
    most_percent: float

    def plan(self, findings: Iterable[Finding], accepted: Collection[str], since: datetime) -> Plan:
        """Return what to repair, by host.

        A role is left alone on a host where anything that it manages is not to be set back: because what is agreed has
        moved, because somebody accepted it, or because nobody knows.

        Args:
            findings: open ones.
            accepted: ids of those that a waiver accepts.
            since: only what was seen since then.
        """
        wanted: dict[str, set[str]] = {}
        unwanted: set[tuple[str, str]] = set()
        for finding in findings:
            seen = finding.observed
            if seen.role not in self.roles or not is_mended(seen):
                continue
            if finding.cause is not Cause.CORRECTIVE or finding.id in accepted:
                unwanted.add((seen.host, seen.role))
            elif finding.last_seen >= since:
                wanted.setdefault(seen.host, set()).add(seen.role)
        left = {
            host: frozenset(role for role in roles if (host, role) not in unwanted) for host, roles in wanted.items()
        }
        return {host: left[host] for host in sorted(left) if left[host]}

    def objection(self, hosts: int, checked: int) -> str | None:
        """Return why so many hosts are not repaired, in words; None if they may be.

        Args:
            hosts: how many are to be repaired.
            checked: how many were checked.
        """
        cap = min(self.most_hosts, math.ceil(checked * self.most_percent / 100))
        if hosts <= cap:
            return None
        return f"{hosts} of {checked} hosts would be repaired, more than {cap}"


def is_mended(seen: Observation) -> bool:
    """Return whether a role sets this back: of the packages that there are, most take any version, held or not."""
    return seen.kind != UPDATE_KIND and not (seen.kind == "package" and seen.attribute in {"version", "selection"})


def steps(plan: Plan, *, canary: bool) -> Sequence[tuple[Sequence[str], frozenset[str]]]:
    """Return hosts and their roles, run by run: first one alone if a canary is wanted, then those alike together."""
    groups: dict[frozenset[str], list[str]] = {}
    for host, roles in plan.items():
        groups.setdefault(roles, []).append(host)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), sorted(group[0])))
    if not canary or not ordered:
        return [(hosts, roles) for roles, hosts in ordered]
    (roles, (first, *others)), *rest = ordered
    return [([first], roles), *([(others, roles)] if others else []), *((hosts, of) for of, hosts in rest)]
