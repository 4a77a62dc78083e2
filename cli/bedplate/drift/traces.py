"""What a command that somebody ran is about: the files that it may have written, the things that it names."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from bedplate.drift.evidence import Act

_WORD = re.compile(r"[^\s'\"<>|&;()=,]+")
_WRAPPERS = frozenset(
    ["sh", "bash", "dash", "zsh", "env", "nohup", "timeout", "nice", "ionice", "setsid", "su", "runuser", "sudo"]
)
_EDITORS = frozenset(
    ["vi", "vim", "vim.basic", "vim.tiny", "nvim", "nano", "emacs", "ed", "joe", "mcedit", "editor", "sensible-editor",
     "sudoedit", "visudo", "vipw", "vigr", "crontab"]
)  # fmt: skip
_READERS = frozenset(
    ["cat", "less", "more", "head", "tail", "grep", "egrep", "zgrep", "ls", "stat", "diff", "cmp", "file", "md5sum",
     "sha256sum", "wc", "test", "[", "readlink", "lsattr", "getfacl", "journalctl", "id", "getent", "apt-cache", "ss",
     "netstat", "lsof", "ps", "lsmod", "modinfo", "findmnt", "true", "echo", "du", "df", "ausearch", "dpkg-query"]
)  # fmt: skip
# What these are told when they only look.
_LOOKING = {
    "systemctl": {"status", "show", "cat", "is-active", "is-enabled", "is-failed", "list-units", "list-unit-files",
                  "list-timers", "list-dependencies", "daemon-reload"},
    "apt": {"list", "show", "search", "policy", "update"},
    "apt-get": {"update", "check", "changelog", "download"},
    "apt-mark": {"showhold", "showmanual", "showauto"},
    "dpkg": {"-l", "-L", "-s", "-S", "--list", "--listfiles", "--status", "--search", "--audit", "-V", "--verify"},
    "nft": {"list"},
    "ufw": {"status"},
    "iptables": {"-L", "-S", "--list", "--list-rules"},
    "sshd": {"-t", "-T"},
    "visudo": {"-c"},
    "auditctl": {"-l", "-s"},
    "crontab": {"-l"},
    "chage": {"-l"},
}  # fmt: skip
_COPIERS = frozenset(["cp", "install", "rsync", "ln", "scp"])
_DEEP = frozenset(["rm", "mv", "chmod", "chown", "chgrp"])
_ATTRIBUTES = frozenset(["chmod", "chown", "chgrp", "chattr", "setfacl", "setcap", "touch"])
# These read the files that they name.
_LOADERS = frozenset(["sysctl", "nft", "iptables-restore", "systemctl", "apt", "apt-get", "dpkg", "insmod", "auditctl"])
_OF_CONTENT = frozenset({"content", "presence", "type", "target"})


@dataclass(frozen=True)
class Command:
    """One command line and where it was run."""

    act: Act

    @cached_property
    def words(self) -> list[str]:
        """Its words, without quotes and signs of the shell; the program is the first."""
        return _WORD.findall(self.act.command)

    @cached_property
    def program(self) -> str:
        """The program that does the work, without its folder; empty for a shell."""
        for word in self.words:
            name = posixpath.basename(word)
            if name not in _WRAPPERS and not word.startswith("-"):
                return name
        return ""

    @cached_property
    def programs(self) -> frozenset[str]:
        """Everything in it that could be a program."""
        return frozenset(map(posixpath.basename, self.words))

    @property
    def is_long(self) -> bool:
        """Whether it may have done its work long after it was started."""
        return self.program in _EDITORS

    @property
    def only_looks(self) -> bool:
        """Whether it changes nothing."""
        if self.program in _READERS:
            return ">" not in self.act.command
        if self.program == "sysctl":
            command = self.act.command
            return "=" not in command and not re.search(r"\s(-\w*p|--load|--system)\b", command)
        return not _LOOKING.get(self.program, set()).isdisjoint(self.words[1:])

    def names(self, *names: str) -> bool:
        """Return whether one of its arguments is one of these."""
        return not set(names).isdisjoint(self.words[1:])

    def writes(self, path: str, attribute: str) -> bool:
        """Return whether it may have changed this attribute of a file that it names."""
        if self.program in _ATTRIBUTES | _LOADERS and attribute in _OF_CONTENT:
            return False
        paths = [self._at(word) for word in self.words[1:]]
        folder, name = posixpath.split(path)
        into = folder in paths and any(posixpath.basename(one) == name for one in paths)
        if self.program in _COPIERS:
            return bool(paths) and (paths[-1] == path or (into and path not in paths))
        if self.program in _DEEP and any(one != "/" and path.startswith(f"{one}/") for one in paths):
            return True
        return into or any(fnmatchcase(path, one) if "*" in one else path == one for one in paths)

    def _at(self, word: str) -> str:
        return posixpath.normpath(posixpath.join(self.act.folder or "/", word))
