"""How much a finding matters, by what it is about: the first row that matches counts."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from bedplate.drift.observation import Severity

# Kind, key and attribute, each a pattern.
_ROWS: tuple[tuple[str, str, str, Severity], ...] = (
    ("file", "/etc/sudoers*", "*", Severity.CRITICAL),
    ("file", "*/.ssh/authorized_keys*", "*", Severity.CRITICAL),
    ("file", "/etc/ld.so.preload", "*", Severity.CRITICAL),
    ("file", "/usr/*", "*", Severity.CRITICAL),
    ("file", "/etc/ssh/*", "*", Severity.HIGH),
    ("file", "/etc/pam.d/*", "*", Severity.HIGH),
    ("file", "/etc/audit/*", "*", Severity.HIGH),
    ("file", "/etc/nftables*", "*", Severity.HIGH),
    ("file", "/etc/apt/*", "*", Severity.HIGH),
    ("file", "/etc/cron*", "*", Severity.HIGH),
    ("file", "/var/spool/cron/*", "*", Severity.HIGH),
    ("file", "/etc/systemd/system/*", "*", Severity.HIGH),
    ("file", "/etc/rsyslog*", "*", Severity.HIGH),
    ("file", "/etc/bedplate/log-tunnel.conf", "*", Severity.HIGH),
    ("user", "*", "*", Severity.HIGH),
    ("group", "*", "*", Severity.HIGH),
    ("authorized_key", "*", "*", Severity.CRITICAL),
    ("sudoers", "*", "*", Severity.CRITICAL),
    ("firewall", "inet bedplate", "*", Severity.CRITICAL),
    ("firewall", "*", "*", Severity.HIGH),
    ("apt_source", "*", "*", Severity.HIGH),
    ("apt_key", "*", "*", Severity.HIGH),
    ("certificate", "*", "*", Severity.HIGH),
    ("suid", "*", "*", Severity.CRITICAL),
    ("socket", "*", "*", Severity.HIGH),
    ("host", "*", "*", Severity.HIGH),
    ("unit", "*", "configuration", Severity.MEDIUM),
    ("unit", "*", "*", Severity.HIGH),
    ("package", "*", "presence", Severity.MEDIUM),
    ("package", "*", "*", Severity.LOW),
)
_ROOT = "0"


def severity_of(kind: str, key: str, attribute: str, *, managed: bool = True) -> Severity:
    """Return how much it matters that this attribute of this resource is not as agreed.

    Args:
        managed: whether a role manages it; packages that none does come and go.
    """
    if kind == "package" and not managed:
        return Severity.LOW
    values = (kind, key, attribute)
    matching = (row[3] for row in _ROWS if all(map(fnmatchcase, values, row[:3])))
    return next(matching, Severity.MEDIUM)


def is_break_in(kind: str, before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Return whether a change is critical whatever it is about: another account became root, or foreign kernel code."""
    if kind == "user":
        return after.get("uid") == _ROOT != before.get("uid")
    return kind == "module" and after.get("tree") == "foreign"
