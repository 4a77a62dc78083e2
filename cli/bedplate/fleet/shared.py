"""What is wrong only beside other hosts: names, addresses and config contexts that do not go together."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bedplate.fleet.record import HostRecord

Told = tuple[HostRecord, str]
_SECOND_OF_A_NAME = re.compile(r"(?P<name>.+)__(?P<type>device|virtual_machine)_(?P<id>\d+)\Z", re.DOTALL)
_NAMED = 3


def duplicate_addresses(records: Sequence[HostRecord]) -> Iterator[Told]:
    """Yield hosts with an address, their own or their controller's, that another host has too."""
    users: dict[str, dict[str, HostRecord]] = defaultdict(dict)
    for record in records:
        for address in (*record.addresses, record.oob_ip):
            if address:
                users[address][record.name] = record
    for address, sharing in users.items():
        for record in sharing.values() if len(sharing) > 1 else ():
            yield record, f"has {address}, as has {_others(record, sharing.values())}"


def duplicate_names(records: Sequence[HostRecord], *, alike: bool) -> Iterator[Told]:
    """Yield hosts whose name in NetBox another host has too; or, `alike`, one that differs in capitals only."""
    if alike:
        by_name: dict[str, list[HostRecord]] = defaultdict(list)
        for record in records:
            by_name[record.name.casefold()].append(record)
        for sharing in by_name.values():
            for record in sharing if len(sharing) > 1 else ():
                yield record, f"is named like {_others(record, sharing)}, but for capitals"
        return
    known = {record.name: record for record in records}
    for record in records:
        second = _SECOND_OF_A_NAME.match(record.name)
        if second and second["name"] in known and (second["type"], int(second["id"])) == (record.type, record.id):
            first = known[second["name"]]
            yield record, f"has the name {first.name} in NetBox, as has {first.type.replace('_', ' ')} {first.id}"
            yield first, f"has its name in NetBox shared by {record.type.replace('_', ' ')} {record.id}"


def context_conflicts(records: Sequence[HostRecord]) -> Iterator[Told]:
    """Yield hosts whose config context has another kind of value in a key than most hosts have."""
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        for key, value in record.config_context.items():
            if value is not None:
                kinds[key][_kind(value)] += 1
    mixed = {key: counts.most_common(1)[0] for key, counts in kinds.items() if len(counts) > 1}
    for record in records:
        for key, (usual, count) in mixed.items():
            value = record.config_context.get(key)
            if value is not None and _kind(value) != usual:
                hosts = "host" if count == 1 else "hosts"
                yield record, f"its config context has {_kind(value)} in {key}, that of {count} {hosts} {usual}"


def _kind(value: Any) -> str:  # noqa: ANN401
    names = ((bool, "a boolean"), ((int, float), "a number"), (str, "a text"), (list, "a list"))
    return next((name for kind, name in names if isinstance(value, kind)), "a mapping")


def _others(record: HostRecord, sharing: Iterable[HostRecord]) -> str:
    names = [other.name for other in sharing if other is not record]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
