# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""A root-owned folder that holds exactly the given files."""

from __future__ import annotations

import os
import stat
import tempfile

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: folder_files
short_description: A folder that holds exactly the given files
description:
  - Writes all files of one folder in one round trip and removes every other file from it.
  - Meant for a folder that only root may write to; folder and files belong to root.
options:
  path:
    description: The folder. It is made when it is missing; its parent must exist.
    type: path
    required: true
  files:
    description: Contents by file name.
    type: dict
    required: true
  mode:
    description: The mode of each file, as an octal string.
    type: str
    default: "0644"
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Give each account its keys
  bedplate.datacenter.folder_files:
    path: /etc/ssh/authorized_keys.d
    files:
      alice: "ssh-ed25519 AAAA... alice"
"""

RETURN = r"""
written:
  description: Names of the files whose content, owner or mode was set.
  returned: always
  type: list
  elements: str
removed:
  description: Names of what was removed.
  returned: always
  type: list
  elements: str
"""

_FOLDER_MODE = 0o755


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


def as_agreed(path: str, mode: int) -> bool:
    """Return whether a path belongs to root and has the mode."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return False
    return found.st_uid == 0 and found.st_gid == 0 and stat.S_IMODE(found.st_mode) == mode


def write(path: str, content: str, mode: int) -> None:
    """Replace a file in one step."""
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".new-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
            os.fchown(descriptor, 0, 0)
            os.fchmod(descriptor, mode)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def compare(path: str, files: dict[str, str], mode: int) -> tuple[list[str], list[str], list[dict[str, str]]]:
    """Return the files to write, the names to remove, and the difference of each."""
    names = sorted(os.listdir(path)) if os.path.isdir(path) else []
    removed = [name for name in names if name not in files]
    written, diffs = [], []
    for name in sorted(files):
        target = os.path.join(path, name)
        before = present(target)
        if before != files[name] or not as_agreed(target, mode):
            written.append(name)
            diffs.append(
                {"before_header": target, "after_header": target, "before": before or "", "after": files[name]}
            )
    for name in removed:
        target = os.path.join(path, name)
        diffs.append({"before_header": target, "after_header": target, "before": present(target) or "", "after": ""})
    return written, removed, diffs


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "files": {"type": "dict", "required": True},
            "mode": {"type": "str", "default": "0644"},
        },
        supports_check_mode=True,
    )
    path, files, mode = module.params["path"], module.params["files"], int(module.params["mode"], 8)
    for name in files:
        if name in (".", "..") or "/" in name:
            module.fail_json(msg="{0!r} is no file name".format(name))
    if os.path.islink(path) or (os.path.exists(path) and not os.path.isdir(path)):
        module.fail_json(msg="{0} is no folder".format(path))
    folder_agreed = as_agreed(path, _FOLDER_MODE)
    written, removed, diffs = compare(path, files, mode)
    if not module.check_mode:
        if not folder_agreed:
            os.makedirs(path, exist_ok=True)
            os.chown(path, 0, 0)
            os.chmod(path, _FOLDER_MODE)
        for name in written:
            write(os.path.join(path, name), files[name], mode)
        for name in removed:
            remove(module, os.path.join(path, name))
    changed = bool(written or removed or not folder_agreed)
    module.exit_json(changed=changed, written=written, removed=removed, diff=diffs)


def remove(module: AnsibleModule, path: str) -> None:
    """Remove a file or a link; a folder in its place is named, not emptied."""
    if os.path.isdir(path) and not os.path.islink(path):
        module.fail_json(msg="{0} is a folder; only files belong here: move it away".format(path))
    os.unlink(path)


if __name__ == "__main__":
    main()
