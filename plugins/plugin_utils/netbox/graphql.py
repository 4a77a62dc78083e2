"""Hosts by NetBox's GraphQL: own columns and the ids of what they refer to, in ranges of ids.

A range of ids holds no more objects than it has ids, so a page of it is whole, or it is read again in halves: a change
in mid-read neither loses nor doubles a host, and no page waits for another one.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any, Dict, Hashable, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple, TypeVar

from .answers import AnswerError
from .client import Client
from .faults import SourceError
from .pace import Pace, gather

_LISTS = {"device": "device_list", "virtual_machine": "virtual_machine_list"}
_TYPES = {"device": "DeviceType", "virtual_machine": "VirtualMachineType"}
_OWN = ("name", "status", "serial", "local_context_data", "custom_fields", "created", "last_updated")
_OWN_OF = {"device": ("asset_tag", "position"), "virtual_machine": ()}
_NAMED = ("site", "role", "platform", "tenant", "cluster")
_NAMED_OF = {"device": ("location", "rack", "device_type"), "virtual_machine": ()}
_ADDRESSES_OF = {"device": ("primary_ip4", "primary_ip6", "oob_ip"), "virtual_machine": ("primary_ip4", "primary_ip6")}
_IDS_AT_ONCE = 500
NO_END = 2**63 - 1

Range = Tuple[int, int]
Entry = Dict[str, Any]
Pages = Dict[Range, List[Entry]]
Key = TypeVar("Key", bound=Hashable)


class NoGraphQLError(Exception):
    """This NetBox cannot be read by GraphQL, and why."""


class TwiceError(SourceError):
    """An answer has an object twice."""


def unsupported(client: Client) -> Optional[str]:
    """Return why hosts cannot be read by GraphQL here, or None if they can.

    Raises:
        SourceError: there was no complete and well-formed answer.
    """
    asked = "name fields{name}"
    text = '{device:__type(name:"DeviceType"){%s} virtual_machine:__type(name:"VirtualMachineType"){%s} ' % (
        asked,
        asked,
    )
    text += 'lookup:__type(name:"IDComparisonFilterLookup"){inputFields{name}}}'
    try:
        answer = ask(client, text)
    except NoGraphQLError as error:
        return str(error)
    lookup = {entry["name"] for entry in (answer.get("lookup") or {}).get("inputFields") or ()}
    if not lookup >= {"gte", "lt", "in_list"}:
        return "this version has no ranges of ids in GraphQL filters"
    for kind in _LISTS:
        known = {entry["name"] for entry in (answer.get(kind) or {}).get("fields") or ()}
        lacking = sorted({"id", "tags", "config_context", *_columns(kind)} - known)
        if lacking:
            return "GraphQL lacks %s of %s" % (", ".join(lacking), _TYPES[kind])
    return None


def ask(client: Client, text: str) -> Dict[str, Any]:
    """Return the data of an answer to a query.

    Raises:
        NoGraphQLError: GraphQL is switched off, or it refuses such a query.
        SourceError: there was no complete and well-formed answer.
    """
    try:
        answer = client.query(text)
    except AnswerError as error:
        raise NoGraphQLError(str(error)) from error
    where = client.endpoint.base + "/graphql/"
    if not isinstance(answer, dict) or "data" not in answer:
        raise SourceError("the answer is none of GraphQL: it has no data", where=where)
    if answer.get("errors"):
        said = "; ".join(str(error.get("message"))[:300] for error in answer["errors"][:3] if isinstance(error, dict))
        if "null for non-nullable" in said:
            raise SourceError(
                "GraphQL: %s" % said,
                where=where,
                hint="a related object is hidden from the token: give it the right to view all of them",
            )
        raise NoGraphQLError("GraphQL: %s" % said)
    if not isinstance(answer["data"], dict):
        raise SourceError("the answer of GraphQL has no data", where=where)
    return answer["data"]


class _Asked(NamedTuple):
    """What is asked of each range of ids: of which kind, with which more filters, and which columns."""

    kind: str
    filters: str
    selection: str


class Hosts:
    """Reads devices and virtual machines.

    Args:
        page_size: objects a page; NetBox may give fewer (MAX_PAGE_SIZE).
    """

    def __init__(self, client: Client, page_size: int) -> None:
        self._client = client
        self._page_size = page_size
        self._most = page_size

    def whole(self, newest: Mapping[str, Tuple[int, int]], *, with_tags: bool = True) -> Dict[str, List[Entry]]:
        """Return all hosts of each kind.

        Args:
            newest: kind -> how many there are, and their largest id, as REST counts them.
            with_tags: whether each host comes with its tags.

        Raises:
            SourceError: an answer is not whole and well-formed.
            NoGraphQLError: GraphQL refuses such a query.
        """
        self._most = self._page_size
        asked = {kind: _Asked(kind, "", _selection(kind, with_tags=with_tags)) for kind in newest}
        wanted = {kind: ranges(count, last, self._page_size) for kind, (count, last) in newest.items()}
        pages = self._swept(asked, wanted)
        if any(_total(pages[kind]) < newest[kind][0] for kind in newest):
            self._most = max([1, *(len(page) for held in pages.values() for page in held.values())])
            self._sweep(asked, {kind: _cut_off(pages[kind], self._most) for kind in newest}, pages)
        return {kind: _joined(pages[kind]) for kind in newest}

    def tagged(self, wanted: Mapping[Tuple[str, int], Sequence[Range]]) -> Dict[Tuple[str, int], Set[int]]:
        """Return the ids of the hosts that have a tag.

        Args:
            wanted: kind and id of the tag -> the ranges of ids of hosts in which to look, the last one without an end.

        Raises:
            SourceError, NoGraphQLError: as `whole` does.
        """
        asked = {key: _Asked(key[0], 'tags:{id:{exact:"%d"}},' % key[1], "id") for key in wanted}
        pages = self._swept(asked, wanted)
        return {key: {entry["id"] for entry in _joined(pages[key])} for key in wanted}

    def tags_of(self, kind: str, numbers: Sequence[int]) -> Dict[int, Set[int]]:
        """Return id -> ids of tags of these hosts. Raises as `whole` does."""
        found = self._of_ids(kind, numbers, "id tags{id}")
        try:
            return {entry["id"]: {int(tag["id"]) for tag in entry["tags"]} for entry in found}
        except (KeyError, TypeError, ValueError) as error:
            raise SourceError(
                "the tags of a host have not their form: %r" % error, where=self._client.endpoint.base + "/graphql/"
            ) from error

    def _swept(self, asked: Mapping[Key, _Asked], wanted: Mapping[Key, Sequence[Range]]) -> Dict[Key, Pages]:
        pages: Dict[Key, Pages] = {key: {} for key in asked}
        self._sweep(asked, wanted, pages)
        return pages

    def _sweep(
        self, asked: Mapping[Key, _Asked], wanted: Mapping[Key, Sequence[Range]], pages: Mapping[Key, Pages]
    ) -> None:
        """Read ranges into the pages; those that may be cut off again in halves, until none is."""
        pace = Pace()
        while any(wanted.values()):
            tasks = {key: [partial(self._page, asked[key], span) for span in spans] for key, spans in wanted.items()}
            for key, listed in gather(tasks, pace).items():
                pages[key].update({span: listed[number] for number, span in enumerate(wanted[key])})
            wanted = {key: _cut_off(pages[key], self._most) for key in pages}

    def of_ids(self, kind: str, numbers: Sequence[int]) -> List[Entry]:
        """Return the hosts of these ids that there are. Raises as `whole` does."""
        return self._of_ids(kind, numbers, _selection(kind))

    def contexts(self, kind: str, numbers: Sequence[int]) -> Dict[int, Dict[str, Any]]:
        """Return id -> rendered config context of these hosts. Raises as `whole` does."""
        return {entry["id"]: entry["config_context"] for entry in self._of_ids(kind, numbers, "id config_context")}

    def _page(self, asked: _Asked, span: Range) -> List[Entry]:
        below = "" if span[1] == NO_END else ',lt:"%d"' % span[1]
        filters = '%sid:{gte:"%d"%s}' % (asked.filters, span[0], below)
        page = self._list(asked.kind, filters, self._page_size, asked.selection)
        if not all(span[0] <= entry["id"] < span[1] for entry in page):
            raise SourceError(
                "the objects of a page are not in the range of ids that was asked for",
                where=self._client.endpoint.base + "/graphql/",
            )
        return page

    def _of_ids(self, kind: str, numbers: Sequence[int], selection: str) -> List[Entry]:
        """Return hosts of these ids; where NetBox gives smaller pages than asked for, in smaller portions."""
        found: List[Entry] = []
        waiting = [list(numbers[at : at + _IDS_AT_ONCE]) for at in range(0, len(numbers), _IDS_AT_ONCE)]
        while waiting:
            asked = waiting.pop()
            filters = "id:{in_list:%s}" % json.dumps([str(number) for number in asked])
            page = self._list(kind, filters, len(asked), selection)
            found += page
            rest = sorted(set(asked).difference(entry["id"] for entry in page))
            if page and rest:
                waiting.append(rest)
        return found

    def _list(self, kind: str, filters: str, limit: int, selection: str) -> List[Entry]:
        name = _LISTS[kind]
        data = ask(self._client, "{%s(filters:{%s},pagination:{limit:%d}){%s}}" % (name, filters, limit, selection))
        page = data.get(name)
        where = self._client.endpoint.base + "/graphql/"
        if not isinstance(page, list) or not all(isinstance(entry, dict) and entry.get("id") for entry in page):
            raise SourceError("%s in the answer is no list of objects with an id" % name, where=where)
        for entry in page:
            entry["id"] = int(entry["id"])
        if len({entry["id"] for entry in page}) != len(page):
            raise TwiceError("%s in the answer has an object twice" % name, where=where)
        return page


def _columns(kind: str) -> List[str]:
    return [*_OWN, *_OWN_OF[kind], *_NAMED, *_NAMED_OF[kind], *_ADDRESSES_OF[kind]]


def _selection(kind: str, *, with_tags: bool = True) -> str:
    named = ["%s{id}" % column for column in (*_NAMED, *_NAMED_OF[kind], *(("tags",) if with_tags else ()))]
    addresses = ["%s{id address dns_name}" % column for column in _ADDRESSES_OF[kind]]
    return " ".join(("id", *_OWN, *_OWN_OF[kind], *named, *addresses))


def ranges(count: int, last: int, page_size: int) -> List[Range]:
    """Return ranges of ids in each of which about a page of objects is, the last one without an end."""
    width = max(page_size, -(-last * page_size // max(count, 1)))
    starts = list(range(1, last + 1, width)) or [1]
    return [(start, start + width) for start in starts[:-1]] + [(starts[-1], NO_END)]


def _cut_off(pages: Pages, most: int) -> List[Range]:
    """Take out the pages that may be cut off, and return the ranges that are to be read for them."""
    again: List[Range] = []
    for (start, without_end), page in list(pages.items()):
        if len(page) < most:
            continue
        end = without_end
        if end == NO_END:
            end = 1 + max(entry["id"] for entry in page)
            again.append((end, NO_END))
            pages[start, end] = pages.pop((start, NO_END))
        if end - start > len(page):
            del pages[start, end]
            again += [(start, (start + end) // 2), ((start + end) // 2, end)]
    return again


def _joined(pages: Pages) -> List[Entry]:
    return [entry for span in sorted(pages) for entry in pages[span]]


def _total(pages: Pages) -> int:
    return sum(len(page) for page in pages.values())
