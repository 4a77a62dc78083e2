"""Which snapshot serves: a file as it is, the last one while it is fresh, or a new one from NetBox.

A new one goes on from the last one with what changed, or is read in full where that is not exact or long ago. It is
kept only if it is whole and did not shrink by more than the limits; else the last good one stays.
"""

from __future__ import annotations

import os
import uuid
from datetime import datetime, timezone
from typing import Any, Callable, Dict, Optional

from .ages import is_younger_than, readable_age
from .alike import Alike
from .changes import NotExactError
from .classes import ClassRule
from .faults import InventoryError, Notices, SourceError
from .gate import Limits, check_not_empty, check_shrink
from .kept import read_tables, write_tables
from .lock import LOCKED_AT_MOST, refresh_lock
from .query import Query
from .reading import Reading, Source
from .rows import Tables
from .settle import settle, settle_altered
from .snapshot import TYPES, Snapshot, read_snapshot, write_again, write_snapshot

Warn = Callable[[str], None]


class Supply:
    """Gives the snapshot that serves for a query.

    Args:
        path: where the last good snapshot is kept.
        refresh: ask NetBox, however fresh the last one is.
        full: read NetBox in full, even where the changes are known.
    """

    def __init__(
        self,
        source: Source,
        query: Query,
        rule: ClassRule,
        limits: Limits,
        *,
        path: str,
        refresh: bool = False,
        full: bool = False,
    ) -> None:
        self._source = source
        self._query = query
        self._rule = rule
        self._limits = limits
        self._path = path
        self._refresh = refresh or full
        self._full = full

    def snapshot(self, notices: Notices, warn: Warn) -> Snapshot:
        """Return the snapshot that serves.

        Raises:
            InventoryError: NetBox gave no whole fleet, or one that shrank by more than the limit.
        """
        last = self._last(warn)
        if last is not None and not self._refresh and is_younger_than(last.taken_at, self._limits.cache_ttl):
            return last
        with refresh_lock(self._path, LOCKED_AT_MOST) as waited:
            if waited:
                before, last = last, self._last(warn)
                if last is not None and not self._full and (before is None or before.taken_at < last.taken_at):
                    return last
            try:
                return self._renewed(last, notices, warn)
            except SourceError as fault:
                return self._stale(fault, last, warn)

    def _last(self, warn: Warn) -> Optional[Snapshot]:
        """Return the last good snapshot of the same source and query, or None."""
        if not os.path.exists(self._path):
            return None
        try:
            last = read_snapshot(self._path)
        except InventoryError as fault:
            warn("%s; it is not used, and the new one is not compared with it" % fault)
            return None
        same = last.source == self._source.url and _cursor(last).get("query") == self._query.digest()
        return last if same else None

    def _renewed(self, last: Optional[Snapshot], notices: Notices, warn: Warn) -> Snapshot:
        taken_at = datetime.now(timezone.utc).replace(microsecond=0)
        reading, reason = self._changes(last, notices)
        if reading is None:
            _share_alike(last)
            reading = self._source.read(self._query, notices)
        if last is not None and not reading.changed:
            return self._confirmed(last, reading, taken_at, warn)
        hosts = None
        if last is not None and reading.altered is not None:
            hosts = settle_altered(last.hosts, reading.altered, self._rule, notices)
        if hosts is None:
            hosts = settle(reading.hosts, self._rule, notices)
        cursor = self._new_cursor(reading, hosts, taken_at)
        cursor["read"] = "%s; %s" % (reading.how, reason) if reason else reading.how
        if reason is None and last is not None:
            cursor["full_at"] = _cursor(last).get("full_at")
        fresh = Snapshot(hosts, taken_at, self._source.url, reading.netbox_version, cursor)
        check_not_empty(fresh, self._limits.allow_empty, self._source.url)
        if last is not None and not self._limits.accept_shrink:
            check_shrink(last, fresh, self._limits)
        self._keep(fresh, reading.tables, warn)
        return fresh

    def _changes(self, last: Optional[Snapshot], notices: Notices) -> "tuple[Optional[Reading], Optional[str]]":
        """Return a reading that goes on from the last one, or None and why there is none."""
        if last is None:
            return None, "there was no snapshot to go on from"
        if self._full:
            return None, "as asked"
        cursor = _cursor(last)
        since = _seconds_since(cursor.get("full_at"))
        if since is None or not isinstance(cursor.get("position"), dict):
            return None, "the last snapshot does not say where to go on from"
        if since > self._limits.full_read_after * 3600:
            return None, "the last full read is %s ago" % readable_age(since)
        try:
            return self._source.update(self._query, cursor["position"], lambda: self._tables(cursor), notices), None
        except NotExactError as reason:
            return None, str(reason)

    def _tables(self, cursor: Dict[str, Any]) -> Tables:
        tables = read_tables(self._path, str(cursor.get("tables")))
        if tables is None:
            raise NotExactError("what the last snapshot was made from is not there")
        return tables

    def _new_cursor(self, reading: Reading, hosts: Dict[str, Any], taken_at: datetime) -> Dict[str, Any]:
        return {
            "query": self._query.digest(),
            "last_updated": max((record["last_updated"] or "" for record in hosts.values()), default=None),
            "counts": {kind: sum(record["type"] == kind for record in hosts.values()) for kind in TYPES},
            "position": reading.position,
            "full_at": taken_at.timestamp(),
            "tables": uuid.uuid4().hex,
        }

    def _confirmed(self, last: Snapshot, reading: Reading, taken_at: datetime, warn: Warn) -> Snapshot:
        """Return the last snapshot as of now."""
        cursor = {**_cursor(last), "position": reading.position, "read": reading.how}
        fresh = Snapshot(last.hosts, taken_at, last.source, reading.netbox_version, cursor)
        self._write(lambda: write_again(self._path, fresh), warn)
        return fresh

    def _keep(self, fresh: Snapshot, tables: Optional[Tables], warn: Warn) -> None:
        def write() -> None:
            if tables is not None:
                write_tables(self._path, tables, str(_cursor(fresh)["tables"]))
            write_snapshot(self._path, fresh)

        self._write(write, warn)

    def _write(self, write: Callable[[], None], warn: Warn) -> None:
        try:
            write()
        except InventoryError as fault:
            if self._refresh:
                raise
            warn("%s; there will be no last good snapshot when NetBox is away" % fault)

    def _stale(self, fault: SourceError, last: Optional[Snapshot], warn: Warn) -> Snapshot:
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


def _share_alike(last: Optional[Snapshot]) -> None:
    """Keep what hosts have alike once: the last snapshot stays beside the whole new one until they are compared."""
    alike = Alike()
    for record in last.hosts.values() if last is not None else ():
        alike.share(record)


def _cursor(snapshot: Snapshot) -> Dict[str, Any]:
    return snapshot.cursor if isinstance(snapshot.cursor, dict) else {}


def _seconds_since(moment: object) -> Optional[float]:
    if not isinstance(moment, (int, float)):
        return None
    return max(0.0, datetime.now(timezone.utc).timestamp() - moment)
