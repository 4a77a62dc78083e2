"""The fleet of a query as snapshots: read from NetBox, checked, kept with the tables that they are made from."""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import partial
from typing import Any, Callable, Dict, Optional

from .alike import Alike
from .changes import NotExactError
from .classes import ClassRule
from .faults import Notices
from .gate import Limits, check_not_empty, check_shrink
from .kept import read_tables, write_tables
from .query import Query
from .reading import Reading, Source
from .rows import Tables
from .settle import settle, settle_altered
from .snapshot import TYPES, Snapshot, read_snapshot, write_again, write_altered, write_snapshot
from .supply import Fresh


class SnapshotFleet:
    """The fleet of a query.

    Args:
        notices: takes what was wrong with the data of hosts.
        path: where the last good snapshot is kept.
    """

    def __init__(self, source: Source, query: Query, rule: ClassRule, notices: Notices, path: str) -> None:
        self._source = source
        self._query = query
        self._rule = rule
        self._notices = notices
        self._path = path

    def last(self) -> Optional[Snapshot]:
        """Return the snapshot of the file, or None if that is of another NetBox or query. Raises InventoryError."""
        last = read_snapshot(self._path)
        same = last.source == self._source.url and _cursor(last).get("query") == self._query.digest()
        return last if same else None

    def size(self, kept: Snapshot) -> int:
        """Return how many hosts there are."""
        return len(kept.hosts)

    def full_at(self, kept: Snapshot) -> Optional[float]:
        """Return when NetBox was last read in full (seconds since 1970), or None if there is nothing to go on from."""
        cursor = _cursor(kept)
        moment = cursor.get("full_at")
        return moment if isinstance(moment, (int, float)) and isinstance(cursor.get("position"), dict) else None

    def read(self, now: datetime, last: Optional[Snapshot], reason: str) -> Fresh[Snapshot]:
        """Read NetBox in full; raises as `Source.read` does."""
        _share_alike(last)
        reading = self._source.read(self._query, self._notices)
        hosts = settle(reading.hosts, self._rule, self._notices)
        return self._fresh(now, now.timestamp(), reading, hosts, "%s; %s" % (reading.how, reason))

    def update(self, now: datetime, last: Snapshot) -> Fresh[Snapshot]:
        """Read what changed; raises as `Source.update` does."""
        cursor = _cursor(last)
        reading = self._source.update(self._query, cursor["position"], lambda: self._tables(cursor), self._notices)
        if not reading.changed:
            return self._confirmed(now, last, reading)
        hosts, write = None, write_snapshot
        if reading.altered is not None:
            hosts = settle_altered(last.hosts, reading.altered, self._rule, self._notices)
            write = partial(write_altered, last=last, altered=[host.record["name"] for host in reading.altered])
        if hosts is None:
            hosts, write = settle(reading.hosts, self._rule, self._notices), write_snapshot
        return self._fresh(now, cursor["full_at"], reading, hosts, reading.how, write_hosts=write)

    def check(self, fresh: Snapshot, last: Optional[Snapshot], limits: Limits) -> None:
        """Raise InventoryError if a fleet is empty, or has lost more than the limits allow."""
        check_not_empty(fresh, limits.allow_empty, self._source.url)
        if last is not None and not limits.accept_shrink:
            check_shrink(last, fresh, limits)

    def _tables(self, cursor: Dict[str, Any]) -> Tables:
        tables = read_tables(self._path, str(cursor.get("tables")))
        if tables is None:
            raise NotExactError("what the last snapshot was made from is not there")
        return tables

    def _fresh(
        self,
        now: datetime,
        full_at: float,
        reading: Reading,
        hosts: Dict[str, Any],
        how: str,
        *,
        write_hosts: Callable[[str, Snapshot], None] = write_snapshot,
    ) -> Fresh[Snapshot]:
        cursor = {
            "query": self._query.digest(),
            "last_updated": max((record["last_updated"] or "" for record in hosts.values()), default=None),
            "counts": {kind: sum(record["type"] == kind for record in hosts.values()) for kind in TYPES},
            "position": reading.position,
            "full_at": full_at,
            "tables": uuid.uuid4().hex,
            "read": how,
        }
        fresh = Snapshot(hosts, now, self._source.url, reading.netbox_version, cursor)

        def write() -> None:
            if reading.tables is not None:
                write_tables(self._path, reading.tables, cursor["tables"])
            write_hosts(self._path, fresh)

        return Fresh(fresh, how, write)

    def _confirmed(self, now: datetime, last: Snapshot, reading: Reading) -> Fresh[Snapshot]:
        """Return the last snapshot as of now."""
        cursor = {**_cursor(last), "position": reading.position, "read": reading.how}
        same = Snapshot(last.hosts, now, last.source, reading.netbox_version, cursor)
        return Fresh(same, reading.how, lambda: write_again(self._path, same), changed=False)


def _share_alike(last: Optional[Snapshot]) -> None:
    """Keep what hosts have alike once: the last snapshot stays beside the whole new one until they are compared."""
    alike = Alike()
    for record in last.hosts.values() if last is not None else ():
        alike.share(record)


def _cursor(snapshot: Snapshot) -> Dict[str, Any]:
    return snapshot.cursor if isinstance(snapshot.cursor, dict) else {}
