"""Texts as findings tell of them: a short text itself, a longer one by its digest; a difference of limited size."""

from __future__ import annotations

import difflib
import hashlib
from fnmatch import fnmatchcase

LARGEST_DIFF = 8 * 1024
_LARGEST_COMPARED = 256 * 1024
_SHORT = 120
# Files whose content is nobody's business, whatever the task that writes them says.
SECRET_PATHS = (
    "*/shadow*", "*/gshadow*", "*/ssh_host_*_key", "*/id_rsa", "*/id_ed25519", "*/id_ecdsa", "*.key", "*/private/*",
    "*.p12", "*.pfx", "*.keytab", "*/.pgpass", "*/.netrc", "*/auth.conf.d/*", "*password*", "*secret*", "*token*",
)  # fmt: skip


def is_secret(path: str) -> bool:
    """Return whether the content of a file is not to be shown."""
    return any(fnmatchcase(path.lower(), pattern) for pattern in SECRET_PATHS)


def described(path: str, text: str) -> str | None:
    """Return what a finding says of a file's content; None where that is not to be told."""
    if is_secret(path):
        return None
    line = text.strip()
    if len(line) <= _SHORT and "\n" not in line:
        return line
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def difference(path: str, agreed: str, found: str) -> str | None:
    """Return the unified difference from what is agreed to what was found, cut to `LARGEST_DIFF` characters."""
    if is_secret(path) or len(agreed) + len(found) > _LARGEST_COMPARED:
        return None
    lines = difflib.unified_diff(
        agreed.splitlines(), found.splitlines(), f"{path} (as agreed)", f"{path} (as found)", lineterm=""
    )
    text = "\n".join(lines)
    return text if len(text) <= LARGEST_DIFF else f"{text[:LARGEST_DIFF]}\n… the rest is left out"
