# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Access of a person to this host for a while, which the host ends by itself."""

from __future__ import annotations

import grp
import inspect
import json
import os
import pwd
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.bedplate.datacenter.plugins.module_utils import grants

DOCUMENTATION = r"""
module: access_grant
short_description: Access of a person to a host for a while, which the host ends by itself
description:
  - Makes an account for a person, with a key that sshd refuses and sudo rights that sudo refuses once the time is up,
    and a timer on the host that then ends sessions and removes the account, also when nobody can reach the host, and at
    the next boot when it was off.
  - An account that exists and was not made by a grant is never touched.
  - C(report) says who can get in, and changes nothing.
options:
  state:
    description: What to do.
    type: str
    choices: [granted, revoked, report]
    required: true
  account:
    description: The account.
    type: str
    default: ""
  key:
    description: The SSH public key.
    type: str
    default: ""
  sudo:
    description: Whether the person may become root.
    type: bool
    default: false
  seconds:
    description: For how long.
    type: int
    default: 3600
  by:
    description: Who granted it, and why; kept with the grant.
    type: dict
    default: {}
attributes:
  check_mode:
    support: full
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Let kim in for two hours
  bedplate.datacenter.access_grant:
    state: granted
    account: kim
    key: ssh-ed25519 AAAA… kim@example.com
    seconds: 7200
"""

RETURN = r"""
access:
  description: Who can get in afterwards, each with account, kind (grant or standing), sudo, until, by and reason.
  returned: always
  type: list
  elements: dict
"""

_DROP_IN = "/etc/ssh/sshd_config.d/20-bedplate-grants.conf"
_SSHD = """# Written by Bedplate: accounts of grants have their keys where only root may write.
Match Group {0}
    AuthorizedKeysFile {1}/%u

Match all
"""
_NO_LOGIN = ("nologin", "false", "sync", "halt", "shutdown")


class Grants:
    """The grants of this host.

    Args:
        module: with the options of the task.
    """

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module
        self._params = module.params

    def refusal(self, account: str) -> str:
        """Return why an account cannot be that of a grant, or an empty string."""
        try:
            found = pwd.getpwnam(account)
        except KeyError:
            return ""
        group = [entry.gr_name for entry in grp.getgrall() if entry.gr_gid == found.pw_gid]
        if group == [grants.GROUP]:
            return ""
        return "there is an account {0} on this host that no grant has made; it is left as it is".format(account)

    def run(self, *command: str) -> str:
        """Run a command; end the module with what it said when it fails."""
        code, out, err = self._module.run_command(list(command))
        if code != 0:
            message = "{0}: {1}".format(" ".join(command[:1]), " ".join((err or out).split()))
            self._module.fail_json(msg=message)
        return str(out)

    def give(self) -> None:
        """Make the account, its rights, and what ends them. The end is fixed before there is anything to end."""
        account = self._params["account"]
        expires = int(time.time()) + self._params["seconds"]
        record = {
            "account": account,
            "sudo": self._params["sudo"],
            "granted": int(time.time()),
            "expires": expires,
            "by": str(self._params["by"].get("requester") or ""),
            "reason": str(self._params["by"].get("reason") or ""),
            "run": str(self._params["by"].get("id") or ""),
        }
        self._install()
        os.makedirs(grants.RECORDS, mode=0o700, exist_ok=True)
        grants.write(os.path.join(grants.RECORDS, account + ".json"), json.dumps(record) + "\n", 0o600)
        grants.set_timer()
        self._make_account(account)
        self._write_sudo(account, expires)
        stamp = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(expires))
        line = 'expiry-time="{0}" {1}\n'.format(stamp, self._params["key"].strip())
        grants.write(os.path.join(grants.KEYS, account), line, 0o644)

    def _install(self) -> None:
        """Put the program in place that ends grants, and tell sshd where keys of grants are."""
        os.makedirs(os.path.dirname(grants.PROGRAM), exist_ok=True)
        grants.write(grants.PROGRAM, "#!/usr/bin/python3\n" + inspect.getsource(grants), 0o755)
        os.makedirs(grants.KEYS, mode=0o755, exist_ok=True)
        if not any(entry.gr_name == grants.GROUP for entry in grp.getgrall()):
            self.run("groupadd", "--system", grants.GROUP)
        before = _text(_DROP_IN)
        if not grants.write(_DROP_IN, _SSHD.format(grants.GROUP, grants.KEYS), 0o600):
            return
        code, _, err = self._module.run_command(["/usr/sbin/sshd", "-t"])
        if code != 0:
            if before is None:
                os.unlink(_DROP_IN)
            else:
                grants.write(_DROP_IN, before, 0o600)
            self._module.fail_json(msg="sshd refuses {0}: {1}".format(_DROP_IN, err.strip()))
        self.run("systemctl", "reload", "ssh")

    def _make_account(self, account: str) -> None:
        try:
            pwd.getpwnam(account)
        except KeyError:
            options = ["--create-home", "--gid", grants.GROUP, "--no-user-group", "--shell", "/bin/bash"]
            self.run("useradd", *options, "--password", "*", "--comment", "Bedplate grant", account)
            os.chmod(pwd.getpwnam(account).pw_dir, 0o700)

    def _write_sudo(self, account: str, expires: int) -> None:
        path = grants.SUDOERS.format(account)
        if not self._params["sudo"]:
            if os.path.exists(path):
                os.unlink(path)
            return
        stamp = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(expires))
        text = "{0} ALL=(ALL:ALL) NOTAFTER={1} NOPASSWD: ALL\n".format(account, stamp)
        # sudo passes over names with a dot, so that a file is tried before it counts.
        grants.write(path + ".new", text, 0o440)
        code, out, err = self._module.run_command(["/usr/sbin/visudo", "-cf", path + ".new"])
        if code != 0:
            os.unlink(path + ".new")
            self._fail("visudo refuses the rights: {0}".format((err or out).strip()))
        os.rename(path + ".new", path)

    def check_login(self) -> None:
        """Take everything back if sshd would not let the account in by its key."""
        account = self._params["account"]
        said = self.run("/usr/sbin/sshd", "-T", "-C", "user={0},host=localhost,addr=127.0.0.1".format(account))
        rows = [line.split() for line in said.lower().splitlines()]
        for kind, name in (("allowusers", account), ("allowgroups", grants.GROUP)):
            names = [each for row in rows if row and row[0] == kind for each in row[1:]]
            if names and name not in names:
                self._fail("sshd lets in only {0}, not {1} ({2})".format(", ".join(names), name, kind))
        if ["authorizedkeysfile", "{0}/%u".format(grants.KEYS)] not in rows:
            self._fail("sshd reads no keys from {0}: its configuration leaves out sshd_config.d".format(grants.KEYS))

    def _fail(self, message: str) -> None:
        grants.main([self._params["account"]])
        self._module.fail_json(msg="{0}; nothing was granted".format(message))

    def access(self) -> list[dict[str, object]]:
        """Return who can get in."""
        found = grants.records()
        rows: list[dict[str, object]] = []
        for entry in sorted(pwd.getpwall(), key=lambda entry: entry.pw_name):
            shell = os.path.basename(entry.pw_shell or "sh")
            if shell in _NO_LOGIN or (entry.pw_uid != 0 and entry.pw_uid < 1000):
                continue
            record = found.get(entry.pw_name)
            until = record.get("expires") if record else None
            rows.append(
                {
                    "account": entry.pw_name,
                    "kind": "standing" if record is None else "grant",
                    "sudo": entry.pw_uid == 0 or self._has_sudo(entry.pw_name),
                    "until": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until)) if until else "",
                    "by": (record or {}).get("by", ""),
                    "reason": (record or {}).get("reason", ""),
                }
            )
        return rows

    def _has_sudo(self, account: str) -> bool:
        if not os.path.exists("/usr/bin/sudo"):
            return False
        code, out, _ = self._module.run_command(["sudo", "-n", "-l", "-U", account])
        return code == 0 and "may run the following" in out


def _text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def change(module: AnsibleModule, found: Grants) -> dict[str, object]:
    """Grant or revoke; return what is to be said about it."""
    account, state = module.params["account"], module.params["state"]
    refused = found.refusal(account)
    if refused:
        module.fail_json(msg=refused)
    if state == "revoked":
        has = account in grants.records()
        if has and not module.check_mode:
            grants.main([account])
        return {"changed": has, "msg": "revoked" if has else "{0} has no grant here".format(account)}
    if not module.check_mode:
        found.give()
        found.check_login()
    return {"changed": True, "msg": "granted"}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["granted", "revoked", "report"], "required": True},
            "account": {"type": "str", "default": ""},
            "key": {"type": "str", "default": "", "no_log": False},
            "sudo": {"type": "bool", "default": False},
            "seconds": {"type": "int", "default": 3600},
            "by": {"type": "dict", "default": {}},
        },
        required_if=[("state", "granted", ["account", "key"]), ("state", "revoked", ["account"])],
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C", "LANG": "C"}
    found = Grants(module)
    result = {"changed": False, "msg": ""} if module.params["state"] == "report" else change(module, found)
    module.exit_json(access=found.access(), **result)


if __name__ == "__main__":
    main()
