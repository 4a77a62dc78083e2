# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""The state of files: read without following, waiting or filling memory, whatever lies at a path."""

from __future__ import annotations

import array
import base64
import fcntl
import grp
import hashlib
import os
import pwd
import re
import stat
import zlib
from collections.abc import Callable

# A file beyond this is known by its size, its two ends and the time of its last change.
LARGEST = 32 << 20
_END = 1 << 20
_CHUNK = 1 << 18
# What one capture reads at most: beyond, contents are left out and named.
BUDGET = 192 << 20
LARGEST_TEXT = 16 << 10
_TYPES = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "link",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
    stat.S_IFBLK: "block",
    stat.S_IFCHR: "character",
}
_GET_FLAGS = 0x80086601
_FLAGS = ((0x10, "i"), (0x20, "a"))
_XATTRS = {
    "security.capability": "capabilities",
    "system.posix_acl_access": "acl",
    "system.posix_acl_default": "default_acl",
}
_SECRET_PATH = re.compile(
    r"shadow|secret|passw|credential|token|private|\.key$|\.pem$|/\.ssh/|/tls/|vault", re.IGNORECASE
)
_SECRET_TEXT = re.compile(
    rb"PRIVATE KEY|(?:passw(?:or)?d|secret|token|api[_-]?key|community|authorization)\s*[:=\"' ]", re.IGNORECASE
)
_ODD = re.compile(r"[\x00-\x1f\x7f\udc80-\udcff]|\\x")


def shown(path: str) -> str:
    """Return a path as text that any encoding takes; control characters and invalid bytes as `\\xNN`."""
    if not _ODD.search(path):
        return path
    whole = os.fsencode(path.replace("\\", "\\\\")).decode("utf-8", "backslashreplace")
    return re.sub(r"[\x00-\x1f\x7f]", lambda found: "\\x{0:02x}".format(ord(found.group())), whole)


class FileReader:
    """Reads states of files for one capture.

    Args:
        text: `all`, `changed` (against the digest that was given) or `none`: whose text is kept.

    Attributes:
        texts: base64 of compressed texts by path.
        touched: when what is in a file, and when anything of it, was last changed, in seconds since 1970.
        notes: sentences about what could not be judged.
    """

    def __init__(self, text: str = "none") -> None:
        self._text = text
        self._left = BUDGET
        self._owners: dict[int, str] = {}
        self._groups: dict[int, str] = {}
        self._folders: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.touched: dict[str, tuple[int, int]] = {}
        self.notes: list[str] = []

    def state(self, path: str, content: bool = True, known: str | None = None, follow: bool = False) -> dict[str, str]:
        """Return what is at a path; `presence` is `absent` where there is nothing.

        Args:
            content: whether what is in it counts.
            follow: whether what is at the end of a link counts too.
            known: the beginning of the digest as it should be; None if its text must not be kept.
        """
        try:
            status = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return {"presence": "absent"}
        except (OSError, ValueError) as error:
            return self._unreadable(path, error)
        self.touched[path] = (int(status.st_mtime), int(status.st_ctime))
        found = self._meta(status)
        if follow:
            self._way(path, found)
        if found["type"] == "link":
            self._link(path, found, content and follow)
        elif found["type"] in ("file", "directory"):
            self._open(path, status, found, content and found["type"] == "file", known)
        elif found["type"] in ("block", "character"):
            found["device"] = "{0}:{1}".format(os.major(status.st_rdev), os.minor(status.st_rdev))
        return found

    def _way(self, path: str, found: dict[str, str]) -> None:
        """Say where a file's folder really is, if that is elsewhere."""
        folder = os.path.dirname(path)
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        if self._folders[folder] != folder:
            found["folder"] = shown(self._folders[folder])

    def _unreadable(self, path: str, error: Exception) -> dict[str, str]:
        self.notes.append("{0} cannot be read: {1}".format(shown(path), getattr(error, "strerror", None) or error))
        return {}

    def _meta(self, status: os.stat_result) -> dict[str, str]:
        found = {"presence": "present", "type": _TYPES.get(stat.S_IFMT(status.st_mode), "other")}
        if found["type"] != "link":
            found["mode"] = "{0:04o}".format(stat.S_IMODE(status.st_mode))
        found["owner"] = self._name(self._owners, status.st_uid, lambda number: pwd.getpwuid(number).pw_name)
        found["group"] = self._name(self._groups, status.st_gid, lambda number: grp.getgrgid(number).gr_name)
        return found

    @staticmethod
    def _name(known: dict[int, str], number: int, look_up: Callable[[int], str]) -> str:
        if number not in known:
            try:
                # Another account with this number changes nothing of whose files these are.
                known[number] = look_up(number) if number else "root"
            except KeyError:
                known[number] = str(number)
        return known[number]

    def _link(self, path: str, found: dict[str, str], content: bool) -> None:
        """A link is where it leads, and what is there."""
        try:
            found["target"] = shown(os.readlink(path))
            status = os.stat(path)
        except OSError:
            return
        if content:
            found.update({key: text for key, text in self._meta(status).items() if key in ("mode", "owner", "group")})
        if content and stat.S_ISREG(status.st_mode):
            self._open(os.path.realpath(path), status, found, content, None)

    def _open(self, path: str, status: os.stat_result, found: dict[str, str], content: bool, known: str | None) -> None:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            try:
                descriptor = os.open(path, flags | os.O_NOATIME)
            except PermissionError:
                descriptor = os.open(path, flags)
        except OSError as error:
            self._unreadable(path, error)
            return
        try:
            now = os.fstat(descriptor)
            if (now.st_ino, stat.S_IFMT(now.st_mode)) != (status.st_ino, stat.S_IFMT(status.st_mode)):
                self.notes.append("{0} was replaced while it was read".format(shown(path)))
                return
            _attributes(descriptor, found)
            if content:
                self._content(path, descriptor, now, found, known)
        except OSError as error:
            self._unreadable(path, error)
        finally:
            os.close(descriptor)

    def _content(self, path: str, descriptor: int, before: os.stat_result, found: dict, known: str | None) -> None:
        for _ in range(2):
            whole = before.st_size <= LARGEST
            self._left -= before.st_size if whole else 2 * _END
            if self._left < 0:
                self.notes.append("{0}: its content was left out, there was too much to read".format(shown(path)))
                return
            kept: list[bytes] = []
            digest = _digest(descriptor, before.st_size, kept) if whole else _digest_of_ends(descriptor, before)
            after = os.fstat(descriptor)
            if (after.st_size, after.st_mtime_ns, after.st_ctime_ns) == (
                before.st_size,
                before.st_mtime_ns,
                before.st_ctime_ns,
            ):
                found["content"] = digest
                if not whole:
                    self.notes.append("{0}: {1} bytes, only its ends were read".format(shown(path), before.st_size))
                elif known is not None:
                    self._keep_text(path, after, digest, b"".join(kept), known)
                return
            before = after
        self.notes.append("{0} changed while it was read".format(shown(path)))

    def _keep_text(self, path: str, status: os.stat_result, digest: str, content: bytes, known: str) -> None:
        """Keep the text of a small file that anybody on the host may read, and that does not look like a secret."""
        wanted = self._text == "all" or (self._text == "changed" and not digest.startswith(known))
        open_to_all = status.st_mode & stat.S_IROTH and len(content) == status.st_size
        if not wanted or not open_to_all or not content or _SECRET_PATH.search(path) or _SECRET_TEXT.search(content):
            return
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            return
        if b"\0" not in content:
            self.texts[path] = base64.b64encode(zlib.compress(content, 9)).decode()


def _attributes(descriptor: int, found: dict[str, str]) -> None:
    flags = array.array("L", [0])
    try:
        fcntl.ioctl(descriptor, _GET_FLAGS, flags)
        found["attributes"] = "".join(letter for bit, letter in _FLAGS if flags[0] & bit)
    except OSError:
        pass
    try:
        for name in os.listxattr(descriptor):
            if name in _XATTRS:
                found[_XATTRS[name]] = hashlib.sha256(os.getxattr(descriptor, name)).hexdigest()[:16]
    except OSError:
        pass


def _digest(descriptor: int, size: int, kept: list[bytes]) -> str:
    total = hashlib.sha256()
    position = 0
    # To the size that it had: a file that only grows must come to an end. What has none may have a content.
    while position < max(size, 1):
        chunk = os.pread(descriptor, _CHUNK, position)
        if not chunk:
            break
        total.update(chunk)
        if size <= LARGEST_TEXT:
            kept.append(chunk)
        position += len(chunk)
    return total.hexdigest()


def _digest_of_ends(descriptor: int, status: os.stat_result) -> str:
    """Return a digest of a file's ends, and of when anything of it was last changed, which nobody can set back."""
    total = hashlib.sha256(b"%d %d" % (status.st_size, status.st_ctime_ns))
    for position in (0, status.st_size - _END):
        for offset in range(position, position + _END, _CHUNK):
            total.update(os.pread(descriptor, _CHUNK, offset))
    return "ends-" + total.hexdigest()
