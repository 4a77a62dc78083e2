"""What is of one family of platforms stands in that family's places only, so that another one is a file more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from content.role_content import ROLES, flatten, read_yaml
from content.role_values import role_values

# Of each platform, the family as Ansible names it.
FAMILIES = {"Debian": "debian", "Ubuntu": "debian"}
# Programs, files and settings that no other family has.
OF_DEBIAN = re.compile(
    r"\b(debian|ubuntu|apt|apt-\w+|apt_\w+|dpkg\w*|dpkg-\w+|debconf\w*|debsums|nvme-cli|unattended-upgrades?"
    r"|pam-auth-update|pam-configs|update-(grub|initramfs|rc\.d)|invoke-rc\.d|ufw|snapd?)\b"
    r"|/etc/(default|apt|network|pam\.d/common-\w+)\b|/var/log/(syslog|auth\.log)\b|/boot/grub/|/etc/chrony/",
    re.IGNORECASE,
)
each_role = pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)


def texts(value: Any) -> Iterator[str]:
    """Yield the keys and texts of a YAML document; comments are none of them."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    else:
        yield str(value)


def common_texts(role: Path) -> Iterator[str]:
    """Yield what a role does on every family: by its tasks, by its variables and in the files that these write."""
    variables = read_yaml(role / "vars" / "main.yml")
    plain = list(texts({name: value for name, value in variables.items() if name != f"_{role.name}_platforms"}))
    for file in (role / "tasks").glob("*.yml"):
        # A task keeps its name: what is known of hosts is kept under it.
        for task in flatten(read_yaml(file)):
            plain += texts({key: value for key, value in task.items() if key != "name"})
    yield from plain
    for template in (role / "templates").glob("*.j2"):
        if any(template.name in text for text in plain):
            yield re.sub(r"^\s*#.*$", "", template.read_text(encoding="utf-8"), flags=re.MULTILINE)


@each_role
def test_what_is_common_names_nothing_of_one_family(role: Path) -> None:
    assert [found.group() for text in common_texts(role) for found in OF_DEBIAN.finditer(text)] == []


@each_role
def test_each_family_has_its_file(role: Path) -> None:
    platforms = read_yaml(role / "vars" / "main.yml")[f"_{role.name}_platforms"]
    tasks = read_yaml(role / "tasks" / "preflight.yml")
    loads = [task["ansible.builtin.include_vars"] for task in tasks if "ansible.builtin.include_vars" in task]
    # A role that has nothing of a family loads no file.
    assert loads == ([] if role.name == "certificates" else ["{{ ansible_facts['os_family'] | lower }}.yml"])
    wanted = {FAMILIES[platform.split()[0]] for platform in platforms} if loads else set()
    assert {file.stem for file in (role / "vars").glob("*.yml")} == {"main", *wanted}


@each_role
def test_tasks_of_one_mechanism_are_chosen_by_the_family(role: Path) -> None:
    folders = {path.name for path in (role / "tasks").iterdir() if path.is_dir()}
    named = {
        text
        for family in set(FAMILIES.values())
        for text in (read_yaml(role / "vars" / f"{family}.yml") or {}).values()
        if isinstance(text, str)
    }
    assert folders <= named


@pytest.mark.parametrize(
    ("role", "wanted"),
    [("logging", ["_logging_confinement", "_logging_try"]),
     ("observer", ["_observer_confinement", "_observer_try_receiver", "_observer_client_minimum"])],
)  # fmt: skip
def test_what_differs_between_platforms_of_a_family(role: str, wanted: list[str], tmp_path: Path) -> None:
    ubuntu = {"distribution": "Ubuntu", "os_family": "Debian"}
    facts = {"u22": {**ubuntu, "distribution_version": "22.04"}, "u24": {**ubuntu, "distribution_version": "24.04"}}
    found = role_values(tmp_path, role, f"{{{{ [{', '.join(wanted)}] }}}}", {"d12": {}, "u22": {}, "u24": {}}, facts)
    # Only Ubuntu 24.04 keeps rsyslog from a candidate that is a file.
    assert {host: (bool(values[0]), values[1][0]) for host, values in found.items()} == {
        "d12": (False, "/usr/sbin/rsyslogd"), "u22": (False, "/usr/sbin/rsyslogd"), "u24": (True, "sh"),
    }  # fmt: skip
    assert {host: values[2:] for host, values in found.items()} == {
        host: ([] if role == "logging" else ["" if host == "u22" else "TLS12"]) for host in found
    }
