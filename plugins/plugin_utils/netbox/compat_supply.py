"""Which lists serve `compat: nb_inventory`: the last good ones while they are fresh, or new ones from NetBox."""

from __future__ import annotations

import gzip
import json
import os
import tempfile
from datetime import datetime, timezone
from typing import Any, Callable, Dict, Optional

from .client import Client
from .compat_lists import HOSTS, Asked, Lists, Objects, read_lists
from .faults import InventoryError, SourceError, listed
from .supply import Limits

SCHEMA = 1
_FORMAT = "nb_inventory lists"
_TIME = "%Y-%m-%dT%H:%M:%SZ"

Warn = Callable[[str], None]


class Kept:
    """Lists that were read before.

    Attributes:
        age: seconds since then.
    """

    def __init__(self, lists: Lists, age: float) -> None:
        self.lists = lists
        self.age = age


class CompatSupply:
    """Gives the lists that serve.

    Args:
        path: where the last good ones are kept.
        refresh: ask NetBox, however fresh they are.
    """

    def __init__(
        self, client: Client, asked: Asked, limits: Limits, *, path: str, page_size: int, refresh: bool
    ) -> None:
        self._client = client
        self._asked = asked
        self._limits = limits
        self._path = path
        self._page_size = page_size
        self._refresh = refresh

    def lists(self, warn: Warn) -> Lists:
        """Return the lists that serve.

        Raises:
            InventoryError: NetBox gave no whole fleet, or one that shrank by more than the limit.
        """
        last = self._last(warn)
        if last is not None and not self._refresh and last.age < self._limits.cache_ttl:
            return last.lists
        try:
            read = read_lists(self._client, self._asked, self._page_size)
        except SourceError as error:
            if last is None or not self._limits.stale_if_error or last.age > self._limits.stale_max_age * 3600:
                raise
            warn("%s. What was read %d minutes ago serves instead" % (error, last.age // 60))
            return last.lists
        self._check(read, last)
        write_lists(self._path, read, self._client.endpoint.base)
        return read

    def _last(self, warn: Warn) -> Optional[Kept]:
        if not os.path.exists(self._path):
            return None
        try:
            return read_kept(self._path)
        except InventoryError as error:
            warn("%s. It is read anew" % error)
            return None

    def _check(self, read: Lists, last: Optional[Kept]) -> None:
        """Make sure that an answer with less is not taken for a fleet with less."""
        if not self._limits.allow_empty and not any(read.objects.get(kind) for kind in HOSTS):
            raise InventoryError(
                "there is no host", where=self._client.endpoint.base, hint="allow_empty: true takes that"
            )
        if last is None or self._limits.accept_shrink:
            return
        for kind in HOSTS:
            before = _names(last.lists.objects.get(kind, []))
            gone = [name for number, name in before.items() if number not in _names(read.objects.get(kind, []))]
            if len(gone) > max(len(before) * self._limits.shrink_limit / 100, self._limits.shrink_minimum):
                raise InventoryError(
                    "%d of %d hosts of type %s are gone: %s" % (len(gone), len(before), kind, listed(gone)),
                    where=self._client.endpoint.base,
                    hint="if that is right, refresh once with accept_shrink",
                )


def read_kept(path: str) -> Kept:
    """Read lists that were written before. Raises InventoryError if the file has none."""
    try:
        with gzip.open(path, "rb") as file:
            document = json.loads(file.read())
        if document.get("format") != _FORMAT or document["schema"] != SCHEMA:
            raise InventoryError("this was not written with compat: nb_inventory", where=path)
        taken = datetime.strptime(document["taken_at"], _TIME).replace(tzinfo=timezone.utc)
        age = max(0.0, (datetime.now(timezone.utc) - taken).total_seconds())
        return Kept(Lists(document["netbox_version"], document["lists"]), age)
    except (OSError, EOFError, ValueError, KeyError, AttributeError) as error:
        raise InventoryError("the lists cannot be read: %s" % error, where=path) from error


def write_lists(path: str, lists: Lists, source: str) -> None:
    """Write lists in one step (0600). Raises InventoryError; what was there before is still there then."""
    document: Dict[str, Any] = {
        "format": _FORMAT,
        "schema": SCHEMA,
        "taken_at": datetime.now(timezone.utc).strftime(_TIME),
        "source": source,
        "netbox_version": lists.netbox_version,
        "lists": lists.objects,
    }
    data = gzip.compress(json.dumps(document, separators=(",", ":")).encode("utf-8"), compresslevel=4, mtime=0)
    folder = os.path.dirname(os.path.abspath(path))
    temporary = ""
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".%s." % os.path.basename(path), dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except OSError as error:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
        raise InventoryError("the lists cannot be written: %s" % error.strerror, where=path) from error


def _names(objects: Objects) -> Dict[int, str]:
    return {entry["id"]: str(entry.get("name")) for entry in objects}
