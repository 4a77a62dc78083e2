# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Where an intruder, or a colleague in a hurry, leaves things: what is looked at though no role manages it."""

from __future__ import annotations

import glob
import os
import re
import stat
from itertools import islice

from .seal_files import FileReader, shown
from .seal_system import read

# Folders whose files are read by something that runs as root.
_FOLDERS = (
    "/etc/apparmor.d/disable", "/etc/apparmor.d/force-complain", "/etc/apparmor.d/local",
    "/etc/apt/apt.conf.d", "/etc/apt/auth.conf.d", "/etc/apt/keyrings", "/etc/apt/preferences.d",
    "/etc/apt/sources.list.d", "/etc/apt/trusted.gpg.d", "/etc/audit/plugins.d", "/etc/audit/rules.d",
    "/etc/bash_completion.d", "/etc/binfmt.d", "/etc/ca-certificates/update.d", "/etc/chrony/conf.d",
    "/etc/chrony/sources.d", "/etc/cron.d", "/etc/cron.daily", "/etc/cron.hourly", "/etc/cron.monthly",
    "/etc/cron.weekly", "/etc/cron.yearly", "/etc/dbus-1/system.d", "/etc/default", "/etc/default/grub.d",
    "/etc/dhcp/dhclient-enter-hooks.d", "/etc/dhcp/dhclient-exit-hooks.d", "/etc/dpkg/dpkg.cfg.d",
    "/etc/environment.d", "/etc/grub.d", "/etc/init.d", "/etc/initramfs-tools/conf.d", "/etc/initramfs-tools/hooks",
    "/etc/initramfs/post-update.d", "/etc/kernel/install.d", "/etc/kernel/postinst.d", "/etc/kernel/postrm.d",
    "/etc/kernel/preinst.d", "/etc/kernel/prerm.d", "/etc/NetworkManager/conf.d",
    "/etc/NetworkManager/system-connections", "/etc/ld.so.conf.d", "/etc/logrotate.d", "/etc/modprobe.d",
    "/etc/modules-load.d", "/etc/NetworkManager/dispatcher.d", "/etc/netplan", "/etc/network/if-down.d",
    "/etc/network/if-post-down.d", "/etc/network/if-pre-up.d", "/etc/network/if-up.d", "/etc/network/interfaces.d",
    "/etc/nftables.d", "/etc/pam.d", "/etc/polkit-1/rules.d", "/etc/profile.d", "/etc/rsyslog.d",
    "/etc/security/limits.d", "/etc/ssh", "/etc/ssh/ssh_config.d", "/etc/ssh/sshd_config.d", "/etc/sudoers.d",
    "/etc/sysctl.d", "/etc/sysusers.d", "/etc/tmpfiles.d", "/etc/udev/rules.d", "/etc/update-motd.d", "/etc/userdb",
    "/etc/xinetd.d", "/run/modprobe.d", "/run/modules-load.d", "/run/sysctl.d", "/run/systemd/user",
    "/usr/lib/binfmt.d", "/usr/lib/environment.d", "/usr/lib/sysusers.d", "/usr/lib/tmpfiles.d",
    "/usr/lib/udev/rules.d", "/usr/lib/systemd/system-shutdown", "/usr/lib/systemd/system-sleep",
    "/usr/local/lib/binfmt.d", "/usr/local/lib/systemd/user", "/usr/local/lib/sysusers.d",
    "/usr/local/lib/udev/rules.d", "/usr/local/share/dbus-1/system-services", "/usr/share/dbus-1/system-services",
    "/usr/share/dbus-1/system.d", "/run/systemd/journald.conf.d", "/run/systemd/system.conf.d", "/usr/lib/modprobe.d",
    "/usr/lib/modules-load.d", "/usr/lib/sysctl.d", "/usr/lib/systemd/journald.conf.d",
    "/usr/lib/systemd/system-generators", "/usr/lib/systemd/system.conf.d", "/usr/local/lib/modprobe.d",
    "/usr/local/lib/modules-load.d", "/usr/local/lib/sysctl.d", "/usr/local/lib/tmpfiles.d",
    "/usr/local/share/ca-certificates", "/usr/share/keyrings", "/usr/share/polkit-1/rules.d",
    "/var/lib/systemd/linger", "/var/spool/cron/atjobs", "/var/spool/cron/crontabs",
)  # fmt: skip
# Those of systemd, with the folders in them.
_ENABLING = (".wants", ".requires", ".upholds")
_ENABLED_IN = (
    "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
    "/etc/systemd/user",
)  # fmt: skip
_UNIT_FOLDERS = (
    "/etc/systemd", "/etc/systemd/system", "/etc/systemd/user", "/etc/systemd/network", "/run/systemd/system",
    "/run/systemd/system-generators", "/usr/local/lib/systemd", "/usr/local/lib/systemd/system",
)  # fmt: skip
# More of them, as patterns: modules of PAM, what the first steps of a boot run.
_MORE_FOLDERS = (
    "/usr/lib/*-linux-gnu/security", "/etc/initramfs-tools/scripts/*", "/etc/networkd-dispatcher/*.d",
)  # fmt: skip
# What every program in Python runs first.
_FIRST_OF_PYTHON = (
    "/etc/python3*/sitecustomize.py", "/usr/lib/python3*/sitecustomize.py", "/usr/lib/python3/dist-packages/*.pth",
    "/usr/lib/python3/dist-packages/*customize.py", "/usr/local/lib/python3*/dist-packages/*.pth",
    "/usr/local/lib/python3*/dist-packages/*customize.py",
)  # fmt: skip
# Who may write to these may put anything in the way of everybody.
_NOBODYS = (
    "/", "/boot", "/dev/shm", "/etc", "/home", "/opt", "/root", "/srv", "/tmp", "/usr", "/usr/bin",  # noqa: S108
    "/usr/lib", "/usr/local", "/usr/local/bin", "/usr/local/lib", "/usr/local/sbin", "/usr/sbin", "/var", "/var/lib",
    "/var/log", "/var/spool", "/var/spool/cron", "/var/tmp",  # noqa: S108
)  # fmt: skip
_FILES = (
    "/etc/adduser.conf", "/etc/anacrontab", "/etc/apt/apt.conf", "/etc/apt/auth.conf", "/etc/apt/preferences",
    "/etc/apt/sources.list", "/etc/apt/trusted.gpg", "/etc/at.allow", "/etc/at.deny", "/etc/audit/auditd.conf",
    "/etc/bash.bashrc", "/etc/ca-certificates.conf", "/etc/cron.allow", "/etc/cron.deny", "/etc/crontab",
    "/etc/crypttab", "/etc/dbus-1/system.conf", "/etc/dhcp/dhclient.conf", "/etc/doas.conf", "/etc/dpkg/dpkg.cfg",
    "/etc/environment", "/etc/exports", "/etc/fstab", "/etc/gai.conf", "/etc/host.conf", "/etc/hosts.allow",
    "/etc/hosts.deny", "/etc/hosts.equiv", "/etc/inetd.conf", "/etc/initramfs-tools/modules", "/etc/ld.so.conf",
    "/etc/ld.so.preload", "/etc/locale.conf", "/etc/login.defs", "/etc/logrotate.conf", "/etc/modules",
    "/etc/nologin", "/etc/network/interfaces", "/etc/nftables.conf", "/etc/nsswitch.conf", "/etc/pam.conf",
    "/etc/profile", "/etc/rc.local", "/etc/rsyslog.conf", "/etc/security/access.conf", "/etc/security/faillock.conf",
    "/etc/security/group.conf", "/etc/security/limits.conf", "/etc/security/namespace.conf",
    "/etc/security/namespace.init", "/etc/security/pam_env.conf", "/etc/security/pwquality.conf",
    "/etc/security/time.conf", "/etc/shells", "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/openssl.cnf",
    "/etc/sssd/sssd.conf", "/etc/sudo.conf", "/etc/sudo_logsrvd.conf", "/etc/sudoers", "/etc/sysctl.conf",
)  # fmt: skip
_ACCOUNTS = ("/etc/group", "/etc/gshadow", "/etc/passwd", "/etc/shadow")
_FIRST_IN_PATH = ("/usr/local/bin", "/usr/local/sbin")
_KEYS = (".ssh/authorized_keys", ".ssh/authorized_keys2")
_OF_ACCOUNTS = (
    *_KEYS, ".ssh/rc", ".ssh/environment", ".ssh/config", ".rhosts", ".shosts", ".k5login", ".forward", ".bashrc",
    ".bash_aliases", ".bash_profile", ".bash_login", ".bash_logout", ".profile", ".pam_environment", ".zshrc",
    ".zshenv", ".zprofile",
)  # fmt: skip
_FOLDERS_OF_ACCOUNTS = (".config/systemd/user", ".config/environment.d")
# With how many levels below.
_PROGRAM_FOLDERS = (
    ("/usr/bin", 0), ("/usr/sbin", 0), ("/usr/local", 4), ("/usr/libexec", 3), ("/usr/lib", 3), ("/opt", 4),
    ("/bin", 0), ("/sbin", 0), ("/lib", 1), ("/tmp", 2), ("/var/tmp", 2), ("/dev/shm", 2),  # noqa: S108
    ("/home", 2), ("/root", 2), ("/srv", 2), ("/etc", 3),
)  # fmt: skip
# Where no program is expected: what is too much there does not count against the others.
_FURTHER_FOLDERS = (
    ("/", 0), ("/usr", 0), ("/usr/games", 0), ("/var", 0), ("/boot", 1), ("/mnt", 1), ("/media", 1), ("/var/cache", 1),
    ("/var/lib", 2), ("/var/log", 1), ("/var/mail", 0), ("/var/opt", 2), ("/var/spool", 2), ("/var/www", 2),
    ("/usr/include", 1), ("/usr/src", 1), ("/usr/share", 2),
)  # fmt: skip
_MANY_TEXTS = "/var/lib/dpkg/info"
_CERTIFICATES, _BROUGHT = "/etc/ssl/certs", "/usr/share/ca-certificates/"
MOST_IN_FOLDER = 2000
_MOST_OF_PROGRAMS = 8000
_MOST_LOOKED_AT, _MOST_LOOKED_AT_FURTHER = 60000, 40000
_KEYS_SETTING = re.compile(r"^[ \t]*AuthorizedKeysFile[ \t=]+(.*)$", re.IGNORECASE | re.MULTILINE)
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

    def paths(self, homes: list[str], others: list[str]) -> list[str]:
        """Return every file in the places that are watched, each once.

        Args:
            homes: of accounts that a person could use.
            others: homes of all the others, in which only keys count.
        """
        found: dict[str, None] = dict.fromkeys(path for path in _FILES if os.path.lexists(path))
        for folder in (*_FOLDERS, *matching(_MORE_FOLDERS), *self._more):
            found.update(dict.fromkeys(self._in(folder)))
        found.update(dict.fromkeys(matching(_FIRST_OF_PYTHON)))
        found.update(dict.fromkeys(filter(_is_open, (*_FOLDERS, *_UNIT_FOLDERS, *_NOBODYS))))
        found.update(dict.fromkeys(_foreign_certificates()))
        for folder in _UNIT_FOLDERS:
            for path in self._in(folder):
                inner = os.path.isdir(path) and not os.path.islink(path)
                if inner and path not in _UNIT_FOLDERS and not path.endswith(_ENABLING):
                    found.update(dict.fromkeys(self._in(path)))
                elif not inner:
                    found[path] = None
        found.update(dict.fromkeys(self._of_accounts(homes, others)))
        return list(found)

    def without_content(self, programs: list[str]) -> list[str]:
        """Return the lists of accounts, and programs that are found before the system's own.

        Args:
            programs: those that give more rights, of which more is told.
        """
        found = [path for path in _ACCOUNTS if os.path.lexists(path)]
        first = (path for folder in _FIRST_IN_PATH for path in self._in(folder))
        return found + [path for path in first if path not in programs]

    def _of_accounts(self, homes: list[str], others: list[str]) -> list[str]:
        found = [os.path.join(home, name) for home in homes for name in _OF_ACCOUNTS]
        found += [os.path.join(home, name) for home in others if home.strip("/") for name in _KEYS]
        for home in homes:
            found += filter(_is_writable, (home, os.path.join(home, ".ssh")))
            for name in _FOLDERS_OF_ACCOUNTS:
                found += self._in(os.path.join(home, name))
        return [path for path in found if os.path.lexists(path)]

    def _in(self, folder: str) -> list[str]:
        """Return what is in a folder, unless it is too much; the order is the same every time."""
        if folder in self.overfull:
            return []
        found = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if len(found) == MOST_IN_FOLDER:
                        self.overfull[folder] = "more than {0}".format(MOST_IN_FOLDER)
                        self._files.notes.append("{0} has more than {1} files".format(shown(folder), MOST_IN_FOLDER))
                        return []
                    if not entry.name.endswith(_CHANGING) and entry.name != ".SEQ":
                        found.append(entry.path)
        except OSError:
            return []
        return sorted(found)


def _is_open(folder: str) -> bool:
    """Return whether a folder is a link, or somebody else than root may write to it."""
    try:
        status = os.lstat(folder)
    except OSError:
        return False
    writable = status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX
    return stat.S_ISLNK(status.st_mode) or status.st_uid != 0 or bool(writable)


def _is_writable(folder: str) -> bool:
    """Return whether somebody else than its owner may write to a folder."""
    try:
        return bool(os.lstat(folder).st_mode & 0o022)
    except OSError:
        return False


def matching(patterns: tuple[str, ...]) -> list[str]:
    """Return what is at paths that are given as patterns."""
    return [path for pattern in patterns for path in sorted(glob.glob(pattern))]


def _foreign_certificates() -> list[str]:
    """Return the authorities that programs trust and that no package brought."""
    found = []
    for path in _inner(_CERTIFICATES):
        try:
            target = os.readlink(path)
        except OSError:
            target = ""
        brought = target.startswith(_BROUGHT) or (target and "/" not in target)
        if not brought and not os.path.isdir(path):
            found.append(path)
    return sorted(found)


def key_files(homes: dict[str, str], folder: str = "/etc/ssh") -> list[str]:
    """Return the files in which sshd looks for accounts' keys, where its configuration names others than usual.

    Args:
        homes: by account.
    """
    found = set()
    for path in (folder + "/sshd_config", *glob.glob(folder + "/sshd_config.d/*.conf")):
        for line in _KEYS_SETTING.findall(read(path)):
            for name, home in homes.items():
                paths = (place.replace("%h", home).replace("%u", name) for place in line.replace('"', " ").split())
                found.update(os.path.join(home, place) for place in paths)
    return sorted(path for path in found if os.path.isfile(path))


def alternatives(folder: str = "/etc/alternatives") -> dict[str, str]:
    """Return which of several programs goes by a name that they share: links, and where they lead."""
    links = {path: os.readlink(path) for path in sorted(_inner(folder)) if os.path.islink(path)}
    return {path: target for path, target in links.items() if "/man/" not in target}


def enabled_units(folders: tuple[str, ...] = _ENABLED_IN) -> dict[str, str]:
    """Return the units that something wants at boot, and the links that say so."""
    found: dict[str, str] = {}
    for folder in folders:
        for path in _inner(folder):
            for link in _inner(path) if path.endswith(_ENABLING) else ():
                name = ("user/" if folder.endswith("/user") else "") + os.path.basename(link)
                if os.path.islink(link):
                    found.setdefault(name, link)
    return dict(sorted(found.items()))


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
        statuses: of all programs that were looked at.
    """

    def __init__(self) -> None:
        self.statuses: dict[str, os.stat_result] = {}
        self.found: list[str] = []
        self.crowded: list[str] = []
        self._left = _MOST_LOOKED_AT
        for folder, depth in _PROGRAM_FOLDERS:
            if not os.path.islink(folder):
                self._look(folder, depth)
        self.complete = self._left > 0
        self._left = _MOST_LOOKED_AT_FURTHER
        for folder, depth in _FURTHER_FOLDERS:
            if not os.path.islink(folder):
                self._look(folder, depth)

    def _look(self, folder: str, depth: int) -> None:
        if folder == _MANY_TEXTS:
            return
        most = max(min(_MOST_OF_PROGRAMS, self._left), 0)
        found: list[str] = []
        begin = folder.rstrip("/") + "/"
        try:
            # What is in an open folder is found without its whole path.
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return
        try:
            with os.scandir(descriptor) as scanned:
                entries = list(islice(scanned, most + 1))
                self._left -= min(len(entries), most)
                if len(entries) > most:
                    self.crowded.append(folder)
                    return
                # This much is known from the folder itself.
                files = [entry for entry in entries if entry.is_file(follow_symlinks=False)]
                found = [begin + entry.name for entry in files if self._is_privileged(entry, begin)]
        except OSError:
            return
        finally:
            os.close(descriptor)
        self.found += found
        inner = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)] if depth else []
        for name in sorted(inner):
            self._look(begin + name, depth - 1)

    def _is_privileged(self, entry: os.DirEntry, begin: str) -> bool:
        try:
            status = entry.stat(follow_symlinks=False)
            mode = status.st_mode
            if not mode & 0o111 or not stat.S_ISREG(mode):
                return False
            path = begin + entry.name
            self.statuses[path] = status
            if mode & (stat.S_ISUID | stat.S_ISGID):
                return True
            return "security.capability" in os.listxattr(path, follow_symlinks=False)
        except OSError:
            return False
