# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Rules of the kernel's audit, on disk and loaded."""

from __future__ import annotations

import os
import platform
import re

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: audit_rules
short_description: Rules of the kernel's audit, on disk and loaded
description:
  - Writes one file of rules and has the kernel load them with all others.
  - Rules that the kernel does not take are taken back, and the old ones are loaded again.
  - Rules that are on disk and not loaded, such as after a play that was stopped, are loaded.
  - A file that does not exist yet is watched for. What would be in a folder that does not exist is left out and named.
options:
  dest:
    description: The file, in the folder that C(augenrules) puts together.
    type: path
    default: /etc/audit/rules.d/50-bedplate.rules
  watches:
    description:
      - What is to be watched, each with C(path), C(access) (of rwxa), C(key), and C(users) for logged-in users only.
    type: list
    elements: dict
    default: []
  syscalls:
    description:
      - System calls, each with C(calls), C(key), C(fields) such as C(exit=-EACCES), and C(users) for logged-in users
        only.
    type: list
    elements: dict
    default: []
  backlog:
    description: How many events the kernel keeps until auditd takes them.
    type: int
    default: 8192
  immutable:
    description: Whether nobody can change the rules until the next start.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Watch who may become root
  bedplate.datacenter.audit_rules:
    watches: [{path: /etc/sudoers, access: wa, key: scope}]
"""

RETURN = r"""
rules:
  description: How many rules the file holds.
  returned: always
  type: int
lacking:
  description: Paths in folders that do not exist here.
  returned: always
  type: list
  elements: str
pending:
  description: Whether the rules are only loaded at the next start, since those that are loaded cannot be changed.
  returned: always
  type: bool
"""

_USERS = " -F auid>=1000 -F auid!=unset"
_RULE = re.compile(r"^-[aAw] ", re.MULTILINE)


def watch_rule(watch: dict, is_folder: bool) -> str:
    """Return the rule that watches one file, or a folder with all that is in it."""
    return "-a always,exit -F {0}={1} -F perm={2}{3} -F key={4}".format(
        "dir" if is_folder else "path",
        watch["path"],
        watch["access"],
        _USERS if watch.get("users") else "",
        watch["key"],
    )


def call_rules(rule: dict, tables: dict[str, set[str]]) -> list[str]:
    """Return the rule for each architecture, with those of its calls that the architecture has.

    Args:
        rule: calls, key, and maybe fields and users.
        tables: the names of the system calls of each architecture.
    """
    fields = "".join(" -F {0}".format(field) for field in rule.get("fields") or [])
    # A comparison of two fields of the event is an option of its own.
    fields = re.sub(r" -F (e?[ug]id!?=e?[ug]id)", r" -C \1", fields)
    lines = []
    for arch, known in tables.items():
        calls = [call for call in rule["calls"] if call in known]
        if calls:
            lines.append(
                "-a always,exit -F arch={0} -S {1}{2}{3} -F key={4}".format(
                    arch, ",".join(calls), fields, _USERS if rule.get("users") else "", rule["key"]
                )
            )
    return lines


class Audit:
    """The audit of the running kernel."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module

    def ask(self, *command: str) -> str:
        """Run a command and return what it printed; a failure ends the module with its message."""
        code, out, err = self._module.run_command(list(command))
        if code != 0:
            self._module.fail_json(msg="{0} failed: {1}".format(" ".join(command), (err or out).strip()))
        return out

    def tables(self) -> dict[str, set[str]]:
        machines = {"x86_64": {"b64": "x86_64", "b32": "i386"}, "aarch64": {"b64": "aarch64"}}
        machine = platform.machine()
        if machine not in machines:
            self._module.fail_json(msg="the system calls of {0} are not known; x86_64 and aarch64 are".format(machine))
        return {
            arch: {row.split()[1] for row in self.ask("ausyscall", name, "--dump").splitlines()[1:]}
            for arch, name in machines[machine].items()
        }

    def immutable(self) -> bool:
        return re.search(r"^enabled 2$", self.ask("auditctl", "-s"), re.MULTILINE) is not None

    def loaded(self) -> int:
        """Return how many rules the kernel has."""
        return len(_RULE.findall(self.ask("auditctl", "-l")))

    def load(self) -> str:
        """Put the files together and load them; return the complaint, if any."""
        code, out, err = self._module.run_command(["augenrules", "--load"])
        complaint = "; ".join(line.strip() for line in (err + out).splitlines() if "rror" in line)
        return complaint or (err or out).strip() if code != 0 or complaint else ""


def read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def write(module: AnsibleModule, path: str, text: str | None) -> None:
    """Replace a file in one step; nothing is a file that is not there."""
    if text is None:
        os.unlink(path)
        return
    candidate = os.path.join(module.tmpdir, os.path.basename(path))
    with open(candidate, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(candidate, 0o640)
    module.atomic_move(candidate, path)


def render(params: dict, watches: list[dict], tables: dict[str, set[str]]) -> str:
    """Return the text of the file of rules."""
    lines = ["# Ansible managed", "-b {0}".format(params["backlog"])]
    lines += [watch_rule(watch, os.path.isdir(watch["path"])) for watch in watches]
    lines += [line for rule in params["syscalls"] for line in call_rules(rule, tables)]
    return "".join(line + "\n" for line in lines + (["-e 2"] if params["immutable"] else []))


def refuse_unknown_calls(module: AnsibleModule, tables: dict[str, set[str]]) -> None:
    known = set().union(*tables.values())
    for rule in module.params["syscalls"]:
        for call in rule["calls"]:
            if call not in known:
                module.fail_json(
                    msg="there is no system call {0} (key {1}); nothing was changed".format(call, rule["key"])
                )


def apply(module: AnsibleModule, audit: Audit, before: str | None, after: str) -> None:
    """Write and load the rules; those that the kernel does not take are taken back."""
    dest = module.params["dest"]
    if before != after:
        write(module, dest, after)
    complaint = audit.load()
    if not complaint:
        return
    if before != after:
        write(module, dest, before)
        audit.load()
    module.fail_json(msg="the kernel does not take the rules, the old ones are loaded again: {0}".format(complaint))


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "dest": {"type": "path", "default": "/etc/audit/rules.d/50-bedplate.rules"},
            "watches": {"type": "list", "elements": "dict", "default": []},
            "syscalls": {"type": "list", "elements": "dict", "default": []},
            "backlog": {"type": "int", "default": 8192},
            "immutable": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    audit, dest = Audit(module), module.params["dest"]
    tables = audit.tables()
    refuse_unknown_calls(module, tables)
    # A file need not exist yet, but the folder that it would be in.
    watches = [watch for watch in module.params["watches"] if os.path.isdir(os.path.dirname(watch["path"]))]
    before, after = read(dest), render(module.params, watches, tables)
    # augenrules leaves this file, from which the rules are loaded at each start.
    on_disk = len(_RULE.findall(read("/etc/audit/audit.rules") or ""))
    immutable = audit.immutable()
    changed = before != after or (not immutable and audit.loaded() != on_disk)
    if changed and not module.check_mode:
        if immutable:
            write(module, dest, after)
        else:
            apply(module, audit, before, after)
    module.exit_json(
        changed=changed,
        rules=len(_RULE.findall(after)),
        lacking=[watch["path"] for watch in module.params["watches"] if watch not in watches],
        pending=immutable and before != after,
        diff={"before_header": dest, "after_header": dest, "before": before or "", "after": after},
    )


if __name__ == "__main__":
    main()
