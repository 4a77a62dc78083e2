"""Reading the rows of hosts, all of them or some, by GraphQL or by REST."""

from __future__ import annotations

from functools import partial
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple

from . import contexts, graphql
from .answers import AnswerError
from .client import Client
from .custom_fields import CustomFields
from .faults import SourceError
from .filters import Filter
from .objects import KINDS, PATHS
from .pace import Pace, gather
from .pages import Lists
from .query import Query
from .rows import Entry, Table, Tables, host_row
from .tagging import Tagging

_FIELDS = (
    "id,name,status,site,role,platform,tenant,cluster,serial,primary_ip4,primary_ip6,tags,custom_fields,created,"
    "last_updated,local_context_data"
)
_FIELDS_OF = {"device": ",location,rack,position,device_type,asset_tag,oob_ip", "virtual_machine": ""}
# What a host may lack: a token that may not see the object gets nothing in its place from GraphQL.
_MAY_LACK: Mapping[str, Sequence[str]] = {
    "device": ("tenant", "platform", "location", "rack", "cluster"),
    "virtual_machine": ("site", "role", "tenant", "platform", "cluster"),
}
_SEVERAL = 0.5


class HostReader:
    """What both ways have in common."""

    name = ""

    def __init__(self, client: Client, lists: Lists, page_size: int, base: str) -> None:
        self._client = client
        self._lists = lists
        self._page_size = page_size
        self._base = base

    def read(self, query: Query, tables: Tables) -> None:
        """Put all hosts of a query into the tables. Raises SourceError unless all came, whole and well-formed."""
        kinds = [kind for kind in query.kinds if query.takes(kind)]
        for _attempt in range(2):  # hosts may come and go meanwhile
            for kind, entries in self._entries(query, kinds).items():
                tables.hosts[kind] = self._rows(kind, entries, tables)
            fault = self._fault(query, tables.hosts)
            if fault is None:
                break
        else:
            raise fault
        self._complete(tables.hosts)
        if query.config_context:
            self.render(tables.hosts)

    def of_ids(self, query: Query, kind: str, numbers: Sequence[int], tables: Tables) -> Table:
        """Return the rows of those of these hosts that there are and that the query asks for. Raises SourceError."""
        rows = self._rows(kind, self._entries_of_ids(query, kind, numbers), tables)
        self._complete({kind: rows})
        if query.config_context:
            contexts.render_each(rows, partial(self._contexts, kind))
        return rows

    def render(self, hosts: Mapping[str, Table]) -> None:
        """Put the rendered config context into all rows. Raises SourceError."""
        try:
            listed: Optional[List[Any]] = self._lists.whole(KINDS["extras.configcontext"].path, contexts.FIELDS)
        except AnswerError:
            listed = None
        contexts.render_all(hosts, contexts.Assignment(listed), self._contexts)

    def _fault(self, query: Query, hosts: Mapping[str, Table]) -> Optional[SourceError]:
        """Return what does not fit what REST counts, or None. Raises SourceError if it does not count."""
        tasks = {kind: [partial(self._lists.count, PATHS[kind], query.parameters_of(kind))] for kind in hosts}
        for kind, (count,) in gather(tasks, Pace()).items():
            if count != len(hosts[kind]):
                return SourceError(
                    "REST counts %d %ss, and %d came by %s"
                    % (count, kind.replace("_", " "), len(hosts[kind]), self.name),
                    where=self._base + PATHS[kind],
                    hint="check the token's rights; if many objects are being changed right now, try again later",
                )
        return None

    def _rows(self, kind: str, entries: Sequence[Entry], tables: Tables) -> Table:
        where = self._base + PATHS[kind]
        return {entry["id"]: host_row(kind, entry, tables.related, where) for entry in entries}

    def _entries(self, query: Query, kinds: Sequence[str]) -> Dict[str, List[Any]]:
        raise NotImplementedError

    def _entries_of_ids(self, query: Query, kind: str, numbers: Sequence[int]) -> List[Any]:
        raise NotImplementedError

    def _complete(self, hosts: Mapping[str, Table]) -> None:
        """Put what the entries lacked into the rows."""

    def _contexts(self, kind: str, numbers: Sequence[int]) -> Mapping[int, Dict[str, Any]]:
        raise NotImplementedError


class RestHosts(HostReader):
    """By REST, with only the fields that are needed."""

    name = "REST"

    def _entries(self, query: Query, kinds: Sequence[str]) -> Dict[str, List[Any]]:
        tasks = {kind: [partial(self._whole, kind, query.parameters_of(kind))] for kind in kinds}
        return {kind: entries for kind, (entries,) in gather(tasks, Pace()).items()}

    def _whole(self, kind: str, parameters: Sequence[Filter]) -> List[Any]:
        return self._lists.whole(PATHS[kind], _FIELDS + _FIELDS_OF[kind], parameters)

    def _entries_of_ids(self, query: Query, kind: str, numbers: Sequence[int]) -> List[Any]:
        return self._lists.of_ids(PATHS[kind], _FIELDS + _FIELDS_OF[kind], numbers, query.parameters_of(kind))

    def _contexts(self, kind: str, numbers: Sequence[int]) -> Mapping[int, Dict[str, Any]]:
        entries = self._lists.of_ids(PATHS[kind], "id,config_context", numbers)
        return {entry["id"]: entry["config_context"] for entry in entries}


class GraphQLHosts(HostReader):
    """By GraphQL; what it cannot say, and the proof that nothing is hidden, comes from REST."""

    name = "GraphQL"

    def __init__(self, client: Client, lists: Lists, page_size: int, base: str) -> None:
        super().__init__(client, lists, page_size, base)
        self._hosts = graphql.Hosts(client, page_size)
        self._fields: Optional[CustomFields] = None

    def _fault(self, query: Query, hosts: Mapping[str, Table]) -> Optional[SourceError]:
        """Compare with REST how many there are, and how many have no tenant, no rack and so on."""
        fault = super()._fault(query, hosts)
        if fault is not None:
            return fault
        tasks = {
            (kind, column): [partial(self._lists.count, PATHS[kind], [*query.parameters_of(kind), *lacks])]
            for kind in hosts
            for column, lacks in _lacks(kind, query)
        }
        for (kind, column), (count,) in gather(tasks, Pace()).items():
            if count != _lacking(hosts[kind], column):
                return SourceError(
                    "by GraphQL %d %ss have no %s, and REST counts %d"
                    % (_lacking(hosts[kind], column), kind.replace("_", " "), column.replace("_", " "), count),
                    where=self._base + PATHS[kind],
                    hint="check that the token may view all of them; if objects are being changed, try again later",
                )
        return None

    def _entries(self, query: Query, kinds: Sequence[str]) -> Dict[str, List[Any]]:
        newest = {kind: self._lists.newest(PATHS[kind]) for kind in kinds}
        chosen = {kind: self._chosen(query, kind) for kind in kinds}
        few = {kind for kind in kinds if _is_few(chosen[kind], newest[kind][0])}
        found = self._many({kind: newest[kind] for kind in kinds if kind not in few})
        for kind in few:
            found[kind] = self._hosts.of_ids(kind, sorted(chosen[kind] or ()))
        return {kind: _taken(query, kind, found[kind], chosen[kind]) for kind in kinds}

    def _many(self, newest: Mapping[str, Tuple[int, int]]) -> Dict[str, List[Any]]:
        """Return all hosts of each kind, with their tags asked for apart where that is less work for NetBox."""
        tagging = Tagging(self._lists, self._hosts, newest, self._page_size)
        found = self._hosts.whole(newest, with_tags=not tagging.is_apart)
        if tagging.is_apart and not tagging.put(found):
            found = self._hosts.whole(newest)
        return found

    def _entries_of_ids(self, query: Query, kind: str, numbers: Sequence[int]) -> List[Any]:
        chosen: Optional[Set[int]] = None
        if query.filters.get(kind):
            entries = self._lists.of_ids(PATHS[kind], "id", numbers, query.parameters_of(kind))
            chosen = {entry["id"] for entry in entries}
        return _taken(query, kind, self._hosts.of_ids(kind, numbers), chosen)

    def _chosen(self, query: Query, kind: str) -> Optional[Set[int]]:
        """Return the ids that match the filters of a kind, as REST understands them; None without filters."""
        if not query.filters.get(kind):
            return None
        return {entry["id"] for entry in self._lists.whole(PATHS[kind], "id", query.parameters_of(kind))}

    def _complete(self, hosts: Mapping[str, Table]) -> None:
        try:
            self._fields = self._fields or CustomFields(self._lists)
        except AnswerError as error:
            raise graphql.NoGraphQLError("custom fields cannot be seen: %s" % error) from error
        for kind, table in hosts.items():
            self._fields.complete(kind, table, PATHS[kind])

    def _contexts(self, kind: str, numbers: Sequence[int]) -> Mapping[int, Dict[str, Any]]:
        return self._hosts.contexts(kind, numbers)


def _lacks(kind: str, query: Query) -> List[Tuple[str, List[Filter]]]:
    """Return for each column how REST is asked for hosts without it, unless the query's filters speak of it too."""
    columns = [(column, [("%s_id" % column, "null")]) for column in _MAY_LACK[kind]]
    columns.append(("primary_address", [("has_primary_ip", "false")]))
    taken = {name for name, _value in query.filters.get(kind, ())}
    return [(column, lacks) for column, lacks in columns if lacks[0][0] not in taken]


def _lacking(table: Table, column: str) -> int:
    if column == "primary_address":
        return sum(row["primary_ip4"] is None and row["primary_ip6"] is None for row in table.values())
    return sum(row[column] is None for row in table.values())


def _is_few(chosen: Optional[Set[int]], count: int) -> bool:
    return chosen is not None and len(chosen) < count * _SEVERAL


def _taken(query: Query, kind: str, entries: List[Any], chosen: Optional[Set[int]]) -> List[Any]:
    if chosen is not None:
        return [entry for entry in entries if entry["id"] in chosen]
    statuses = query.statuses_of(kind)
    return [entry for entry in entries if not statuses or entry.get("status") in statuses]
