"""The seal: how a host was when it was right, signed with a key that the store does not have."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from bedplate.drift.capture import SCHEMA, Capture, CaptureError, State, capture_of, packed, unpacked
from bedplate.drift.managed import Resource
from bedplate.drift.updates import PackageUpdate, Renewal

# So many characters of a content's digest tell a host whether its own differs.
_SHORT_DIGEST = 16
# Within so many days each program is read once, whatever the mark of its package says.
_NIGHTS = 16


@dataclass(frozen=True, slots=True)
class Unsealed:
    """A task of which nobody knows what it manages, and why."""

    role: str | None
    task: str
    reason: str


@dataclass(frozen=True, slots=True)
class Managed:
    """What a run's tasks manage on one host."""

    resources: Sequence[Resource] = ()
    unsealed: Sequence[Unsealed] = ()


@dataclass(frozen=True, slots=True)
class Intent:
    """What a host was meant to be: digests of what says so.

    Attributes:
        content: the roles and playbooks.
        variables: what the inventory says of the host, and of the observers.
        fleet: of an observer, what the inventory says of all hosts; empty of any other host.
    """

    content: str = ""
    variables: str = ""
    fleet: str = ""

    def difference(self, now: Intent) -> str | None:
        """Return what has moved since, in words; None if nothing has."""
        moved = [
            what
            for what, then, since in (
                ("roles and playbooks", self.content, now.content),
                ("what the inventory says of it", self.variables, now.variables),
                ("what the inventory says of the fleet", self.fleet, now.fleet),
            )
            if then != since
        ]
        return f"since the seal, {' and '.join(moved)} changed" if moved else None


class SealError(ValueError):
    """A seal that cannot be trusted or read; one sentence says why."""


@dataclass(frozen=True, slots=True)
class Seal:
    """One host's agreed state.

    Attributes:
        run: id of the run that brought the host to this state.
        taken_at: when it was captured (UTC).
        renewals: why it says something else of some packages than it did then, oldest first.
        by_hand: somebody had it taken, whatever the host was like; no run had just brought it there.
    """

    host: str
    taken_at: datetime
    intent: Intent
    capture: Capture
    managed: Managed = field(default_factory=Managed)
    run: str = ""
    renewals: tuple[Renewal, ...] = ()
    by_hand: bool = False

    @property
    def digest(self) -> str:
        """Return the digest of what the seal says, without when it was taken and of which run."""
        capture = {**self.capture.document(), "taken_at": 0, "updates": {}}
        lasting = {**self._document(), "taken_at": "", "run": "", "capture": capture}
        return hashlib.sha256(json.dumps(lasting, sort_keys=True).encode()).hexdigest()

    @property
    def texts(self) -> tuple[str, ...]:
        """Return the digests of the texts that came with it."""
        return tuple(sorted(texts_of(self.capture)))

    def to_text(self, key: bytes) -> str:
        """Return the seal as one line: its signature and itself, compressed.

        Args:
            key: what signs it; kept outside of the store.
        """
        body = packed(self._document())
        return f"{_signature(self.host, body, key)}:{body}"

    @classmethod
    def from_text(cls, text: str, host: str, key: bytes) -> Seal:
        """Return the seal of a host that `to_text` wrote.

        Raises:
            SealError: it was changed, is that of another host, or was signed with another key.
        """
        body = verify(text, host, key)
        try:
            return _seal(unpacked(body))
        except (CaptureError, KeyError, TypeError, ValueError) as error:
            raise SealError(f"its seal cannot be read: {error}") from error

    def request(self, today: date | None = None) -> dict[str, Any]:
        """Return the arguments of the module `seal` that look at the same things again.

        Args:
            today: programs of packages whose mark is as sealed need not be read, but for those that have their turn on
                this day; None if all programs are to be read.
        """
        known = self.capture.states.get("file", {})
        wanted = request_for(self.managed.resources, text="changed")
        files = wanted["resources"].get("file", {})
        for path in files:
            digest = known.get(path, {}).get("content")
            files[path] = digest[:_SHORT_DIGEST] if digest else None
        sockets = sorted(self.capture.watched.get("socket", {}))
        sealed, programs = self._marks()
        if programs:
            wanted["marks"] = {name: [mark if today else "", digest] for name, (mark, digest) in programs.items()}
            wanted["turns"] = self._turns(today) if today else {}
        return {**wanted, "sockets": sockets, "sealed": sealed, "since": self.capture.taken_at}

    def completed(self, capture: Capture) -> Capture:
        """Return what a host answered with what was sealed of programs that it did not read: they have their mark."""
        found = capture.watched.get("file")
        if not capture.unread or found is None:
            return capture
        sealed, programs = self.capture.watched.get("file", {}), self.capture.programs
        paths = [path for name in capture.unread if name in programs for path in programs[name].paths]
        managed = capture.states.get("file", {})
        unread = {path: sealed[path] for path in paths if path in sealed and path not in managed}
        return replace(capture, watched={**capture.watched, "file": {**unread, **found}})

    def _marks(self) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
        """Return digests by which a host knows whether it is as sealed; it asks its logs only where it is not.

        Sockets come and go: the host looks for those that it did not have. Of the programs of packages there is one
        digest a package, behind the mark with which nobody need read them.
        """
        document = self.capture.document()
        parts = (("states", document["states"]), ("watched", document["watched"]))
        marks = {f"{part} {kind}": _mark(found) for part, kinds in parts for kind, found in kinds.items()}
        marks.pop("watched socket", None)
        programs = document.get("programs", {})
        return marks, {name: (mark, _mark(files)) for name, (mark, files) in programs.items()}

    def _turns(self, today: date) -> dict[str, str]:
        """Return digests of the programs that are read on a day whatever the mark of their package is."""
        files = self.capture.watched.get("file", {})
        start, day = zlib.crc32(self.host.encode("utf-8", "surrogatepass")), today.toordinal()
        return {
            path: _mark({key: text for key, text in files[path].items() if key != "package"})
            for one in self.capture.programs.values()
            for path in one.paths
            if (zlib.crc32(path.encode("utf-8", "surrogatepass"), start) + day) % _NIGHTS == 0 and path in files
        }

    def _document(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "host": self.host,
            "taken_at": self.taken_at.astimezone(UTC).isoformat(),
            "run": self.run,
            "intent": [self.intent.content, self.intent.variables, *([self.intent.fleet] if self.intent.fleet else [])],
            "capture": self.capture.document(),
            "managed": _table(self.managed.resources),
            "unsealed": [[gap.role, gap.task, gap.reason] for gap in self.managed.unsealed],
            **({"renewals": [_renewal_row(one) for one in self.renewals]} if self.renewals else {}),
            **({"by_hand": True} if self.by_hand else {}),
        }


def verify(text: str, host: str, key: bytes) -> str:
    """Return the body of a seal that `Seal.to_text` wrote. Raises SealError if it was not signed so for this host."""
    signature, _, body = text.partition(":")
    if not hmac.compare_digest(signature.encode(), _signature(host, body, key).encode()):
        raise SealError("its seal is not as it was signed: it was changed, or signed with another key")
    return body


def request_for(resources: Iterable[Resource], *, text: str = "all") -> dict[str, Any]:
    """Return the arguments of the module `seal` that look at resources for the first time."""
    wanted: dict[str, dict[str, str | None]] = {}
    for resource in resources:
        wanted.setdefault(resource.kind, {})[resource.key] = "" if resource.kind == "file" else None
    return {"resources": wanted, "text": text}


def texts_of(capture: Capture) -> dict[str, bytes]:
    """Return the compressed texts that a host gave, by the digest of their content: each is kept once."""
    kept = {}
    for path, text in capture.texts.items():
        digest = capture.states.get("file", {}).get(path, {}).get("content")
        content = opened(text)
        if content is not None and hashlib.sha256(content.encode()).hexdigest() == digest:
            kept[digest] = base64.b64decode(text)
    return kept


def opened(text: str | bytes) -> str | None:
    """Return a text that is compressed (bytes), or compressed and in base64 (str); None if it is none."""
    try:
        return zlib.decompress(base64.b64decode(text) if isinstance(text, str) else text).decode()
    except (zlib.error, binascii.Error, UnicodeDecodeError):
        return None


def _mark(found: Mapping[str, State] | State) -> str:
    return hashlib.sha256(json.dumps(found, separators=(",", ":"), sort_keys=True).encode()).hexdigest()[:_SHORT_DIGEST]


def _signature(host: str, body: str, key: bytes) -> str:
    return hmac.new(key, f"{host}\0{body}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _table(resources: Iterable[Resource]) -> list[list[Any]]:
    """Return resources by their task: role, task and what it manages."""
    tasks: dict[tuple[str | None, str | None], list[list[str]]] = {}
    for resource in resources:
        named = [resource.kind, resource.key, *(resource.named or ())]
        tasks.setdefault((resource.role, resource.task), []).append(named)
    return [[role, task, named] for (role, task), named in tasks.items()]


def resources_of(role: str | None, task: str | None, named: Iterable[Sequence[str]]) -> list[Resource]:
    """Return the resources of one task from how its event names them: kind, key, and what a full check says."""
    return [
        Resource(kind, key, role, task, (other[0], other[1], other[2]) if len(other) == 3 else None)
        for kind, key, *other in named
    ]


def _seal(document: Mapping[str, Any]) -> Seal:
    resources = [each for role, task, named in document["managed"] for each in resources_of(role, task, named)]
    return Seal(
        host=document["host"],
        taken_at=datetime.fromisoformat(document["taken_at"]),
        intent=Intent(*document["intent"]),
        capture=capture_of(document["capture"]),
        managed=Managed(resources, [Unsealed(*gap) for gap in document["unsealed"]]),
        run=document["run"],
        renewals=tuple(map(_renewal, document.get("renewals", ()))),
        by_hand=bool(document.get("by_hand")),
    )


def _renewal_row(renewal: Renewal) -> list[Any]:
    packages = [[one.name, one.before, one.after] for one in renewal.packages]
    return [renewal.run, renewal.at.astimezone(UTC).isoformat(), packages]


def _renewal(row: Sequence[Any]) -> Renewal:
    run, at, packages = row
    return Renewal(run, datetime.fromisoformat(at), tuple(PackageUpdate(*one) for one in packages))
