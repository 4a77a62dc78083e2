# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Kernel settings as they are now."""

from __future__ import annotations

import difflib
import os
import re

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: sysctl_values
short_description: Kernel settings as they are now
description:
  - Brings the running kernel's settings to the given values in one round trip. It writes no file below C(/etc).
  - All names are looked up before the first value is set. A value that the kernel does not take puts back the ones
    that were set before it.
  - A setting that is read-only, as many are in a container, is left as it is and named.
  - What C(net.ipv4.conf.all) and C(net.ipv6.conf.all) say of redirects and of C(rp_filter) is only half of what the
    kernel goes by, the other half is what each interface says. The interfaces that are there get the same value,
    unless C(values) names them.
options:
  values:
    description: Values by name.
    type: dict
    required: true
  may_lack:
    description: Names that this kernel need not have.
    type: list
    elements: str
    default: []
  undo_after:
    description:
      - Puts the earlier values back after so many seconds, unless the timers C(bedplate-undo-*.timer) are stopped
        before. Meant for a stop over a new connection, which proves that the host still answers. 0 is never.
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
- name: Answer no redirects
  bedplate.datacenter.sysctl_values:
    values: {net.ipv4.conf.all.accept_redirects: 0}
"""

RETURN = r"""
set:
  description: Names that were set.
  returned: always
  type: list
  elements: str
read_only:
  description: Names whose value is another one, and that cannot be set here.
  returned: always
  type: list
  elements: str
lacking:
  description: Names out of C(may_lack) that this kernel does not have.
  returned: always
  type: list
  elements: str
"""

_ROOT = "/proc/sys"
# Either of the two is enough for a redirect, and the larger of both filters.
_OF_INTERFACES = re.compile(
    r"net\.(ipv4|ipv6)\.conf\.all\.(accept_redirects|secure_redirects|send_redirects|rp_filter)\Z"
)


def path_of(name: str) -> str:
    """Return the file of a setting. A slash in a name stands for a dot, as in net.ipv4.conf.eth0/100.rp_filter."""
    return os.path.join(_ROOT, name.replace(".", "\0").replace("/", ".").replace("\0", "/"))


def with_interfaces(values: dict[str, str]) -> dict[str, str]:
    """Return the values with those that interfaces are to have too, behind the others."""
    found = dict(values)
    for match in filter(None, map(_OF_INTERFACES.match, values)):
        family, leaf = match.groups()
        folder = path_of("net.{0}.conf".format(family))
        interfaces = set(os.listdir(folder) if os.path.isdir(folder) else ()) - {"all", "default"}
        for interface in sorted(interfaces):
            name = "net.{0}.conf.{1}.{2}".format(family, interface.replace(".", "/"), leaf)
            if os.path.isfile(path_of(name)):
                found.setdefault(name, values[match.string])
    return found


def near(name: str) -> str:
    """Return a name that exists and is much like a name that does not, or nothing."""
    folder = os.path.dirname(path_of(name))
    parent = name.rpartition(".")[0]
    names = ["{0}.{1}".format(parent, leaf) for leaf in os.listdir(folder)] if os.path.isdir(folder) else []
    return "".join(difflib.get_close_matches(name, names, n=1))


def read(name: str) -> str:
    """Return a value with its words parted by one blank."""
    with open(path_of(name), encoding="utf-8") as file:
        return " ".join(file.read().split())


def write(name: str, value: str) -> None:
    with open(path_of(name), "w", encoding="utf-8") as file:
        file.write(value)


def _refuse_unknown(module: AnsibleModule, names: list[str]) -> None:
    sentences = []
    for name in names:
        guess = near(name)
        sentences.append(
            "there is no kernel setting {0}".format(name) + (", did you mean {0}?".format(guess) if guess else "")
        )
    if sentences:
        module.fail_json(msg="{0} (nothing was changed)".format("; ".join(sentences)), unknown=names)


def _unit() -> str:
    return "bedplate-undo-sysctl-{0}".format(os.getpid())


def _arm(module: AnsibleModule, before: dict[str, str]) -> None:
    """Have systemd put the values back later, even when nobody can log in any more."""
    timer = ["systemd-run", "--quiet", "--collect", "--unit=" + _unit()]
    timer += ["--on-active={0}".format(module.params["undo_after"]), "--timer-property=AccuracySec=1s"]
    command = ["sysctl", "--quiet", "--write", *("{0}={1}".format(name, value) for name, value in before.items())]
    module.run_command(timer + command, check_rc=True)


def _set_all(module: AnsibleModule, wanted: dict[str, str], before: dict[str, str]) -> list[str]:
    """Set the values in their order and return the names that were set.

    Each is looked at only when its turn comes: the kernel resets accept_redirects, say, whenever forwarding changes.
    """
    done: list[str] = []
    for name, value in wanted.items():
        if read(name) == value:
            continue
        try:
            write(name, value)
        except OSError as error:
            for earlier in done:
                write(earlier, before[earlier])
            if module.params["undo_after"]:
                module.run_command(["systemctl", "stop", _unit() + ".timer"])
            module.fail_json(
                msg="the kernel does not take {0!r} for {1}: {2} (it is {3!r}; nothing was changed)".format(
                    value, name, error.strerror, before[name]
                )
            )
        done.append(name)
    return done


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "values": {"type": "dict", "required": True},
            "may_lack": {"type": "list", "elements": "str", "default": []},
            "undo_after": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    values = with_interfaces({name: " ".join(str(value).split()) for name, value in module.params["values"].items()})
    missing = [name for name in values if not os.path.isfile(path_of(name))]
    _refuse_unknown(module, [name for name in missing if name not in module.params["may_lack"]])
    before = {name: read(name) for name in values if name not in missing}
    other = [name for name in before if before[name] != values[name]]
    # access(2) says of a file on a read-only mount that not even root may write to it.
    writable = {name: value for name, value in before.items() if os.access(path_of(name), os.W_OK)}
    changed = [name for name in other if name in writable]
    if changed and not module.check_mode:
        if module.params["undo_after"]:
            _arm(module, writable)
        changed = _set_all(module, {name: values[name] for name in writable}, before)
    module.exit_json(
        changed=bool(changed),
        set=changed,
        read_only=[name for name in other if name not in writable],
        lacking=missing,
        diff={
            "before": "".join("{0} = {1}\n".format(name, before[name]) for name in changed),
            "after": "".join("{0} = {1}\n".format(name, values[name]) for name in changed),
        },
    )


if __name__ == "__main__":
    main()
