"""What changed of what no role manages, and what of that is no drift: a boot, a lease, a service that came later."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bedplate.drift.capture import Capture, State

ABSENT: State = {"presence": "absent"}
DISABLED: State = {"enabled": "disabled"}
# Ports that the kernel gives to who asks for any.
_ANY_PORT = 32768
_UNITS = "/usr/lib/systemd/system/"
_JOBS = "/var/spool/cron/atjobs"
# What may be gone without being drift: it is started later, loaded when it is needed, or mounted by hand.
_MAY_GO = frozenset({"socket", "module"})


@dataclass(frozen=True, slots=True)
class Change:
    """One thing as it was sealed and as it is."""

    kind: str
    key: str
    before: State
    after: State


def watched_changes(sealed: Capture, now: Capture) -> Iterator[Change]:
    """Yield what came, went or changed without being named by a role, in the kinds that both of them could tell."""
    yield from _overfull(sealed, now)
    yield from (change for change in _matched(sealed, now) if _counts(change, sealed, now))
    for kind, before in sealed.watched.items():
        after = now.watched.get(kind)
        if after is None or after == before:
            continue
        changes = _changes(kind, before, after, now.states.get(kind, {}))
        yield from (change for change in changes if _counts(change, sealed, now))


def _changes(
    kind: str, before: Mapping[str, State], after: Mapping[str, State], managed: Mapping[str, State]
) -> Iterator[Change]:
    missing = DISABLED if kind == "unit" else ABSENT
    for key in [*before, *(key for key in after if key not in before)]:
        if key in managed:
            continue
        was, is_now = before.get(key, missing), after.get(key, missing)
        if was != is_now and was and is_now:
            yield Change(kind, key, was, is_now)


def _matched(sealed: Capture, now: Capture) -> Iterator[Change]:
    """Yield what came or went of the files that a role names by a pattern: all others are there whatever they are."""
    before, after = sealed.states.get("file"), now.states.get("file")
    if before is not None and after is not None and before.keys() != after.keys():
        yield from (Change("file", key, state, ABSENT) for key, state in before.items() if key not in after)
        yield from (Change("file", key, ABSENT, state) for key, state in after.items() if key not in before)


def _overfull(sealed: Capture, now: Capture) -> Iterator[Change]:
    for folder in now.overfull.keys() - sealed.overfull.keys():
        before = str(sum(posixpath.dirname(path) == folder for path in sealed.watched.get("file", {})))
        yield Change("file", folder, {"entries": before}, {"entries": now.overfull[folder]})


def _counts(change: Change, sealed: Capture, now: Capture) -> bool:
    if change.after is ABSENT and change.kind in _MAY_GO:
        return False
    judge = _JUDGES.get(change.kind)
    return judge is None or judge(change, sealed, now)


def _file_counts(change: Change, sealed: Capture, now: Capture) -> bool:
    folder = posixpath.dirname(change.key)
    # A boot empties /run, and a job that was run once is done.
    passed = (change.key.startswith("/run/") and sealed.boot_id != now.boot_id) or folder == _JOBS
    if folder in {*sealed.overfull, *now.overfull} or (passed and change.after is ABSENT):
        return False
    return not (ABSENT in (change.before, change.after) and _is_of_another_unit(change.key, sealed, now))


def _is_of_another_unit(path: str, sealed: Capture, now: Capture) -> bool:
    """Return whether a package's file is of a unit that starts at boot only now or no more: that itself is told of."""
    if not path.startswith(_UNITS):
        return False
    unit = path.removeprefix(_UNITS).partition("/")[0].removesuffix(".d")
    before, after = (set(map(_template, capture.watched.get("unit", ()))) for capture in (sealed, now))
    return unit in before ^ after


def _template(unit: str) -> str:
    name, at, instance = unit.partition("@")
    return f"{name}@.{instance.rpartition('.')[2]}" if at else unit


def _unit_counts(change: Change, sealed: Capture, now: Capture) -> bool:
    until_boot = change.before.get("enabled") == "enabled-runtime" and change.after is DISABLED
    return not (until_boot and sealed.boot_id != now.boot_id)


def _program_counts(change: Change, sealed: Capture, now: Capture) -> bool:
    return not _is_below(change.key, (*sealed.crowded, *now.crowded))


def _module_counts(change: Change, sealed: Capture, now: Capture) -> bool:
    """The kernel loads its own when a boot or a device needs them; whoever loads one by hand does so without a boot."""
    came = change.before is ABSENT
    return came and (sealed.boot_id == now.boot_id or change.after.get("tree") == "foreign")


def _mount_counts(change: Change, sealed: Capture, now: Capture) -> bool:
    """What was mounted by hand is not there after a boot."""
    stayed = change.after is not ABSENT
    return stayed or sealed.boot_id == now.boot_id or bool(change.before.get("configured"))


def _socket_counts(change: Change, sealed: Capture, now: Capture) -> bool:
    return change.before is ABSENT and not _has_another_port(change, sealed, now)


_JUDGES: Mapping[str, Callable[[Change, Capture, Capture], bool]] = {
    "file": _file_counts,
    "unit": _unit_counts,
    "suid": _program_counts,
    "module": _module_counts,
    "mount": _mount_counts,
    "socket": _socket_counts,
}


def _is_below(path: str, folders: Sequence[str]) -> bool:
    return any(path.startswith(f"{folder}/") for folder in folders)


def _has_another_port(change: Change, sealed: Capture, now: Capture) -> bool:
    """Whether a program listens on any port, and got another one than when it was sealed."""
    scope, port = change.key.rsplit(":", 1)
    program = change.after.get("program")
    if int(port) < _ANY_PORT or not program:
        return False
    listening = now.watched.get("socket", {})
    return any(
        key.rsplit(":", 1)[0] == scope and int(key.rsplit(":", 1)[1]) >= _ANY_PORT and key not in listening
        for key, state in sealed.watched.get("socket", {}).items()
        if state.get("program") == program
    )
