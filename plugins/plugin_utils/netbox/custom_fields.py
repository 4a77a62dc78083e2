"""Custom fields: REST gives some of their types in another form than GraphQL, which gives what is stored."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Set

from .pages import Lists
from .rows import Row, Table

_PATH = "/api/extras/custom-fields/"
_FIELDS = "id,name,type,object_types"
_OTHER_FORM = frozenset(("object", "multiobject", "decimal", "datetime"))
_OBJECT_TYPES = {"device": "dcim.device", "virtual_machine": "virtualization.virtualmachine"}


class CustomFields:
    """The custom fields that there are."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists
        self._fields: Dict[str, Dict[str, Any]] = {kind: {} for kind in _OBJECT_TYPES}
        for entry in lists.whole(_PATH, _FIELDS):
            for kind, label in _OBJECT_TYPES.items():
                if label in entry["object_types"]:
                    self._fields[kind][entry["name"]] = entry["type"]["value"]

    def complete(self, kind: str, table: Table, path: str) -> None:
        """Give rows that GraphQL gave the custom fields as REST gives them. Raises SourceError."""
        fields = self._fields[kind]
        other = {name for name, of_type in fields.items() if of_type in _OTHER_FORM}
        asked = [row["id"] for row in table.values() if _needs_rest(row, fields, other)]
        for entry in self._lists.of_ids(path, "id,custom_fields", asked):
            table[entry["id"]]["custom_fields"] = dict(entry["custom_fields"])


def _needs_rest(row: Row, fields: Mapping[str, str], other: Set[str]) -> bool:
    values = row["custom_fields"]
    if len(values) != len(fields):
        row["custom_fields"] = values = {name: values.get(name) for name in fields}
    return any(values[name] is not None for name in other)
