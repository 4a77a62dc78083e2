# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Text files of a role, anywhere on the host, in one round trip."""

from __future__ import annotations

import os
import stat
import tempfile

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: host_files
short_description: Text files of a role, anywhere on the host, in one round trip
description:
  - Writes all of the given files, or none of them. Each new content is first written beside its file and checked;
    only when all of them were, they take the places of the old ones.
  - Files and the folders that are made for them belong to root. Other files are left alone.
options:
  files:
    description: The files.
    type: list
    elements: dict
    required: true
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
"""


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


def stage(path: str, content: str, mode: int) -> str:
    """Write new content beside a file, on the same file system, and return where.

    Raises:
        OSError: there is no room, or no such folder can be made.
    """
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o755, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".bedplate-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fchown(descriptor, 0, 0)
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
    except BaseException:
        os.unlink(temporary)
        raise
    return temporary


def checked(module: AnsibleModule, files: list[dict]) -> None:
    """Try each new content; end the module with what the check said about the first that is wrong."""
    for wanted in files:
        if not wanted["check"]:
            continue
        descriptor, candidate = tempfile.mkstemp(suffix="-" + os.path.basename(wanted["path"]))
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(wanted["content"])
        try:
            code, out, err = module.run_command([word.replace("%s", candidate) for word in wanted["check"]])
        finally:
            os.unlink(candidate)
        if code != 0:
            said = (err or out).strip().replace(candidate, wanted["path"])
            module.fail_json(msg="{0} would be wrong, so nothing was changed: {1}".format(wanted["path"], said))


def write(module: AnsibleModule, files: list[dict]) -> None:
    """Put all files in place; without room for one of them, none is."""
    staged: list[tuple[str, str]] = []
    try:
        for wanted in files:
            staged.append((stage(wanted["path"], wanted["content"], int(wanted["mode"], 8)), wanted["path"]))
    except OSError as error:
        for temporary, _ in staged:
            os.unlink(temporary)
        module.fail_json(msg="{0} cannot be written ({1}); nothing was changed".format(wanted["path"], error.strerror))
    for temporary, path in staged:
        os.rename(temporary, path)


def main() -> None:
    options = {
        "path": {"type": "path", "required": True},
        "content": {"type": "str", "required": True},
        "mode": {"type": "str", "default": "0644"},
        "check": {"type": "list", "elements": "str", "default": []},
    }
    module = AnsibleModule(
        argument_spec={"files": {"type": "list", "elements": "dict", "required": True, "options": options}},
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C", "LANG": "C"}
    changed, diffs = [], []
    for wanted in module.params["files"]:
        path, before = wanted["path"], present(wanted["path"])
        if before != wanted["content"] or not as_agreed(path, int(wanted["mode"], 8)):
            changed.append(wanted)
            diffs.append(
                {"before_header": path, "after_header": path, "before": before or "", "after": wanted["content"]}
            )
    checked(module, changed)
    if not module.check_mode:
        write(module, changed)
    module.exit_json(changed=bool(changed), written=[wanted["path"] for wanted in changed], diff=diffs)


if __name__ == "__main__":
    main()
