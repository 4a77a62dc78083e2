"""What changed between two snapshots."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bedplate.fleet.record import HostRecord
from bedplate.fleet.snapshot import Snapshot

_UNTOLD = frozenset({"last_updated", "context_only"})
_PLACES = ("class", "region", "site", "rack", "cluster")


@dataclass(frozen=True)
class AttributeChange:
    """One attribute before and after; `attribute` is a dotted path inside the record."""

    attribute: str
    before: Any
    after: Any


@dataclass(frozen=True)
class HostChange:
    """What changed on one host."""

    host: str
    attributes: tuple[AttributeChange, ...]

    @property
    def moved(self) -> tuple[AttributeChange, ...]:
        """The changes of class or failure domain: the host is in other groups now."""
        return tuple(change for change in self.attributes if change.attribute in _PLACES)


@dataclass(frozen=True)
class SnapshotDiff:
    """From one snapshot to a later one.

    Attributes:
        added, removed: host names, sorted.
        changed: hosts in both whose record differs, by name.
    """

    before: Snapshot
    after: Snapshot
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[HostChange, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    @property
    def moved(self) -> tuple[HostChange, ...]:
        return tuple(change for change in self.changed if change.moved)

    @property
    def lost_percent(self) -> float:
        """How many of the hosts before are gone, in percent."""
        return 100 * len(self.removed) / len(self.before.hosts) if self.before.hosts else 0.0


def compare(before: Snapshot, after: Snapshot) -> SnapshotDiff:
    """Return what changed from `before` to `after`; when a record was last touched does not count."""
    changes = (
        HostChange(name, tuple(_changes(before.hosts[name], after.hosts[name])))
        for name in sorted(before.hosts.keys() & after.hosts.keys())
    )
    return SnapshotDiff(
        before=before,
        after=after,
        added=tuple(sorted(after.hosts.keys() - before.hosts.keys())),
        removed=tuple(sorted(before.hosts.keys() - after.hosts.keys())),
        changed=tuple(change for change in changes if change.attributes),
    )


def _changes(before: HostRecord, after: HostRecord) -> Iterator[AttributeChange]:
    if repr(before) == repr(after):
        return
    old = dict(_flat(before.to_document()))
    new = dict(_flat(after.to_document()))
    for path in sorted(old.keys() | new.keys()):
        if path[0] in _UNTOLD:
            continue
        one, other = old.get(path), new.get(path)
        if json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True):  # to Python, 1 and True are equal
            yield AttributeChange(".".join(path), one, other)


def _flat(data: Mapping[str, Any], prefix: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in data.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, (*prefix, key))
        elif value != {}:
            yield (*prefix, key), value
