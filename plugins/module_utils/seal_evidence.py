# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Evidence of who changed a host: gathered only where it differs from its seal, limited, and without secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from .seal_logs import JOURNAL, from_dpkg, from_history, from_journal
from .seal_system import gunzipped, output

MOST_ACTS = 400
_MOST_NAMES = 100
_LONGEST = 400
_MOST_READ = 4 << 20
_HIDDEN = "********"
_LOGS = "/var/log"
_NAMED = r"pass(?:w(?:or)?d|phrase|in|out)?|secret|token|api[-_]?key|credential|community"
# Compiled when there is a command to look at: on a host that was left alone there is none.
_SECRETS = (
    (r"(?i)(\b[\w-]*(?:{0})[\w-]*\s*[=:]\s*)(?:\"[^\"]*\"|'[^']*'|\S+)".format(_NAMED), r"\g<1>" + _HIDDEN),
    (r"(?i)(--?[\w-]*(?:{0})[\w-]*\s+)(?:\"[^\"]*\"|'[^']*'|[^\s-]\S*)".format(_NAMED), r"\g<1>" + _HIDDEN),
    (r"(?i)\b(authorization:\s*\S+|bearer|basic)\s+\S+", r"\g<1> " + _HIDDEN),
    (r"(://[^/\s:@]*:)[^@\s]+@", r"\g<1>" + _HIDDEN + "@"),
    (r"(\s(?:-u|--user|-U|--proxy-user)[ =]?[^\s:]+:)\S+", r"\g<1>" + _HIDDEN),
    # Programs that take a password after -p, and crypted passwords wherever they are.
    (r"(\b(?:mysql\w*|mariadb\S*|sshpass|useradd|usermod|openssl|htpasswd|ldap\w+)\b.*?\s-[pPw]\s?)\S+",
     r"\g<1>" + _HIDDEN),
    (r"\$[0-9a-z]{1,8}\$[^\s'\"]+", _HIDDEN),
    (r"(?s)-----BEGIN.*", _HIDDEN),
    (r"(?<![/\w.-])(?=\S*\d)[A-Za-z0-9+_=-]{40,}", _HIDDEN),
)  # fmt: skip
_OF_PASSWORDS = re.compile(r"\b(?:chpasswd|newusers)\b")
_PAIR = re.compile(r"([\w.-]+):[^\s'\"|]+")


def gather(since: int, logs: str = _LOGS) -> dict:
    """Return what the host's logs tell since a moment: the newest acts, oldest first, and whether there were more."""
    acts = [*from_journal(output([*JOURNAL, "--since=@{0}".format(since)]) or "")]
    packages = [found for found in from_history(_end_of(logs + "/apt/history.log")) if found["until"] >= since]
    acts += packages
    acts += [found for found in from_dpkg(_end_of(logs + "/dpkg.log")) if not _is_of_apt(found, packages)]
    audit = _end_of(logs + "/audit/audit.log")
    if audit:
        from .seal_audit import from_audit  # noqa: PLC0415 (compiled anew each time, and most hosts have no such log)

        acts += from_audit(audit, since)
    kept = sorted((found for found in acts if found.pop("until", found["at"]) >= since), key=lambda found: found["at"])
    return {"since": since, "acts": [limited(found) for found in kept[-MOST_ACTS:]], "cut": len(kept) > MOST_ACTS}


def limited(found: dict) -> dict:
    """Return an act without secrets, and short."""
    return dict(
        found,
        # What is cut off first is far behind what is kept: no half of a secret is left over.
        command=without_secrets(found["command"][: 4 * _LONGEST])[:_LONGEST],
        folder=found["folder"][:_LONGEST],
        names=[name[:_LONGEST] for name in found["names"][:_MOST_NAMES]],
    )


def without_secrets(command: str) -> str:
    """Return a command line without what looks like a password, a token or a key in it."""
    if _OF_PASSWORDS.search(command):
        command = _PAIR.sub(r"\g<1>:" + _HIDDEN, command)
    for pattern, instead in _SECRETS:
        command = re.sub(pattern, instead, command)
    return command


def _is_of_apt(found: dict, packages: Iterable[dict]) -> bool:
    """Return whether it was apt that had dpkg do this."""
    return any(
        one["at"] <= found["at"] <= one["until"] and not set(one["names"]).isdisjoint(found["names"])
        for one in packages
    )


def _end_of(path: str) -> str:
    """Return the end of a log, with that of the one before it where it was rotated lately."""
    end = _end(path, _MOST_READ)
    before = _end(path + ".1", _MOST_READ - len(end)).decode("utf-8", "replace") if len(end) < _MOST_READ else ""
    return (before or gunzipped(path + ".1.gz")) + end.decode("utf-8", "replace")


def _end(path: str, size: int) -> bytes:
    try:
        with open(path, "rb") as file:
            whole = os.fstat(file.fileno()).st_size
            file.seek(max(whole - size, 0))
            content = file.read(size)
    except (OSError, ValueError):
        return b""
    # What is cut in the middle is no line.
    return content if whole <= size else content.partition(b"\n")[2]
