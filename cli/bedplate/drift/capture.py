"""What a host said of its actual state, as the module `seal` takes it down."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bedplate.drift.evidence import Evidence, evidence_of

# Since 2, programs of packages are a part of their own, and may be left unread.
SCHEMA = 2
_READABLE = frozenset({1, 2})
# An answer that claims to be larger is none of ours.
_LARGEST = 64 << 20

State = Mapping[str, str]
States = Mapping[str, Mapping[str, State]]


class CaptureError(ValueError):
    """What a host answered is no capture; one sentence says why."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which machine it is. Empty texts are what the host could not tell."""

    machine_id: str = ""
    serial: str = ""

    def difference(self, other: Identity) -> str | None:
        """Return what tells two machines apart, in words; None if they can be the same one."""
        for what, mine, its in (
            ("machine-id", self.machine_id, other.machine_id),
            ("serial number", self.serial, other.serial),
        ):
            if mine and its and mine != its:
                return f"its {what} is {its}, that of the seal is {mine}"
        return None


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs of one package; what they are is in what is watched.

    Attributes:
        mark: stands for all that the host's file system tells of them, when they last changed among it; empty where
            they are to be read each time.
        paths: where they are.
    """

    mark: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Capture:
    """The actual state of one host.

    Attributes:
        taken_at: seconds since 1970, by the host's clock.
        boot_id: the kernel's id of its last start.
        states: by kind and key, what was asked for.
        watched: by kind and key, what no role manages.
        programs: which of the files among that are the programs of a package that a role manages, by package.
        unread: packages whose programs have the mark that they were sealed with: nothing more is said of these.
        overfull: folders with too many entries to judge, and how many they have.
        crowded: folders with too many files to look for programs with rights in them.
        updates: version by package, of what came by unattended upgrades.
        verified: packages that were installed since the seal: of their files, `package` is only said of those that are
            as it brought them.
        brought: by kind and key, what came with updates that were asked for: the package, and whether only the
            `content` is the package's or `all` of it.
        texts: base64 of compressed texts, by path.
        evidence: what logs tell of who did what since.
        notes: sentences about what could not be judged.
        truncated: what was left out because the answer was too long.
    """

    identity: Identity
    taken_at: int = 0
    boot_id: str = ""
    states: States = field(default_factory=dict)
    watched: States = field(default_factory=dict)
    programs: Mapping[str, Programs] = field(default_factory=dict)
    unread: Sequence[str] = ()
    overfull: Mapping[str, str] = field(default_factory=dict)
    crowded: Sequence[str] = ()
    updates: Mapping[str, str] = field(default_factory=dict)
    verified: Sequence[str] = ()
    brought: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    evidence: Evidence = field(default_factory=Evidence)
    notes: Sequence[str] = ()
    truncated: Sequence[str] = ()

    @property
    def versions(self) -> dict[str, str]:
        """The versions of what is installed."""
        found = {**self.watched.get("package", {}), **self.states.get("package", {})}
        return {name: state["version"] for name, state in found.items() if "version" in state}

    def document(self) -> dict[str, Any]:
        """Return it as plain data, without what only tells how it came to be so."""
        watched, programs = _divided(self.watched, self.programs)
        return {
            "schema": SCHEMA,
            "identity": {"machine_id": self.identity.machine_id, "serial": self.identity.serial},
            "taken_at": self.taken_at,
            "boot_id": self.boot_id,
            "states": self.states,
            "watched": watched,
            **({"programs": programs} if programs else {}),
            "overfull": self.overfull,
            "crowded": list(self.crowded),
            "updates": self.updates,
            "notes": list(self.notes),
            "truncated": list(self.truncated),
        }


def read_capture(text: str) -> Capture:
    """Return the capture in what a host answered. Raises CaptureError."""
    return capture_of(unpacked(text))


def unpacked(text: str) -> dict[str, Any]:
    """Return the JSON object in compressed text. Raises CaptureError."""
    try:
        opened = zlib.decompressobj()
        plain = opened.decompress(base64.b64decode(text, validate=True), _LARGEST)
        if not opened.eof:
            raise CaptureError("it is cut off or too large")
        document = json.loads(plain)
    except (ValueError, zlib.error) as error:
        raise CaptureError(f"it cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise CaptureError("it is no object")
    return document


def packed(document: Mapping[str, Any]) -> str:
    """Return a JSON object as compressed text; the same for the same content."""
    plain = json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
    return base64.b64encode(zlib.compress(plain, 6)).decode()


def capture_of(document: Mapping[str, Any]) -> Capture:
    """Return the capture in a document. Raises CaptureError."""
    if document.get("schema") not in _READABLE:
        raise CaptureError(f"its schema is {document.get('schema')!r}, and {SCHEMA} is what can be read")
    identity = document.get("identity")
    if not isinstance(identity, Mapping):
        raise CaptureError("it does not say which machine it is from")
    watched, programs = _joined(_mapping(document, "watched"), _mapping(document, "programs"))
    return Capture(
        identity=Identity(str(identity.get("machine_id", "")), str(identity.get("serial", ""))),
        taken_at=int(document.get("taken_at", 0)),
        boot_id=str(document.get("boot_id", "")),
        evidence=evidence_of(document.get("evidence")),
        watched=watched,
        programs=programs,
        unread=tuple(map(str, document.get("unread", ()))),
        crowded=tuple(document.get("crowded", ())),
        notes=tuple(document.get("notes", ())),
        verified=tuple(document.get("verified", ())),
        truncated=tuple(document.get("truncated", ())),
        **{name: _mapping(document, name) for name in ("states", "overfull", "updates", "texts", "brought")},
    )


def _mapping(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name, {})
    if not isinstance(found, Mapping):
        raise CaptureError(f"its {name} are no object")
    return found


def _joined(watched: States, told: Mapping[str, Any]) -> tuple[States, dict[str, Programs]]:
    """Return what is watched with the programs of packages among it, and which of it these are.

    Raises:
        CaptureError: what is told of programs is none of that.
    """
    if not told or "file" not in watched:
        return watched, {}
    files = dict(watched["file"])
    programs = {}
    try:
        for name, (mark, found) in told.items():
            programs[name] = Programs(str(mark), tuple(sorted(found)))
            files.update(found)
    except (TypeError, ValueError) as error:
        raise CaptureError(f"what it says of programs cannot be read: {error}") from error
    return {**watched, "file": files}, programs


def _divided(watched: States, programs: Mapping[str, Programs]) -> tuple[States, dict[str, list[Any]]]:
    """Return what `_joined` was given."""
    if not programs or "file" not in watched:
        return watched, {}
    files = dict(watched["file"])
    told: dict[str, list[Any]] = {}
    for name, one in programs.items():
        told[name] = [one.mark, {path: files.pop(path) for path in one.paths if path in files}]
    return {**watched, "file": files}, told
