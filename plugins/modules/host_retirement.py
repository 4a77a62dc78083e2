# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""A host that goes: drained, stopped, closed to people, and without credentials."""

from __future__ import annotations

import glob
import os
import pwd
import socket

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.bedplate.datacenter.plugins.module_utils import grants
from ansible_collections.bedplate.datacenter.plugins.module_utils.hooks import run_hooks

DOCUMENTATION = r"""
module: host_retirement
short_description: Drain a host that goes, stop what it serves, let nobody in, and wipe its credentials
description:
  - In this order, so that what fails leaves a host that still serves or can still be reached. The last thing that goes
    is the key of the account that Ansible comes in with. That, and the keys by which SSH knows the host, go only when
    C(close) is set.
  - A host that has the fleet's certificate authority is refused.
options:
  units:
    description: Units to stop and to disable, besides the services of the product service_deploy.
    type: list
    elements: str
    default: []
  hooks:
    description: The folder with the folders of hooks; those of C(drain.d) run first.
    type: path
    default: /etc/bedplate/hooks
  close:
    description: Whether nobody gets in afterwards, Ansible neither.
    type: bool
    default: true
attributes:
  check_mode:
    support: full
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Retire the host
  bedplate.datacenter.host_retirement:
    units: [nginx]
"""

RETURN = r"""
stopped:
  description: Units that were stopped (or would be).
  returned: always
  type: list
  elements: str
revoked:
  description: Accounts that got in, and do not any more.
  returned: always
  type: list
  elements: str
wiped:
  description: Files with credentials that are gone.
  returned: always
  type: list
  elements: str
"""

_AUTHORITY = "/etc/bedplate/ca/ca.key"
_HOMES = ("/root", "/home/*")
# Files that let this host, or who works on it, in elsewhere.
_SECRETS = ("/etc/bedplate/tls/*.key", "/etc/krb5.keytab")
_HOST_KEYS = ("/etc/ssh/ssh_host_*_key",)
_HOME_SECRETS = (
    ".ssh/id_*",
    ".netrc",
    ".pgpass",
    ".my.cnf",
    ".git-credentials",
    ".vault-token",
    ".aws/credentials",
    ".config/gcloud/credentials.db",
    ".docker/config.json",
    ".kube/config",
)
_KEY_FILES = ("/etc/ssh/authorized_keys.d/*", grants.KEYS + "/*")
_HOME_KEY_FILES = (".ssh/authorized_keys", ".ssh/authorized_keys2")


def homes(patterns: tuple[str, ...]) -> list[str]:
    """Return the files of all homes that match."""
    return [path for home in _HOMES for pattern in patterns for path in sorted(glob.glob(os.path.join(home, pattern)))]


def files(patterns: tuple[str, ...]) -> list[str]:
    """Return the files that match."""
    return [path for pattern in patterns for path in sorted(glob.glob(pattern))]


def secrets(close: bool) -> list[str]:
    """Return the files with credentials that are on this host; public halves are none."""
    found = files(_SECRETS) + homes(_HOME_SECRETS) + (files(_HOST_KEYS) if close else [])
    return [path for path in found if os.path.isfile(path) and not path.endswith(".pub")]


def wipe(path: str) -> None:
    """Overwrite a file and remove it. Snapshots and flash keep what was there: disks are for others to wipe."""
    if not os.path.islink(path):
        with open(path, "r+b") as file:
            file.write(b"\0" * os.fstat(file.fileno()).st_size)
            file.flush()
            os.fsync(file.fileno())
    os.unlink(path)


class Retirement:
    """The steps.

    Args:
        module: with the options of the task.
    """

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module
        self._params = module.params
        self._login = os.environ.get("SUDO_USER") or "root"

    def refusal(self) -> str:
        """Return why this host cannot go, or an empty string."""
        if os.path.exists(_AUTHORITY):
            return "it has the fleet's certificate authority ({0}); move that to another host first".format(_AUTHORITY)
        needed = [name for name in self._params["units"] if name.partition(".")[0] in ("ssh", "sshd")]
        return "{0} is not stopped: what comes after it needs it".format(needed[0]) if needed else ""

    def units(self) -> list[str]:
        """Return the units to stop that run or start at boot."""
        services = [os.path.basename(path)[: -len(".json")] for path in files(("/etc/bedplate/services/*.json",))]
        names = sorted({name if "." in name else name + ".service" for name in [*self._params["units"], *services]})
        return [name for name in names if self._is_there(name)]

    def _is_there(self, name: str) -> bool:
        _, out, _ = self._module.run_command(["systemctl", "show", name, "--property=ActiveState,UnitFileState"])
        said = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
        return said.get("ActiveState") == "active" or said.get("UnitFileState") == "enabled"

    def stop(self, names: list[str]) -> None:
        """Stop units, and have them not start again."""
        for name in names:
            code, out, err = self._module.run_command(["systemctl", "disable", "--now", name])
            if code != 0:
                self._module.fail_json(msg="{0} cannot be stopped: {1}".format(name, (err or out).strip()))

    def key_files(self) -> list[str]:
        """Return the files that let people in, that of Ansible's own account last, or not at all."""
        found = [path for path in files(_KEY_FILES) + homes(_HOME_KEY_FILES) if os.path.isfile(path)]
        own = {path for path in found if self._is_own(path)}
        return [path for path in found if path not in own] + (sorted(own) if self._params["close"] else [])

    def _is_own(self, path: str) -> bool:
        home = pwd.getpwnam(self._login).pw_dir
        return path.startswith(home + "/") or os.path.basename(path) == self._login

    def revoke(self, paths: list[str]) -> None:
        """End grants, and take the keys away."""
        grants.main(list(grants.records()))
        for path in paths:
            if os.path.exists(path):
                wipe(path)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "units": {"type": "list", "elements": "str", "default": []},
            "hooks": {"type": "path", "default": "/etc/bedplate/hooks"},
            "close": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C", "LANG": "C"}
    host = Retirement(module)
    refused = host.refusal()
    if refused:
        module.fail_json(msg=refused)
    units, keys, wiped = host.units(), host.key_files(), secrets(module.params["close"])
    result = {"stopped": units, "revoked": keys, "wiped": wiped, "hostname": socket.gethostname()}
    if not module.check_mode:
        fault = run_hooks(module.params["hooks"], "drain")
        if fault:
            module.fail_json(msg="it could not be drained, and nothing was changed: {0}".format(fault))
        host.stop(units)
        for path in wiped:
            wipe(path)
        host.revoke(keys)
    module.exit_json(changed=bool(units or keys or wiped), **result)


if __name__ == "__main__":
    main()
