# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Files of root, all tried before one of them is replaced."""

from __future__ import annotations

import glob
import grp
import os
import re
import stat

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.bedplate.datacenter.plugins.module_utils.root_owned import RootOwned, complaint, replace

DOCUMENTATION = r"""
module: root_files
short_description: Files of root, all tried before one of them is replaced
description:
  - Brings any number of files and folders to their content and mode in one round trip. They belong to root.
  - Every candidate is written to a private folder and tried by its own program first. One that is refused ends the
    module, and nothing was changed.
options:
  files:
    description: The files.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description:
          - The file. Without C(content) and C(settings) it may be a pattern, and only what exists gets its mode.
        type: path
        required: true
      content:
        description: All that the file holds.
        type: str
      settings:
        description: Values by key of a file with one key a line. The other lines of the file stay as they are.
        type: dict
      separator:
        description: What stands between a key and its value in C(settings).
        type: str
        default: " "
      mode:
        description: The mode, as an octal string.
        type: str
        default: "0644"
      group:
        description: The group. It has to exist where the file does.
        type: str
        default: root
      needs:
        description: The entry counts only where this path exists.
        type: path
      validate:
        description:
          - A command that tries the candidate, which stands for C(%s). It fails when the candidate is not valid.
        type: list
        elements: str
      state:
        description: C(absent) removes the file, C(untouched) leaves it as it is.
        type: str
        choices: [present, absent, untouched]
        default: present
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Have sudo write its own log, and keep homes to their owners
  bedplate.datacenter.root_files:
    files:
      - path: /etc/sudoers.d/log
        content: "Defaults logfile=/var/log/sudo.log\n"
        mode: "0440"
        validate: [/usr/sbin/visudo, -cf, "%s"]
      - path: /etc/login.defs
        settings: {UMASK: "027"}
"""

RETURN = r"""
written:
  description: Files whose content was set.
  returned: always
  type: list
  elements: str
removed:
  description: Files that were removed.
  returned: always
  type: list
  elements: str
restricted:
  description: Files and folders whose owner, group or mode was set.
  returned: always
  type: list
  elements: str
"""


def with_settings(text: str, settings: dict[str, str], separator: str) -> str:
    """Return the text with exactly one line for each key: in the place of the first one, or else at the end.

    Args:
        text: lines of a key, the separator (blanks around it do not matter) and a value; others are comments.
        settings: the wanted value of each key.
        separator: a blank stands for any white space.
    """
    lines, left = [], dict(settings)
    between = r"\s" if separator.isspace() else r"\s*" + re.escape(separator.strip())
    key_of = re.compile(r"\s*([A-Za-z0-9_.-]+)" + "(?:" + between + "|$)")
    for line in text.splitlines():
        found = key_of.match(line)
        key = found.group(1) if found else None
        if key not in settings:
            lines.append(line)
        elif key in left:
            lines.append("{0}{1}{2}".format(key, separator, left.pop(key)))
    lines.extend("{0}{1}{2}".format(key, separator, value) for key, value in left.items())
    return "".join(line + "\n" for line in lines)


def read(path: str) -> str | None:
    """Return what a file holds; None where there is no file."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return None


class RootFile:
    """One entry: what is there, and what is wanted."""

    def __init__(self, module: AnsibleModule, entry: dict) -> None:
        self._module = module
        self._entry = entry
        self.path: str = entry["path"]
        self.mode = int(entry["mode"], 8)
        self.group: str = entry["group"]
        if os.path.isdir(self.path) and entry["content"] is not None:
            module.fail_json(msg="{0} is a folder and no file".format(self.path))
        present = entry["state"] == "present"
        self.managed = present and (entry["content"] is not None or entry["settings"] is not None)
        self.before = read(self.path) if self.managed or entry["state"] == "absent" else None
        self.after = self._wanted() if self.managed else None

    def _wanted(self) -> str | None:
        entry = self._entry
        if entry["settings"] is not None:
            values = {key: str(value) for key, value in entry["settings"].items()}
            return with_settings(self.before or "", values, entry["separator"])
        return entry["content"]

    @property
    def differs(self) -> bool:
        return self.managed and self.before != self.after

    @property
    def removed(self) -> bool:
        return self._entry["state"] == "absent" and os.path.lexists(self.path)

    @property
    def wanted(self) -> RootOwned:
        """The file as it is to be."""
        mode, _, group = self._agreed()
        return RootOwned(self.path, self.after or "", mode, group)

    def try_content(self) -> None:
        """Have the file's program try the new content; a refusal ends the module."""
        said = complaint(self._module, self._entry["validate"] or [], self.wanted)
        if said:
            self._module.fail_json(
                msg="{0} would not be valid, nothing was changed: {1}".format(self.path, " ".join(said.split())),
                path=self.path,
            )

    def restricted(self) -> list[str]:
        """Return those of the entry's paths whose owner, group or mode is not as wanted."""
        if self._entry["state"] != "present":
            return []
        found = [self.path] if self.managed else sorted(glob.glob(self.path))
        return [path for path in found if os.path.exists(path) and self._attributes(path) != self._agreed()]

    def restrict(self, path: str) -> None:
        _, _, gid = self._agreed()
        os.chown(path, 0, gid)
        os.chmod(path, self.mode)

    def _attributes(self, path: str) -> tuple[int, int, int]:
        status = os.stat(path)
        return stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid

    def _agreed(self) -> tuple[int, int, int]:
        try:
            return self.mode, 0, grp.getgrnam(self.group).gr_gid
        except KeyError:
            self._module.fail_json(msg="there is no group {0}, to which {1} is to belong".format(self.group, self.path))
            raise

    def diff(self) -> dict[str, str]:
        return {
            "before_header": self.path,
            "after_header": self.path,
            "before": self.before or "",
            "after": self.after or "",
        }


def _refuse_entries_without_a_meaning(module: AnsibleModule, entries: list[dict]) -> None:
    paths = [entry["path"] for entry in entries]
    for entry in entries:
        if entry["content"] is not None and entry["settings"] is not None:
            module.fail_json(msg="{0} has both content and settings; give one".format(entry["path"]))
        if not re.match(r"[0-7]{3,4}\Z", entry["mode"]):
            module.fail_json(msg="{0}: {1!r} is no mode; write it as 0644".format(entry["path"], entry["mode"]))
        if paths.count(entry["path"]) > 1:
            module.fail_json(msg="{0} is listed {1} times".format(entry["path"], paths.count(entry["path"])))


def main() -> None:
    entry = {
        "path": {"type": "path", "required": True},
        "content": {"type": "str"},
        "settings": {"type": "dict"},
        "separator": {"type": "str", "default": " "},
        "mode": {"type": "str", "default": "0644"},
        "group": {"type": "str", "default": "root"},
        "needs": {"type": "path"},
        "validate": {"type": "list", "elements": "str"},
        "state": {"type": "str", "choices": ["present", "absent", "untouched"], "default": "present"},
    }
    module = AnsibleModule(
        argument_spec={"files": {"type": "list", "elements": "dict", "required": True, "options": entry}},
        supports_check_mode=True,
    )
    entries = [entry for entry in module.params["files"] if not entry["needs"] or os.path.exists(entry["needs"])]
    _refuse_entries_without_a_meaning(module, entries)
    files = [RootFile(module, entry) for entry in entries]
    written = [file for file in files if file.differs]
    for file in written:
        file.try_content()
    if not module.check_mode:
        replace(module, [file.wanted for file in written])
    _finish(module, files, written)


def _finish(module: AnsibleModule, files: list[RootFile], written: list[RootFile]) -> None:
    """Set owners and modes, remove what is to go, and say what was done."""
    removed = [file for file in files if file.removed]
    restricted = [(file, path) for file in files for path in file.restricted()]
    if not module.check_mode:
        for file, path in restricted:
            file.restrict(path)
        for file in removed:
            os.unlink(file.path)
    modes = "".join("{0}: {1:04o} root:{2}\n".format(path, file.mode, file.group) for file, path in restricted)
    module.exit_json(
        changed=bool(written or removed or restricted),
        written=[file.path for file in written],
        removed=[file.path for file in removed],
        restricted=[path for _, path in restricted],
        diff=[file.diff() for file in written + removed] + ([{"prepared": modes}] if modes else []),
    )


if __name__ == "__main__":
    main()
