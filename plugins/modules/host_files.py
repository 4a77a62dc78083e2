# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Text files of a role, anywhere on the host, in one round trip."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.bedplate.datacenter.plugins.module_utils.root_owned import RootOwned, complaint, replace

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
    wanted = [
        (RootOwned(entry["path"], entry["content"], int(entry["mode"], 8)), entry["check"])
        for entry in module.params["files"]
    ]
    changed = [(file, check) for file, check in wanted if file.differs]
    for file, check in changed:
        said = complaint(module, check, file)
        if said:
            module.fail_json(msg="{0} would be wrong, so nothing was changed: {1}".format(file.path, said))
    files = [file for file, _ in changed]
    diffs = [file.diff() for file in files]
    if not module.check_mode:
        replace(module, files)
    module.exit_json(changed=bool(files), written=[file.path for file in files], diff=diffs)


if __name__ == "__main__":
    main()
