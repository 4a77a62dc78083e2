"""The state folder's own file of host keys: every run looks into it, besides the files that ssh looks into anyway."""

from __future__ import annotations

from pathlib import Path

_SYSTEM = "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"


def own_known_hosts(home: Path) -> Path:
    """Return the file in the state folder."""
    return home / "known_hosts"


def own_known_hosts_option(home: Path) -> str:
    """Return the ssh option that adds the file.

    It joins the system's files, because the user's are named by inventories and by ~/.ssh/config.
    """
    return f'GlobalKnownHostsFile={_SYSTEM} "{own_known_hosts(home)}"'
