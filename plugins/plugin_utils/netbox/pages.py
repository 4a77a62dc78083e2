"""Lists of NetBox's REST API, paged by id, not by offset.

A change in mid-read neither loses nor doubles an object. Each list's count is compared with what came, and each page
must have the right form.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

from .client import Client
from .faults import SourceError

Parameters = Sequence[Tuple[str, str]]
Entry = Dict[str, Any]

_IDS_AT_ONCE = 200


class Lists:
    """Reads whole lists.

    Args:
        page_size: objects a page; NetBox may give fewer (MAX_PAGE_SIZE).
    """

    def __init__(self, client: Client, page_size: int) -> None:
        self._client = client
        self._page_size = page_size
        self._base = client.endpoint.base

    def whole(self, path: str, fields: str, parameters: Parameters = ()) -> List[Entry]:
        """Return all objects of a list. Raises SourceError unless they are as many as NetBox counts."""
        objects, expected = self._pages(path, fields, parameters)
        if len(objects) != expected:
            expected = self.count(path, parameters)
        if len(objects) != expected:
            objects, expected = self._pages(path, fields, parameters)
        if len(objects) != expected:
            raise SourceError(
                "NetBox counts %d objects, and %d came" % (expected, len(objects)),
                where=self._base + path,
                hint="if many objects are being changed right now, try again later",
            )
        return objects

    def of_ids(self, path: str, fields: str, ids: Sequence[int], parameters: Parameters = ()) -> List[Entry]:
        """Return the objects of these ids that there are and that match the parameters. Raises SourceError."""
        found: List[Entry] = []
        wanted = set(ids)
        for start in range(0, len(ids), _IDS_AT_ONCE):
            asked = [("id", str(number)) for number in ids[start : start + _IDS_AT_ONCE]]
            found += self.whole(path, fields, [*parameters, *asked])
        if not wanted.issuperset(entry["id"] for entry in found):
            raise SourceError("NetBox gave other objects than were asked for", where=self._base + path)
        return found

    def after(self, path: str, fields: str, number: int) -> List[Entry]:
        """Return the objects of a list with larger ids than this one. Raises SourceError."""
        return self._pages(path, fields, (), number)[0]

    def count(self, path: str, parameters: Parameters = ()) -> int:
        """Return how many objects NetBox counts. Raises SourceError."""
        return self._page(path, [*parameters, ("fields", "id"), ("ordering", "id"), ("limit", "1")], 0)[0]

    def newest(self, path: str) -> Tuple[int, int]:
        """Return how many objects NetBox counts in a list, and the largest id, or 0. Raises SourceError."""
        count, page = self._page(path, [("fields", "id"), ("ordering", "-id"), ("limit", "1")], 0)
        return count, page[0]["id"] if page else 0

    def _pages(self, path: str, fields: str, parameters: Parameters, after: int = 0) -> Tuple[List[Entry], int]:
        """Return the objects of a list in order of id, and how many NetBox said there were at first."""
        objects: List[Entry] = []
        first: Optional[int] = None
        while True:
            query = [*parameters, ("fields", fields), ("ordering", "id"), ("limit", str(self._page_size))]
            last = objects[-1]["id"] if objects else after
            if last:
                query.append(("id__gt", str(last)))
            count, page = self._page(path, query, last)
            first = count if first is None else first
            objects += page
            if len(page) == count:
                return objects, first

    def _page(self, path: str, query: List[Tuple[str, str]], after: int) -> Tuple[int, List[Entry]]:
        answer = self._client.get(path, query)
        where = self._base + path
        if not isinstance(answer, dict) or not _is_number(answer.get("count")):
            raise SourceError("the answer is no page of a list: it has no count", where=where)
        count, page = answer["count"], answer.get("results")
        if not isinstance(page, list) or not all(_has_id(entry) for entry in page):
            raise SourceError("the answer is no page of a list: its results are no objects with an id", where=where)
        ids = [after, *(entry["id"] for entry in page)]
        if any(ids[position] <= ids[position - 1] for position in range(1, len(ids))):
            raise SourceError("the objects of a page are not in the order of id that was asked for", where=where)
        if len(page) > count or (count and not page):
            raise SourceError("NetBox counts %d more objects and sent %d" % (count, len(page)), where=where)
        return count, page


def _has_id(entry: object) -> bool:
    return isinstance(entry, dict) and _is_number(entry.get("id"))


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
