"""Which lists serve `compat: nb_inventory`: the last good ones while they are fresh, or those of NetBox now."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from typing import Callable, Dict, Optional, Tuple

from .ages import age_of, is_younger_than, readable_age
from .changes import NotExactError
from .client import Client
from .compat_kept import Kept, read_kept, write_again, write_kept
from .compat_lists import HOSTS, Asked, Lists, Objects, read_lists
from .compat_refresh import CompatRefresh
from .faults import InventoryError, SourceError, listed
from .gate import Limits
from .lock import LOCKED_AT_MOST, refresh_lock

Warn = Callable[[str], None]


class CompatSupply:
    """Gives the lists that serve.

    Args:
        path: where the last good ones are kept.
        refresh: ask NetBox, however fresh they are.
        full: read NetBox in full, even where the changes are known.

    Attributes:
        how: how NetBox was read, and why not in a better way, for people.
    """

    def __init__(
        self, client: Client, asked: Asked, limits: Limits, *, path: str, page_size: int, refresh: bool, full: bool
    ) -> None:
        self._client = client
        self._asked = asked
        self._limits = limits
        self._path = path
        self._page_size = page_size
        self._refresh = refresh or full
        self._full = full
        self.how = "not at all: what was read before serves"

    def lists(self, warn: Warn) -> Lists:
        """Return the lists that serve.

        Raises:
            InventoryError: NetBox gave no whole fleet, or one that shrank by more than the limit.
        """
        last = self._last(warn)
        if last is not None and not self._refresh and is_younger_than(last.taken_at, self._limits.cache_ttl):
            return last.lists
        with refresh_lock(self._path, LOCKED_AT_MOST) as waited:
            if waited:
                before, last = last, self._last(warn)
                if last is not None and not self._full and (before is None or before.taken_at < last.taken_at):
                    return last.lists
            try:
                return self._renewed(last, warn)
            except SourceError as fault:
                return self._stale(fault, last, warn).lists

    def _last(self, warn: Warn) -> Optional[Kept]:
        """Return the last good lists of the same query, or None."""
        if not os.path.exists(self._path):
            return None
        try:
            kept = read_kept(self._path)
        except InventoryError as error:
            warn("%s. It is read anew" % error)
            return None
        return kept if kept.query == self._asked.digest(self._client.endpoint.base) else None

    def _renewed(self, last: Optional[Kept], warn: Warn) -> Lists:
        now = datetime.now(timezone.utc).replace(microsecond=0)
        where, query = self._client.endpoint.base, self._asked.digest(self._client.endpoint.base)
        found, reason = self._changes(last)
        if last is not None and found is not None and not found[1]:
            self.how = "nothing changed"
            same = Kept(found[0], now, last.full_at, query)
            self._write(lambda: write_again(self._path, same, where), warn)
            return found[0]
        if last is not None and found is not None:
            read, full_at, self.how = found[0], last.full_at, "what changed"
        else:
            read, full_at = read_lists(self._client, self._asked, self._page_size), now
            self.how = "in full; %s" % reason
        self._check(read, last)
        fresh = Kept(read, now, full_at, query)
        self._write(lambda: write_kept(self._path, fresh, where), warn)
        return read

    def _changes(self, last: Optional[Kept]) -> Tuple[Optional[Tuple[Lists, bool]], str]:
        """Return the lists of now and whether they are others, by what changed; or None, and why there are none."""
        if last is None:
            return None, "there was nothing to go on from"
        if self._full:
            return None, "as asked"
        since = age_of(last.full_at)
        if since > self._limits.full_read_after * 3600:
            return None, "the last full read is %s ago" % readable_age(since)
        try:
            return CompatRefresh(self._client, self._asked, self._page_size, last.lists).run(), ""
        except NotExactError as reason:
            return None, str(reason)

    def _write(self, write: Callable[[], None], warn: Warn) -> None:
        try:
            write()
        except InventoryError as fault:
            if self._refresh:
                raise
            warn("%s; nothing will serve when NetBox is away" % fault)

    def _check(self, read: Lists, last: Optional[Kept]) -> None:
        """Make sure that an answer with less is not taken for a fleet with less."""
        if not self._limits.allow_empty and not any(read.objects.get(kind) for kind in HOSTS):
            raise InventoryError(
                "there is no host", where=self._client.endpoint.base, hint="allow_empty: true takes that"
            )
        if last is None or self._limits.accept_shrink:
            return
        for kind in HOSTS:
            before, now = (_names(lists.objects.get(kind, [])) for lists in (last.lists, read))
            gone = [name for number, name in before.items() if number not in now]
            if len(gone) > self._limits.allowed(len(before)):
                raise InventoryError(
                    "%d of %d hosts of type %s are gone: %s" % (len(gone), len(before), kind, listed(gone)),
                    where=self._client.endpoint.base,
                    hint="if that is right, refresh once with accept_shrink",
                )

    def _stale(self, fault: SourceError, last: Optional[Kept], warn: Warn) -> Kept:
        if last is None or not self._limits.stale_if_error:
            raise fault
        age = age_of(last.taken_at)
        if age > self._limits.stale_max_age * 3600:
            raise SourceError(
                "%s. What was read last is %s old, more than stale_max_age allows (%g hours)"
                % (fault, readable_age(age), self._limits.stale_max_age)
            ) from fault
        warn("%s. What was read %s ago serves instead" % (fault, readable_age(age)))
        return last


def _names(objects: Objects) -> Dict[int, str]:
    return {entry["id"]: str(entry.get("name")) for entry in objects}
