"""What is wrong with a snapshot, host by host, before a run finds out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bedplate.fleet.prefixes import Prefix, stray_addresses
from bedplate.fleet.record import HostClass, HostRecord
from bedplate.fleet.shared import context_conflicts, duplicate_addresses, duplicate_names
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
    """One thing that is wrong with one host, and what would be right.

    Attributes:
        owner: whose host it is; None where NetBox says neither owner nor tenant.
    """

    host: str
    owner: str | None
    kind: str
    level: FaultLevel
    message: str
    hint: str


def find_faults(snapshot: Snapshot, prefixes: Sequence[Prefix] = ()) -> list[Fault]:
    """Return the faults of a snapshot: errors first, then by host.

    Args:
        prefixes: the prefixes of NetBox; addresses are looked for in them, if there are any.
    """
    faults = [fault for record in snapshot.hosts.values() for check in _CHECKS for fault in check(record)]
    records = list(snapshot.hosts.values())
    for kind, find, hint in _SHARED:
        level = FaultLevel.WARNING if kind in _MILD else FaultLevel.ERROR
        faults += [Fault(one.name, one.owner, kind, level, message, hint) for one, message in find(records)]
    faults += [_error(record, "outside_prefix", message, _SET_PREFIX) for record, message in
               stray_addresses(records, prefixes)]  # fmt: skip
    return sorted(faults, key=lambda fault: (fault.level, fault.host, fault.kind, fault.message))


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


def _context(record: HostRecord) -> Iterator[Fault]:
    """Keys of the config context that the inventory refuses, and one that leads away from the primary address."""
    for key, value in record.config_context.items():
        if key.startswith("ansible_") and key not in _CONNECTION_KEYS:
            yield _warning(record, "context_key", f"its config context sets {key}, which is refused", _CONTEXT_HINT)
        elif key.startswith("bedplate_") or not (key.isascii() and key.isidentifier()):
            yield _warning(record, "context_key", f"its config context has the key {key!r}, which is left out",
                           "keys of a config context are names of variables, without bedplate_")  # fmt: skip
        elif key == "ansible_host" and record.addresses and value not in record.addresses:
            message = f"its config context says ansible_host is {value}, its primary address is {record.addresses[0]}"
            yield _error(record, "context_address", message, "remove ansible_host from the config context")


def _error(record: HostRecord, kind: str, message: str, hint: str) -> Fault:
    return Fault(record.name, record.owner, kind, FaultLevel.ERROR, message, hint)


def _warning(record: HostRecord, kind: str, message: str, hint: str) -> Fault:
    return Fault(record.name, record.owner, kind, FaultLevel.WARNING, message, hint)


_SET_ADDRESS = "set its primary IPv4 or IPv6 address in NetBox"
_SET_PREFIX = "correct the address, or the site of its prefix, in NetBox"
_CONNECTION_KEYS = frozenset({"ansible_host", "ansible_port", "ansible_python_interpreter"})
_CONTEXT_HINT = f"NetBox may only set {', '.join(sorted(_CONNECTION_KEYS))}"
_MILD = frozenset({"similar_name", "context_conflict"})
_SHARED = (
    ("duplicate_address", duplicate_addresses, "one address is one host's"),
    ("duplicate_name", lambda records: duplicate_names(records, alike=False), "rename one of them in NetBox"),
    ("similar_name", lambda records: duplicate_names(records, alike=True), "rename one of them in NetBox"),
    ("context_conflict", context_conflicts, "one key has one kind of value in all config contexts"),
)
_CHECKS: tuple[Callable[[HostRecord], Iterator[Fault]], ...] = (
    _address,
    _host_class,
    _platform,
    _place,
    _status,
    _name,
    _context,
)
