"""Which class a host has: bare_metal, colo or cloud, by the first source that says so."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence

from .faults import InventoryError, Notices

CLASSES = ("bare_metal", "colo", "cloud")
SOURCES = ("custom_field", "tag", "role", "type", "site_group")
DEFAULT_MAP: Mapping[str, Mapping[str, str]] = {"type": {"virtual_machine": "cloud"}}


class ClassRule:
    """How a record gets its class.

    Args:
        sources: which facts are asked, in this order (see SOURCES).
        mapping: source → value of that fact → class. A value that is itself the name of a class needs no entry.
        field: the custom field that names a class.
        default: the class of hosts about which no source says anything; empty for none.

    Raises:
        InventoryError: a source or a class is not known.
    """

    def __init__(
        self, sources: Sequence[str], mapping: Mapping[str, Mapping[str, str]], field: str, default: Optional[str]
    ) -> None:
        for source in [*sources, *mapping]:
            if source not in SOURCES:
                raise InventoryError("unknown source of a class %r" % source, hint="known are %s" % ", ".join(SOURCES))
        self._sources = sources
        self._field = field
        self._default = _class_named(default) if default else None
        if default and self._default is None:
            raise _unknown_class(default, "class_default")
        self._mapping = {source: _checked(source, values) for source, values in {**DEFAULT_MAP, **mapping}.items()}

    def class_of(self, record: Mapping[str, Any], notices: Notices) -> Optional[str]:
        """Return the class of a record, and note a custom field that names no class."""
        for source in self._sources:
            mapping = self._mapping.get(source, {})
            for value in self._values(source, record):
                known = mapping.get(value) or _class_named(value)
                if known is not None:
                    return known
                if source == "custom_field":
                    notices.add("custom field %s names the unknown class %r" % (self._field, value), record["name"])
        return self._default

    def _values(self, source: str, record: Mapping[str, Any]) -> Iterable[str]:
        if source == "custom_field":
            return _texts([_choice(record["custom_fields"].get(self._field))])
        if source == "tag":
            return _texts(record["tags"])
        if source == "site_group":
            return _texts(reversed(record["site_group"]))
        return _texts([record[source]])


def _texts(values: Iterable[object]) -> List[str]:
    return [value for value in values if isinstance(value, str) and value]


def _choice(value: object) -> object:
    return value.get("value") if isinstance(value, dict) else value


def _class_named(value: str) -> Optional[str]:
    name = value.lower().replace("-", "_")
    return name if name in CLASSES else None


def _checked(source: str, values: Mapping[str, str]) -> Dict[str, str]:
    if not isinstance(values, dict):
        raise InventoryError("class_map.%s must be a dictionary of value and class" % source)
    checked: Dict[str, str] = {}
    for value, named in values.items():
        known = _class_named(str(named))
        if known is None:
            raise _unknown_class(named, "class_map.%s.%s" % (source, value))
        checked[str(value)] = known
    return checked


def _unknown_class(name: object, where: str) -> InventoryError:
    return InventoryError("unknown class %r" % name, where=where, hint="known are %s" % ", ".join(CLASSES))
