# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""The host's part of a change that may need a reboot: drained, updated, and well again."""

from __future__ import annotations

import fnmatch
import glob
import math
import os
import re
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.bedplate.datacenter.plugins.module_utils.hooks import run_hooks
from ansible_collections.bedplate.datacenter.plugins.module_utils.units import Unit, answer_fault

DOCUMENTATION = r"""
module: host_change
short_description: Drain a host, update and reboot it, and prove that it is well again
description:
  - Looks whether the host is well, drains it, updates its packages, reboots it where that is wanted, waits until it is
    well again, and ends the drain. A host that is not well before is left alone; one that is not well afterwards stays
    drained.
  - Well is a host without failed units (besides those that had failed before), whose C(units) are active, whose
    C(health) answers, and whose hooks of C(ready.d) succeed.
  - The executable files of the folders C(drain.d), C(ready.d) and C(undrain.d) are hooks, run as root in the order of
    their names.
  - Used as a task, an action plugin does all of it; the module itself does one C(phase).
options:
  phase:
    description: The part that the module does; set by the action plugin.
    type: str
    choices: [begin, finish]
    default: begin
  update:
    description: Which packages are updated.
    type: str
    choices: [none, security, all]
    default: none
  exclude:
    description: Packages that are not updated; shell patterns.
    type: list
    elements: str
    default: []
  reboot:
    description: When to reboot. C(needed) is when the system says so, or a kernel or library was replaced that all use.
    type: str
    choices: [never, needed, always]
    default: never
  units:
    description: Units that must be active before and afterwards.
    type: list
    elements: str
    default: []
  health:
    description: An http(s) address of this host that must answer, or C(HOST:PORT) that must take a connection.
    type: str
    default: ""
  unhealthy:
    description: Whether a host that is not well before is left alone, or changed all the same.
    type: str
    choices: [stop, proceed]
    default: stop
  seconds:
    description: How long a reboot may take, and again how long until the host is well.
    type: float
    default: 600
  hooks:
    description: The folder with the folders of hooks.
    type: path
    default: /etc/bedplate/hooks
  failed_before:
    description: Units that had failed before; set by the action plugin.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    support: full
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Update, and reboot where that is needed
  bedplate.datacenter.host_change:
    update: security
    reboot: needed
"""

RETURN = r"""
packages:
  description: What was updated (or would be), each with name and the versions before and after.
  returned: always
  type: list
  elements: dict
installed:
  description:
    - From when to when packages were updated (C(start), C(end), in seconds since 1970), and which files they had before
      and have no more (C(gone)).
  returned: when packages were updated
  type: dict
reboot_reasons:
  description: Why a reboot is needed.
  returned: always
  type: list
  elements: str
rebooted:
  description: Whether it was rebooted.
  returned: always
  type: bool
boot_before:
  description: What tells the boot before from the one afterwards.
  returned: always
  type: str
boot_after:
  description: The same, afterwards.
  returned: always
  type: str
failed_units:
  description: Units that have failed.
  returned: always
  type: list
  elements: str
"""

_INSTALL = re.compile(r"^Inst (?P<name>\S+)(?: \[(?P<before>[^\]]*)\])? \((?P<after>\S+) (?P<origins>.*)")
# Replaced, they are in use by all that runs until the next boot.
_OF_ALL = ("linux-image-*", "libc6", "systemd", "dbus", "dbus-daemon", "*-microcode")
_MARK = "/run/reboot-required"
_NO_PROMPT = {"DEBIAN_FRONTEND": "noninteractive", "APT_LISTCHANGES_FRONTEND": "none", "NEEDRESTART_MODE": "a"}
_APT = ["apt-get", "-y", "-o", "DPkg::Lock::Timeout=300"]
_KEEP_CONFIG = ["-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"]
_STEP = 1.0
_MOST_GONE = 200


class Host:
    """The host that the module runs on.

    Args:
        module: with the options of the task.
    """

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module
        self._params = module.params

    def boot(self) -> str:
        """Return what tells this boot from every other: the kernel's, and when the first process started.

        A container has the kernel of its host, and a first process of its own.
        """
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            kernel = file.read().strip()
        with open("/proc/1/stat", encoding="utf-8", errors="replace") as file:
            started = file.read().rpartition(")")[2].split()[19]
        return "{0}:{1}".format(kernel, started)

    def failed_units(self) -> list[str]:
        """Return the units that have failed."""
        _, out, _ = self._module.run_command(["systemctl", "list-units", "--state=failed", "--plain", "--no-legend"])
        return sorted(line.split()[0] for line in out.splitlines() if line.split())

    def fault(self, known: list[str]) -> str:
        """Return why the host is not well, or an empty string.

        Args:
            known: failed units that do not count.
        """
        _, state, _ = self._module.run_command(["systemctl", "is-system-running"])
        if state.strip() not in ("running", "degraded"):
            return "systemd is {0}".format(state.strip() or "silent")
        failed = [unit for unit in self.failed_units() if unit not in known]
        if failed:
            return "failed: {0}".format(", ".join(failed))
        for name in self._params["units"]:
            unit = Unit(self._module, name)
            if not unit.active:
                return "{0} is {1}".format(unit.name, unit.state())
        return answer_fault(self._params["health"])

    def hooks(self, stage: str) -> str:
        """Run the hooks of a stage; return what went wrong, or an empty string."""
        return run_hooks(self._params["hooks"], stage)

    def wait_until_well(self, known: list[str]) -> str:
        """Return what is still wrong when the time is over, or an empty string as soon as nothing is."""
        deadline = time.monotonic() + self._params["seconds"]
        while True:
            fault = self.fault(known) or self.hooks("ready")
            if not fault or time.monotonic() >= deadline:
                return fault
            time.sleep(_STEP)


class Updates:
    """The packages that can be updated.

    Args:
        module: with the options of the task.
    """

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module
        self._params = module.params

    def refresh(self) -> None:
        """Read the lists of packages anew."""
        self._apt([*_APT, "-o", "Acquire::Retries=2", "update"])

    def pending(self) -> list[dict[str, str]]:
        """Return what would be updated."""
        if self._params["update"] == "none":
            return []
        found = [
            match.groupdict()
            for match in map(_INSTALL.match, self._apt([*_APT, "-s", *_UPGRADE]).splitlines())
            if match
        ]
        return [
            {"name": each["name"], "before": each["before"] or "", "after": each["after"]}
            for each in found
            if self._wanted(each)
        ]

    def _wanted(self, package: dict[str, str]) -> bool:
        if any(fnmatch.fnmatchcase(package["name"], pattern) for pattern in self._params["exclude"]):
            return False
        return self._params["update"] == "all" or "-security" in package["origins"].lower()

    def install(self, packages: list[dict[str, str]]) -> tuple[list[dict[str, str]], dict[str, object]]:
        """Update these packages; return what is another version now than before, and what else became of it."""
        before, names = self.versions(), [package["name"] for package in packages]
        start, files = time.time(), files_of(names)
        wanted = ["{name}={after}".format(**package) for package in packages]
        self._apt([*_APT, *_KEEP_CONFIG, "--no-remove", "install", *wanted], before=before)
        gone = sorted(path for path in files - files_of(names) if not os.path.lexists(path))
        installed = {"start": math.floor(start), "end": math.ceil(time.time()), "gone": gone[:_MOST_GONE]}
        return changes(before, self.versions()), installed

    def versions(self) -> dict[str, str]:
        """Return the versions of all installed packages by name."""
        command = ["dpkg-query", "--show", "--showformat", "${db:Status-Status} ${binary:Package} ${Version}\n"]
        _, out, _ = self._module.run_command(command)
        rows = [line.split() for line in out.splitlines()]
        return {row[1]: row[2] for row in rows if len(row) == 3 and row[0] == "installed"}

    def _apt(self, command: list[str], before: dict[str, str] | None = None) -> str:
        code, out, err = self._module.run_command(command, environ_update=_NO_PROMPT)
        if code != 0:
            said = [line for line in (err or out).splitlines() if line.startswith(("E:", "dpkg: error", "W:"))]
            told = "; ".join(said[-3:] or (err or out).splitlines()[-1:])
            packages = changes(before, self.versions()) if before is not None else []
            self._module.fail_json(msg="apt failed: {0}".format(told), packages=packages, changed=bool(packages))
        return str(out)


_UPGRADE = ["--with-new-pkgs", "upgrade"]


def changes(before: dict[str, str], after: dict[str, str]) -> list[dict[str, str]]:
    """Return the packages whose version is another one than before."""
    names = sorted(name for name in after if before.get(name) != after[name])
    return [{"name": name, "before": before.get(name, ""), "after": after[name]} for name in names]


def files_of(names: list[str], folder: str = "/var/lib/dpkg/info") -> set[str]:
    """Return the files of packages, as dpkg lists them."""
    found: set[str] = set()
    for name in names:
        path = os.path.join(folder, name)
        for each in glob.glob(glob.escape(path) + ".list") or glob.glob(glob.escape(path) + ":*.list"):
            with open(each, encoding="utf-8", errors="surrogateescape") as file:
                found.update(file.read().splitlines())
    return found


def reboot_reasons(packages: list[dict[str, str]]) -> list[str]:
    """Return why a reboot is needed: the system says so, or what all use was replaced."""
    names = [package["name"] for package in packages]
    replaced = [name for name in names if any(fnmatch.fnmatchcase(name.split(":")[0], each) for each in _OF_ALL)]
    return (["the system asks for it"] if os.path.exists(_MARK) else []) + [
        "{0} was replaced".format(each) for each in replaced
    ]


def begin(module: AnsibleModule, host: Host) -> dict[str, object]:
    """Look, drain and update."""
    params = module.params
    failed, fault = host.failed_units(), host.fault([])
    result: dict[str, object] = {"boot_before": host.boot(), "failed_units": failed, "packages": [], "changed": False}
    if fault and params["unhealthy"] == "stop":
        module.fail_json(msg="it was not well before, and nothing was changed: {0}".format(fault), **result)
    updates = Updates(module)
    if params["update"] != "none" and not module.check_mode:
        updates.refresh()
    pending = updates.pending()
    reboots = params["reboot"] == "always" or (params["reboot"] == "needed" and bool(reboot_reasons(pending)))
    result.update(packages=pending, reboot_reasons=reboot_reasons(pending), reboots=reboots)
    if not pending and not reboots:
        return {**result, "idle": True}
    if module.check_mode:
        return {**result, "changed": True}
    fault = host.hooks("drain")
    if fault:
        host.hooks("undrain")
        module.fail_json(msg="it could not be drained, and nothing was changed: {0}".format(fault), **result)
    done, installed = updates.install(pending) if pending else ([], {})
    told = {"installed": installed} if done else {}
    return {**result, **told, "packages": done, "reboot_reasons": reboot_reasons(done), "changed": bool(done)}


def finish(module: AnsibleModule, host: Host) -> dict[str, object]:
    """Wait until the host is well, and end the drain."""
    fault = host.wait_until_well(module.params["failed_before"]) or host.hooks("undrain")
    result = {"changed": False, "boot_after": host.boot(), "failed_units": host.failed_units()}
    if fault:
        module.fail_json(msg="it is not well afterwards, and stays drained: {0}".format(fault), **result)
    return result


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "phase": {"type": "str", "choices": ["begin", "finish"], "default": "begin"},
            "update": {"type": "str", "choices": ["none", "security", "all"], "default": "none"},
            "exclude": {"type": "list", "elements": "str", "default": []},
            "reboot": {"type": "str", "choices": ["never", "needed", "always"], "default": "never"},
            "units": {"type": "list", "elements": "str", "default": []},
            "health": {"type": "str", "default": ""},
            "unhealthy": {"type": "str", "choices": ["stop", "proceed"], "default": "stop"},
            "seconds": {"type": "float", "default": 600},
            "hooks": {"type": "path", "default": "/etc/bedplate/hooks"},
            "failed_before": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C", "LANG": "C"}
    host = Host(module)
    module.exit_json(**(begin if module.params["phase"] == "begin" else finish)(module, host))


if __name__ == "__main__":
    main()
