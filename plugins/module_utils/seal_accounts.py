# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""The state of accounts, and which of them could get in or become root."""

from __future__ import annotations

from collections import Counter

from .seal_system import digest, read

_ADMINS = frozenset(
    ["root", "sudo", "wheel", "adm", "admin", "docker", "lxd", "disk", "shadow", "incus", "libvirt", "staff"]
)
_NO_SHELLS = frozenset(
    folder + name for folder in ("/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/") for name in ("nologin", "false", "sync")
)


class Accounts:
    """Users and groups of the host's own files."""

    def __init__(self, folder: str = "/etc") -> None:
        self.users = _rows(folder + "/passwd", 7)
        self._lines = Counter(line.partition(":")[0] for line in read(folder + "/passwd").splitlines())
        self._shadow = _rows(folder + "/shadow", 3)
        self._groups = _rows(folder + "/group", 4)
        self._keys = _rows(folder + "/gshadow", 3)
        self._salt = read("/etc/machine-id")

    def user(self, name: str) -> dict[str, str]:
        row = self.users.get(name)
        if row is None:
            return {"presence": "absent"}
        names = {fields[2]: group for group, fields in reversed(self._groups.items())}
        others = sorted(group for group, fields in self._groups.items() if name in fields[3].split(","))
        found = {"presence": "present", "uid": row[2], "group": names.get(row[3], row[3]), "groups": ",".join(others),
                 "home": row[5], "shell": row[6], "comment": row[4]}  # fmt: skip
        if name in self._shadow:
            stored = self._shadow[name]
            found["password"] = self._password(stored[1])
            # The last three say when a password, and when the account, stops to be good.
            found["expiry"] = ":".join([*stored[3:8], "change" if stored[2] == "0" else ""]).strip(":")
        if self._lines[name] > 1:
            found["lines"] = str(self._lines[name])
        return found

    def _password(self, stored: str) -> str:
        """Return whether there is a password, and four digits of a digest: enough to see a change, too few to guess."""
        if not stored:
            return "none"
        if stored[0] in "!*":
            return "locked"
        return "set-" + digest(self._salt + stored)[:4]

    def group(self, name: str) -> dict[str, str]:
        row = self._groups.get(name)
        if row is None:
            return {"presence": "absent"}
        found = {"presence": "present", "gid": row[2], "members": ",".join(sorted(filter(None, row[3].split(","))))}
        found["first"] = ",".join(sorted(user for user, fields in self.users.items() if fields[3] == row[2]))
        if name in self._keys:
            found["password"] = self._password(self._keys[name][1])
        return found

    def with_shell(self) -> list[str]:
        """Return the accounts that a person could use, and those that are root."""
        return [name for name, row in self.users.items() if not row[2].strip("0") or row[6] not in _NO_SHELLS]

    def of_admins(self) -> list[str]:
        """Return the groups whose members can become root."""
        return [name for name, row in self._groups.items() if name in _ADMINS or not row[2].strip("0")]


def _rows(path: str, columns: int) -> dict[str, list[str]]:
    rows = (line.split(":") for line in read(path).splitlines())
    found: dict[str, list[str]] = {}
    for row in rows:
        if len(row) >= columns:
            # Who looks for a name takes the first line of it.
            found.setdefault(row[0], row)
    return found
