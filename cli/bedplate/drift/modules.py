"""By module, how its results name resources."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bedplate.drift.resources import Attributes, Lines, Named, Naming, Prepared, Texts, Values

_FILE: Sequence[Naming] = (Texts(), Attributes())
# What apt says when it only simulates: "Inst tmux [3.3a-3] (3.3a-4 Debian:12/stable [amd64])", "Remv telnet [0.17]".
_PACKAGES: Sequence[Naming] = (
    Lines("package", "presence", "stdout", re.compile(r"(?m)^Inst (?P<key>\S+) \((?P<agreed>\S+)")),
    Lines(
        "package",
        "version",
        "stdout",
        re.compile(r"(?m)^Inst (?P<key>\S+) \[(?P<found>[^\]]+)\] \((?P<agreed>\S+)"),
    ),
    Lines("package", "presence", "stdout", re.compile(r"(?m)^(?:Remv|Purg) (?P<key>\S+) \[(?P<found>[^\]]+)\]")),
)
_UNIT_NAMES = ("name", "arguments.name", "arguments.unit", "arguments.service")
_UNIT: Sequence[Naming] = (Named("unit", _UNIT_NAMES, "state", "arguments.state"),)

_BUILTIN: Mapping[str, Sequence[Naming]] = {
    **dict.fromkeys(
        ("template", "copy", "file", "lineinfile", "blockinfile", "replace", "assemble", "get_url", "unarchive"), _FILE
    ),
    "apt": _PACKAGES,
    "package": _PACKAGES,
    "dpkg_selections": (Named("package", ("arguments.name",), "selection"),),
    "apt_key": (Named("apt_key", ("arguments.id",), "presence"),),
    "apt_repository": (*_FILE, Named("apt_source", ("repo",), "presence", "arguments.state")),
    "deb822_repository": (Texts("file"), Named("apt_source", ("arguments.name",), "presence")),
    "service": _UNIT,
    "systemd": _UNIT,
    "systemd_service": _UNIT,
    "user": (Named("user", ("name", "arguments.name"), "account", "arguments.state"),),
    "group": (Named("group", ("name", "arguments.name"), "account", "arguments.state"),),
    "cron": (Named("cron", ("arguments.name",), "presence", "arguments.state"),),
    "hostname": (Named("host", ("name",), "name"),),
    "known_hosts": (*_FILE, Named("known_host", ("name",), "presence")),
    "iptables": (Named("firewall", ("chain",), "rules"),),
}
_POSIX: Mapping[str, Sequence[Naming]] = {
    "sysctl": (Named("sysctl", ("arguments.name",), "value", "arguments.value"),),
    "mount": (Named("mount", ("name", "arguments.path"), "options"),),
    "authorized_key": (Named("authorized_key", ("user", "arguments.user"), "keys"),),
}
_OWN: Mapping[str, Sequence[Naming]] = {
    "host_files": _FILE,
    "folder_files": _FILE,
    "sshd_drop_in": _FILE,
    "apt_sources": _FILE,
    "audit_rules": _FILE,
    "root_files": (Texts(), Named("file", ("restricted",), "mode")),
    "host_name": (
        Texts(),
        Lines(
            "host",
            "name",
            "diff.prepared",
            re.compile(r"^(?P<key>name) in the kernel: (?P<found>\S+) -> (?P<agreed>\S+)"),
        ),
    ),
    "packages_absent": _PACKAGES,
    "packages_present": _PACKAGES,
    "mount_options": (Texts(), Named("mount", ("remounted",), "options")),
    "sysctl_values": (Values("sysctl"),),
    "firewall_ruleset": (Texts(), Texts("firewall", "rules", re.compile(r"table (\S+ \S+) \("))),
    "host_certificate": (Named("certificate", ("arguments.path",), "content"),),
    "certificate_authority": (Named("certificate", ("arguments.path",), "content"),),
    "service_current": (
        Prepared(
            "unit",
            {"enable": "enabled", "disable": "enabled", "start": "state", "stop": "state", "": "configuration"},
        ),
    ),
}
MODULES: Mapping[str, Sequence[Naming]] = {
    **{f"ansible.builtin.{name}": rows for name, rows in _BUILTIN.items()},
    **{f"ansible.posix.{name}": rows for name, rows in _POSIX.items()},
    **{f"bedplate.datacenter.{name}": rows for name, rows in _OWN.items()},
}
