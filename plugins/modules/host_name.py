# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""The name of a host: in the kernel, in /etc/hostname, and what it and others are called in /etc/hosts."""

from __future__ import annotations

import errno
import os
import socket
import stat
import tempfile

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: host_name
short_description: The name of a host, and a block of its own in /etc/hosts
description:
  - Names the host in the kernel and in C(/etc/hostname), and keeps a marked block at the top of C(/etc/hosts).
    Lines outside of the block are left alone.
  - Files are replaced in one step. A file that is mounted by itself, as in a container, cannot be replaced and is
    written in place; if that fails, it gets its old content back.
options:
  name:
    description: The name, without a domain. Empty leaves the name as it is.
    type: str
    required: true
  hosts:
    description: The lines of the block in C(/etc/hosts).
    type: str
    required: true
  root:
    description: The folder below which C(etc/hostname) and C(etc/hosts) lie. The kernel is asked only when it is C(/).
    type: path
    default: /
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Name the host
  bedplate.datacenter.host_name:
    name: web1
    hosts: |
      127.0.0.1 localhost
      127.0.1.1 web1.example.com web1
"""

RETURN = r"""
written:
  description: The files whose content was changed.
  returned: always
  type: list
  elements: str
in_place:
  description: Those of them that could not be replaced in one step, because they are mounted by themselves.
  returned: always
  type: list
  elements: str
"""

_BEGIN = "# BEGIN bedplate: written by Ansible, do not edit up to END\n"
_END = "# END bedplate\n"


def read(path: str) -> str:
    """Return the content of a text file; an absent file is empty."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def with_block(text: str, block: str) -> str:
    """Return the text with the block at its top in place of an earlier one; a mark without its partner is dropped."""
    begin, end = text.find(_BEGIN), text.find(_END)
    rest = text[:begin] + text[end + len(_END) :] if 0 <= begin < end else text
    rest = rest.replace(_BEGIN, "").replace(_END, "")
    return _BEGIN + block.rstrip("\n") + "\n" + _END + rest


def replace(path: str, content: str) -> bool:
    """Write a file in one step, or in place where it is mounted by itself; return whether it was in place.

    Raises:
        OSError: it could not be written, and holds what it held before.
    """
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".new-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(content)
            file.flush()
            os.fchmod(descriptor, stat.S_IMODE(os.stat(path).st_mode) if os.path.exists(path) else 0o644)
            os.fsync(descriptor)
        os.rename(temporary, path)
    except OSError as error:
        os.unlink(temporary)
        if error.errno != errno.EBUSY:
            raise
        overwrite(path, content)
        return True
    return False


def overwrite(path: str, content: str) -> None:
    """Write over a file; what it held is put back if there is no room."""
    before = read(path)
    try:
        _fill(path, content)
    except OSError:
        _fill(path, before)
        raise


def _fill(path: str, content: str) -> None:
    with open(path, "r+", encoding="utf-8", errors="surrogateescape") as file:
        file.write(content)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


def wanted_files(root: str, name: str, hosts: str) -> dict[str, tuple[str, str]]:
    """Return content before and after of each file."""
    paths = {"hostname": os.path.join(root, "etc/hostname"), "hosts": os.path.join(root, "etc/hosts")}
    before = {key: read(path) for key, path in paths.items()}
    files = {paths["hosts"]: (before["hosts"], with_block(before["hosts"], hosts))}
    if name:
        # Whatever the comments or blanks around it, the name on the first line is the name.
        same = before["hostname"].strip() == name
        files[paths["hostname"]] = (before["hostname"], before["hostname"] if same else name + "\n")
    return files


def apply(module: AnsibleModule, changes: dict[str, tuple[str, str]], kernel: bool) -> list[str]:
    """Write what changed and return the files that were written in place."""
    in_place = []
    for path, (_, after) in changes.items():
        try:
            if replace(path, after):
                in_place.append(path)
        except OSError as error:
            module.fail_json(msg="{0} cannot be written ({1}); it is as it was".format(path, error.strerror))
    if kernel:
        try:
            socket.sethostname(module.params["name"])
        except OSError as error:
            module.fail_json(
                msg="the kernel does not let this host be named {0} ({1}): a container is named from outside; "
                "an empty name leaves it".format(module.params["name"], error.strerror)
            )
    return in_place


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "hosts": {"type": "str", "required": True},
            "root": {"type": "path", "default": "/"},
        },
        supports_check_mode=True,
    )
    name, root = module.params["name"], module.params["root"]
    files = wanted_files(root, name, module.params["hosts"])
    changes = {path: texts for path, texts in files.items() if texts[0] != texts[1]}
    kernel = bool(name) and root == "/" and socket.gethostname() != name
    diff = [
        {"before_header": path, "after_header": path, "before": before, "after": after}
        for path, (before, after) in changes.items()
    ]
    if kernel:
        diff.append({"prepared": "name in the kernel: {0} -> {1}\n".format(socket.gethostname(), name)})
    in_place = [] if module.check_mode else apply(module, changes, kernel)
    module.exit_json(changed=bool(changes or kernel), written=sorted(changes), in_place=in_place, diff=diff)


if __name__ == "__main__":
    main()
