"""The fleet of `compat: nb_inventory` as lists: read from NetBox, checked, kept."""

from __future__ import annotations

from datetime import datetime
from typing import Dict, Optional

from .client import Client
from .compat_kept import Kept, read_kept, write_again, write_kept
from .compat_lists import HOSTS, Asked, Objects, read_lists
from .compat_refresh import CompatRefresh
from .faults import InventoryError, listed
from .gate import Limits
from .supply import Fresh


class CompatFleet:
    """The fleet that is asked for.

    Args:
        path: where the last good lists are kept.
    """

    def __init__(self, client: Client, asked: Asked, page_size: int, path: str) -> None:
        self._client = client
        self._asked = asked
        self._page_size = page_size
        self._path = path
        self._url = client.endpoint.base
        self._query = asked.digest(self._url)

    def last(self) -> Optional[Kept]:
        """Return the lists of the file, or None if they are of another NetBox or query. Raises InventoryError."""
        kept = read_kept(self._path)
        return kept if kept.query == self._query else None

    def size(self, kept: Kept) -> int:
        """Return how many hosts there are."""
        return sum(len(kept.lists.objects.get(kind, ())) for kind in HOSTS)

    def full_at(self, kept: Kept) -> Optional[float]:
        """Return when NetBox was last read in full (seconds since 1970)."""
        return kept.full_at.timestamp()

    def read(self, now: datetime, last: Optional[Kept], reason: str) -> Fresh[Kept]:  # noqa: ARG002 (a Fleet's)
        """Read NetBox in full; raises as `read_lists` does."""
        fresh = Kept(read_lists(self._client, self._asked, self._page_size), now, now, self._query)
        return Fresh(fresh, "in full; %s" % reason, lambda: write_kept(self._path, fresh, self._url))

    def update(self, now: datetime, last: Kept) -> Fresh[Kept]:
        """Read what changed; raises as `CompatRefresh.run` does."""
        lists, changed = CompatRefresh(self._client, self._asked, self._page_size, last.lists).run()
        fresh = Kept(lists, now, last.full_at, self._query)
        if changed:
            return Fresh(fresh, "what changed", lambda: write_kept(self._path, fresh, self._url))
        return Fresh(fresh, "nothing changed", lambda: write_again(self._path, fresh, self._url), changed=False)

    def check(self, fresh: Kept, last: Optional[Kept], limits: Limits) -> None:
        """Raise InventoryError if a fleet is empty, or has lost more hosts of a type than the limits allow."""
        if not limits.allow_empty and not self.size(fresh):
            raise InventoryError("there is no host", where=self._url, hint="allow_empty: true takes that")
        if last is None or limits.accept_shrink:
            return
        for kind in HOSTS:
            before, now = (_names(kept.lists.objects.get(kind, [])) for kept in (last, fresh))
            gone = [name for number, name in before.items() if number not in now]
            if len(gone) > limits.allowed(len(before)):
                raise InventoryError(
                    "%d of %d hosts of type %s are gone: %s" % (len(gone), len(before), kind, listed(gone)),
                    where=self._url,
                    hint="if that is right, refresh once with accept_shrink",
                )


def _names(objects: Objects) -> Dict[int, str]:
    return {entry["id"]: str(entry.get("name")) for entry in objects}
