"""The audit log: entries that are chained by hash, and anchors that say outside of the store where the chain ended."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

GENESIS = "0" * 64
_LINE = re.compile(
    r"bedplate-audit number=(?P<number>\d+) hash=(?P<hash>[0-9a-f]{64}) at=(?P<at>\S+) "
    r"signature=(?P<signature>[0-9a-f]{64})"
)
_MARK = "bedplate-audit number="


@dataclass(frozen=True)
class AuditRecord:
    """What happened.

    Attributes:
        kind: `asked`, `approved`, `rejected`, `refused`, `started`, `ended` or `stop_asked`.
        person: who did it; `login` is who the operating system says that was.
        machine: where.
    """

    kind: str
    at: datetime
    person: str
    login: str
    machine: str
    run: str | None = None
    product: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> str:
        """The record as the one canonical text that is hashed."""
        document = {
            "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "kind": self.kind,
            "person": self.person,
            "login": self.login,
            "machine": self.machine,
            "run": self.run,
            "product": self.product,
            "details": self.details,
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":"), default=str)


@dataclass(frozen=True)
class AuditEntry:
    """A record in its place of the chain, as it is kept."""

    number: int
    body: str
    previous: str
    hash: str

    @property
    def record(self) -> AuditRecord:
        """The record that the body says. Raises ValueError if somebody made it unreadable."""
        try:
            values = json.loads(self.body)
            record = AuditRecord(**{**values, "at": datetime.fromisoformat(values["at"])})
            if record.at.tzinfo is None or not isinstance(record.details, Mapping):
                raise ValueError
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"entry {self.number} cannot be read") from None
        return record


@dataclass(frozen=True)
class Anchor:
    """Where the chain ended at a moment, signed with a key that is not in the store."""

    number: int
    hash: str
    at: str
    signature: str

    @property
    def line(self) -> str:
        return f"{_MARK}{self.number} hash={self.hash} at={self.at} signature={self.signature}"


@dataclass(frozen=True)
class AuditFault:
    """What is wrong with the log. `number` is of the entry that it is about, if it is about one."""

    sentence: str
    number: int | None = None


class AuditRepository(Protocol):
    """Where the log is kept. Every call raises StoreError when the store cannot be reached."""

    def append(self, record: AuditRecord) -> AuditEntry:
        """Add a record at the end of the chain. Two who append at once come one after the other."""

    def entries(self, *, newest_first: bool = False) -> Iterator[AuditEntry]:
        """Yield all entries in order, without holding all of them in memory."""


def chain(record: AuditRecord, number: int, previous: str) -> AuditEntry:
    """Return the entry that a record becomes behind the entry whose hash is `previous`."""
    body = record.body
    return AuditEntry(number, body, previous, entry_hash(number, previous, body))


def entry_hash(number: int, previous: str, body: str) -> str:
    """Return the sha256 of an entry."""
    return hashlib.sha256(f"{number}\n{previous}\n{body}".encode()).hexdigest()


def anchor(entry: AuditEntry, key: bytes, at: datetime) -> Anchor:
    """Return the signed anchor of the chain that ends with an entry."""
    moment = at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return Anchor(entry.number, entry.hash, moment, _signature(key, entry.number, entry.hash, moment))


def read_anchors(lines: Iterable[str], key: bytes) -> tuple[list[Anchor], list[AuditFault]]:
    """Return the anchors that are signed with the key, and what is wrong with other lines that want to be one."""
    anchors, faults = [], []
    for number, line in enumerate(lines, 1):
        match = _LINE.search(line)
        if match is None:
            if _MARK in line:
                faults.append(AuditFault(f"line {number} of the anchors is damaged"))
            continue
        found = Anchor(int(match["number"]), match["hash"], match["at"], match["signature"])
        if hmac.compare_digest(_signature(key, found.number, found.hash, found.at), found.signature):
            anchors.append(found)
        else:
            faults.append(AuditFault(f"line {number} of the anchors is not signed with the key", found.number))
    return anchors, faults


def verify(entries: Iterable[AuditEntry], anchors: Sequence[Anchor] | None = None) -> list[AuditFault]:
    """Return what is wrong with a chain, by itself and against its anchors.

    Args:
        anchors: None where nothing is anchored: then a chain that was written anew as a whole looks right.
    """
    faults: list[AuditFault] = []
    hashes: dict[int, str] = {}
    number, previous = 0, GENESIS
    for entry in entries:
        number += 1
        if entry.number != number:
            faults.append(AuditFault(f"entries before {entry.number} are missing, from {number} on", number))
            number = entry.number
        if entry.hash != entry_hash(entry.number, entry.previous, entry.body):
            faults.append(AuditFault(f"entry {entry.number} was edited", entry.number))
        elif entry.previous != previous:
            faults.append(AuditFault(f"entry {entry.number} does not follow the one before it", entry.number))
        previous = entry.hash
        hashes[entry.number] = entry.hash
    return faults + (_anchor_faults(hashes, number, anchors) if anchors is not None else [])


def _anchor_faults(hashes: Mapping[int, str], last: int, anchors: Sequence[Anchor]) -> list[AuditFault]:
    # All of them: a chain that was cut and went on has two anchors of one number, and the later one is right.
    known = sorted(set(anchors), key=lambda each: (each.number, each.at))
    head = max((each.number for each in known), default=0)
    faults = [
        AuditFault(f"entry {number} is not the one that was anchored at {each.at}: it was written anew", number)
        for each in known
        if (number := each.number) in hashes and hashes[number] != each.hash
    ]
    if head > last:
        faults.append(AuditFault(f"the tail was cut: entries {last + 1} to {head} were anchored and are gone", head))
    if head < last:
        faults.append(AuditFault(f"entries {head + 1} to {last} were never anchored", head + 1))
    return faults


def _signature(key: bytes, number: int, digest: str, at: str) -> str:
    return hmac.new(key, f"{number}\n{digest}\n{at}".encode(), hashlib.sha256).hexdigest()
