"""Filters of a query, and whether NetBox knows them.

NetBox ignores a filter that it does not know without a word and answers with the whole fleet, so each name is checked
before an answer is trusted: against the names that all supported versions have, else against the server's schema.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Callable, Dict, FrozenSet, Iterable, List, Mapping, Sequence, Tuple

from .faults import InventoryError

Filter = Tuple[str, str]

_CHOSEN = (
    "status site site_id site_group site_group_id region region_id role role_id platform platform_id tenant tenant_id"
    " tenant_group tenant_group_id cluster_id cluster_group cluster_group_id tag"
)
_CHOSEN_OF = {
    "device": "manufacturer manufacturer_id device_type device_type_id model location_id rack_id virtual_chassis_id",
    "virtual_machine": "cluster cluster_type cluster_type_id device device_id",
}
_PLAIN = "q mac_address has_primary_ip local_context_data description"
_PLAIN_OF = {
    "device": "serial asset_tag position has_oob_ip virtual_chassis_member",
    "virtual_machine": "vcpus memory disk",
}
_TEXT_LOOKUPS = ("n", "ic", "nic", "isw", "nisw", "iew", "niew", "ie", "nie", "empty")
_NUMBER_LOOKUPS = ("n", "lt", "lte", "gt", "gte")

_OURS = frozenset(("limit", "offset", "start", "ordering", "fields", "omit", "exclude", "brief", "format", "export"))


def _with_lookups(names: Iterable[str], lookups: Sequence[str]) -> List[str]:
    return [*names, *("%s__%s" % (name, lookup) for name in names for lookup in lookups)]


def _known_to_all(kind: str) -> FrozenSet[str]:
    known = _with_lookups(("%s %s" % (_CHOSEN, _CHOSEN_OF[kind])).split(), ("n",))
    known += ("%s %s" % (_PLAIN, _PLAIN_OF[kind])).split()
    known += _with_lookups(["name"], _TEXT_LOOKUPS)
    known += _with_lookups(["id", "created", "last_updated"], _NUMBER_LOOKUPS)
    return frozenset(known)


KNOWN: Mapping[str, FrozenSet[str]] = {kind: _known_to_all(kind) for kind in ("device", "virtual_machine")}


def parse_filters(option: str, entries: Iterable[object]) -> List[Filter]:
    """Return the filters of an option: a list of `name: value`, `name: [value, …]` or 'name=value'.

    Raises:
        InventoryError: an entry has another form, or belongs to what the plugin itself asks for.
    """
    filters: List[Filter] = []
    for entry in entries:
        if isinstance(entry, str) and "=" in entry:
            name, value = entry.split("=", 1)
            pairs: Mapping[Any, Any] = {name.strip(): value.strip()}
        elif isinstance(entry, dict):
            pairs = entry
        else:
            raise InventoryError(
                "a filter is a dictionary of name and value, not %r" % (entry,), where=option, hint="such as site: fra1"
            )
        for name, values in pairs.items():
            if name in _OURS:
                raise InventoryError("%s is no filter" % name, where=option)
            filters += [(str(name), _text(option, name, value)) for value in _as_list(values)]
    return filters


def check_filters(kind: str, filters: Iterable[Filter], schema_names: Callable[[str], FrozenSet[str]]) -> None:
    """Make sure that NetBox knows each filter.

    Args:
        kind: `device` or `virtual_machine`.
        schema_names: asks the server for the filters of this kind; only called for names that not all versions have.

    Raises:
        InventoryError: NetBox would ignore one of them.
    """
    doubtful = [name for name, _value in filters if name not in KNOWN[kind]]
    if not doubtful:
        return
    names = schema_names(kind)
    for name in doubtful:
        if name not in names:
            near = get_close_matches(name, sorted(names | KNOWN[kind]), n=1)
            raise InventoryError(
                "NetBox has no filter %r for %ss and would answer with all of them" % (name, kind.replace("_", " ")),
                hint="did you mean %s?" % near[0]
                if near
                else "device_query_filters and vm_query_filters are for one kind",
            )


def names_in_schema(schema: object, path: str) -> FrozenSet[str]:
    """Return the query parameters of a list in an OpenAPI schema; none if the schema does not have the list."""
    node = schema
    for key in ("paths", path, "get"):
        node = node.get(key) if isinstance(node, dict) else None
    parameters: List[Dict[str, Any]] = node.get("parameters", []) if isinstance(node, dict) else []
    return frozenset(str(entry["name"]) for entry in parameters if entry.get("in") == "query") - _OURS


def _as_list(values: object) -> List[Any]:
    return list(values) if isinstance(values, (list, tuple)) else [values]


def _text(option: str, name: object, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise InventoryError("filter %s has a value that is no text, number or boolean" % name, where=option)
