# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Text files of a role, anywhere on the host, in one round trip."""

from __future__ import annotations

import grp
import os
import stat

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.bedplate.datacenter.plugins.module_utils.root_owned import (
    RootOwned,
    complaint,
    make_folders,
    replace,
)

DOCUMENTATION = r"""
module: host_files
short_description: Text files of a role, anywhere on the host, in one round trip
description:
  - Writes all of the given files, or none of them. Each new content is first written beside its file and checked;
    only when all of them were, they take the places of the old ones.
  - Files and folders belong to root. Other files are left alone.
options:
  folders:
    description: Folders that are to be there, also without a file of ours in them. They are made before the files.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path. Folders above it that are missing are made with mode 0755.
        type: path
        required: true
      mode:
        description: The mode, as an octal string.
        type: str
        default: "0755"
      group:
        description: The group. It has to exist.
        type: str
        default: root
  files:
    description: The files.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path. A folder that is missing is made with mode 0755.
        type: path
        required: true
      content:
        description: The whole text.
        type: str
        required: true
      mode:
        description: The mode, as an octal string.
        type: str
        default: "0644"
      group:
        description: The group. It has to exist.
        type: str
        default: root
      check:
        description: A command that says by its exit code whether a new content is right; C(%s) is the file with it.
        type: list
        elements: str
        default: []
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Write what apt is to do
  bedplate.datacenter.host_files:
    files:
      - path: /etc/apt/apt.conf.d/60own
        content: |
          APT::Install-Recommends "false";
        check: [apt-config, --config-file=%s, dump]
"""

RETURN = r"""
written:
  description: Paths of the files whose content, owner or mode was set.
  returned: always
  type: list
  elements: str
made:
  description: Paths of the folders that were made, or whose owner or mode was set.
  returned: always
  type: list
  elements: str
"""


def group_id(module: AnsibleModule, name: str, path: str) -> int:
    """Return the id of a group; without one, the module ends, unless it only looks what it would do."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        if not module.check_mode:
            module.fail_json(msg="there is no group {0}, to which {1} is to belong".format(name, path))
        return -1


def folder_agreed(path: str, mode: int, group: int) -> bool:
    """Return whether there is such a folder, or a link to one, that belongs to root and the group and has the mode."""
    if not os.path.isdir(path):
        return False
    found = os.stat(path)
    return (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (0, group, mode)


def make(path: str, mode: int, group: int) -> None:
    """Make a folder, or set whose it is and its mode."""
    make_folders(path)
    os.chown(path, 0, group)
    os.chmod(path, mode)


def wanted_files(module: AnsibleModule) -> list[tuple[RootOwned, list[str]]]:
    """Return the files that differ from what is there, each with its check."""
    files = []
    for entry in module.params["files"]:
        group = group_id(module, entry["group"], entry["path"])
        files.append((RootOwned(entry["path"], entry["content"], int(entry["mode"], 8), group), entry["check"]))
    return [(file, check) for file, check in files if file.differs]


def wanted_folders(module: AnsibleModule) -> list[tuple[str, int, int]]:
    """Return path, mode and group of the folders that differ from what is there."""
    folders = [
        (entry["path"], int(entry["mode"], 8), group_id(module, entry["group"], entry["path"]))
        for entry in module.params["folders"]
    ]
    return [folder for folder in folders if not folder_agreed(*folder)]


def main() -> None:
    folder = {
        "path": {"type": "path", "required": True},
        "mode": {"type": "str", "default": "0755"},
        "group": {"type": "str", "default": "root"},
    }
    file = {
        "path": {"type": "path", "required": True},
        "content": {"type": "str", "required": True},
        "mode": {"type": "str", "default": "0644"},
        "group": {"type": "str", "default": "root"},
        "check": {"type": "list", "elements": "str", "default": []},
    }
    module = AnsibleModule(
        argument_spec={
            "folders": {"type": "list", "elements": "dict", "default": [], "options": folder},
            "files": {"type": "list", "elements": "dict", "default": [], "options": file},
        },
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C", "LANG": "C"}
    changed, folders = wanted_files(module), wanted_folders(module)
    for wanted, check in changed:
        said = complaint(module, check, wanted)
        if said:
            module.fail_json(msg="{0} would be wrong, so nothing was changed: {1}".format(wanted.path, said))
    files = [wanted for wanted, _ in changed]
    modes = "".join("{0}: {1:04o}\n".format(path, mode) for path, mode, _ in folders)
    diffs = [wanted.diff() for wanted in files] + ([{"prepared": modes}] if modes else [])
    if not module.check_mode:
        for each in folders:
            make(*each)
        replace(module, files)
    module.exit_json(
        changed=bool(files or folders),
        written=[wanted.path for wanted in files],
        made=[path for path, _, _ in folders],
        diff=diffs,
    )


if __name__ == "__main__":
    main()
