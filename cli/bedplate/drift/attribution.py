"""Whose a resource is, and how much it matters that it is not as agreed."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from bedplate.drift.managed import Resource
from bedplate.drift.observation import Severity
from bedplate.drift.watching import Change

_FILES = ("file", "meta", "folder")

# Kind and key, each a pattern; the first row that matches counts.
_ROWS: tuple[tuple[str, str, Severity], ...] = (
    ("file", "/etc/sudoers*", Severity.CRITICAL),
    ("file", "*/.ssh/authorized_keys*", Severity.CRITICAL),
    ("file", "/etc/ld.so.preload", Severity.CRITICAL),
    ("suid", "*", Severity.CRITICAL),
    ("file", "/usr/*", Severity.CRITICAL),
    ("firewall", "inet bedplate", Severity.CRITICAL),
    ("file", "/etc/ssh/*", Severity.HIGH),
    ("file", "/etc/pam.d/*", Severity.HIGH),
    ("file", "/etc/apt/*", Severity.HIGH),
    ("file", "/etc/cron*", Severity.HIGH),
    ("file", "/var/spool/cron/*", Severity.HIGH),
    ("file", "/etc/systemd/system/*", Severity.HIGH),
    ("file", "/etc/rsyslog*", Severity.HIGH),
    ("file", "/etc/audit/*", Severity.HIGH),
    ("certificate", "*", Severity.HIGH),
    ("user", "*", Severity.HIGH),
    ("group", "*", Severity.HIGH),
    ("socket", "*", Severity.HIGH),
    ("firewall", "*", Severity.HIGH),
    ("unit", "*", Severity.HIGH),
    ("host", "*", Severity.HIGH),
)


class Attribution:
    """Finds who manages what.

    Args:
        resources: what a run's tasks manage; of two that manage the same, the later one counts.
    """

    def __init__(self, resources: Iterable[Resource]) -> None:
        resources = list(resources)
        self._known = {(resource.kind, resource.key): resource for resource in resources}
        self._patterns = [resource for resource in resources if resource.kind == "pattern"]
        self._folders = [resource for resource in resources if resource.kind == "folder"]

    def of(self, kind: str, key: str) -> Resource | None:
        """Return what manages a resource; None for what nobody manages."""
        if kind != "file":
            return self._known.get((kind, key))
        for alike in _FILES:
            if (alike, key) in self._known:
                return self._known[alike, key]
        folder = key.rpartition("/")[0]
        inside = (resource for resource in self._folders if resource.key == folder)
        matching = (resource for resource in self._patterns if fnmatchcase(key, resource.key))
        return next(inside, None) or next(matching, None)


def severity_of(change: Change, attribute: str, *, managed: bool) -> Severity:
    """Return how much it matters."""
    kind, key = change.kind, change.key
    if kind == "user" and change.after.get("uid") == "0" != change.before.get("uid"):
        return Severity.CRITICAL
    if kind == "module":
        return Severity.CRITICAL if change.after.get("tree") == "foreign" else Severity.MEDIUM
    if kind == "package":
        return Severity.MEDIUM if managed and attribute == "presence" else Severity.LOW
    rows = (row[2] for row in _ROWS if fnmatchcase(kind, row[0]) and fnmatchcase(key, row[1]))
    return next(rows, Severity.MEDIUM)
