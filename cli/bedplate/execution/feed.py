"""The ansible side of the channel to Bedplate: events and found-out secrets leave through memory, never a disk.

Standard library only: it is imported into the process of ansible-playbook.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

EXIT = b"!exit "
PID = b"!pid "
END = b"!end"
# Bulk that is in the event twice, belongs to the host and not to the run, or is the task's own arguments.
_DROPPED = frozenset({"invocation", "stdout_lines", "stderr_lines"})
_INVENTORIES = frozenset({"setup", "gather_facts", "package_facts", "service_facts", "mount_facts"})
# Arguments that name what a task is about. Of a change that is all that tells what was changed.
_NAMING = ("name", "path", "dest", "pkg", "package", "unit", "service", "user", "state", "key", "job", "line", "regexp")
_CHUNK = 1 << 20


class EventFeed:
    """Sends events to Bedplate, a line each.

    Args:
        descriptor: the writing end of Bedplate's pipe.
        encoder: the JSON encoder of the callback plugin.
    """

    def __init__(self, descriptor: int, encoder: type[json.JSONEncoder] = json.JSONEncoder) -> None:
        self.descriptor = descriptor
        self.encoder = encoder

    def describe(self, event: dict[str, Any]) -> str:
        """Return an event of the callback plugin as JSON. Printing changes it: describe it before."""
        return json.dumps(slim(event), cls=self.encoder, separators=(",", ":"))

    def send_event(self, described: str, printed: str) -> None:
        """Send an event with what it printed."""
        self.send(f'{described[:-1]},"stdout":{json.dumps(printed)}}}\n'.encode())

    def send(self, line: bytes) -> None:
        """Send one whole line."""
        rest = memoryview(line)
        while rest:
            rest = rest[os.write(self.descriptor, rest) :]


def slim(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event without what nobody reads later: it would cost time here and room in the store."""
    data = event.get("event_data")
    if not data:
        return event
    result = data.get("res")
    if isinstance(result, Mapping):
        facts = data.get("task_action", "").rpartition(".")[2] in _INVENTORIES
        kept = {key: value for key, value in result.items() if key not in _DROPPED}
        if result.get("changed"):
            kept |= _named(result.get("invocation"))
        items = kept.get("results")
        if isinstance(items, list) and items and isinstance(items[0], Mapping) and "ansible_loop_var" in items[0]:
            kept["results"] = f"{len(items)} items, each has an event of its own"
        if facts and "ansible_facts" in kept:
            kept["ansible_facts"] = f"{len(kept['ansible_facts'])} facts, not kept"
        data = {**data, "res": kept}
    if event.get("event") == "runner_on_file_diff":
        data = {key: value for key, value in data.items() if key != "diff"}
    return {**event, "event_data": data}


def is_unverified(result: Mapping[str, Any]) -> bool:
    """Return whether a task was skipped because this is a check, and not because it was none of this host's.

    A loop is told of by its items.
    """
    condition = result.get("false_condition")
    if condition is not None:
        return "ansible_check_mode" in str(condition)
    return not any(key in result for key in ("skip_reason", "skipped_reason", "results"))


def _named(invocation: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return what of a task's arguments names what it changed, under `arguments`; nothing if there is no such."""
    given = invocation.get("module_args") if isinstance(invocation, Mapping) else None
    if not isinstance(given, Mapping):
        return {}
    named = {name: given[name] for name in _NAMING if given.get(name) is not None}
    return {"arguments": named} if named else {}


class SecretFeed:
    """Tells Bedplate what was decrypted, before anything can speak of it. Usable in forked processes.

    The file is appended to in single writes, so that processes do not mix; what is in it is not told again.

    Args:
        path: the shared file, in memory.
    """

    def __init__(self, path: str) -> None:
        self._write = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self._read = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._position = 0
        self._rest = b""
        self._told: set[bytes] = set()

    def tell(self, secret: bytes) -> None:
        """Tell one secret, if it is new."""
        line = json.dumps(secret.decode("utf-8", "surrogateescape")).encode()
        if line in self._told or line in self._refresh():
            return
        os.write(self._write, line + b"\n")

    def _refresh(self) -> set[bytes]:
        while chunk := os.pread(self._read, _CHUNK, self._position):
            self._position += len(chunk)
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            self._told.update(lines)
        return self._told
