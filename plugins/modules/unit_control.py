# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""A unit that is looked at, started, stopped or restarted; a restart that fails is rolled back."""

from __future__ import annotations

import hashlib
import os
import shutil
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.bedplate.datacenter.plugins.module_utils.units import Unit

DOCUMENTATION = r"""
module: unit_control
short_description: Look at, start, stop or restart a unit, and prove that it is well
description:
  - Whenever a unit is well after a start or a restart, or before one with the configuration that is on disk, a copy of
    that configuration is kept on the host.
  - When a unit is not well after a restart, the kept copy takes the place of what is on disk, and the unit is started
    with it. What was on disk is kept aside. The module fails all the same.
  - In check mode it says what it would do.
options:
  unit:
    description: The unit, with or without C(.service).
    type: str
    required: true
  action:
    description: What to do.
    type: str
    choices: [status, start, stop, restart]
    required: true
  config:
    description: Files and folders that the service reads, besides its unit, drop-ins and environment files.
    type: list
    elements: path
    default: []
  health:
    description: An http(s) address of this host that must answer, or C(HOST:PORT) that must take a connection.
    type: str
    default: ""
  seconds:
    description: How long it may take until it is well.
    type: float
    default: 30
  stable:
    description: For how many seconds it must stay up.
    type: float
    default: 3
  keep:
    description: Where copies of configurations are kept.
    type: path
    default: /var/lib/bedplate/unit_control
attributes:
  check_mode:
    support: full
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Restart nginx, and go back to its last configuration if it does not answer
  bedplate.datacenter.unit_control:
    unit: nginx
    action: restart
    config: [/etc/nginx]
    health: http://127.0.0.1/
"""

RETURN = r"""
state:
  description: State of the unit afterwards.
  returned: always
  type: str
before:
  description: State of the unit before.
  returned: always
  type: str
rolled_back:
  description: Whether the kept configuration took the place of the one on disk.
  returned: always
  type: bool
lines:
  description: The unit's last lines in the journal.
  returned: when it is not well
  type: list
  elements: str
"""

_MOST_BYTES = 20 * 1024 * 1024
# Without these the host cannot be reached, or nothing on it works.
_VITAL = ("ssh.service", "sshd.service", "ssh.socket", "dbus.service", "dbus.socket", "networking.service")


def refusal(unit: Unit, action: str) -> str:
    """Return why this is not done to this unit, or an empty string."""
    if not unit.exists:
        return "there is no unit {0} on this host".format(unit.name)
    if unit.properties.get("LoadState") == "masked" and action in ("start", "restart"):
        return "{0} is masked".format(unit.name)
    vital = unit.name in _VITAL or unit.name.startswith(("systemd-", "bedplate-firewall"))
    if action == "stop" and vital:
        return "{0} is not stopped: the host could not be reached or would not work without it".format(unit.name)
    return ""


class KeptConfiguration:
    """The configuration with which a unit was last seen to be well.

    Args:
        folder: where the copies are: one folder a unit.
        config: files and folders besides those that systemd knows.
    """

    def __init__(self, folder: str, unit: Unit, config: list[str]) -> None:
        self._folder = os.path.join(folder, unit.name)
        self._unit = unit
        self._config = config

    def _paths(self) -> list[str]:
        properties = self._unit.properties
        known = [properties.get("FragmentPath", ""), *properties.get("DropInPaths", "").split()]
        known += [word for word in properties.get("EnvironmentFiles", "").split() if word.startswith("/")]
        # What lies elsewhere came with a package, and is not edited.
        own = [path for path in known if path.startswith("/etc/")]
        return sorted({os.path.normpath(path) for path in own + self._config})

    def fault(self) -> str:
        """Return why these files cannot be kept, or an empty string."""
        for path in self._config:
            if not os.path.normpath(path).startswith(("/etc/", "/opt/", "/srv/", "/usr/local/")):
                return "{0} is no configuration: it must be under /etc, /opt, /srv or /usr/local".format(path)
        size = sum(os.lstat(path).st_size for path in self._files())
        return "the configuration is larger than {0} MiB".format(_MOST_BYTES >> 20) if size > _MOST_BYTES else ""

    def _files(self) -> list[str]:
        found = []
        for path in self._paths():
            if os.path.isdir(path):
                found += [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]
            elif os.path.lexists(path):
                found.append(path)
        return sorted(found)

    def edited_since(self, moment: float) -> bool:
        """Return whether a file, or a folder of them, was written after `moment`."""
        folders = [folder for path in self._paths() if os.path.isdir(path) for folder, _, _ in os.walk(path)]
        return any(os.lstat(path).st_mtime > moment for path in self._files() + folders)

    def keep(self) -> None:
        """Copy what is on disk in place of the copy that there is."""
        self._copy_to("new")
        good = os.path.join(self._folder, "good")
        shutil.rmtree(good, ignore_errors=True)
        os.rename(os.path.join(self._folder, "new"), good)

    def _copy_to(self, name: str) -> None:
        target = os.path.join(self._folder, name)
        shutil.rmtree(target, ignore_errors=True)
        os.makedirs(target, mode=0o700)
        for path in self._files():
            copy = target + path
            os.makedirs(os.path.dirname(copy), mode=0o700, exist_ok=True)
            _copy(path, copy)

    def is_kept(self) -> bool:
        """Return whether there is a copy that says something else than what is on disk."""
        return os.path.isdir(os.path.join(self._folder, "good")) and self._digest(self._kept()) != self._digest(
            {path: path for path in self._files()}
        )

    def _kept(self) -> dict[str, str]:
        good = os.path.join(self._folder, "good")
        copies = [os.path.join(folder, name) for folder, _, names in os.walk(good) for name in names]
        return {copy[len(good) :]: copy for copy in copies}

    @staticmethod
    def _digest(files: dict[str, str]) -> str:
        digest = hashlib.sha256()
        for path, copy in sorted(files.items()):
            digest.update(path.encode() + b"\0")
            if os.path.islink(copy):
                digest.update(os.readlink(copy).encode())
            else:
                with open(copy, "rb") as file:
                    digest.update(hashlib.sha256(file.read()).digest())
        return digest.hexdigest()

    def restore(self) -> None:
        """Put the copy in place of what is on disk, which is kept in the folder `rejected`."""
        self._copy_to("rejected")
        kept = self._kept()
        for path in self._files():
            if path not in kept:
                os.unlink(path)
        for path, copy in kept.items():
            os.makedirs(os.path.dirname(path), exist_ok=True)
            _copy(copy, path + ".bedplate")
            os.rename(path + ".bedplate", path)


def _copy(path: str, copy: str) -> None:
    shutil.copy2(path, copy, follow_symlinks=False)
    status = os.lstat(path)
    os.chown(copy, status.st_uid, status.st_gid, follow_symlinks=False)


def act(module: AnsibleModule, unit: Unit, kept: KeptConfiguration) -> dict[str, object]:
    """Do what was asked; return what is to be said about it."""
    params = module.params
    action = params["action"]
    wait = (params["health"], params["seconds"], params["stable"])
    if action == "restart" and unit.active and not kept.edited_since(unit.active_since):
        kept.keep()
    error = ("" if action == "stop" else _reload(module)) or unit.control(action)
    if action == "stop":
        return {"failed": bool(error or unit.active), "msg": error or "stopped"}
    fault = error or unit.fault(*wait)
    if not fault:
        kept.keep()
        return {"failed": False, "msg": "{0}, and well".format({"start": "started"}.get(action, "restarted"))}
    lines = unit.last_lines()
    back = _roll_back(module, unit, kept, wait) if action == "restart" else ""
    said = "not well after {0}: {1}".format(action, fault)
    return {"failed": True, "msg": said + ("; " + back if back else ""), "lines": lines, "rolled_back": bool(back)}


def _reload(module: AnsibleModule) -> str:
    code, out, err = module.run_command(["systemctl", "daemon-reload"])
    return "" if code == 0 else (err or out).strip()


def _roll_back(module: AnsibleModule, unit: Unit, kept: KeptConfiguration, wait: tuple[str, float, float]) -> str:
    """Return what became of going back, or an empty string where there is nothing to go back to."""
    if not kept.is_kept():
        return ""
    kept.restore()
    # Starts that failed count against the limit of starts, which would refuse this one too.
    module.run_command(["systemctl", "reset-failed", unit.name])
    fault = _reload(module) or unit.control("restart") or unit.fault(*wait)
    return "rolled back to its last good configuration, " + (
        "and still not well: {0}".format(fault) if fault else "with which it is well"
    )


def look(module: AnsibleModule, unit: Unit) -> dict[str, object]:
    """Return whether the unit is well, without touching it."""
    fault = unit.fault(module.params["health"], 0, 0)
    if not fault:
        return {"changed": False, "failed": False, "msg": "well"}
    return {"changed": False, "failed": True, "msg": "not well: {0}".format(fault), "lines": unit.last_lines()}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "unit": {"type": "str", "required": True},
            "action": {"type": "str", "choices": ["status", "start", "stop", "restart"], "required": True},
            "config": {"type": "list", "elements": "path", "default": []},
            "health": {"type": "str", "default": ""},
            "seconds": {"type": "float", "default": 30},
            "stable": {"type": "float", "default": 3},
            "keep": {"type": "path", "default": "/var/lib/bedplate/unit_control"},
        },
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C", "LANG": "C"}
    action = module.params["action"]
    unit = Unit(module, module.params["unit"])
    before = unit.state()
    kept = KeptConfiguration(module.params["keep"], unit, module.params["config"])
    refused = refusal(unit, action) or kept.fault()
    if refused:
        module.fail_json(msg=refused, state=before, before=before, rolled_back=False)
    result: dict[str, object] = {"before": before, "rolled_back": False}
    started = time.monotonic()
    needed = {"start": not unit.active, "stop": unit.active}.get(action, True)
    if action == "status":
        result.update(look(module, unit))
    elif not needed:
        result.update(changed=False, failed=False, msg="it is {0} already".format(before))
    elif module.check_mode:
        result.update(changed=True, failed=False, msg="would {0} it".format(action))
    else:
        result.update({"changed": True, **act(module, unit, kept)})
    module.exit_json(state=unit.state(), seconds=round(time.monotonic() - started, 1), **result)


if __name__ == "__main__":
    main()
