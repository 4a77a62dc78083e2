# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""What the kernel's audit tells of who did something, in the form of auditd's log and of `ausearch --raw`.

Unlike sudo's line it names who logged in, whoever that person became since.
"""

from __future__ import annotations

import posixpath
import pwd
import re
from collections.abc import Iterator

from .seal_logs import act

_RECORD = re.compile(r"type=([A-Z_]+) msg=audit\((\d+)\.\d+:(\d+)\): ?(.*)")
_FIELD = re.compile(r'(\w+)=("[^"]*"|\S+)')
_HEX = re.compile(r"(?:[0-9A-F]{2})+")
_NOBODY = frozenset(["4294967295", "-1", "unset", ""])
# The folder of what was changed is no thing that was changed.
_BESIDES = frozenset(["PARENT", "UNKNOWN"])
_MOST_ARGUMENTS = 64


def from_audit(text: str, since: int = 0) -> Iterator[dict]:
    """Yield programs that were started (`exec`) and what was written (`audit`), as far as it was not refused."""
    events: dict[str, list[tuple[str, dict[str, str]]]] = {}
    times: dict[str, int] = {}
    for line in text.splitlines():
        found = _RECORD.match(line)
        if found and int(found.group(2)) >= since:
            kind, at, serial, fields = found.groups()
            # What auditd adds, behind this sign, are names for numbers, and not always there.
            events.setdefault(serial, []).append((kind, dict(_FIELD.findall(fields.partition("\x1d")[0]))))
            times[serial] = int(at)
    for serial, records in events.items():
        told = _act(times[serial], records)
        if told:
            yield told


def _act(at: int, records: list[tuple[str, dict[str, str]]]) -> dict | None:
    by_kind = dict(records)
    call = by_kind.get("SYSCALL", {})
    if call.get("success") != "yes":
        return None
    user = _user(call.get("auid", ""))
    folder = _plain(by_kind.get("CWD", {}).get("cwd", ""))
    if "EXECVE" in by_kind:
        arguments = _arguments(by_kind["EXECVE"])
        return act(at, "exec", user, arguments or _plain(call.get("exe", "")), folder=folder)
    names = [
        posixpath.normpath(posixpath.join(folder, _plain(fields["name"])))
        for kind, fields in records
        if kind == "PATH" and fields.get("nametype", "UNKNOWN") not in _BESIDES and fields.get("name") != "(null)"
    ]
    title = _plain(by_kind.get("PROCTITLE", {}).get("proctitle", "")).replace("\0", " ")
    command = title or _plain(call.get("exe", ""))
    return act(at, "audit", user, command, folder=folder, names=names) if names else None


def _arguments(fields: dict[str, str]) -> str:
    names = ["a{0}".format(number) for number in range(_MOST_ARGUMENTS)]
    return " ".join(_plain(fields[name]) for name in names if name in fields)


def _user(auid: str) -> str | None:
    """Return who logged in; None for what nobody did who logged in, such as a service."""
    if auid in _NOBODY:
        return None
    try:
        return pwd.getpwuid(int(auid)).pw_name
    except (KeyError, ValueError, OverflowError):
        return auid


def _plain(value: str) -> str:
    """Return a value, which is in hexadecimal where it has blanks, quotes or other characters."""
    if value.startswith('"'):
        return value.strip('"')
    if _HEX.fullmatch(value):
        return bytes.fromhex(value).decode("utf-8", "replace")
    return value
