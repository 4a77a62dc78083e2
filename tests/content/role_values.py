"""What a role makes of a host's variables, as Ansible reads its defaults and vars: no task of it is run."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from content.playing import played
from content.role_content import ROOT, read_yaml

DEBIAN = {
    "distribution": "Debian",
    "distribution_major_version": "12",
    "distribution_release": "bookworm",
    "distribution_version": "12.9",
    "os_family": "Debian",
    "virtualization_tech_guest": [],
    "virtualization_type": "NA",
}


def role_values(
    folder: Path,
    role: str,
    wanted: str,
    hosts: Mapping[str, Mapping[str, Any]],
    facts: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return the value of an expression on each host, with the role's defaults and vars behind the host's variables.

    Args:
        folder: an empty one.
        role: its name.
        wanted: a template.
        hosts: variables by the host's name.
        facts: facts of some hosts that differ from those of a machine with Debian 12.
    """
    set_facts = {name: f"{{{{ test_facts.{name} }}}}" for name in DEBIAN}
    tasks: list[dict[str, Any]] = [
        {"ansible.builtin.set_fact": {**set_facts, "cacheable": True}},
        {"ansible.builtin.debug": {"msg": wanted}},
    ]
    files = [str(ROOT / "roles" / role / "vars" / name) for name in ("main.yml", "debian.yml")]
    defaults = read_yaml(ROOT / "roles" / role / "defaults" / "main.yml")
    play = {"hosts": "all", "gather_facts": False, "vars_files": files, "tasks": tasks}
    observers = {name: {} for name, variables in hosts.items() if variables.get("bedplate_role") == "observer"}
    inventory = {
        "all": {
            "vars": defaults,
            "children": {"role_observer": {"hosts": observers}},
            "hosts": {
                name: {**variables, "test_facts": {**DEBIAN, **(facts or {}).get(name, {})}}
                for name, variables in hosts.items()
            },
        }
    }
    (folder / "hosts.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    done = played(folder, play, "hosts.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    answers = re.split(r"^ok: \[(.+?)\] => ", done.stdout, flags=re.MULTILINE)[1:]
    return {
        name: json.JSONDecoder().raw_decode(text)[0]["msg"]
        for name, text in zip(answers[::2], answers[1::2], strict=True)
    }
