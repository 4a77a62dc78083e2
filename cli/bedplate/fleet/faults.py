"""What is wrong with a snapshot, host by host, before a run finds out."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from bedplate.fleet.record import HostClass, HostRecord
from bedplate.fleet.snapshot import Snapshot

_PLATFORM = re.compile(r"(debian|ubuntu)-\d", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]*\Z", re.ASCII)
_STATUSES = frozenset({"active", "staged"})


class FaultLevel(StrEnum):
    """An error keeps a run from the host, or sends it to a wrong one; a warning leaves a gap in what is known."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with one host, and what would be right."""

    host: str
    kind: str
    level: FaultLevel
    message: str
    hint: str


def find_faults(snapshot: Snapshot) -> list[Fault]:
    """Return the faults of a snapshot: errors first, then by host."""
    faults = [fault for record in snapshot.hosts.values() for check in _CHECKS for fault in check(record)]
    faults += _duplicates(snapshot)
    return sorted(faults, key=lambda fault: (fault.level, fault.host, fault.kind))


def _address(record: HostRecord) -> Iterator[Fault]:
    if record.addresses or record.context_only:
        return
    if record.dns_name:
        yield _warning(record, "no_address", f"no primary address, only the name {record.dns_name}", _SET_ADDRESS)
    else:
        yield _error(record, "no_address", "no primary address", _SET_ADDRESS)


def _host_class(record: HostRecord) -> Iterator[Fault]:
    known = ", ".join(HostClass)
    if record.host_class is None:
        yield _error(record, "no_class", "no class", f"a class setting must give it one of {known}")
    elif record.known_class is None:
        yield _error(record, "unknown_class", f"unknown class {record.host_class}", f"known are {known}")


def _platform(record: HostRecord) -> Iterator[Fault]:
    hint = "the roles know Debian and Ubuntu, with slugs such as debian-12"
    if record.platform is None:
        yield _warning(record, "no_platform", "no platform", hint)
    elif not _PLATFORM.match(record.platform):
        yield _warning(record, "unknown_platform", f"unknown platform {record.platform}", hint)


def _place(record: HostRecord) -> Iterator[Fault]:
    if record.site is None:
        yield _warning(record, "no_site", "no site: its failure domain is not known", "give it a site in NetBox")
    elif record.type == "device" and record.rack is None:
        yield _warning(record, "no_rack", "no rack: its failure domain ends at the site", "put it in a rack in NetBox")
    elif record.type == "virtual_machine" and record.cluster is None:
        yield _warning(record, "no_cluster", "no cluster", "give the virtual machine a cluster in NetBox")


def _status(record: HostRecord) -> Iterator[Fault]:
    if record.status not in _STATUSES:
        yield _warning(
            record, "odd_status", f"has status {record.status}", "only active and staged hosts are worth configuring"
        )


def _name(record: HostRecord) -> Iterator[Fault]:
    if not _NAME.match(record.name):
        yield _error(
            record, "bad_name", "has a name that patterns cannot mean", "use letters, digits, dots, dashes, underscores"
        )


def _duplicates(snapshot: Snapshot) -> Iterator[Fault]:
    users: dict[str, list[HostRecord]] = defaultdict(list)
    for record in snapshot.hosts.values():
        for address in record.addresses:
            users[address].append(record)
    for address, records in users.items():
        if len(records) < 2:
            continue
        for record in records:
            others = ", ".join(other.name for other in records if other is not record)
            yield _error(record, "duplicate_address", f"has {address}, as has {others}", "one address is one host's")


def _error(record: HostRecord, kind: str, message: str, hint: str) -> Fault:
    return Fault(record.name, kind, FaultLevel.ERROR, message, hint)


def _warning(record: HostRecord, kind: str, message: str, hint: str) -> Fault:
    return Fault(record.name, kind, FaultLevel.WARNING, message, hint)


_SET_ADDRESS = "set its primary IPv4 or IPv6 address in NetBox"
_CHECKS: tuple[Callable[[HostRecord], Iterator[Fault]], ...] = (
    _address,
    _host_class,
    _platform,
    _place,
    _status,
    _name,
)
