"""known_hosts files: which keys are known for a name, and writing down new ones without losing a line."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bedplate.errors import UsageError
from bedplate.execution.inventory_cache import private_folder, write_private

_MARKERS = ("@cert-authority", "@revoked")


@dataclass(frozen=True, order=True)
class HostKey:
    """A public host key: its type, such as `ssh-ed25519`, and its content in base64."""

    type: str
    content: str

    @property
    def fingerprint(self) -> str:
        """The fingerprint as `ssh-keygen -l` shows it."""
        digest = hashlib.sha256(base64.b64decode(self.content)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


@dataclass(frozen=True)
class KnownHost:
    """One line of a known_hosts file: the names as written (perhaps hashed) and the key."""

    names: str
    key: HostKey
    marker: str = ""

    def is_for(self, name: str) -> bool:
        """Return whether the line is for a name, as ssh would look it up (patterns with `*` and `!` left out)."""
        return any(_matches(pattern, name) for pattern in self.names.split(","))


class KnownHosts:
    """One known_hosts file.

    Args:
        path: it need not exist yet.

    Raises:
        UsageError: the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        except FileNotFoundError:
            self._lines = []
        except OSError as error:
            raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from error

    @property
    def entries(self) -> list[KnownHost]:
        return [entry for line in self._lines if (entry := _parse(line)) is not None]

    def keys(self, name: str) -> list[HostKey]:
        """Return the keys that are trusted for a name."""
        return [entry.key for entry in self.entries if not entry.marker and entry.is_for(name)]

    def revoked(self, name: str) -> list[HostKey]:
        return [entry.key for entry in self.entries if entry.marker == "@revoked" and entry.is_for(name)]

    def add(self, name: str, keys: Iterable[HostKey]) -> None:
        """Trust keys for a name; `save` writes them down."""
        known = self.keys(name)
        self._lines += [f"{name} {key.type} {key.content}" for key in dict.fromkeys(keys) if key not in known]

    def forget(self, name: str) -> None:
        """Trust no key for a name any more; other names on the same lines keep theirs."""
        self._lines = [kept for line in self._lines if (kept := _without(line, name)) is not None]

    def save(self) -> None:
        """Write the file: whole or not at all. Raises UsageError if that cannot be done."""
        target = Path(os.path.realpath(self.path))
        try:
            private_folder(target.parent)
            mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
            text = "".join(f"{line}\n" for line in self._lines)
            write_private(target, text.encode("utf-8", errors="surrogateescape"), mode)
        except OSError as error:
            raise UsageError(f"cannot be written: {error.strerror}", where=str(self.path)) from error


def _parse(line: str) -> KnownHost | None:
    fields = line.split()
    marker = fields.pop(0) if fields and fields[0] in _MARKERS else ""
    if len(fields) < 3 or fields[0].startswith("#"):
        return None
    try:
        base64.b64decode(fields[2], validate=True)
    except ValueError:
        return None
    return KnownHost(fields[0], HostKey(fields[1], fields[2]), marker)


def _without(line: str, name: str) -> str | None:
    entry = _parse(line)
    if entry is None or entry.marker or not entry.is_for(name):
        return line
    others = [pattern for pattern in entry.names.split(",") if not _matches(pattern, name)]
    return line.replace(entry.names, ",".join(others), 1) if others else None


def _matches(pattern: str, name: str) -> bool:
    if not pattern.startswith("|1|"):
        return pattern.lower() == name.lower()
    _, _, salt, wanted = pattern.split("|", 3)
    made = hmac.new(base64.b64decode(salt), name.encode(), "sha1").digest()
    return hmac.compare_digest(base64.b64encode(made).decode(), wanted)
