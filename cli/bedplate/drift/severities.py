"""How much a finding matters, by what it is about: the first row that matches counts."""

from __future__ import annotations

from fnmatch import fnmatchcase

from bedplate.drift.observation import Severity

# Kind, key and attribute, each a pattern.
_ROWS: tuple[tuple[str, str, str, Severity], ...] = (
    ("file", "/etc/sudoers*", "*", Severity.CRITICAL),
    ("file", "*/.ssh/authorized_keys*", "*", Severity.CRITICAL),
    ("file", "/etc/ssh/*", "*", Severity.HIGH),
    ("file", "/etc/pam.d/*", "*", Severity.HIGH),
    ("file", "/etc/audit/*", "*", Severity.HIGH),
    ("file", "/etc/nftables*", "*", Severity.HIGH),
    ("file", "/etc/apt/*", "*", Severity.HIGH),
    ("file", "/etc/rsyslog*", "*", Severity.HIGH),
    ("file", "*", "*", Severity.MEDIUM),
    ("user", "*", "*", Severity.HIGH),
    ("group", "*", "*", Severity.HIGH),
    ("authorized_key", "*", "*", Severity.CRITICAL),
    ("sudoers", "*", "*", Severity.CRITICAL),
    ("firewall", "*", "*", Severity.HIGH),
    ("apt_source", "*", "*", Severity.HIGH),
    ("apt_key", "*", "*", Severity.HIGH),
    ("certificate", "*", "*", Severity.HIGH),
    ("suid", "*", "*", Severity.CRITICAL),
    ("socket", "*", "*", Severity.HIGH),
    ("unit", "*", "configuration", Severity.LOW),
    ("unit", "*", "*", Severity.HIGH),
    ("package", "*", "version", Severity.LOW),
)


def severity_of(kind: str, key: str, attribute: str) -> Severity:
    """Return how much it matters that this attribute of this resource is not as agreed."""
    values = (kind, key, attribute)
    matching = (row[3] for row in _ROWS if all(map(fnmatchcase, values, row[:3])))
    return next(matching, Severity.MEDIUM)
