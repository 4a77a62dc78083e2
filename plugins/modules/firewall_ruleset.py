# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""The nftables table of Bedplate: checked, applied at once, and restored unless a new connection confirms it."""

from __future__ import annotations

import json
import os
import re
import tempfile

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: firewall_ruleset
short_description: The nftables table of Bedplate, restored unless a new connection confirms it
description:
  - Compares the live table C(inet bedplate) with the wanted one, and replaces it in one transaction when they differ.
    Tables of others are left alone.
  - Before, the host arms a timer of its own that restores the previous table. Only a connection that was made after the
    new table was applied stops the timer. So rules that cut off the control node undo themselves, also when the control
    node dies.
  - The ruleset is written to C(path), for the next boot, when it has been confirmed.
options:
  content:
    description: The ruleset, in the language of C(nft -f), that defines the table C(inet bedplate) anew.
    type: str
    required: true
  path:
    description: The file from which the ruleset is loaded at boot.
    type: path
    required: true
  rollback_seconds:
    description: Time for the confirmation.
    type: int
    default: 60
  step:
    description: The part of the work to do. The action plugin of the same name sets it; do not set it in a task.
    type: str
    choices: [apply, confirm]
    default: apply
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Put the rules into effect
  bedplate.datacenter.firewall_ruleset:
    content: "{{ lookup('ansible.builtin.template', 'ruleset.nft.j2') }}"
    path: /etc/bedplate/firewall.nft
"""

RETURN = r"""#"""

_TABLE = ("inet", "bedplate")
_RUN = "/run/bedplate-firewall"
_PREVIOUS, _APPLIED = _RUN + "/previous.nft", _RUN + "/applied.json"
_ROLLBACK = "bedplate-firewall-rollback"
_REPLACE = "table inet bedplate\ndelete table inet bedplate\n"


def ssh_connection() -> str:
    """Return what sshd said of the connection that this process came over, or nothing.

    sudo drops the variable, so the environments of the parents are read too.
    """
    found, pid = os.environ.get("SSH_CONNECTION", ""), os.getppid()
    while not found and pid > 1:
        try:
            with open("/proc/{0}/environ".format(pid), "rb") as file:
                found = variable_of(file.read(), "SSH_CONNECTION")
            with open("/proc/{0}/stat".format(pid), encoding="utf-8", errors="replace") as file:
                pid = int(file.read().rpartition(")")[2].split()[1])
        except OSError:
            break
    return found


def variable_of(environment: bytes, name: str) -> str:
    """Return a variable's value from the content of a process's `environ`, or nothing."""
    for entry in environment.split(b"\0"):
        key, _, value = entry.partition(b"=")
        if key == name.encode():
            return value.decode(errors="replace")
    return ""


class Ruleset:
    """The table as it is, as it should be, and how one becomes the other."""

    def __init__(self, module: AnsibleModule, file: str) -> None:
        self._module = module
        self._file = file
        self.content = module.params["content"]

    def command(self, *words: str) -> str:
        """Run a command and return what it printed; its complaint ends the module."""
        code, out, err = self._module.run_command(list(words))
        if code != 0:
            self._module.fail_json(msg="{0} failed: {1}".format(words[0], " ".join((err or out).split())))
        return out

    def check(self) -> None:
        """Have the kernel try the ruleset without keeping it."""
        code, out, err = self._module.run_command(["nft", "-c", "-f", self._file])
        if code != 0:
            said = re.sub(re.escape(self._file) + r":", "line ", err or out)
            self._module.fail_json(
                msg="nft does not take the new ruleset, nothing was changed: {0}".format(" ".join(said.split()))
            )

    def live(self) -> str:
        """Return the table as nft lists it; empty when there is none."""
        code, out, _ = self._module.run_command(["nft", "-s", "list", "table", *_TABLE])
        return out if code == 0 else ""

    def wanted(self) -> str:
        """Return how nft would list the new table: loaded in a network namespace of its own, which goes at once."""
        script = 'nft -f "$1" && nft -s list table "$2" "$3"'
        return self.command("unshare", "--net", "--", "sh", "-c", script, "sh", self._file, *_TABLE)

    def saved(self) -> str:
        """Return what is loaded at boot; empty when there is nothing."""
        try:
            with open(self._module.params["path"], encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def save(self) -> None:
        """Have the ruleset loaded at boot."""
        path = self._module.params["path"]
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=os.path.dirname(path), delete=False, encoding="utf-8") as file:
            file.write(self.content)
            os.fsync(file.fileno())
        os.replace(file.name, path)

    def is_armed(self) -> bool:
        """Whether an earlier table still waits for its confirmation."""
        code, _, _ = self._module.run_command(["systemctl", "--quiet", "is-active", _ROLLBACK + ".timer"])
        return code == 0

    def disarm(self) -> None:
        """Stop the timer, and forget how its service ended if it ran."""
        for verb in ("stop", "reset-failed"):
            self._module.run_command(["systemctl", verb, _ROLLBACK + ".timer", _ROLLBACK + ".service"])

    def restore(self) -> None:
        """Go back to what was confirmed last, as the timer would."""
        self.disarm()
        self.command("nft", "-f", _PREVIOUS)

    def apply(self, connection: str) -> None:
        """Arm the timer, then replace the table in one transaction."""
        os.makedirs(_RUN, mode=0o700, exist_ok=True)
        with open(_PREVIOUS, "w", encoding="utf-8") as file:
            file.write(_REPLACE + self.live())
        with open(_APPLIED, "w", encoding="utf-8") as file:
            json.dump({"connection": connection}, file)
        self.disarm()
        seconds = "--on-active={0}".format(self._module.params["rollback_seconds"])
        about = "--description=Restore the firewall rules unless the new ones are confirmed"
        timing = ("--unit=" + _ROLLBACK, about, seconds, "--timer-property=AccuracySec=100ms", "--quiet")
        self.command("systemd-run", *timing, "--", "nft", "-f", _PREVIOUS)
        code, out, err = self._module.run_command(["nft", "-f", self._file])
        if code != 0:
            self.disarm()
            self._module.fail_json(msg="nft failed, nothing was changed: {0}".format(" ".join((err or out).split())))

    def applied_over(self) -> str:
        """Return the connection over which the table was applied."""
        with open(_APPLIED, encoding="utf-8") as file:
            return str(json.load(file)["connection"])


def _apply(module: AnsibleModule, ruleset: Ruleset) -> None:
    ruleset.check()
    if ruleset.is_armed() and not module.check_mode:
        # Whoever applied it died or is about to be told; what it left must not pass for confirmed.
        ruleset.restore()
    live, wanted = ruleset.live(), ruleset.wanted()
    differs = live != wanted
    changed = differs or ruleset.saved() != ruleset.content
    result = {"changed": changed, "pending": differs and not module.check_mode}
    if changed:
        result["diff"] = {
            "before": live if differs else ruleset.saved(),
            "after": wanted if differs else ruleset.content,
            "before_header": "table inet bedplate (live)" if differs else module.params["path"],
            "after_header": "table inet bedplate (wanted)" if differs else module.params["path"],
        }
    if not module.check_mode and changed:
        if differs:
            ruleset.apply(ssh_connection())
        else:
            ruleset.save()
    module.exit_json(**result)


def _confirm(module: AnsibleModule, ruleset: Ruleset) -> None:
    if not os.path.exists(_APPLIED):
        module.exit_json(changed=False, rolled_back=True)
    connection = ssh_connection()
    if connection and connection == ruleset.applied_over():
        module.fail_json(
            msg="the new firewall rules can only be confirmed over a new SSH connection, and this one was open before "
            "(ssh multiplexing that Ansible cannot reset); the previous rules are restored when the time is up"
        )
    armed = ruleset.is_armed()
    ruleset.disarm()
    os.unlink(_APPLIED)
    # The timer may have struck between the question and the answer.
    if not armed or ruleset.live() != ruleset.wanted():
        module.exit_json(changed=False, rolled_back=True)
    ruleset.save()
    module.exit_json(changed=True)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "content": {"type": "str", "required": True},
            "path": {"type": "path", "required": True},
            "rollback_seconds": {"type": "int", "default": 60},
            "step": {"type": "str", "choices": ["apply", "confirm"], "default": "apply"},
        },
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C", "LANG": "C"}
    with tempfile.NamedTemporaryFile("w", prefix="bedplate-firewall-", encoding="utf-8") as file:
        file.write(module.params["content"])
        file.flush()
        step = _apply if module.params["step"] == "apply" else _confirm
        step(module, Ruleset(module, file.name))


if __name__ == "__main__":
    main()
