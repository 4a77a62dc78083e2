# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""A drop-in of sshd that is tried with the whole configuration before it is used."""

from __future__ import annotations

import fnmatch
import grp
import os
import pwd
import re
import shlex
import shutil
import tempfile

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: sshd_drop_in
short_description: A drop-in of sshd that is tried with the whole configuration before it is used
description:
  - Builds the whole candidate configuration (C(/etc/ssh/sshd_config) with every drop-in that it includes and the new
    one in its place), has sshd test it, and asks sshd what it would mean for the account that Ansible logs in with.
  - The old drop-in stays as it is when the candidate is not valid or would shut that account out.
options:
  dest:
    description: The drop-in, in a folder that the main configuration includes.
    type: path
    required: true
  content:
    description: What the drop-in holds.
    type: str
    required: true
  login:
    description: The account that must be able to log in afterwards. Nothing is asked when it is empty.
    type: str
    default: ""
  login_by:
    description: How that account logs in.
    type: str
    choices: [key, password]
    default: key
  peer:
    description: The address that the account comes from, for C(Match) blocks and patterns with an address.
    type: str
    default: ""
  undo_after:
    description:
      - Puts the old drop-in back and reloads sshd after so many seconds, unless the timers C(bedplate-undo-*.timer)
        are stopped before. Meant for a stop over a new connection, which proves that sshd still lets Ansible in.
      - 0 is never.
    type: int
    default: 0
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Switch passwords off
  bedplate.datacenter.sshd_drop_in:
    dest: /etc/ssh/sshd_config.d/00-bedplate.conf
    content: |
      PasswordAuthentication no
    login: ansible
"""

RETURN = r"""#"""

_MAIN = "/etc/ssh/sshd_config"
_SSHD = "/usr/sbin/sshd"


class Candidate:
    """The whole configuration of sshd as it would be, in a private folder."""

    def __init__(self, module: AnsibleModule, folder: str, dest: str, content: str) -> None:
        self._module = module
        self._folder = folder
        self._drop_ins = os.path.dirname(dest)
        self.path = os.path.join(folder, "sshd_config")
        copy = os.path.join(folder, "drop-ins")
        if os.path.isdir(self._drop_ins):
            shutil.copytree(self._drop_ins, copy)
        else:
            os.makedirs(copy)
        _write(os.path.join(copy, os.path.basename(dest)), content)
        with open(_MAIN, encoding="utf-8") as file:
            main = file.read()
        include = re.compile(r"^(\s*Include\s.*?){0}/".format(re.escape(self._drop_ins)), re.MULTILINE | re.IGNORECASE)
        if not include.search(main):
            module.fail_json(
                msg="{0} does not include {1}/*.conf, so a drop-in there would have no effect; add the line "
                "'Include {1}/*.conf' at its beginning".format(_MAIN, self._drop_ins)
            )
        _write(self.path, include.sub(lambda found: found.group(1) + copy + "/", main))

    def test(self) -> None:
        """Have sshd test the candidate; its complaint ends the module."""
        code, _, err = self._module.run_command([_SSHD, "-t", "-f", self.path])
        if code != 0:
            self._refuse("sshd does not take the new configuration", err)

    def effective(self, account: str, peer: str) -> dict[str, list[str]]:
        """Return what sshd would apply to one account: values by lower-case keyword."""
        where = "user={0},host={1},addr={1}".format(account, peer or "127.0.0.1")
        code, out, err = self._module.run_command([_SSHD, "-T", "-f", self.path, "-C", where])
        if code != 0:
            self._refuse("sshd does not take the new configuration", err)
        values: dict[str, list[str]] = {}
        for line in out.splitlines():
            keyword, _, value = line.partition(" ")
            values.setdefault(keyword.lower(), []).extend(value.split())
        return values

    def _refuse(self, reason: str, complaint: str) -> None:
        said = complaint.replace(self._folder + "/drop-ins", self._drop_ins).replace(self.path, _MAIN)
        self._module.fail_json(msg="{0}, nothing was changed: {1}".format(reason, " ".join(said.split())))


def _write(path: str, content: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(content)


def user_listed(patterns: list[str], account: str, peer: str) -> bool:
    """Return whether one of sshd's USER or USER@HOST patterns takes the account."""
    for pattern in patterns:
        user, _, host = pattern.partition("@")
        # A host name or a network cannot be judged here; a missing address is taken for a match.
        if fnmatch.fnmatchcase(account, user) and (
            not host or not peer or "/" in host or fnmatch.fnmatchcase(peer, host)
        ):
            return True
    return False


def group_listed(patterns: list[str], groups: list[str]) -> bool:
    """Return whether one of the groups is in sshd's list of groups."""
    return any(fnmatch.fnmatchcase(group, pattern) for pattern in patterns for group in groups)


def key_files(values: dict[str, list[str]], user: pwd.struct_passwd) -> list[str]:
    """Return the files in which sshd would look for the account's keys."""
    files = []
    for pattern in values.get("authorizedkeysfile", []):
        path = pattern.replace("%h", user.pw_dir).replace("%u", user.pw_name).replace("%%", "%")
        files.append(path if os.path.isabs(path) else os.path.join(user.pw_dir, path))
    return files


def _has_keys(path: str) -> bool:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return any(line.strip() and not line.startswith("#") for line in file)
    except OSError:
        return False


def _lists_fault(values: dict[str, list[str]], account: str, groups: list[str], peer: str) -> str:
    """Return which of sshd's lists would shut the account out, or nothing."""
    if values.get("denyusers") and user_listed(values["denyusers"], account, peer):
        return "DenyUsers names it"
    if values.get("allowusers") and not user_listed(values["allowusers"], account, peer):
        return "AllowUsers ({0}) does not name it".format(" ".join(values["allowusers"]))
    if values.get("denygroups") and group_listed(values["denygroups"], groups):
        return "DenyGroups names one of its groups"
    if values.get("allowgroups") and not group_listed(values["allowgroups"], groups):
        return "AllowGroups ({0}) names none of its groups ({1})".format(
            " ".join(values["allowgroups"]), " ".join(groups)
        )
    return ""


def _method_fault(values: dict[str, list[str]], user: pwd.struct_passwd, login_by: str) -> str:
    """Return why the account's way to log in would be closed, or nothing."""
    root_login = values.get("permitrootlogin", ["yes"])[0]
    if user.pw_uid == 0 and root_login in ("no", "forced-commands-only"):
        return "PermitRootLogin is {0}".format(root_login)
    if login_by == "password":
        if user.pw_uid == 0 and root_login != "yes":
            return "PermitRootLogin is {0}".format(root_login)
        return "" if values.get("passwordauthentication") == ["yes"] else "PasswordAuthentication is not yes"
    if values.get("pubkeyauthentication") != ["yes"]:
        return "PubkeyAuthentication is not yes"
    files = key_files(values, user)
    by_command = values.get("authorizedkeyscommand", ["none"]) != ["none"]
    by_authority = values.get("trustedusercakeys", ["none"]) != ["none"]
    if by_command or by_authority or any(_has_keys(path) for path in files):
        return ""
    return "no key of it is in {0}".format(" or ".join(files) or "any AuthorizedKeysFile")


def login_fault(values: dict[str, list[str]], account: str, login_by: str, peer: str) -> str:
    """Return why the account could not log in with the effective configuration, or nothing."""
    user = pwd.getpwnam(account)
    groups = [grp.getgrgid(gid).gr_name for gid in os.getgrouplist(account, user.pw_gid)]
    return _lists_fault(values, account, groups, peer) or _method_fault(values, user, login_by)


def _check(module: AnsibleModule, content: str) -> None:
    params = module.params
    # sshd wants it even for a test; it is missing when no sshd has run since boot.
    os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    folder = tempfile.mkdtemp(dir=module.tmpdir, prefix="sshd-")
    try:
        candidate = Candidate(module, folder, params["dest"], content)
        candidate.test()
        if params["login"]:
            values = candidate.effective(params["login"], params["peer"])
            fault = login_fault(values, params["login"], params["login_by"], params["peer"])
            if fault:
                module.fail_json(
                    msg="the new configuration of sshd would shut out {0}, with which Ansible logs in ({1}); "
                    "nothing was changed".format(params["login"], fault)
                )
    finally:
        shutil.rmtree(folder)


def _arm(module: AnsibleModule, dest: str, before: str | None) -> None:
    """Have systemd bring the old drop-in back later, even when nobody can log in any more."""
    name = "bedplate-undo-sshd-{0}".format(os.getpid())
    kept = os.path.join("/run", name)
    restore = ["rm", "--force", dest]
    if before is not None:
        descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(before)
        restore = ["cp", "--force", kept, dest]
    timer = ["systemd-run", "--quiet", "--collect", "--unit=" + name, "--timer-property=AccuracySec=1s"]
    timer += ["--on-active={0}".format(module.params["undo_after"])]
    script = "{0} && systemctl reload ssh.service".format(" ".join(shlex.quote(word) for word in restore))
    module.run_command([*timer, "sh", "-c", script], check_rc=True)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "dest": {"type": "path", "required": True},
            "content": {"type": "str", "required": True},
            "login": {"type": "str", "default": ""},
            "login_by": {"type": "str", "choices": ["key", "password"], "default": "key"},
            "peer": {"type": "str", "default": ""},
            "undo_after": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    dest, content = module.params["dest"], module.params["content"]
    before = ""
    if os.path.isfile(dest):
        with open(dest, encoding="utf-8", errors="replace") as file:
            before = file.read()
    _check(module, content)
    changed = before != content or not os.path.exists(dest)
    if changed and not module.check_mode:
        if module.params["undo_after"]:
            _arm(module, dest, before if os.path.isfile(dest) else None)
        temporary = os.path.join(module.tmpdir, os.path.basename(dest))
        _write(temporary, content)
        os.makedirs(os.path.dirname(dest), mode=0o755, exist_ok=True)
        module.atomic_move(temporary, dest)
    attributes = {"path": dest, "owner": "root", "group": "root", "mode": "0600", "secontext": [None, None, None]}
    attributes["attributes"] = None
    if os.path.exists(dest):
        changed = module.set_fs_attributes_if_different(attributes, changed)
    module.exit_json(
        changed=changed,
        dest=dest,
        diff={"before_header": dest, "after_header": dest, "before": before, "after": content},
    )


if __name__ == "__main__":
    main()
