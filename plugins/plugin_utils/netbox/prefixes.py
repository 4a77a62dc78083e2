"""NetBox's prefixes, kept beside a snapshot: which network is of which site."""

from __future__ import annotations

import json
from functools import partial
from typing import Any, Dict, List, Mapping, Optional

from .changes import as_server_time, polled_from
from .client import Client
from .faults import InventoryError, SourceError
from .objects import KINDS
from .pace import Pace, gather
from .pages import Lists
from .private_files import write_privately

PATH = "/api/ipam/prefixes/"
_SCHEMA = 1
_SUFFIX = ".prefixes"
_FIELDS = "id,prefix,scope_type,scope"


class Prefixes:
    """The prefixes beside one snapshot.

    Args:
        path: of the snapshot.
    """

    def __init__(self, client: Client, page_size: int, path: str) -> None:
        self._client = client
        self._lists = Lists(client, page_size)
        self._path = path + _SUFFIX

    def renew(self) -> bool:
        """Make the file say what NetBox says now, and return whether it had to be read.

        It is read if the number of prefixes or sites is not what it was, or if one of them was updated since.

        Raises:
            SourceError: there was no complete and well-formed answer.
            InventoryError: the file cannot be written.
        """
        try:
            last = self._last()
            counts = self._counts((last or {}).get("since"))
            since = polled_from(as_server_time(self._client.server_time))
            if last is not None and counts == {**last["counts"], "updated": 0}:
                return False
            entries = [_shown(entry) for entry in self._lists.whole(PATH, _FIELDS)]
        finally:
            self._client.close()
        counts.pop("updated")
        document = {"schema": _SCHEMA, "source": self._client.endpoint.base, "since": since, "counts": counts}
        write_privately(self._path, json.dumps({**document, "prefixes": entries}).encode("utf-8"))
        return True

    def _last(self) -> Optional[Dict[str, Any]]:
        try:
            with open(self._path, encoding="utf-8") as file:
                last = json.load(file)
            same = last["schema"] == _SCHEMA and last["source"] == self._client.endpoint.base
            return last if same and isinstance(last["counts"], dict) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _counts(self, since: Optional[str]) -> Dict[str, int]:
        """Return how many prefixes and sites there are, and how many of them were updated since."""
        paths = {"prefixes": PATH, "sites": KINDS["dcim.site"].path}
        tasks = {name: [partial(self._lists.count, path)] for name, path in paths.items()}
        later = [("last_updated__gte", since or "")]
        tasks["updated"] = [partial(self._lists.count, path, later) for path in paths.values()] if since else []
        return {name: sum(counts) for name, counts in gather(tasks, Pace()).items()}


def _shown(entry: Mapping[str, Any]) -> Dict[str, Any]:
    """Return what is kept of a prefix, in the form in which NetBox says it."""
    scope = entry.get("scope")
    if not isinstance(entry.get("prefix"), str) or not isinstance(scope, (dict, type(None))):
        raise SourceError("a prefix has not its form: %r" % entry.get("prefix"), where=PATH)
    site = {"slug": scope.get("slug")} if scope and entry.get("scope_type") == "dcim.site" else None
    return {"prefix": entry["prefix"], "scope_type": "dcim.site" if site else None, "scope": site}


def renewed(prefixes: Prefixes) -> List[str]:
    """Bring the file up to date, and return what is to be warned of: hosts do not depend on it."""
    try:
        prefixes.renew()
    except InventoryError as fault:
        return ["the prefixes are not those of now: %s" % fault]
    return []
