"""Which fleet serves: the last good one while it is fresh, or a new one from NetBox.

A new one goes on from the last one with what changed, or is read in full where that is not exact or long ago. It is
kept only if it is whole and did not shrink by more than the limits; else the last good one stays.
"""

from __future__ import annotations

import os
from datetime import datetime, timezone
from typing import Callable, Generic, Optional, Protocol, TypeVar, Union

from .ages import age_of, is_younger_than, readable_age
from .changes import NotExactError
from .faults import InventoryError, SourceError
from .gate import Limits
from .lock import LOCKED_AT_MOST, refresh_lock

Warn = Callable[[str], None]


class Kept(Protocol):
    """A fleet as it was at one moment."""

    taken_at: datetime
    """When NetBox said so (UTC)."""


K = TypeVar("K", bound=Kept)


class Fresh(Generic[K]):
    """What NetBox says now.

    Args:
        kept: what serves from now on.
        how: how it was read, and why not in a better way, for people.
        write: keeps it, in one step. Raises InventoryError if that cannot be.
        changed: whether it is other than what was kept before.
    """

    def __init__(self, kept: K, how: str, write: Callable[[], None], *, changed: bool = True) -> None:
        self.kept = kept
        self.how = how
        self.write = write
        self.changed = changed


class Fleet(Protocol[K]):
    """A fleet that is read from NetBox, and kept in a file."""

    def last(self) -> Optional[K]:
        """Return what the file has, or None if that is of another NetBox or query. Raises InventoryError."""

    def size(self, kept: K) -> int:
        """Return how many hosts there are."""

    def full_at(self, kept: K) -> Optional[float]:
        """Return when NetBox was last read in full (seconds since 1970), or None if that is not known."""

    def read(self, now: datetime, last: Optional[K], reason: str) -> Fresh[K]:
        """Read NetBox in full.

        Args:
            reason: why what changed is not enough, for people.

        Raises:
            SourceError: there was no complete and well-formed answer.
            InventoryError: what is asked for cannot be.
        """

    def update(self, now: datetime, last: K) -> Fresh[K]:
        """Read what changed.

        Raises:
            NotExactError: that cannot be told exactly.
            SourceError: there was no complete and well-formed answer.
        """

    def check(self, fresh: K, last: Optional[K], limits: Limits) -> None:
        """Raise InventoryError if a fleet is empty, or has lost more than the limits allow."""


class Supply(Generic[K]):
    """Gives the fleet that serves.

    Args:
        path: where the last good one is kept.
        refresh: ask NetBox, however fresh the last one is.
        full: read NetBox in full, even where the changes are known.

    Attributes:
        how: how NetBox was read, and why not in a better way, for people.
    """

    def __init__(
        self, fleet: Fleet[K], limits: Limits, *, path: str, refresh: bool = False, full: bool = False
    ) -> None:
        self._fleet = fleet
        self._limits = limits
        self._path = path
        self._refresh = refresh or full
        self._full = full
        self.how = "not at all: what was read before serves"

    def serve(self, warn: Warn) -> K:
        """Return the fleet that serves.

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
                return self._renewed(last, warn)
            except SourceError as fault:
                return self._stale(fault, last, warn)

    def _last(self, warn: Warn) -> Optional[K]:
        if not os.path.exists(self._path):
            return None
        try:
            return self._fleet.last()
        except InventoryError as fault:
            warn("%s. NetBox is read anew, and what it says now is not compared with this" % fault)
            return None

    def _renewed(self, last: Optional[K], warn: Warn) -> K:
        now = datetime.now(timezone.utc).replace(microsecond=0)
        fresh = self._changes(now, last)
        if not isinstance(fresh, Fresh):
            fresh = self._fleet.read(now, last, fresh)
        self.how = fresh.how
        if fresh.changed:
            self._fleet.check(fresh.kept, last, self._limits)
        self._write(fresh, warn)
        return fresh.kept

    def _changes(self, now: datetime, last: Optional[K]) -> Union[Fresh[K], str]:
        """Return what goes on from the last one, or why there is none."""
        if last is None:
            return "there was no snapshot to go on from"
        if self._full:
            return "as asked"
        full_at = self._fleet.full_at(last)
        if full_at is None:
            return "the last snapshot does not say where to go on from"
        since = max(0.0, now.timestamp() - full_at)
        if since > self._limits.full_read_after * 3600:
            return "the last full read is %s ago" % readable_age(since)
        try:
            return self._fleet.update(now, last)
        except NotExactError as reason:
            return str(reason)

    def _write(self, fresh: Fresh[K], warn: Warn) -> None:
        try:
            fresh.write()
        except InventoryError as fault:
            if self._refresh:
                raise
            warn("%s; there will be no last good snapshot when NetBox is away" % fault)

    def _stale(self, fault: SourceError, last: Optional[K], warn: Warn) -> K:
        if last is None:
            raise fault
        seconds = age_of(last.taken_at)
        age = readable_age(seconds)
        if not self._limits.stale_if_error:
            raise SourceError(
                "%s. The last good snapshot is %s old and has %d hosts: BEDPLATE_INVENTORY_STALE=1 or"
                " stale_if_error: true uses it" % (fault, age, self._fleet.size(last))
            ) from fault
        if seconds > self._limits.stale_max_age * 3600:
            raise SourceError(
                "%s. The last good snapshot is %s old, more than stale_max_age allows (%g hours)"
                % (fault, age, self._limits.stale_max_age)
            ) from fault
        warn("%s. The last good snapshot serves instead: it is %s old" % (fault, age))
        return last
