"""The snapshot: one JSON document with all that is needed to rebuild groups and variables without NetBox."""

from __future__ import annotations

import gzip
import json
import zlib
from bisect import bisect_left
from datetime import datetime, timezone
from typing import Any, Dict, Iterable, List, Optional, Sequence

from .faults import InventoryError
from .private_files import write_privately

SCHEMA = 1
TYPES = ("device", "virtual_machine")

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_FROM = 1024 * 1024
_HOSTS_A_PART = 500
_BEFORE_HOSTS = b'"hosts":'
_SLUG_LISTS = ("region", "site_group", "tags")
_TEXTS = (
    "name",
    "url",
    "status",
    "class",
    "site",
    "location",
    "rack",
    "cluster",
    "tenant",
    "role",
    "platform",
    "manufacturer",
    "model",
    "serial",
    "asset_tag",
    "primary_ip4",
    "primary_ip6",
    "oob_ip",
    "dns_name",
    "last_updated",
)
_TEXT_OR_NOTHING = (str, type(None))
RECORD_KEYS = frozenset(
    (*_TEXTS, *_SLUG_LISTS, "type", "id", "position", "services", "custom_fields", "config_context", "interfaces")
)
_TOP = {
    "schema": int,
    "taken_at": str,
    "source": str,
    "netbox_version": str,
    "cursor": (dict, str, int, type(None)),
    "hosts": dict,
}
_TIME = "%Y-%m-%dT%H:%M:%SZ"


class Snapshot:
    """A fleet at one moment.

    Attributes:
        hosts: name → record.
        taken_at: when NetBox said so (UTC).
        source: NetBox's URL without credentials.
        cursor: what the next refresh starts from.
    """

    def __init__(
        self, hosts: Dict[str, Any], taken_at: datetime, source: str, netbox_version: str, cursor: object = None
    ) -> None:
        self.hosts = hosts
        self.taken_at = taken_at
        self.source = source
        self.netbox_version = netbox_version
        self.cursor = cursor

    def age(self, now: Optional[datetime] = None) -> float:
        """Return the seconds since it was taken; never less than 0."""
        return max(0.0, ((now or datetime.now(timezone.utc)) - self.taken_at).total_seconds())

    def document(self) -> Dict[str, Any]:
        """Return what is written to the file."""
        return {
            "schema": SCHEMA,
            "taken_at": self.taken_at.astimezone(timezone.utc).strftime(_TIME),
            "source": self.source,
            "netbox_version": self.netbox_version,
            "cursor": self.cursor,
            "hosts": self.hosts,
        }


def read_snapshot(path: str) -> Snapshot:
    """Read a snapshot, plain or gzipped.

    Raises:
        InventoryError: the file cannot be read, is truncated, is no snapshot, or is of a newer schema.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise InventoryError("cannot read the snapshot: %s" % error.strerror, where=path) from error
    try:
        if data.startswith(_GZIP_MAGIC):
            data = gzip.decompress(data)
        document = json.loads(data)
    except (EOFError, OSError, zlib.error, UnicodeDecodeError, RecursionError) as error:
        raise InventoryError("the snapshot is truncated or damaged: %s" % error, where=path) from error
    except ValueError as error:
        raise InventoryError("this is no whole JSON document: %s" % error, where=path) from error
    return _checked(document, path)


def write_snapshot(path: str, snapshot: Snapshot) -> None:
    """Write a snapshot in one step (0600), gzipped when it is large.

    Raises:
        InventoryError: the file cannot be written; what was there before is still there.
    """
    names = sorted(snapshot.hosts)
    parts = [_part(snapshot.hosts, names, number) for number in range(_count_of_parts(names))]
    head = _head(snapshot)
    if len(head) + sum(map(len, parts)) > _GZIP_FROM or path.endswith(".gz"):
        head, parts = _zipped(head), [_zipped(part) for part in parts]
    write_privately(path, head + b"".join(parts))


def write_altered(path: str, snapshot: Snapshot, last: Snapshot, altered: Iterable[str]) -> None:
    """Write a snapshot whose hosts are as in the file but for some, which are not compressed again then.

    Args:
        last: what the file has.
        altered: the names of the hosts that are not as in it; none came or went.

    Raises:
        InventoryError: the file cannot be written; what was there before is still there.
    """
    names = sorted(snapshot.hosts)
    parts = _zipped_parts(path, last)
    if parts is None or len(parts) != _count_of_parts(names):
        write_snapshot(path, snapshot)
        return
    for number in {bisect_left(names, name) // _HOSTS_A_PART for name in altered}:
        parts[number] = _zipped(_part(snapshot.hosts, names, number))
    write_privately(path, _zipped(_head(snapshot)) + b"".join(parts))


def write_again(path: str, snapshot: Snapshot) -> None:
    """Write a snapshot of which only the hosts are as they were in the file.

    Where the file is gzipped, its hosts are not compressed again.

    Raises:
        InventoryError: the file cannot be written; what was there before is still there.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
        first = zlib.decompressobj(wbits=31)
        known = data.startswith(_GZIP_MAGIC) and first.decompress(data).endswith(_BEFORE_HOSTS)
    except (OSError, zlib.error):
        known = False
    if known and first.unused_data:
        write_privately(path, _zipped(_head(snapshot)) + first.unused_data)
    else:
        write_snapshot(path, snapshot)


def _zipped_parts(path: str, last: Snapshot) -> Optional[List[bytes]]:
    """Return the parts of a gzipped file, or None if it is not this snapshot's."""
    head, parts = b"", []
    try:
        with open(path, "rb") as file:
            data = file.read()
        while data:
            member = zlib.decompressobj(wbits=31)
            text = member.decompress(data)
            if not member.eof:
                return None
            head = head or text
            parts.append(data[: len(data) - len(member.unused_data)])
            data = member.unused_data
    except (OSError, zlib.error):
        return None
    return parts[1:] if head == _head(last) else None


def _count_of_parts(names: Sequence[str]) -> int:
    return max(1, -(-len(names) // _HOSTS_A_PART))


def _part(hosts: Dict[str, Any], names: Sequence[str], number: int) -> bytes:
    """Return one part of the text of all hosts; the last one ends the document."""
    begin, end = number * _HOSTS_A_PART, (number + 1) * _HOSTS_A_PART
    text = _dumped({name: hosts[name] for name in names[begin:end]})[1:-1]
    return (b"," if number else b"{") + text + (b"}}" if end >= len(names) else b"")


def _head(snapshot: Snapshot) -> bytes:
    """Return the document up to its hosts."""
    document = snapshot.document()
    del document["hosts"]
    return _dumped(document)[:-1] + b"," + _BEFORE_HOSTS


def _dumped(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _zipped(data: bytes) -> bytes:
    return gzip.compress(data, compresslevel=1, mtime=0)


def _checked(document: object, path: str) -> Snapshot:
    if not isinstance(document, dict) or type(document.get("schema")) is not int:
        raise InventoryError("this is no snapshot of a fleet: it has no schema number", where=path)
    if document["schema"] > SCHEMA:
        raise InventoryError(
            "the snapshot has schema %d, newer than the %d that this version reads" % (document["schema"], SCHEMA),
            where=path,
            hint="use a newer version of the collection bedplate.datacenter, or take the snapshot again",
        )
    for key, kind in _TOP.items():
        if key not in document or not isinstance(document[key], kind):
            raise InventoryError("this is no snapshot of a fleet: %r is missing or of a wrong type" % key, where=path)
    for name, record in document["hosts"].items():
        fault = _record_fault(name, record)
        if fault:
            raise InventoryError("the record of host %r %s" % (name, fault), where=path)
    return Snapshot(
        document["hosts"], _time(document, path), document["source"], document["netbox_version"], document["cursor"]
    )


def _record_fault(name: str, record: object) -> Optional[str]:
    if not isinstance(record, dict):
        return "is no dictionary"
    if not record.keys() >= RECORD_KEYS:
        return "lacks %s" % ", ".join(sorted(RECORD_KEYS.difference(record)))
    if record["name"] != name:
        return "says that its name is %r" % record["name"]
    if record["type"] not in TYPES:
        return "is of the unknown type %r" % record["type"]
    wrong: List[str] = [key for key in _SLUG_LISTS if not _is_list_of(str, record[key])]
    wrong += [] if _is_list_of(dict, record["services"]) else ["services"]
    wrong += [key for key in _TEXTS if record[key].__class__ not in _TEXT_OR_NOTHING]
    if not isinstance(record["custom_fields"], dict):
        wrong.append("custom_fields")
    if wrong:
        return "has a wrong type of value in %s" % ", ".join(wrong)
    return None


def _is_list_of(kind: type, value: object) -> bool:
    return isinstance(value, list) and all(isinstance(element, kind) for element in value)


def _time(document: Dict[str, Any], path: str) -> datetime:
    try:
        return datetime.strptime(document["taken_at"], _TIME).replace(tzinfo=timezone.utc)
    except ValueError as error:
        raise InventoryError("taken_at is no time like 2026-11-22T15:14:03Z", where=path) from error
