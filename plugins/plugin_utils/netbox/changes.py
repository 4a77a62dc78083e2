"""What changed in NetBox since a read: by the changelog's ids, and by when objects say that they were updated.

A transaction that commits late can have smaller ids in the changelog than one that was seen already, so the last ten
minutes of it are read again each time. Writes that leave no entry are found by `last_updated`, over the same time.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from .faults import SourceError
from .pages import Lists

OVERLAP = timedelta(minutes=10)
PATH = "/api/core/object-changes/"
_FIELDS = "id,time,changed_object_type,changed_object_id"
_LOOK_BACK = 500
_TIME = "%Y-%m-%dT%H:%M:%S"

Position = Dict[str, Any]
Change = Tuple[str, int]


class NotExactError(Exception):
    """What changed cannot be told exactly, and why: NetBox must be read in full."""


class Since(NamedTuple):
    """What changed: (type of object, id) of each entry of the changelog, and where to go on from."""

    changes: List[Change]
    position: Position


def position_of(lists: Lists) -> Position:
    """Return where the changelog is now. Raises SourceError, and AnswerError if it cannot be seen."""
    count, newest = lists.newest(PATH)
    if not count:
        return {"after": 0, "newest": 0, "seen": []}
    return _position(lists.after(PATH, _FIELDS, max(0, newest - _LOOK_BACK)), newest)


def changes_since(lists: Lists, position: Mapping[str, Any]) -> Since:
    """Return what was written to the changelog since a position.

    Raises:
        NotExactError: entries that were there are gone.
        SourceError: there was no complete and well-formed answer.
    """
    after, newest = _known(position)
    entries = lists.after(PATH, _FIELDS, after)
    numbers = [entry["id"] for entry in entries]
    if newest and newest not in numbers:
        raise NotExactError("the changelog was pruned, or it is another one")
    seen = set(position["seen"])
    try:
        new = [
            (str(entry["changed_object_type"]), int(entry["changed_object_id"]))
            for entry in entries
            if entry["id"] not in seen
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError("an entry of the changelog has not its form: %r" % error, where=PATH) from error
    return Since(new, _position(entries, max(numbers, default=0)))


def polled_from(server_time: Optional[str]) -> Optional[str]:
    """Return from which time on objects are looked at by `last_updated`, by the server's own clock."""
    if server_time is None:
        return None
    return (_parsed(server_time) - OVERLAP).strftime(_TIME) + "Z"


def as_server_time(moment: Optional[datetime]) -> Optional[str]:
    """Return a time as it is kept in a snapshot."""
    return moment.astimezone(timezone.utc).strftime(_TIME) if moment else None


def _position(entries: Sequence[Mapping[str, Any]], newest: int) -> Position:
    """Return the position after these entries: those of the last minutes will be read again."""
    if not entries:
        return {"after": 0, "newest": newest, "seen": []}
    edge = _moment(max(entry["time"] for entry in entries)) - OVERLAP
    again = [entry["id"] for entry in entries if _moment(entry["time"]) >= edge or entry["id"] == newest]
    again = again[-_LOOK_BACK:]
    return {"after": again[0] - 1, "newest": newest, "seen": again}


def _moment(text: object) -> datetime:
    try:
        return _parsed(str(text)[:19])
    except ValueError as error:
        raise SourceError("an entry of the changelog has no time: %r" % text, where=PATH) from error


def _parsed(text: str) -> datetime:
    return datetime.strptime(text, _TIME).replace(tzinfo=timezone.utc)


def _known(position: Mapping[str, Any]) -> Tuple[int, int]:
    if not isinstance(position.get("seen"), list) or type(position.get("after")) is not int:
        raise NotExactError("the last snapshot does not say where the changelog was")
    return position["after"], int(position["newest"])
