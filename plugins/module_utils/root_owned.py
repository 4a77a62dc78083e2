# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Files of root: what is there, whether a new content is right, and replacing all of them or none."""

from __future__ import annotations

import os
import stat
import tempfile
from typing import NamedTuple

from ansible.module_utils.basic import AnsibleModule


class RootOwned(NamedTuple):
    """A file as it is to be. `mode` is a number; `group` a group's id."""

    path: str
    content: str
    mode: int
    group: int = 0

    @property
    def differs(self) -> bool:
        """Whether the content, the owner or the mode of what is there is another one."""
        return present(self.path) != self.content or not as_agreed(self.path, self.mode, self.group)

    def diff(self) -> dict[str, str]:
        """Return the difference to what is there, as Ansible shows it."""
        before = present(self.path) or ""
        return {"before_header": self.path, "after_header": self.path, "before": before, "after": self.content}


def present(path: str) -> str | None:
    """Return the content of a regular file; None for anything else, such as a link."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return file.read().decode("utf-8", "replace")


def as_agreed(path: str, mode: int, group: int = 0) -> bool:
    """Return whether a path belongs to root and the group, and has the mode."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return False
    return (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (0, group, mode)


def complaint(module: AnsibleModule, command: list[str], file: RootOwned, shown: str = "") -> str:
    """Try a content that is to be, in a private folder; return what the command said against it, or nothing.

    Args:
        command: exits with 0 when the content is right; `%s` in it is the file to look at.
        shown: how the file is called in what is returned; its path unless given.
    """
    if not command:
        return ""
    with tempfile.TemporaryDirectory(dir=module.tmpdir, prefix="try-") as folder:
        candidate = os.path.join(folder, os.path.basename(file.path))
        with open(candidate, "w", encoding="utf-8", errors="surrogateescape") as opened:
            opened.write(file.content)
        os.chmod(candidate, file.mode)
        code, out, err = module.run_command([word.replace("%s", candidate) for word in command])
    if code == 0:
        return ""
    return (err or out).strip().replace(candidate, shown or file.path) or "it exits with {0}".format(code)


def make_folders(path: str) -> None:
    """Make a folder and those above it that are missing, each with mode 0755 whatever the umask."""
    before = os.umask(0o022)
    try:
        os.makedirs(path, exist_ok=True)
    finally:
        os.umask(before)


def replace(module: AnsibleModule, files: list[RootOwned]) -> None:
    """Put all files in their places, each in one step; without room for one of them, the module ends and none is."""
    staged: list[tuple[str, str]] = []
    for file in files:
        try:
            staged.append((_staged(file), file.path))
        except OSError as error:
            for temporary, _ in staged:
                os.unlink(temporary)
            module.fail_json(msg="{0} cannot be written ({1}); nothing was changed".format(file.path, error.strerror))
    for temporary, path in staged:
        os.rename(temporary, path)


def _staged(file: RootOwned) -> str:
    """Write the content beside the file, on the same file system, and return where.

    Raises:
        OSError: there is no room, or no such folder can be made.
    """
    folder = os.path.dirname(file.path)
    make_folders(folder)
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".bedplate-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as opened:
            opened.write(file.content)
            opened.flush()
            os.fchown(descriptor, 0, file.group)
            os.fchmod(descriptor, file.mode)
            os.fsync(descriptor)
    except BaseException:
        os.unlink(temporary)
        raise
    return temporary
