"""What changed of what no role manages, and what of that is no drift: a boot, a lease, a service that came later."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bedplate.drift.capture import Capture, State

ABSENT: State = {"presence": "absent"}
DISABLED: State = {"enabled": "disabled"}
# Ports that the kernel gives to who asks for any.
_ANY_PORT = 32768
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
    """Yield what came, went or changed of what no role manages, in the kinds that both of them could tell."""
    yield from _overfull(sealed, now)
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


def _overfull(sealed: Capture, now: Capture) -> Iterator[Change]:
    for folder in now.overfull.keys() - sealed.overfull.keys():
        before = str(sum(posixpath.dirname(path) == folder for path in sealed.watched.get("file", {})))
        yield Change("file", folder, {"entries": before}, {"entries": now.overfull[folder]})


def _counts(change: Change, sealed: Capture, now: Capture) -> bool:
    came, went = change.before is ABSENT, change.after is ABSENT
    if went and change.kind in _MAY_GO:
        return False
    if change.kind == "file" and posixpath.dirname(change.key) in {*sealed.overfull, *now.overfull}:
        return False
    same_boot = sealed.boot_id == now.boot_id
    if change.kind == "module":
        return came and (same_boot or change.after.get("tree") == "foreign")
    if change.kind == "mount" and went:
        return same_boot or bool(change.before.get("configured"))
    if change.kind == "socket":
        return came and not _has_another_port(change, sealed, now)
    return True


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
