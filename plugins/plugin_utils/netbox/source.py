"""NetBox as a source: read in full, or what changed since. Hosts come by GraphQL, or by REST where that cannot be."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, Callable, Dict, FrozenSet, Iterator, Mapping, Optional, Sequence, Set

from . import changes, graphql, objects
from .answers import AnswerError
from .client import Client
from .faults import Notices, SourceError
from .filters import check_filters, names_in_schema
from .hosts import GraphQLHosts, RestHosts
from .pace import Pace, gather
from .pages import Lists
from .polling import poll
from .query import Query
from .reading import FoundHost, Reading
from .records import build_records
from .refresh import Refresh
from .rows import Tables, related_row, service_row

OLDEST = (4, 2)
TRANSPORTS = ("auto", "graphql", "rest")


class NetBoxSource:
    """One NetBox.

    Args:
        page_size: objects a page; NetBox may give fewer (MAX_PAGE_SIZE).
        transport: how hosts are read: `graphql`, `rest`, or `auto` for GraphQL where it can be.
    """

    def __init__(self, client: Client, page_size: int = 1000, transport: str = "auto") -> None:
        self._client = client
        self._lists = Lists(client, page_size)
        self._page_size = page_size
        self._transport = transport
        self.url = client.endpoint.base

    def read(self, query: Query, notices: Notices) -> Reading:
        """Read what the query asks for.

        Raises:
            SourceError: NetBox is too old, or something did not come whole and well-formed.
            InventoryError: a filter is not known to NetBox.
        """
        try:
            return self._read(query, notices)
        finally:
            self._client.close()

    def update(
        self, query: Query, position: Mapping[str, Any], tables: Callable[[], Tables], notices: Notices
    ) -> Reading:
        """Read what changed since a position.

        Raises:
            NotExactError: that cannot be told exactly.
            SourceError: there was no complete and well-formed answer.
        """
        try:
            version = self._version()
            by_graphql = position.get("transport") == "graphql" and self._transport != "rest"
            reader = (GraphQLHosts if by_graphql else RestHosts)(self._client, self._lists, self._page_size, self.url)
            refresh = Refresh(self._client, self._lists, reader, query, position)
            found = refresh.run(tables)
            if found is None:
                return Reading([], version, None, refresh.position, refresh.how, changed=False)
            hosts = self._found(found, notices)
            reading = Reading(hosts, version, found, refresh.position, refresh.how)
            if refresh.altered is not None:
                reading.altered = list(self._found(found, notices, refresh.altered))
            return reading
        except graphql.NoGraphQLError as error:
            raise changes.NotExactError(str(error)) from error
        finally:
            self._client.close()

    def _read(self, query: Query, notices: Notices) -> Reading:
        version = self._version()
        for kind in filter(query.takes, query.kinds):
            check_filters(kind, query.filters.get(kind, ()), self._filters_in_schema)
        reason = "transport is rest" if self._transport == "rest" else graphql.unsupported(self._client)
        if reason is None:
            try:
                return self._read_by(query, version, notices, by_graphql=True)
            except graphql.NoGraphQLError as error:
                reason = str(error)
        if self._transport == "graphql":
            raise SourceError(reason, where=self.url, hint="transport: auto reads hosts by REST then")
        return self._read_by(query, version, notices, by_graphql=False, reason=reason)

    def _read_by(
        self, query: Query, version: str, notices: Notices, *, by_graphql: bool, reason: Optional[str] = None
    ) -> Reading:
        position = self._position(query, by_graphql=by_graphql)
        reader = (GraphQLHosts if by_graphql else RestHosts)(self._client, self._lists, self._page_size, self.url)
        tables = self._tables(query, objects.TABLE_LISTS if by_graphql else objects.NOT_CARRIED)
        reader.read(query, tables)
        lacking = tables.missing()
        if lacking:  # made while the hosts were read
            self._read_tables(tables, lacking)
        position["counts"] = {kind: len(table) for kind, table in tables.hosts.items()}
        how = "in full, by %s%s" % (reader.name, " (%s)" % reason if reason else "")
        return Reading(list(self._found(tables, notices)), version, tables, position, how)

    def _found(
        self, tables: Tables, notices: Notices, only: Optional[Mapping[str, Set[int]]] = None
    ) -> Iterator[FoundHost]:
        for record, created in build_records(tables, self.url, notices, only):
            yield FoundHost(record, created)

    def _position(self, query: Query, *, by_graphql: bool) -> Dict[str, Any]:
        asked_at = changes.as_server_time(self._client.server_time)
        position: Dict[str, Any] = {"transport": "graphql" if by_graphql else "rest", "asked_at": asked_at}
        try:
            position["changelog"] = changes.position_of(self._lists)
        except AnswerError as error:
            position["changelog"] = None
            position["unseen"] = str(error)
        try:
            since = changes.polled_from(asked_at)
            position["polled"] = poll(self._client, self._lists, since, by_graphql=by_graphql, services=query.services)
        except changes.NotExactError:
            position["polled"] = {}
        return position

    def _tables(self, query: Query, names: Sequence[str]) -> Tables:
        """Read what is not of the hosts themselves, several lists at a time."""
        tables = Tables()
        wanted: Dict[str, Sequence[Callable[[], Any]]] = {}
        if query.interfaces:
            for kind in query.kinds:
                wanted["interfaces " + kind] = [partial(self._lists.whole, *objects.INTERFACE_LISTS[kind])]
            wanted["assigned"] = [partial(self._lists.whole, *objects.ASSIGNED_LIST)]
        if query.services:
            wanted["services"] = [partial(self._lists.whole, *objects.SERVICE_LIST)]
        found = gather(wanted, Pace())
        if query.services:
            tables.services = {entry["id"]: service_row(entry) for entry in found["services"][0]}
        if query.interfaces:
            tables.interfaces = {kind: found["interfaces " + kind][0] for kind in query.kinds}
            tables.assigned = found["assigned"][0]
        self._read_tables(tables, names)
        return tables

    def _read_tables(self, tables: Tables, names: Sequence[str]) -> None:
        listed = [name for name in names if name in objects.TABLE_LISTS]
        found = gather({name: [partial(self._lists.whole, *objects.TABLE_LISTS[name])] for name in listed}, Pace())
        for name, (entries,) in found.items():
            tables.related[name] = {entry["id"]: related_row(name, entry) for entry in entries}

    def _version(self) -> str:
        answer = self._client.get("/api/status/")
        version = answer.get("netbox-version") if isinstance(answer, dict) else None
        match = re.match(r"(\d+)\.(\d+)", version) if isinstance(version, str) else None
        if match is None:
            raise SourceError(
                "the answer names no version of NetBox",
                where=self.url + "/api/status/",
                hint="is api_endpoint the address of NetBox?",
            )
        if (int(match.group(1)), int(match.group(2))) < OLDEST:
            raise SourceError("this is NetBox %s; 4.2 is the oldest that is supported" % version, where=self.url)
        return str(version)

    def _filters_in_schema(self, kind: str) -> FrozenSet[str]:
        names = names_in_schema(self._client.get("/api/schema/", [("format", "json")]), objects.PATHS[kind])
        if not names:
            raise SourceError("the schema does not say which filters there are", where=self.url + "/api/schema/")
        return names
