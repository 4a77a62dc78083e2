"""Tags of many hosts by GraphQL, asked for tag by tag.

NetBox spends more on tags that are nested in hosts than on all else of them. The ids of the hosts that have a tag cost
it little, so where there are many hosts and few tags these are asked for, and for some hosts also the tags themselves,
which proves the first.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from . import graphql
from .objects import KINDS
from .pages import Lists

Newest = Mapping[str, Tuple[int, int]]
Entries = Mapping[str, Sequence[Dict[str, Any]]]
Wanted = Dict[Tuple[str, int], List[graphql.Range]]

# What a page, and what an id in it, costs NetBox, in hosts with their tags nested.
_PAGE, _ID = 25.0, 0.1
_WORTH = 0.5
# Tags are not spread evenly over ids: so full is a page on the average.
_FILLED = 0.7
_PROOFS = 50
# So many hosts are read at once in any case.
_FEW = 500


class Tagging:
    """The tags of the hosts that are read.

    Args:
        newest: kind -> how many hosts there are, and their largest id.
    """

    def __init__(self, lists: Lists, hosts: graphql.Hosts, newest: Newest, page_size: int) -> None:
        self._hosts = hosts
        many = sum(count for count, _last in newest.values()) >= _FEW
        self._wanted = _wanted(_counts(lists), newest, page_size) if many else None

    @property
    def is_apart(self) -> bool:
        """Whether tags are asked for apart from the hosts."""
        return self._wanted is not None

    def put(self, found: Entries) -> bool:
        """Give each host its tags, as GraphQL nests them, and return whether that is borne out.

        Raises:
            SourceError: there was no complete and well-formed answer.
        """
        try:
            tagged = self._hosts.tagged(self._wanted or {})
        except (graphql.NoGraphQLError, graphql.TwiceError):
            return False
        tags: Dict[Tuple[str, int], List[int]] = {}
        for (kind, tag), numbers in tagged.items():
            for number in numbers:
                tags.setdefault((kind, number), []).append(tag)
        for kind, entries in found.items():
            for entry in entries:
                entry["tags"] = [{"id": tag} for tag in tags.get((kind, entry["id"]), ())]
        return all(self._is_borne_out(kind, entries) for kind, entries in found.items())

    def _is_borne_out(self, kind: str, entries: Sequence[Dict[str, Any]]) -> bool:
        unlike: Dict[Tuple[int, ...], Dict[str, Any]] = {}
        for entry in entries:
            unlike.setdefault(tuple(sorted(tag["id"] for tag in entry["tags"])), entry)
        chosen = {entry["id"]: entry for entry in [*list(unlike.values())[:_PROOFS], *_spread(entries)]}
        own = {number: {tag["id"] for tag in entry["tags"]} for number, entry in chosen.items()}
        return self._hosts.tags_of(kind, sorted(chosen)) == own


def _counts(lists: Lists) -> Optional[Dict[int, int]]:
    """Return id of a tag -> on how many objects of any type it is, or None where NetBox does not say that."""
    entries = lists.whole(KINDS["extras.tag"].path, "id,tagged_items")
    counts: Dict[int, int] = {}
    for entry in entries:
        if not isinstance(entry.get("tagged_items"), int):
            return None
        counts[entry["id"]] = entry["tagged_items"]
    return counts


def _wanted(counts: Optional[Mapping[int, int]], newest: Newest, page_size: int) -> Optional[Wanted]:
    """Return in which ranges of ids to look for the hosts of each tag; None where nested tags cost less."""
    if counts is None:
        return None
    filled = max(1, int(page_size * _FILLED))
    wanted: Wanted = {}
    for kind, (count, last) in newest.items():
        for tag, items in counts.items():
            if items:
                most = min(items, count)
                wanted[kind, tag] = graphql.ranges(most, last, filled) if most > filled else [(1, graphql.NO_END)]
    pages = sum(map(len, wanted.values()))
    hosts = sum(count for count, _last in newest.values())
    is_worth = pages * _PAGE + sum(counts.values()) * _ID < hosts * _WORTH
    return wanted if is_worth else None


def _spread(entries: Sequence[Dict[str, Any]]) -> Sequence[Dict[str, Any]]:
    return entries[:: max(1, len(entries) // _PROOFS)]
