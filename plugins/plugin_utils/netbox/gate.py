"""Whether a new snapshot may replace the last good one: it must not have lost more than the limits allow."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Set, Tuple

from .ages import readable_age
from .faults import InventoryError, listed
from .snapshot import TYPES, Snapshot

# What groups are made of, and how people call what a host has of it.
_GROUPED_BY = ("region", "site", "location", "rack", "cluster", "role", "platform", "tenant", "tags")
_PLURALS = {"class": "classes", "tags": "tags"}

Hosts = Mapping[str, Dict[str, Any]]
Loss = Tuple[str, List[str], int]


class Limits:
    """When a snapshot may serve, and when a new one may replace it.

    Attributes:
        cache_ttl: seconds for which the last snapshot serves without asking NetBox.
        stale_if_error: whether the last snapshot serves when NetBox fails.
        stale_max_age: hours that it may be old for that.
        shrink_limit: percent of hosts that may be gone.
        shrink_minimum: hosts that may be gone in any case.
        accept_shrink: whether a fleet that shrank by more is right this once.
        allow_empty: whether there may be no host at all.
        full_read_after: hours after which NetBox is read in full, even where the changes are known.
    """

    def __init__(
        self,
        *,
        cache_ttl: float = 300,
        stale_if_error: bool = False,
        stale_max_age: float = 24,
        shrink_limit: float = 10,
        shrink_minimum: int = 5,
        accept_shrink: bool = False,
        allow_empty: bool = False,
        full_read_after: float = 24,
    ) -> None:
        self.cache_ttl = cache_ttl
        self.stale_if_error = stale_if_error
        self.stale_max_age = stale_max_age
        self.shrink_limit = shrink_limit
        self.shrink_minimum = shrink_minimum
        self.accept_shrink = accept_shrink
        self.allow_empty = allow_empty
        self.full_read_after = full_read_after

    def allowed(self, before: int) -> float:
        """Return how many of so many may be gone."""
        return max(before * self.shrink_limit / 100, self.shrink_minimum)


def check_not_empty(snapshot: Snapshot, allowed: bool, where: str) -> None:
    """Raise InventoryError if a snapshot has no host at all and that is not allowed."""
    if not snapshot.hosts and not allowed:
        raise InventoryError(
            "there is no host at all",
            where=where,
            hint="check the token's rights and the filters; allow_empty: true if this is right",
        )


def check_shrink(last: Snapshot, fresh: Snapshot, limits: Limits) -> None:
    """Raise InventoryError if more is gone than the limits allow.

    Of all hosts and those of each type, some may be gone; a host is gone if neither its name nor its object in NetBox
    is there any more. A class may lose some hosts, some groups of each kind may be gone, and some hosts may have no
    group of a kind any more.
    """
    for what, lost, before in (*_lost_hosts(last.hosts, fresh.hosts), *_lost_groups(last.hosts, fresh.hosts)):
        if len(lost) > limits.allowed(before):
            raise InventoryError(
                "%d of %d %s since the last good snapshot, which is %s old: %s"
                % (len(lost), before, what, readable_age(last.age()), listed(sorted(lost))),
                where=fresh.source,
                hint="more than shrink_limit (%g %%) allows; check the token's rights and the filters, and if this is"
                " right, say so once with BEDPLATE_INVENTORY_ACCEPT_SHRINK=1" % limits.shrink_limit,
            )


def _lost_hosts(last: Hosts, fresh: Hosts) -> Iterator[Loss]:
    objects = {_object(record) for record in fresh.values()}
    gone = [name for name, record in last.items() if name not in fresh and _object(record) not in objects]
    for label, kinds in (("hosts", TYPES), *((kind.replace("_", " ") + "s", (kind,)) for kind in TYPES)):
        before = sum(record["type"] in kinds for record in last.values())
        yield "%s are gone" % label, [name for name in gone if last[name]["type"] in kinds], before


def _lost_groups(last: Hosts, fresh: Hosts) -> Iterator[Loss]:
    """Look only at hosts that are not as they were: on most refreshes they are few."""
    other = {name: record for name, record in last.items() if _differs(fresh.get(name), record)}
    come = [record for name, record in fresh.items() if _differs(last.get(name), record)]
    for name in sorted({record["class"] for record in other.values() if record["class"]}):
        left = [host for host in other if other[host]["class"] == name and _value(fresh, host, "class") != name]
        joined = sum(record["class"] == name and _value(last, record["name"], "class") != name for record in come)
        yield "hosts of class %s are gone from it" % name, left[joined:], _count(last, "class", name)
    for kind in _GROUPED_BY:
        plural = _PLURALS.get(kind, kind + "s")
        gone = _groups(other, kind)
        if gone:
            gone = _absent(fresh, kind, gone)
        if gone:
            yield "%s are gone" % plural, sorted(gone), len(_groups(last, kind))
        bare = [name for name, record in other.items() if record[kind] and name in fresh and not fresh[name][kind]]
        if bare:
            yield "hosts with %s have none" % plural, bare, sum(bool(record[kind]) for record in last.values())


def _value(hosts: Hosts, name: str, key: str) -> object:
    return hosts[name][key] if name in hosts else None


def _count(hosts: Hosts, key: str, value: object) -> int:
    return sum(record[key] == value for record in hosts.values())


def _groups(hosts: Hosts, kind: str) -> Set[str]:
    found: Set[str] = set()
    for record in hosts.values():
        value = record[kind]
        found.update(value if isinstance(value, list) else () if value is None else (value,))
    return found


def _absent(hosts: Hosts, kind: str, groups: Set[str]) -> Set[str]:
    """Return which of these groups no host has; most often the first few hosts tell."""
    left = set(groups)
    for record in hosts.values():
        value = record[kind]
        if isinstance(value, list):
            left.difference_update(value)
        else:
            left.discard(value)
        if not left:
            break
    return left


def _differs(one: object, other: object) -> bool:
    return one is not other and one != other


def _object(record: Mapping[str, Any]) -> Tuple[str, int]:
    return record["type"], record["id"]
