"""A seal anew, of what a run updated and of nothing else: all that was drift before the run is drift after it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bedplate.drift.attribution import Attribution
from bedplate.drift.capture import Capture, Programs, State, States
from bedplate.drift.seal import Seal
from bedplate.drift.updates import PackageUpdate, Renewal, Updates

# So many runs of the past a seal names.
_LONGEST = 50
_KEPT_BY_ROLES = frozenset({"file", "folder"})
_PARTS = ("states", "watched")
_ONE_USR = re.compile(r"^/(s?bin|lib\d*)/")
_MutableStates = dict[str, dict[str, State]]


def renewal_request(seal: Seal, updates: Sequence[Updates]) -> dict[str, Any]:
    """Return the arguments of the module `seal` that look at a host in order to renew its seal.

    Args:
        updates: oldest first.
    """
    updated = {one.name: [one.after, each.start, each.end] for each in updates for one in each.packages}
    programs = sorted({*seal.capture.watched.get("suid", {}), *seal.capture.states.get("suid", {})})
    # Who did it is not asked: that it was the run is known. All programs are read: those of updates have new marks.
    wanted = {**seal.request(), "text": "none", "sealed": {}, "marks": {}, "turns": {}}
    return {**wanted, "updated": updated, "programs": programs}


def renewed(seal: Seal, now: Capture, updates: Sequence[Updates]) -> Seal:
    """Return a seal that has what runs updated as it is now, and all else as it was.

    Of a package that is in the version that a run left, these count: its version; files that are as the package has
    them and were not touched since; files that it has no more. A configuration file keeps mode and owner, and what a
    role writes stays as the role wrote it. What somebody installed by hand before is not taken over, nor what somebody
    did to a file of a package, whenever that was.

    Args:
        now: what the host answered to `renewal_request`.
        updates: the same, oldest first.
    """
    accepted = _accepted(seal, now, updates)
    gone = {_ONE_USR.sub(r"/usr/\1/", path) for each in updates for path in each.gone}
    history = tuple(
        Renewal(each.run, each.at, tuple(one for one in each.packages if _name(one.name, now) in accepted))
        for each in updates
    )
    capture = _Merge(seal, now, accepted, frozenset(gone)).capture()
    return replace(seal, capture=capture, renewals=(*seal.renewals, *history)[-_LONGEST:])


def _accepted(seal: Seal, now: Capture, updates: Sequence[Updates]) -> frozenset[str]:
    """Return the packages that are as a run left them, and were sealed or came by a run."""
    sealed, versions = seal.capture.versions, now.versions
    last: dict[str, PackageUpdate] = {}
    came = set()
    for one in (one for each in updates for one in each.packages):
        name = _name(one.name, now)
        last[name] = one
        if not one.before:
            came.add(name)
    return frozenset(
        name for name, one in last.items() if versions.get(name) == one.after and (name in sealed or name in came)
    )


def _name(name: str, now: Capture) -> str:
    """Return a package's name as captures have it: without the host's own architecture."""
    return name if name in now.versions else name.partition(":")[0]


@dataclass(slots=True)
class _Merge:
    seal: Seal
    now: Capture
    accepted: frozenset[str]
    gone: frozenset[str]
    attribution: Attribution = field(init=False)
    parts: dict[str, _MutableStates] = field(init=False)
    taken: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.attribution = Attribution(self.seal.managed.resources)
        sealed = {part: _part(self.seal.capture, part) for part in _PARTS}
        self.parts = {part: {kind: dict(keys) for kind, keys in sealed[part].items()} for part in _PARTS}

    def capture(self) -> Capture:
        """Return what the seal has then."""
        for part, states in self.parts.items():
            now = _part(self.now, part)
            self._take_packages(states.get("package"), now.get("package", {}), new=part == "watched")
            for kind in ("file", "suid"):
                if kind in states and kind in now:
                    self._take_files(states[kind], now[kind])
        self._take_units()
        programs = {**self.seal.capture.programs, **self._programs()}
        return replace(self.seal.capture, states=self.parts["states"], watched=self.parts["watched"], programs=programs)

    def _programs(self) -> dict[str, Programs]:
        """Return which programs packages have that were updated; with a mark where the seal has all as it is now."""
        sealed, now = (part.get("file", {}) for part in (self.parts["watched"], self.now.watched))
        found = {}
        for name in self.accepted & (self.seal.capture.programs.keys() | self.now.programs.keys()):
            before, after = (each.programs.get(name, Programs("", ())) for each in (self.seal.capture, self.now))
            paths = sorted({*before.paths, *after.paths} & sealed.keys())
            is_whole = all(sealed[path] == now.get(path) for path in paths) and {*after.paths} <= {*paths}
            found[name] = Programs(after.mark if is_whole else "", tuple(paths))
        return found

    def _take_packages(self, sealed: dict[str, State] | None, now: Mapping[str, State], *, new: bool) -> None:
        if sealed is None:
            return
        for name in self.accepted & now.keys():
            before = sealed.get(name)
            if before is not None and "version" in before:
                sealed[name] = {**before, "version": now[name]["version"]}
            elif before is None and new:
                # Whoever holds it back did so after it came.
                sealed[name] = {**now[name], "selection": "install"}

    def _take_files(self, sealed: dict[str, State], now: Mapping[str, State]) -> None:
        for path, (package, extent) in self.now.brought.get("file", {}).items():
            if package not in self.accepted or self._kind_of(path) in _KEPT_BY_ROLES:
                continue
            self._take_file(path, sealed, now, whole=extent == "all" and self._kind_of(path) is None)
        there = {path for part in _PARTS for path in _present(_part(self.now, part).get("file", {}))}
        for path in self.gone & sealed.keys() - there - now.keys():
            if self._kind_of(path) in {None, "pattern"}:
                del sealed[path]

    def _take_file(self, path: str, sealed: dict[str, State], now: Mapping[str, State], *, whole: bool) -> None:
        before, after = sealed.get(path), now.get(path)
        if before is None and after is not None and not self._is_elsewhere(path, sealed):
            sealed[path] = after
        elif before is not None and after is None:
            # It is the package's program, and gives nobody more rights now.
            if whole and sealed is self.parts["watched"].get("suid"):
                del sealed[path]
            return
        elif before is not None and after is not None and whole:
            sealed[path] = after
        elif before is not None and after is not None and {"content"} <= before.keys() & after.keys():
            sealed[path] = {**before, "content": after["content"]}
        else:
            return
        self.taken.add(path)

    def _is_elsewhere(self, path: str, sealed: dict[str, State]) -> bool:
        """Return whether the seal has a path as the other sort of file: what a role manages, or what none does."""
        files = [self.parts[part].get("file", {}) for part in _PARTS]
        return sealed in files and any(path in other for other in files if other is not sealed)

    def _take_units(self) -> None:
        watched, now = self.parts["watched"].get("unit"), self.now.watched.get("unit", {})
        for name, (package, _) in self.now.brought.get("unit", {}).items():
            if watched is not None and package in self.accepted and name in now:
                watched.setdefault(name, now[name])
        managed = self.parts["states"].get("unit", {})
        for name, after in self.now.states.get("unit", {}).items():
            before = managed.get(name, {})
            paths = {file.rpartition("=")[0] for file in {*_configuration(before)} ^ {*_configuration(after)}}
            if paths and paths <= self.taken and before:
                managed[name] = {**before, "configuration": after["configuration"]}

    def _kind_of(self, path: str) -> str | None:
        resource = self.attribution.of("file", path)
        return resource.kind if resource else None


def _part(capture: Capture, part: str) -> States:
    return capture.states if part == "states" else capture.watched


def _present(files: Mapping[str, State]) -> list[str]:
    return [path for path, state in files.items() if state.get("presence") != "absent"]


def _configuration(unit: State) -> list[str]:
    return unit.get("configuration", "").split()
