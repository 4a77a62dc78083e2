# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Where an intruder, or a colleague in a hurry, leaves things: what is looked at though no role manages it."""

from __future__ import annotations

import os
import stat

from .seal_files import FileReader, shown

# Folders whose files are read by something that runs as root.
_FOLDERS = (
    "/etc/apparmor.d/local", "/etc/apt/apt.conf.d", "/etc/apt/auth.conf.d", "/etc/apt/keyrings",
    "/etc/apt/preferences.d", "/etc/apt/sources.list.d", "/etc/apt/trusted.gpg.d", "/etc/audit/rules.d",
    "/etc/chrony/conf.d", "/etc/chrony/sources.d", "/etc/cron.d", "/etc/cron.daily", "/etc/cron.hourly",
    "/etc/cron.monthly", "/etc/cron.weekly", "/etc/dbus-1/system.d", "/etc/default", "/etc/init.d", "/etc/ld.so.conf.d",
    "/etc/logrotate.d", "/etc/modprobe.d", "/etc/modules-load.d", "/etc/network/if-up.d", "/etc/network/interfaces.d",
    "/etc/nftables.d", "/etc/pam.d", "/etc/polkit-1/rules.d", "/etc/profile.d", "/etc/rsyslog.d",
    "/etc/security/limits.d", "/etc/ssh/ssh_config.d", "/etc/ssh/sshd_config.d", "/etc/sudoers.d", "/etc/sysctl.d",
    "/etc/tmpfiles.d", "/etc/udev/rules.d", "/etc/update-motd.d", "/usr/local/share/ca-certificates",
    "/usr/share/keyrings", "/var/spool/cron/crontabs",
)  # fmt: skip
# Those of systemd, with the folders in them.
_ENABLING = (".wants", ".requires", ".upholds")
_UNIT_FOLDERS = ("/etc/systemd", "/etc/systemd/system", "/etc/systemd/user", "/etc/systemd/network")
_FILES = (
    "/etc/anacrontab", "/etc/apt/sources.list", "/etc/at.allow", "/etc/at.deny", "/etc/bash.bashrc", "/etc/cron.allow",
    "/etc/cron.deny", "/etc/crontab", "/etc/environment", "/etc/fstab", "/etc/hosts.allow", "/etc/hosts.deny",
    "/etc/ld.so.conf", "/etc/ld.so.preload", "/etc/login.defs", "/etc/modules", "/etc/nftables.conf",
    "/etc/nsswitch.conf", "/etc/profile", "/etc/rc.local", "/etc/rsyslog.conf", "/etc/security/access.conf",
    "/etc/security/limits.conf", "/etc/security/pam_env.conf", "/etc/shells", "/etc/ssh/ssh_config",
    "/etc/ssh/sshd_config", "/etc/ssl/certs/ca-certificates.crt", "/etc/sudoers", "/etc/sysctl.conf",
)  # fmt: skip
_OF_ACCOUNTS = (
    ".ssh/authorized_keys", ".ssh/authorized_keys2", ".ssh/rc", ".ssh/environment", ".rhosts", ".forward",
    ".bashrc", ".bash_profile", ".bash_login", ".profile", ".zshrc",
)  # fmt: skip
# With how many levels below.
_PROGRAM_FOLDERS = (
    ("/usr/bin", 0), ("/usr/sbin", 0), ("/usr/local", 4), ("/usr/libexec", 3), ("/usr/lib", 2), ("/opt", 4),
    ("/bin", 0), ("/sbin", 0), ("/lib", 1), ("/tmp", 2), ("/var/tmp", 2), ("/dev/shm", 2),  # noqa: S108
    ("/home", 2), ("/root", 2),
    ("/srv", 2), ("/var/lib", 1), ("/etc", 1),
)  # fmt: skip
MOST_IN_FOLDER = 2000
_MOST_OF_PROGRAMS = 8000
_MOST_LOOKED_AT = 60000
_CHANGING = ("~", ".swp", ".dpkg-new", ".dpkg-tmp", ".ansible_tmp")


class Watch:
    """What is found in places that are watched.

    Args:
        files: reads what is there.
        folders: more folders, such as those that a role keeps exactly as they are.

    Attributes:
        overfull: folders with more than `MOST_IN_FOLDER` entries: what is in them is not judged.
    """

    def __init__(self, files: FileReader, folders: list[str]) -> None:
        self._files = files
        self._more = folders
        self.overfull: dict[str, str] = {}

    def paths(self, homes: list[str]) -> list[str]:
        """Return every file in the places that are watched, each once."""
        found: dict[str, None] = dict.fromkeys(path for path in _FILES if os.path.lexists(path))
        for folder in (*_FOLDERS, *self._more):
            found.update(dict.fromkeys(self._in(folder)))
        for folder in _UNIT_FOLDERS:
            for path in self._in(folder):
                inner = os.path.isdir(path) and not os.path.islink(path)
                if inner and path not in _UNIT_FOLDERS and not path.endswith(_ENABLING):
                    found.update(dict.fromkeys(self._in(path)))
                elif not inner:
                    found[path] = None
        for home in homes:
            candidates = [os.path.join(home, name) for name in _OF_ACCOUNTS]
            found.update(dict.fromkeys(path for path in candidates if os.path.lexists(path)))
        return list(found)

    def _in(self, folder: str) -> list[str]:
        """Return what is in a folder, unless it is too much; the order is the same every time."""
        if folder in self.overfull or os.path.islink(folder):
            return []
        found = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if len(found) == MOST_IN_FOLDER:
                        self.overfull[folder] = "more than {0}".format(MOST_IN_FOLDER)
                        self._files.notes.append("{0} has more than {1} files".format(shown(folder), MOST_IN_FOLDER))
                        return []
                    if not entry.name.endswith(_CHANGING):
                        found.append(entry.path)
        except OSError:
            return []
        return sorted(found)


def enabled_units(folder: str = "/etc/systemd/system") -> list[str]:
    """Return the units that something wants at boot, by the links that say so."""
    found = set()
    for path in _inner(folder):
        if path.endswith(_ENABLING):
            found.update(os.path.basename(link) for link in _inner(path) if os.path.islink(link))
    return sorted(found)


def _inner(folder: str) -> list[str]:
    try:
        return [entry.path for entry in os.scandir(folder)]
    except OSError:
        return []


class Privileged:
    """The programs that give their caller another user or group, or more rights, than it has.

    Attributes:
        found: their paths.
        crowded: folders with too many files to look at each.
        complete: whether all folders were looked at.
    """

    def __init__(self) -> None:
        self.found: list[str] = []
        self.crowded: list[str] = []
        self._left = _MOST_LOOKED_AT
        for folder, depth in _PROGRAM_FOLDERS:
            if not os.path.islink(folder):
                self._look(folder, depth)
        self.complete = self._left > 0

    def _look(self, folder: str, depth: int) -> None:
        with_rights = folder.startswith(("/usr/", "/bin", "/sbin", "/opt"))
        inner: list[str] = []
        found: list[str] = []
        try:
            with os.scandir(folder) as entries:
                for count, entry in enumerate(entries):
                    if count == _MOST_OF_PROGRAMS or self._left <= 0:
                        self.crowded.append(folder)
                        return
                    self._left -= 1
                    if entry.is_dir(follow_symlinks=False):
                        inner.append(entry.path)
                    elif not entry.is_symlink() and _is_privileged(entry, with_rights):
                        found.append(entry.path)
        except OSError:
            return
        self.found += found
        for path in sorted(inner) if depth else ():
            self._look(path, depth - 1)


def _is_privileged(entry: os.DirEntry, with_rights: bool) -> bool:
    try:
        mode = entry.stat(follow_symlinks=False).st_mode
        if not stat.S_ISREG(mode) or not mode & 0o111:
            return False
        if mode & (stat.S_ISUID | stat.S_ISGID):
            return True
        return with_rights and "security.capability" in os.listxattr(entry.path, follow_symlinks=False)
    except OSError:
        return False
