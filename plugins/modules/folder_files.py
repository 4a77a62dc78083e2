# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""A root-owned folder that holds exactly the given files."""

from __future__ import annotations

import os
import shlex

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.bedplate.datacenter.plugins.module_utils.root_owned import (
    RootOwned,
    as_agreed,
    complaint,
    make_folders,
    present,
    replace,
)

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
  validate:
    description:
      - A command that is run for each file that would be written, before anything is changed, with C(%s) in place
        of the file's path. If it fails for one of them, the module ends with what the command said, and the folder
        stays as it is.
    type: str
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


def superfluous(path: str, files: dict[str, str]) -> list[str]:
    """Return the names in the folder that are none of the files', sorted."""
    return [name for name in (sorted(os.listdir(path)) if os.path.isdir(path) else []) if name not in files]


def validate(module: AnsibleModule, written: list[RootOwned]) -> None:
    """Run the command on each file that is to be written, from a folder aside; end the module if it refuses one."""
    for file in written:
        name = os.path.basename(file.path)
        said = complaint(module, shlex.split(module.params["validate"] or ""), file, shown=name)
        if said:
            module.fail_json(msg="{0} was refused, and nothing was changed: {1}".format(name, said))


def gone(path: str) -> dict[str, str]:
    """Return the difference that the removal of a file makes, as Ansible shows it."""
    return {"before_header": path, "after_header": path, "before": present(path) or "", "after": ""}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "files": {"type": "dict", "required": True},
            "mode": {"type": "str", "default": "0644"},
            "validate": {"type": "str"},
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
    wanted = [RootOwned(os.path.join(path, name), files[name], mode) for name in sorted(files)]
    written = [file for file in wanted if file.differs]
    removed = superfluous(path, files)
    diffs = [file.diff() for file in written] + [gone(os.path.join(path, name)) for name in removed]
    validate(module, written)
    if not module.check_mode:
        if not folder_agreed:
            make_folders(path)
            os.chown(path, 0, 0)
            os.chmod(path, _FOLDER_MODE)
        replace(module, written)
        for name in removed:
            remove(module, os.path.join(path, name))
    changed = bool(written or removed or not folder_agreed)
    names = [os.path.basename(file.path) for file in written]
    module.exit_json(changed=changed, written=names, removed=removed, diff=diffs)


def remove(module: AnsibleModule, path: str) -> None:
    """Remove a file or a link; a folder in its place is named, not emptied."""
    if os.path.isdir(path) and not os.path.islink(path):
        module.fail_json(msg="{0} is a folder; only files belong here: move it away".format(path))
    os.unlink(path)


if __name__ == "__main__":
    main()
