# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""The programs of packages: read, or known by a mark to be as they were when they were sealed."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterable, Mapping

from .seal_answer import mark
from .seal_files import FileReader
from .seal_packages import Packages

# Another way to make a mark has another number: no mark of the old way is taken for one of the new.
_WAY = b"1"
# What changed so short a time ago may change again without the file system's clock showing it.
_FRESH = 3


class Programs:
    """Looks at the programs of packages.

    Args:
        sealed: by package, the mark with which its programs need not be read, and the digest of their states. A
            package that is not among them is read, and is no package of the seal.
        turns: by path, the digest of what a program was: these are read whatever the mark of their package says.
        verified: packages that were installed since: of their programs, only one that is as the package brought it is
            said to be the package's.

    Attributes:
        found: by package, its mark and the states of its programs: of all that were read.
        unread: packages whose programs have the mark that they were sealed with.
        taken: by path, the states of those of their programs that were read all the same.
        paths: the programs of all of them, with their package.
    """

    def __init__(
        self,
        packages: Packages,
        files: FileReader,
        sealed: Mapping[str, list],
        turns: Mapping[str, str],
        verified: Iterable[str],
    ) -> None:
        self._packages = packages
        self._files = files
        self._sealed = sealed
        self._turns = turns
        self._verified = dict.fromkeys(verified)
        self.found: dict[str, list] = {}
        self.taken: dict[str, dict] = {}
        self.unread: list[str] = []
        self.paths: dict[str, str] = {}

    def look(self, names: Iterable[str], besides: Iterable[str], known: Mapping[str, os.stat_result]) -> None:
        """Look at the programs of packages.

        Args:
            besides: files that are told of as something else.
            known: what is at paths, as far as somebody has looked just before.
        """
        statuses = {name: self._packages.programs(name, known) for name in names}
        self.paths = {path: name for name, programs in statuses.items() for path in programs}
        for path in self.paths.keys() & set(besides):
            del self.paths[path]
        for name, programs in statuses.items():
            found = mark_of(programs)
            if found and found == self._sealed.get(name, [""])[0]:
                self.unread.append(name)
            elif programs:
                self.found[name] = [found, {}]
        self._read()

    def _read(self) -> None:
        read = {path: name for path, name in self.paths.items() if name in self.found}
        updated = [path for path, name in read.items() if {name, name.partition(":")[0]} & self._verified.keys()]
        changed = set(updated) - self._packages.brought(updated, self._verified).keys()
        for path, name in read.items():
            state = self._files.state(path)
            self.found[name][1][path] = state if path in changed else dict(state, package=name)

        unread = self.paths.keys() & self._turns.keys() - read.keys()
        self.taken = {path: self._files.state(path) for path in unread if self.paths[path] in self.unread}

    def are_as_sealed(self) -> bool:
        """Return whether all packages of the seal have the programs that they were sealed with."""
        if any(mark(state) != self._turns[path] for path, state in self.taken.items()):
            return False
        read = {name: mark(self.found.get(name, ["", {}])[1]) for name in self._sealed if name not in self.unread}
        return all(found == self._sealed[name][1] for name, found in read.items())

    def besides_sealed(self, files: Mapping[str, dict]) -> dict[str, dict]:
        """Return files without the programs of packages of the seal, and with those of others."""
        own = {path for path, name in self.paths.items() if name in self._sealed}
        others = [states for name, (_, states) in self.found.items() if name not in self._sealed]
        found = {path: state for path, state in files.items() if path not in own}
        for states in others:
            found.update(states)
        return found


def mark_of(programs: Mapping[str, os.stat_result | None]) -> str:
    """Return what stands for all that a file system tells of files; empty where one changed a moment ago.

    Whoever changes a file's content, mode, owner, attributes, ACL or capabilities also moves the time of its last
    change, which cannot be set but by the clock; whoever puts another file in its place, or mounts one over it, has
    another number for it, or another device than that of `/usr`. Devices themselves have other numbers after a boot.
    """
    if not programs:
        return ""
    latest, device = time.time() - _FRESH, os.lstat("/usr").st_dev
    told: list[object] = []
    for path, status in programs.items():
        told.append(path)
        if status is None:
            continue
        if status.st_ctime > latest:
            return ""
        told += (status.st_mode, status.st_ino, status.st_dev == device, status.st_uid, status.st_gid)
        told += (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        if stat.S_ISLNK(status.st_mode):
            told.append(_target(path))
    return hashlib.sha256(_WAY + repr(told).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _target(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
