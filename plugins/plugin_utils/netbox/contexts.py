"""Config context, rendered by NetBox once for all hosts to which the same contexts are assigned.

Which contexts a host gets depends on its site, location, device type, role, platform, cluster, tenant and tags, and on
nothing else. Hosts that are alike in all of these that some context asks for get the same, besides their local data.
NetBox renders it for one or two hosts of each such set, and the second one proves the first.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Optional, Sequence, Set, Tuple

from .faults import SourceError
from .rows import Row, Table

Context = Dict[str, Any]
Render = Callable[[str, Sequence[int]], Mapping[int, Context]]
Label = Tuple[Any, ...]

# What contexts are assigned to -> the columns of a host that decide it.
_DECIDED_BY: Mapping[str, Sequence[str]] = {
    "regions": ("site",),
    "site_groups": ("site",),
    "sites": ("site",),
    "locations": ("location",),
    "device_types": ("device_type",),
    "roles": ("role",),
    "platforms": ("platform",),
    "cluster_types": ("cluster",),
    "cluster_groups": ("cluster",),
    "clusters": ("cluster",),
    "tenant_groups": ("tenant",),
    "tenants": ("tenant",),
}
FIELDS = "id,is_active,tags,%s" % ",".join(_DECIDED_BY)
_WORTH = 0.5
_SPREAD = 50


class Assignment:
    """What decides which contexts a host gets.

    Args:
        contexts: config contexts as REST lists them with FIELDS; None if they cannot be seen.
    """

    def __init__(self, contexts: Optional[Sequence[Mapping[str, Any]]]) -> None:
        self._tags: Optional[FrozenSet[int]] = None
        columns = {column for listed in _DECIDED_BY.values() for column in listed}
        if contexts is not None:
            asked = {name for context in contexts for name in _DECIDED_BY if context.get(name, True)}
            columns = {column for name in asked for column in _DECIDED_BY[name]}
            self._tags = frozenset(tag["id"] for context in contexts for tag in context.get("tags") or ())
        self._columns = sorted(columns)

    def label(self, row: Row) -> Label:
        """Return what is equal for hosts that get the same contexts."""
        tags = row["tags"] if self._tags is None else [tag for tag in row["tags"] if tag in self._tags]
        return (*(row[column] for column in self._columns), tuple(tags))


def render_all(hosts: Mapping[str, Table], assignment: Assignment, render: Render) -> None:
    """Put the rendered config context into each row.

    Args:
        hosts: kind -> id -> row.
        render: asks NetBox for the rendered context of some hosts of a kind; hosts that are gone are missing.

    Raises:
        SourceError: what NetBox gave is not whole.
    """
    for kind, table in hosts.items():
        sets: Dict[Label, List[Row]] = {}
        for row in table.values():
            sets.setdefault(assignment.label(row), []).append(row)
        proofs = sorted(_proofs(sets) | _spread(table))
        if len(proofs) > _WORTH * len(table) or not _by_sets(table, sets, render(kind, proofs)):
            render_each(table, partial(render, kind))


def _proofs(sets: Mapping[Label, List[Row]]) -> Set[int]:
    """Return the ids of the first host without local data and of the last one of each set."""
    return {row["id"] for rows in sets.values() for row in (_plain(rows), rows[-1])}


def _spread(table: Table) -> Set[int]:
    """Return the ids of some hosts that differ in anything that could decide, should a context be hidden from us."""
    every = Assignment(None)
    unlike = list({every.label(row): number for number, row in table.items()}.values())
    return set(unlike[:: max(1, len(unlike) // _SPREAD)])


def _plain(rows: List[Row]) -> Row:
    return next((row for row in rows if not row["local_context_data"]), rows[0])


def _by_sets(table: Table, sets: Mapping[Label, List[Row]], rendered: Mapping[int, Context]) -> bool:
    """Fill all rows, and return whether all that NetBox rendered bears it out."""
    for rows in sets.values():
        first = _plain(rows)
        if first["id"] not in rendered or (first["local_context_data"] and len(rows) > 1):
            return False
        shared = rendered[first["id"]]
        for row in rows:
            local = row["local_context_data"] if row is not first else None
            row["config_context"] = merged(shared, local) if local else shared
    return all(table[number]["config_context"] == context for number, context in rendered.items())


def render_each(table: Table, render: Callable[[Sequence[int]], Mapping[int, Context]]) -> None:
    """Put the config context that NetBox renders for each host into its row. Raises SourceError."""
    rendered = render(list(table)) if table else {}
    for number, row in table.items():
        if number not in rendered:
            raise SourceError(
                "NetBox gave no config context for host %s" % row["name"],
                hint="if many objects are being changed right now, try again later",
            )
        row["config_context"] = rendered[number]


def merged(lower: Context, higher: Context) -> Context:
    """Return two contexts as NetBox merges them: dictionaries key by key, everything else as the higher has it."""
    result = dict(lower)
    for key, value in higher.items():
        below = lower.get(key)
        both = isinstance(below, dict) and isinstance(value, dict) and value
        result[key] = merged(below, value) if both and below is not None else value
    return result
