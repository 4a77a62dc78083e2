# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""What dpkg and apt know: which packages there are, and whose a file is."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
from collections.abc import Collection, Iterable, Mapping

from .seal_system import gunzipped, read

_CONFFILES = re.compile(rb"^Conffiles:\n((?: .*\n?)+)", re.MULTILINE)
_PROGRAM = re.compile(r"/usr/(local/)?(s?bin|games)/|/usr/lib/.*/security/pam_[^/]*\.so$")
# Those, and helpers that may be programs, among a package's files.
_PROGRAMS = re.compile(
    r"^/usr/(?:(?:local/)?(?:s?bin|games)/.*|lib/.*/security/pam_[^/\n]*\.so|lib(?:exec)?/(?!python|modules/).*)$",
    re.MULTILINE,
)
_BESIDE_USR = re.compile(r"^/(s?bin|lib\d*)/", re.MULTILINE)
_SUM_BESIDE_USR = re.compile(r"^(\w+  )((?:s?bin|lib\d*)/)", re.MULTILINE)
_BESIDE = ".dpkg-dist"
_LIBRARY = re.compile(r"\.so(\.[\d.]+)?$")
_HISTORY = "/var/log/apt/history.log"


class Packages:
    """What dpkg knows.

    Attributes:
        states: version and hold by name, of what is installed; a foreign architecture is part of the name.
        owners: which package a configuration file belongs to.
        configuration: the digests that configuration files came with.
    """

    def __init__(self, path: str = "/var/lib/dpkg/status", info: str = "/var/lib/dpkg/info") -> None:
        self.states: dict[str, dict[str, str]] = {}
        # These files are put together from the certificates of a package, and are none of its own.
        self.owners: dict[str, str] = {
            "/etc/ssl/certs/ca-certificates.crt": "ca-certificates",
            "/etc/ca-certificates.conf": "ca-certificates",
        }
        self.configuration: dict[str, str] = {}
        self._info = _Info(info)
        self._lists: dict[str, str] = {}
        self._files: dict[str, frozenset[str]] = {}
        try:
            with open(path, "rb") as file:
                stanzas = [b"\n" + stanza for stanza in file.read().split(b"\n\n")]
        except OSError:
            return
        dpkg = next((each for each in stanzas if each.startswith(b"\nPackage: dpkg\n")), b"")
        native = _field(dpkg, b"Architecture")
        for stanza in stanzas:
            status = _field(stanza, b"Status")
            if status.endswith(b" installed"):
                self._add(stanza, status, native)

    def _add(self, stanza: bytes, status: bytes, native: bytes) -> None:
        name = _field(stanza, b"Package").decode()
        architecture = _field(stanza, b"Architecture") or b"all"
        if architecture not in (native, b"all"):
            name = "{0}:{1}".format(name, architecture.decode())
        self.states[name] = {
            "presence": "present",
            "version": _field(stanza, b"Version").decode(),
            "selection": status.split()[0].decode(),
        }
        listed = _CONFFILES.search(stanza) if b"\nConffiles:\n" in stanza else None
        for line in listed.group(1).decode("utf-8", "surrogateescape").splitlines() if listed else ():
            words = line.rsplit(None, 2 if line.endswith(" obsolete") else 1)
            self.owners[words[0].strip()] = name
            self.configuration[words[0].strip()] = words[1].strip()

    def state(self, name: str) -> dict[str, str]:
        return self.states.get(name, {"presence": "absent"})

    @staticmethod
    def unattended() -> dict[str, str]:
        """Return which versions came by unattended upgrades, and what they removed, by package, as apt's log tells."""
        found: dict[str, str] = {}
        for text in (gunzipped(_HISTORY + ".1.gz"), read(_HISTORY)):
            for entry in text.split("\n\n"):
                if "unattended-upgrade" in entry:
                    found.update(re.findall(r"([^\s,:(]+):\S+ \([^,)]+, ([^,)]+)\)", entry))
                    found.update(re.findall(r"([^\s,:(]+):\S+ \(([^,)]+), automatic\)", entry))
                    for line in re.findall(r"(?m)^(?:Remove|Purge): (.*)$", entry):
                        found.update(dict.fromkeys(re.findall(r"([^\s,:(]+):\S+ \(", line), "removed"))
        return found

    def name_of(self, name: str) -> str:
        """Return the name under which a package is known here: dpkg may name the host's own architecture, too."""
        return name if name in self.states else name.partition(":")[0]

    def replaced(self, since: int) -> list[str]:
        """Return the packages whose files were put in place since a moment; none for the beginning of time."""
        return sorted(map(self.name_of, self._info.listed_since(since))) if since else []

    def files(self, name: str) -> frozenset[str]:
        """Return a package's files, where a system with one /usr has them."""
        if name not in self._files:
            self._files[name] = frozenset(self._listed(name).splitlines())
        return self._files[name]

    def programs(
        self, name: str, known: Mapping[str, os.stat_result] | None = None
    ) -> dict[str, os.stat_result | None]:
        """Return a package's programs, and what lets people log in, with what is there; None where nothing is.

        Args:
            known: what is there, as far as somebody has looked just before.
        """
        known = known or {}
        found = {path: known.get(path) or _status(path) for path in _PROGRAMS.findall(self._listed(name))}
        return {path: status for path, status in found.items() if _is_program(path, status)}

    def _listed(self, name: str) -> str:
        """Return a package's list of files, a line each; it is read once."""
        if name not in self._lists:
            self._lists[name] = _BESIDE_USR.sub(r"/usr\g<0>", self._info.text(name, ".list"))
        return self._lists[name]

    def owners_of(self, paths: Collection[str], names: Iterable[str]) -> dict[str, str]:
        """Return which of these packages each path belongs to, where it is one of theirs."""
        wanted = set(paths)
        found = {path: self.owners[path] for path in wanted if path in self.owners}
        for name in names:
            found.update(dict.fromkeys(self.files(name) & wanted, name))
        return found

    def brought(self, paths: Collection[str], updated: Collection[str]) -> dict[str, str]:
        """Return the owners of paths; of updated packages, only of what is as the package brought it."""
        owners = self.owners_of(paths, updated)
        for name in set(owners.values()).intersection(updated):
            sums = {**self.configuration, **self.sums(name)}
            for path in [path for path, owner in owners.items() if owner == name and path in sums]:
                if md5(path) != sums[path]:
                    del owners[path]
        owners.update(self._put_beside(paths, updated))
        return owners

    def _put_beside(self, paths: Iterable[str], updated: Iterable[str]) -> dict[str, str]:
        """Return the owners of what dpkg put beside configuration files that somebody had edited."""
        found = {path: path[: -len(_BESIDE)] for path in paths if path.endswith(_BESIDE)}
        names = set(updated)
        return {
            path: self.owners[beside]
            for path, beside in found.items()
            if self.owners.get(beside) in names and md5(path) == self.configuration.get(beside)
        }

    def sums(self, name: str) -> dict[str, str]:
        """Return the digests that a package's files came with, but for those of its configuration."""
        lines = _SUM_BESIDE_USR.sub(r"\1usr/\2", self._info.text(name, ".md5sums")).splitlines()
        return {"/" + path: total for total, _, path in (line.partition("  ") for line in lines)}


class _Info:
    """What dpkg keeps about each package, in a folder of thousands of files: it is listed once."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._files: dict[str, str] | None = None

    def text(self, name: str, ending: str) -> str:
        """Return a package's file; its name has the architecture in it where there may be several."""
        if self._files is None:
            self._files = self._listed()
        file = self._files.get(name + ending) or self._files.get(name.partition(":")[0] + ending)
        return read(os.path.join(self._folder, file)) if file else ""

    def listed_since(self, moment: int) -> list[str]:
        """Return the packages whose lists of files were written since a moment, as dpkg names them."""
        with contextlib.suppress(OSError), os.scandir(self._folder) as entries:
            lists = [entry for entry in entries if entry.name.endswith(".list")]
            return [entry.name[: -len(".list")] for entry in lists if entry.stat().st_mtime >= moment]
        return []

    def _listed(self) -> dict[str, str]:
        """Return the files by their names, and by those without an architecture."""
        try:
            files = sorted(os.listdir(self._folder), reverse=True)
        except OSError:
            return {}
        return {**{re.sub(r":[^.]*", "", file, count=1): file for file in files}, **{file: file for file in files}}


def md5(path: str) -> str:
    """Return the digest that dpkg knows a file by; empty where it cannot be read."""
    total = hashlib.md5(usedforsecurity=False)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, ValueError):
        return ""
    try:
        for chunk in iter(lambda: os.read(descriptor, 1 << 18), b""):
            total.update(chunk)
    except OSError:
        return ""
    finally:
        os.close(descriptor)
    return total.hexdigest()


def _field(stanza: bytes, name: bytes) -> bytes:
    """Return the first line of a field; empty where there is none."""
    head = b"\n" + name + b": "
    start = stanza.find(head)
    if start < 0:
        return b""
    start += len(head)
    end = stanza.find(b"\n", start)
    return stanza[start:end] if end >= 0 else stanza[start:]


def _status(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None


def _is_program(path: str, status: os.stat_result | None) -> bool:
    if status is None or _PROGRAM.match(path):
        return True
    return stat.S_ISREG(status.st_mode) and (bool(status.st_mode & 0o111) or bool(_LIBRARY.search(path)))
