# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""What the logs of a host tell of who did something: sudo and systemd in the journal, apt's and dpkg's own.

An act is plain data: `at` (seconds since 1970), `source`, `user`, `command`, `folder` (where it was run) and `names`
(what it says that it changed). What a log does not say is None or empty.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime

# That systemd stopped a unit, and that one failed.
STOPPED = "9d1aaa27d60140bd96365438aad20286"
FAILED = "d9b373ed55a64feb8242e02dbe79a49c"
MOST_LINES = 2000
JOURNAL = [
    "journalctl", "--quiet", "--no-pager", "--output=json", "--lines={0}".format(MOST_LINES),
    "--output-fields=MESSAGE,MESSAGE_ID,UNIT,_CAP_EFFECTIVE,_COMM,_EXE,_PID", "_COMM=sudo",
    "+", "_PID=1", "MESSAGE_ID=" + STOPPED, "+", "_PID=1", "MESSAGE_ID=" + FAILED,
]  # fmt: skip
# These come and go with everybody who logs in.
_OF_LOGINS = ("user@", "user-runtime-dir@", "session-")
_SUDO = re.compile(r"\s*(\S+) : ((?:[A-Z]+=.*? ; )*)COMMAND=(.*)", re.DOTALL)
_CONTINUED = re.compile(r"\s*(\S+) : \(command continued\) (.*)", re.DOTALL)
_FOLDER = re.compile(r"(?:^|; )PWD=(.*?) ; ")
_NO_COMMANDS = frozenset(["list", "validate"])
# How Ansible becomes root: what it did then is not in the command.
_ANSIBLE = re.compile(
    r"/\S+ -c '?echo BECOME-SUCCESS-[a-z]{32} ; (?:\w+=\S* )*(?:\S*/)?python[\d.]*(?: \S*/AnsiballZ_\w+\.py)?'?\s*"
)
_HISTORY_FIELD = re.compile(r"^([A-Z][A-Za-z-]*): (.*)$", re.MULTILINE)
_CHANGED_PACKAGE = re.compile(r"([^\s,:(]+):\S+ \(")
_CHANGES = ("Install", "Reinstall", "Upgrade", "Downgrade", "Remove", "Purge")
_DPKG = re.compile(
    r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) ((?:install|upgrade|remove|purge) ([^\s:]+)\S* .*)$", re.MULTILINE
)


def act(
    at: int, source: str, user: str | None, command: str, *, folder: str = "", names: list[str] | None = None
) -> dict:
    """Return one act."""
    return {"at": at, "source": source, "user": user, "command": command, "folder": folder, "names": names or []}


def from_journal(text: str) -> Iterator[dict]:
    """Yield what `JOURNAL` tells: commands by sudo (`sudo`), units that stopped (`systemd`) or failed (`failure`)."""
    last: dict | None = None
    for line in text.splitlines():
        try:
            entry = json.loads(line)
            at = int(entry["__REALTIME_TIMESTAMP"]) // 1000000
        except (ValueError, KeyError, TypeError):
            continue
        message = _text(entry.get("MESSAGE"))
        unit = _text(entry.get("UNIT"))
        if unit.startswith(_OF_LOGINS):
            continue
        if entry.get("_PID") == "1" and unit:
            source = "failure" if entry.get("MESSAGE_ID") == FAILED else "systemd"
            yield act(at, source, None, message, names=[unit])
        elif _is_sudos(entry):
            more = _CONTINUED.match(message)
            if more and last and last["user"] == more.group(1):
                last["command"] += more.group(2)
                continue
            if last:
                yield last
            last = _by_sudo(at, message)
    if last:
        yield last


def _is_sudos(entry: dict) -> bool:
    """Return whether it was sudo that said this: anybody may call a program so, but not give it rights."""
    rights = str(entry.get("_CAP_EFFECTIVE") or "0").strip("0")
    return entry.get("_COMM") == "sudo" and bool(rights) and str(entry.get("_EXE", "/usr/")).startswith("/usr/")


def _by_sudo(at: int, message: str) -> dict | None:
    """Return a command that sudo ran; None for one that it refused, and for how Ansible becomes root."""
    found = _SUDO.match(message)
    if not found or found.group(3) in _NO_COMMANDS or _ANSIBLE.fullmatch(found.group(3)):
        return None
    folder = _FOLDER.search(found.group(2))
    return act(at, "sudo", found.group(1), found.group(3), folder=folder.group(1) if folder else "")


def _text(value: object) -> str:
    """Return a field of the journal: one that is not UTF-8 is a list of bytes, one that is too long is null."""
    if isinstance(value, list):
        return bytes(one for one in value if isinstance(one, int) and 0 <= one < 256).decode("utf-8", "replace")
    return value if isinstance(value, str) else ""


def from_history(text: str) -> Iterator[dict]:
    """Yield what apt's history.log tells; `until` is when it ended. What apt did by itself is nobody's."""
    for entry in text.split("\n\n"):
        fields = dict(_HISTORY_FIELD.findall(entry))
        at = _moment(fields.get("Start-Date", ""))
        names = [name for change in _CHANGES for name in _CHANGED_PACKAGE.findall(fields.get(change, ""))]
        if at is None or not names:
            continue
        command = fields.get("Commandline", "")
        user = fields.get("Requested-By", "root").partition(" ")[0]
        found = act(at, "apt", None if "unattended-upgrade" in command else user, command, names=names)
        yield dict(found, until=_moment(fields.get("End-Date", "")) or at)


def from_dpkg(text: str) -> Iterator[dict]:
    """Yield what dpkg.log tells, which is never who."""
    for moment, command, name in _DPKG.findall(text):
        at = _moment(moment)
        if at is not None:
            yield act(at, "dpkg", None, command, names=[name])


def _moment(text: str) -> int | None:
    """Return the seconds since 1970 of a time by the host's clock and zone."""
    try:
        return int(datetime.fromisoformat(" ".join(text.split())).timestamp())
    except (ValueError, OverflowError):
        return None
