"""From found hosts to the hosts of a snapshot: one name a host, one class a host."""

from __future__ import annotations

from typing import Any, Dict, Iterable, Mapping, Optional, Tuple

from .classes import ClassRule
from .faults import Notices
from .reading import FoundHost


def settle(found: Iterable[FoundHost], rule: ClassRule, notices: Notices) -> Dict[str, Any]:
    """Return name → record.

    The oldest object of a name keeps it, whatever is added later. Another one of the same name is called
    `name__device_12` or `name__virtual_machine_12` after its id, so that neither its own name nor anybody else's
    changes when a third one comes or one of them moves.
    """
    hosts: Dict[str, Any] = {}
    for host in sorted(found, key=_age):
        record = host.record
        if not isinstance(record["config_context"], dict):
            notices.add("config context is no dictionary and was left out", str(record["name"]))
            record = {**record, "config_context": {}}
        name = _free_name(record, hosts, notices)
        if name is not None:
            hosts[name] = {**record, "name": name}
            hosts[name]["class"] = rule.class_of(hosts[name], notices)
    return {name: hosts[name] for name in sorted(hosts)}


def settle_altered(
    last: Mapping[str, Any], altered: Iterable[FoundHost], rule: ClassRule, notices: Notices
) -> Optional[Dict[str, Any]]:
    """Return the hosts of the last snapshot with these as they are now, or None if that could change any name."""
    hosts = dict(last)
    names = {(record["type"], record["id"]): name for name, record in last.items()}
    for host in altered:
        record = host.record
        name = names.get((record["type"], record["id"]))
        if name is None or name != record["name"] or not isinstance(record["config_context"], dict):
            return None
        hosts[name] = record
        record["class"] = rule.class_of(record, notices)
    return hosts


def _age(host: FoundHost) -> Tuple[str, str, int]:
    return host.created or "9", host.record["type"], host.record["id"]


def _free_name(record: Dict[str, Any], taken: Dict[str, Any], notices: Notices) -> Optional[str]:
    name: object = record["name"]
    label = "%s %d" % (record["type"].replace("_", " "), record["id"])
    if not isinstance(name, str) or not name.strip():
        notices.add("left out, because they have no name in NetBox", label)
        return None
    if name not in taken:
        return name
    longer = "%s__%s_%d" % (name, record["type"], record["id"])
    if longer in taken:
        notices.add("left out, because %s and %s are both taken" % (name, longer), label)
        return None
    first = taken[name]
    notices.add(
        "the name %s belongs to %s %d, the oldest of this name; others are named after their id"
        % (name, first["type"].replace("_", " "), first["id"]),
        longer,
    )
    return longer
