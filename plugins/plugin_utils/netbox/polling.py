"""Which objects say that they were updated lately: those written without an entry in the changelog are among them."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from . import graphql
from .changes import Change, NotExactError
from .client import Client
from .faults import SourceError
from .objects import HOSTS, KINDS, PATHS, SERVICE
from .pages import Lists

Updated = Dict[str, Dict[str, str]]

_MOST = 1000
_FEW = 20


def poll(client: Client, lists: Lists, since: Optional[str], *, by_graphql: bool, services: bool) -> Updated:
    """Return type -> id -> when it was updated, of what was updated since a time.

    Without GraphQL only devices and virtual machines are looked at: a request for each type would be too many.

    Raises:
        NotExactError: there are more than one answer can hold.
        SourceError: there was no complete and well-formed answer.
    """
    if since is None:
        return {}
    if not by_graphql:
        return {label: _by_rest(lists, PATHS[kind], since) for label, kind in HOSTS.items()}
    asked = {label: kind for label, kind in KINDS.items() if services or label != SERVICE}
    selection = '(filters:{last_updated:{gte:"%s"}},pagination:{limit:%d}){id last_updated}' % (since, _MOST)
    answer = graphql.ask(client, "{%s}" % " ".join(kind.graphql + selection for kind in asked.values()))
    found: Updated = {}
    for label, kind in asked.items():
        entries = answer.get(kind.graphql) or []
        found[label] = _updated(entries, kind.path)
        if len(entries) > _FEW and len(entries) != lists.count(kind.path, [("last_updated__gte", since)]):
            raise NotExactError("more objects of type %s changed than one answer holds" % label)
        _check(found[label], since)
    return found


def news(found: Mapping[str, Mapping[str, str]], known: object) -> List[Change]:
    """Return (type, id) of what was not updated at that time when it was looked at before."""
    before = known if isinstance(known, dict) else {}
    return [
        (label, int(number))
        for label, updated in found.items()
        for number, moment in updated.items()
        if before.get(label, {}).get(number) != moment
    ]


def _by_rest(lists: Lists, path: str, since: str) -> Dict[str, str]:
    entries = lists.whole(path, "id,last_updated", [("last_updated__gte", since)])
    found = _updated(entries, path)
    _check(found, since)
    return found


def _updated(entries: List[Mapping[str, Any]], where: str) -> Dict[str, str]:
    try:
        return {str(entry["id"]): str(entry["last_updated"]) for entry in entries}
    except (KeyError, TypeError) as error:
        raise SourceError("an object has not the form that was asked for: it lacks %s" % error, where=where) from error


def _check(found: Mapping[str, str], since: str) -> None:
    if any(moment[:19] < since[:19] for moment in found.values()):
        raise NotExactError("NetBox does not look for objects by when they were updated")
