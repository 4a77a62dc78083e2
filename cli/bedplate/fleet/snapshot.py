"""The snapshot document: what NetBox said at one moment, and all that is left of it without NetBox."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bedplate.errors import InventoryError, NotFoundError
from bedplate.fleet.record import HostRecord

SCHEMA = 1
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Snapshot:
    """The fleet at one moment.

    Attributes:
        taken_at: when NetBox was asked (UTC, whole seconds).
        source: NetBox's URL without credentials, or what else the records came from.
        cursor: where the next refresh starts from; only the inventory plugin reads it.
        hosts: name to record.
    """

    taken_at: datetime
    source: str = ""
    netbox_version: str = ""
    cursor: Any = None
    hosts: Mapping[str, HostRecord] = field(default_factory=dict)

    @classmethod
    def parse(cls, content: bytes, where: str = "snapshot") -> Snapshot:
        """Return the snapshot that a file holds, gzip or not.

        Raises:
            InventoryError: it is cut short, no JSON, no snapshot, or of a schema that is newer than this version.
        """
        return cls.from_document(_decoded(content, where), where)

    @classmethod
    def from_document(cls, document: object, where: str = "snapshot") -> Snapshot:
        """Return the snapshot that a parsed document holds. Raises InventoryError as `parse` does."""
        if not isinstance(document, dict) or not {"schema", "hosts"} <= document.keys():
            raise InventoryError(
                "is JSON, but no snapshot: it has no schema and hosts",
                where=where,
                hint="`bedplate inventory snapshot --write FILE` makes one",
            )
        _check_schema(document["schema"], where)
        hosts = document["hosts"]
        if not isinstance(hosts, dict):
            raise InventoryError("must be a mapping of names to records", where=f"{where}: hosts")
        try:
            records = {name: HostRecord.from_document(name, data) for name, data in hosts.items()}
        except InventoryError as error:
            raise InventoryError(error.message, where=f"{where}: {error.where}", hint=error.hint) from error
        return cls(
            taken_at=_moment(document.get("taken_at"), where),
            source=str(document.get("source") or ""),
            netbox_version=str(document.get("netbox_version") or ""),
            cursor=document.get("cursor"),
            hosts=records,
        )

    def to_document(self) -> dict[str, Any]:
        """Return the document that `from_document` reads."""
        return {
            "schema": SCHEMA,
            "taken_at": f"{self.taken_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "source": self.source,
            "netbox_version": self.netbox_version,
            "cursor": self.cursor,
            "hosts": {name: record.to_document() for name, record in self.hosts.items()},
        }

    def to_bytes(self) -> bytes:
        """Return the document as JSON in UTF-8."""
        return json.dumps(self.to_document(), ensure_ascii=False, separators=(",", ":")).encode()

    def age(self, now: datetime) -> timedelta:
        return now - self.taken_at

    def cut(self, names: Collection[str], context: Collection[str] = ()) -> Snapshot:
        """Return the snapshot for these hosts only.

        Args:
            names: hosts to act on; names that are not from NetBox are not asked for here.
            context: hosts that are kept too; those of them that are not to be acted on are marked `context_only`.
        """
        wanted, known = set(names), set(context)
        hosts = {
            name: record if name in wanted else replace(record, context_only=True)
            for name, record in self.hosts.items()
            if name in wanted or name in known
        }
        return replace(self, hosts=hosts)

    def host(self, name: str) -> HostRecord:
        """Return the record of a host. Raises NotFoundError."""
        record = self.hosts.get(name)
        if record is None:
            raise NotFoundError(f"no host {name} in this snapshot")
        return record

    def count_by(self, attribute: str) -> dict[str, int]:
        """Return how many hosts there are of each value of a record's attribute; missing values count as `-`."""
        return _counted(getattr(record, attribute) or "-" for record in self.hosts.values())


def _counted(values: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return dict(sorted(counts.items()))


def _decoded(content: bytes, where: str) -> object:
    if not content.strip():
        raise InventoryError("is empty", where=where)
    try:
        text = gzip.decompress(content) if content.startswith(_GZIP) else content
        return json.loads(text)
    except EOFError as error:
        raise InventoryError("is cut short: the gzip stream does not end", where=where) from error
    except (zlib.error, gzip.BadGzipFile) as error:
        raise InventoryError(f"is damaged: {error}", where=where) from error
    except UnicodeDecodeError as error:
        raise InventoryError(f"is not text in UTF-8: {error.reason} at byte {error.start}", where=where) from error
    except json.JSONDecodeError as error:
        if error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated string"):
            raise InventoryError(f"is cut short at line {error.lineno}, column {error.colno}", where=where) from error
        raise InventoryError(f"is no JSON: {error}", where=where) from error


def _check_schema(schema: object, where: str) -> None:
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise InventoryError(f"must be a whole number from 1, not {schema!r}", where=f"{where}: schema")
    if schema > SCHEMA:
        raise InventoryError(
            f"has schema {schema}; this version of Bedplate reads up to {SCHEMA}",
            where=where,
            hint="a newer Bedplate wrote it: upgrade this one, or refresh the inventory with it",
        )


def _moment(value: object, where: str) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise InventoryError(f"must be a time in ISO 8601, not {value!r}", where=f"{where}: taken_at") from error
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.replace(microsecond=0)
