# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Options of mounts that are there already."""

from __future__ import annotations

import os
import re
import shlex

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: mount_options
short_description: Options of mounts that are there already
description:
  - Gives mounts such as C(/tmp) further options, now and for each start. Nothing is mounted or unmounted.
  - A path that is no mount of its own is left out and named.
  - For the next start the options are added to the mount's line in C(/etc/fstab), or to a drop-in of its systemd unit.
    C(/dev/shm), which systemd mounts by itself, gets a line. A mount that has neither is named.
options:
  mounts:
    description: Options such as nodev, nosuid and noexec, by mount point.
    type: dict
    required: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Run no programs from /tmp
  bedplate.datacenter.mount_options:
    mounts:
      /tmp: [nodev, nosuid, noexec]
"""

RETURN = r"""
remounted:
  description: Mounts that got options now.
  returned: always
  type: list
  elements: str
written:
  description: Files that were written for the next start.
  returned: always
  type: list
  elements: str
no_mount:
  description: Paths that are no mounts of their own.
  returned: always
  type: list
  elements: str
until_restart:
  description: Mounts of which nothing says how they come at the next start.
  returned: always
  type: list
  elements: str
"""

_FSTAB = "/etc/fstab"
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 (a mount, and no file)
_MOUNTS = "/proc/self/mountinfo"
_OPPOSITES = {"nodev": "dev", "nosuid": "suid", "noexec": "exec"}
_DROP_IN = "/etc/systemd/system/{0}.d/bedplate-hardening.conf"


def mounted(text: str) -> dict[str, list[str]]:
    """Return the options of each mount by its path, from the text of /proc/self/mountinfo; the uppermost one counts."""
    found = {}
    for line in text.splitlines():
        fields = line.split(" ")
        path = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code.group(1), 8)), fields[4])
        found[path] = fields[5].split(",")
    return found


def with_options(options: list[str], wanted: list[str]) -> list[str]:
    """Return the options with the wanted ones added, and without their opposites."""
    opposites = {_OPPOSITES.get(option, "") for option in wanted}
    kept = [option for option in options if option not in opposites]
    return kept + [option for option in wanted if option not in kept]


def fstab_with(text: str, mounts: dict[str, list[str]]) -> tuple[str, set[str]]:
    """Return fstab with the options of those mounts that it has lines for, and these mounts."""
    lines, found = [], set()
    for line in text.splitlines():
        fields = re.split(r"(\s+)", line.strip())
        path = fields[2] if len(fields) > 6 and not line.lstrip().startswith("#") else ""
        if path in mounts:
            found.add(path)
            fields[6] = ",".join(with_options(fields[6].split(","), mounts[path]))
            lines.append("".join(fields))
        else:
            lines.append(line)
    return "".join(line + "\n" for line in lines), found


def unit_options(text: str) -> list[str]:
    """Return the options that the text of a systemd mount unit gives; the last line that does counts."""
    found = re.findall(r"^Options=(.*)$", text, re.MULTILINE)
    return found[-1].split(",") if found else []


def read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


class NextStart:
    """What /etc/fstab and systemd's units say about the mounts, and what they should say."""

    def __init__(self, module: AnsibleModule, mounts: dict[str, list[str]], lacking: set[str]) -> None:
        self._module = module
        self.unknown: list[str] = []
        before = read(_FSTAB)
        after, in_fstab = fstab_with(before, mounts)
        self.files = {_FSTAB: after} if in_fstab else {}
        for path in sorted(set(mounts) - in_fstab):
            unit = self._unit(path)
            if unit:
                text = "[Mount]\nOptions={0}\n".format(",".join(with_options(unit_options(read(unit)), mounts[path])))
                if not set(mounts[path]) <= set(unit_options(read(unit))):
                    self.files[_DROP_IN.format(os.path.basename(unit))] = text
            elif path == _SHARED_MEMORY and path in lacking:
                options = ",".join(with_options(["rw", "nosuid", "nodev"], mounts[path]))
                self.files[_FSTAB] = after + "tmpfs {0} tmpfs {1} 0 0\n".format(path, options)
            elif path in lacking:
                self.unknown.append(path)
        self.files = {path: text for path, text in self.files.items() if read(path) != text}

    def _unit(self, path: str) -> str:
        """Return the file of the systemd unit that mounts a path, or nothing."""
        _, name, _ = self._module.run_command(["systemd-escape", "--path", "--suffix=mount", path], check_rc=True)
        _, out, _ = self._module.run_command(["systemctl", "show", "--property=FragmentPath", name.strip()])
        unit = out.strip().partition("=")[2]
        # What systemd makes of fstab is below /run; what it only saw being mounted has no file.
        return unit if unit.startswith(("/usr/", "/lib/", "/etc/")) else ""

    def write(self) -> None:
        for path, text in self.files.items():
            candidate = os.path.join(self._module.tmpdir, "mount-options")
            with open(candidate, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(candidate, 0o644)
            os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
            self._module.atomic_move(candidate, path)
        if self.files:
            self._module.run_command(["systemctl", "daemon-reload"], check_rc=True)

    def diffs(self) -> list[dict[str, str]]:
        return [
            {"before_header": path, "after_header": path, "before": read(path), "after": text}
            for path, text in self.files.items()
        ]


def remount(module: AnsibleModule, path: str, options: list[str]) -> None:
    """Set the options of one mount; what kind of file system it is, and all that belongs to it, stays."""
    command = ["mount", "-o", "remount,bind," + ",".join(options), path]
    code, _, err = module.run_command(command)
    if code != 0:
        module.fail_json(msg="{0} failed: {1}".format(" ".join(shlex.quote(word) for word in command), err.strip()))


def main() -> None:
    module = AnsibleModule(argument_spec={"mounts": {"type": "dict", "required": True}}, supports_check_mode=True)
    wanted: dict[str, list[str]] = module.params["mounts"]
    present = mounted(read(_MOUNTS))
    mounts = {path: options for path, options in wanted.items() if path in present}
    lacking = {path for path, options in mounts.items() if not set(options) <= set(present[path])}
    next_start = NextStart(module, mounts, lacking)
    diffs = next_start.diffs()
    if lacking:
        lines = ["{0}: {1}\n".format(path, ",".join(mounts[path])) for path in sorted(lacking)]
        diffs.append({"prepared": "".join(lines)})
    changed = bool(lacking or next_start.files)
    if not module.check_mode:
        for path in sorted(lacking):
            remount(module, path, with_options(present[path], mounts[path]))
        next_start.write()
    module.exit_json(
        changed=changed,
        remounted=sorted(lacking),
        written=sorted(next_start.files),
        no_mount=sorted(set(wanted) - set(mounts)),
        until_restart=next_start.unknown,
        diff=diffs,
    )


if __name__ == "__main__":
    main()
