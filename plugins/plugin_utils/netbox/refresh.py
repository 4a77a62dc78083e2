"""From the tables of the last read, with what changed since, to those of now."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Dict, Iterable, Mapping, Optional, Set

from .changes import Change, NotExactError, as_server_time, changes_since, polled_from
from .client import Client
from .hosts import HostReader
from .objects import ADDRESS, ADDRESS_FIELDS, ANY_HOST, HOSTS, KINDS, OF_INTERFACES, SERVICE, SERVICE_LIST, TABLE_LISTS
from .pace import Pace, gather
from .pages import Lists
from .polling import news, poll
from .query import Query
from .rows import REFERENCES, Tables, related_row, service_row

_MOST_HOSTS = 0.3


class Refresh:
    """One refresh.

    Args:
        position: where the last read ended.

    Attributes:
        position: where this one ended.
        how: what was done, for people.
        altered: kind -> ids of the only hosts that are not as they were; None if others came, went or may differ.
    """

    def __init__(
        self, client: Client, lists: Lists, reader: HostReader, query: Query, position: Mapping[str, Any]
    ) -> None:
        self._client = client
        self._lists = lists
        self._reader = reader
        self._query = query
        self._before = position
        self.position: Dict[str, Any] = dict(position)
        self.how = "nothing changed"
        self.altered: Optional[Dict[str, Set[int]]] = None

    def run(self, kept: Callable[[], Tables]) -> Optional[Tables]:
        """Return the tables of now, or None if nothing changed that hosts are made of.

        Raises:
            NotExactError: what changed cannot be told exactly.
            SourceError: there was no complete and well-formed answer.
        """
        changed = self._changes()
        counts = self._counts()
        if not changed and counts == self._before.get("counts"):
            return None
        tables = kept()
        self._apply(changed, tables)
        if {kind: len(table) for kind, table in tables.hosts.items()} != counts:
            raise NotExactError("NetBox counts another number of hosts than the changes explain")
        self.position["counts"] = counts
        self.how = "%d changed objects, by %s" % (len(changed), self._reader.name)
        return tables

    def _changes(self) -> Set[Change]:
        if self._before.get("changelog") is None:
            raise NotExactError("the changelog could not be seen: %s" % self._before.get("unseen"))
        asked_at = as_server_time(self._client.server_time)
        since = changes_since(self._lists, self._before["changelog"])
        by_graphql = self._before.get("transport") == "graphql"
        updated = poll(
            self._client,
            self._lists,
            polled_from(self._before.get("asked_at")),
            by_graphql=by_graphql,
            services=self._query.services,
        )
        changed = {*since.changes, *news(updated, self._before.get("polled"))}
        self.position.update({"changelog": since.position, "asked_at": asked_at, "polled": updated})
        self._refuse({label for label, _number in changed})
        return {change for change in changed if self._concerns(change[0])}

    def _counts(self) -> Dict[str, int]:
        kinds = [kind for kind in self._query.kinds if self._query.takes(kind)]
        tasks = {
            kind: [partial(self._lists.count, path, self._query.parameters_of(kind))]
            for kind, path in ((HOSTS[label], KINDS[label].path) for label in HOSTS)
            if kind in kinds
        }
        return {kind: count for kind, (count,) in gather(tasks, Pace()).items()}

    def _concerns(self, label: str) -> bool:
        return label in KINDS and (label != SERVICE or self._query.services)

    def _refuse(self, labels: Set[str]) -> None:
        """Raise NotExactError if something changed of which it cannot be told which hosts it concerns."""
        if any(name.split("__", 1)[0] == "id" for listed in self._query.filters.values() for name, _value in listed):
            raise NotExactError("there are filters by id")
        if labels & ANY_HOST:
            raise NotExactError("custom fields were changed")
        if self._query.interfaces and labels & OF_INTERFACES:
            raise NotExactError("interfaces or addresses were changed")
        related = labels & KINDS.keys() - HOSTS.keys() - {ADDRESS, SERVICE}
        if self._query.has_filters() and related:
            raise NotExactError("%s was changed, on which the filters may depend" % ", ".join(sorted(related)))

    def _apply(self, changed: Set[Change], tables: Tables) -> None:
        numbers: Dict[str, Set[int]] = {label: set() for label in KINDS}
        for label, number in changed:
            numbers[label].add(number)
        hosts = {kind: numbers[label] for label, kind in HOSTS.items() if kind in tables.hosts}
        own = HOSTS.keys()
        narrow = all(label in own for label, _number in changed)
        there = {kind: set(found) & tables.hosts[kind].keys() for kind, found in hosts.items()}
        self._related(numbers, tables, hosts)
        self._addresses(numbers[ADDRESS], tables, hosts)
        self._hosts(hosts, tables)
        if narrow and there == {kind: found & tables.hosts[kind].keys() for kind, found in hosts.items()}:
            self.altered = there
        if self._query.services:
            self._services(numbers[SERVICE], tables)
        if self._query.config_context and any(numbers[label] and KINDS[label].decides_context for label in KINDS):
            self._reader.render(tables.hosts)

    def _related(self, numbers: Mapping[str, Set[int]], tables: Tables, hosts: Mapping[str, Set[int]]) -> None:
        """Read the tables anew of which something changed; hosts of what is gone must be read too."""
        names = sorted({name for label, found in numbers.items() if found for name in KINDS[label].tables})
        lists = gather({name: [partial(self._lists.whole, *TABLE_LISTS[name])] for name in names}, Pace())
        for name, (entries,) in lists.items():
            before = tables.related[name]
            tables.related[name] = {entry["id"]: related_row(name, entry) for entry in entries}
            _add_users(tables, name, before.keys() - tables.related[name].keys(), hosts)

    def _addresses(self, numbers: Set[int], tables: Tables, hosts: Mapping[str, Set[int]]) -> None:
        known = sorted(numbers & tables.related["addresses"].keys())
        if not known:
            return
        entries = self._lists.of_ids(KINDS[ADDRESS].path, ADDRESS_FIELDS, known)
        tables.related["addresses"].update({entry["id"]: related_row("addresses", entry) for entry in entries})
        _add_users(tables, "addresses", set(known) - {entry["id"] for entry in entries}, hosts)

    def _hosts(self, hosts: Mapping[str, Set[int]], tables: Tables) -> None:
        for kind, numbers in hosts.items():
            if not numbers:
                continue
            if len(numbers) > max(1000, len(tables.hosts[kind]) * _MOST_HOSTS):
                raise NotExactError("%d hosts changed" % len(numbers))
            rows = self._reader.of_ids(self._query, kind, sorted(numbers), tables)
            for number in numbers:
                tables.hosts[kind].pop(number, None)
            tables.hosts[kind].update(rows)
        for name in tables.missing(hosts):  # what others referred to and is gone, had them read too
            raise NotExactError("hosts refer to %s that no entry of the changelog names" % name)

    def _services(self, numbers: Set[int], tables: Tables) -> None:
        if not numbers or tables.services is None:
            return
        entries = self._lists.of_ids(*SERVICE_LIST, sorted(numbers))
        for number in numbers:
            tables.services.pop(number, None)
        tables.services.update({entry["id"]: service_row(entry) for entry in entries})


def _add_users(tables: Tables, name: str, gone: Iterable[int], hosts: Mapping[str, Set[int]]) -> None:
    """Add the hosts that refer to rows that are gone to those that must be read."""
    lost = set(gone)
    if not lost:
        return
    columns = [column for column, table in REFERENCES.items() if table == name]
    for kind, table in tables.hosts.items():
        for number, row in table.items():
            if any(row[column] in lost for column in columns) or (name == "tags" and lost.intersection(row["tags"])):
                hosts[kind].add(number)
