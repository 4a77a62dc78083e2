"""Which snapshot serves: a file as it is, the last one while it is fresh, or a new one from NetBox.

A new one is kept only if it is whole and did not shrink by more than the limit; else the last good one stays.
"""

from __future__ import annotations

import os
from datetime import datetime, timezone
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple

from .classes import ClassRule
from .faults import InventoryError, Notices, SourceError, listed
from .query import Query
from .reading import Source
from .settle import settle
from .snapshot import TYPES, Snapshot, read_snapshot, write_snapshot


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
    ) -> None:
        self.cache_ttl = cache_ttl
        self.stale_if_error = stale_if_error
        self.stale_max_age = stale_max_age
        self.shrink_limit = shrink_limit
        self.shrink_minimum = shrink_minimum
        self.accept_shrink = accept_shrink
        self.allow_empty = allow_empty


class Supply:
    """Gives the snapshot that serves for a query.

    Args:
        path: where the last good snapshot is kept.
        refresh: ask NetBox, however fresh the last one is.
    """

    def __init__(
        self, source: Source, query: Query, rule: ClassRule, limits: Limits, *, path: str, refresh: bool = False
    ) -> None:
        self._source = source
        self._query = query
        self._rule = rule
        self._limits = limits
        self._path = path
        self._refresh = refresh

    def snapshot(self, notices: Notices, warn: Callable[[str], None]) -> Snapshot:
        """Return the snapshot that serves.

        Raises:
            InventoryError: NetBox gave no whole fleet, or one that shrank by more than the limit.
        """
        last = self._last(warn)
        if last is not None and not self._refresh and last.age() < self._limits.cache_ttl:
            return last
        try:
            fresh = self._read(notices)
        except SourceError as fault:
            return self._stale(fault, last, warn)
        check_not_empty(fresh, self._limits.allow_empty, self._source.url)
        if last is not None and not self._limits.accept_shrink:
            check_shrink(last, fresh, self._limits)
        self._keep(fresh, warn)
        return fresh

    def _last(self, warn: Callable[[str], None]) -> Optional[Snapshot]:
        """Return the last good snapshot of the same source and query, or None."""
        if not os.path.exists(self._path):
            return None
        try:
            last = read_snapshot(self._path)
        except InventoryError as fault:
            warn("%s; it is not used, and the new one is not compared with it" % fault)
            return None
        cursor = last.cursor if isinstance(last.cursor, dict) else {}
        same = last.source == self._source.url and cursor.get("query") == self._query.digest()
        return last if same else None

    def _read(self, notices: Notices) -> Snapshot:
        taken_at = datetime.now(timezone.utc).replace(microsecond=0)
        reading = self._source.read(self._query, notices)
        hosts = settle(reading.hosts, self._rule, notices)
        cursor = {
            "query": self._query.digest(),
            "last_updated": max((record["last_updated"] or "" for record in hosts.values()), default=None),
            "counts": {kind: sum(record["type"] == kind for record in hosts.values()) for kind in TYPES},
        }
        return Snapshot(hosts, taken_at, self._source.url, reading.netbox_version, cursor)

    def _stale(self, fault: SourceError, last: Optional[Snapshot], warn: Callable[[str], None]) -> Snapshot:
        if last is None:
            raise fault
        age = readable_age(last.age())
        if not self._limits.stale_if_error:
            raise SourceError(
                "%s. The last good snapshot is %s old and has %d hosts: BEDPLATE_INVENTORY_STALE=1 or"
                " stale_if_error: true uses it" % (fault, age, len(last.hosts))
            ) from fault
        if last.age() > self._limits.stale_max_age * 3600:
            raise SourceError(
                "%s. The last good snapshot is %s old, more than stale_max_age allows (%g hours)"
                % (fault, age, self._limits.stale_max_age)
            ) from fault
        warn("%s. The last good snapshot serves instead: it is %s old" % (fault, age))
        return last

    def _keep(self, fresh: Snapshot, warn: Callable[[str], None]) -> None:
        try:
            write_snapshot(self._path, fresh)
        except InventoryError as fault:
            if self._refresh:
                raise
            warn("%s; there will be no last good snapshot when NetBox is away" % fault)


def check_not_empty(snapshot: Snapshot, allowed: bool, where: str) -> None:
    """Raise InventoryError if a snapshot has no host at all and that is not allowed."""
    if not snapshot.hosts and not allowed:
        raise InventoryError(
            "there is no host at all",
            where=where,
            hint="check the token's rights and the filters; allow_empty: true if this is right",
        )


def check_shrink(last: Snapshot, fresh: Snapshot, limits: Limits) -> None:
    """Raise InventoryError if more hosts are gone than the limits allow, of all or of one type.

    A host is gone if neither its name nor its object in NetBox is there any more.
    """
    objects = {_object(record) for record in fresh.hosts.values()}
    gone = [name for name, record in last.hosts.items() if name not in fresh.hosts and _object(record) not in objects]
    for label, kinds in (("hosts", TYPES), *((kind.replace("_", " ") + "s", (kind,)) for kind in TYPES)):
        before = _count(last.hosts.values(), kinds)
        lost = [name for name in gone if last.hosts[name]["type"] in kinds]
        if len(lost) > max(before * limits.shrink_limit / 100, limits.shrink_minimum):
            raise InventoryError(
                "%d of %d %s are gone since the last good snapshot, which is %s old: %s"
                % (len(lost), before, label, readable_age(last.age()), listed(sorted(lost))),
                where=fresh.source,
                hint="more than shrink_limit (%g %%) allows; check the token's rights and the filters, and if this is"
                " right, say so once with BEDPLATE_INVENTORY_ACCEPT_SHRINK=1" % limits.shrink_limit,
            )


def readable_age(seconds: float) -> str:
    """Return an age for people, such as `3 hours`."""
    steps: List[Tuple[str, int]] = [("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)]
    for unit, length in steps:
        count = int(seconds // length)
        if count >= 2 or (count and length > 1) or length == 1:
            return "%d %s%s" % (count, unit, "" if count == 1 else "s")
    return "0 seconds"


def _object(record: Dict[str, Any]) -> Tuple[str, int]:
    return record["type"], record["id"]


def _count(records: Iterable[Dict[str, Any]], kinds: Tuple[str, ...]) -> int:
    return sum(record["type"] in kinds for record in records)
