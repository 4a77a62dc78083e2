"""The first task of every role, as Ansible runs it: what it refuses, what it says, and when it asks the host."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from content.playing import played

FACTS = {
    "distribution": "Debian",
    "distribution_major_version": "12",
    "distribution_version": "12.9",
    "os_family": "Debian",
}
CHECKS = {
    "enabled": "{{ clock_enabled }}",
    "otherwise": "{{ inventory_hostname }}: clock is off or {{ ansible_facts['virtual'] | default('unknown') }}",
    "facts": [],
    "platforms": ["Debian 12", "Ubuntu 22.04"],
    "applies": "{{ ansible_facts['virtual'] | default('') != 'container' }}",
    "notes": ["{{ 'no peers' if not clock_peers else '' }}", "{{ 'by ' ~ _clock_daemon }}"],
    "refusals": [
        {"that": "clock_servers | length > 0", "says": "clock_servers is empty"},
        {"that": ["clock_servers | reject('match', '^[a-z]+$') | length == 0", "_clock_daemon == 'chronyd'"],
         "says": "{{ inventory_hostname }}: {{ clock_servers | join(', ') }}:\n  not for {{ _clock_daemon }}"},
    ],
}  # fmt: skip


class Role:
    """A role `clock` in a folder, run on a host that cannot be reached."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.role = folder / "roles" / "clock"
        self.write("vars/main.yml", {"_clock_preflight": CHECKS})
        self.write("vars/debian.yml", {"_clock_daemon": "{{ 'chrony' ~ 'd' }}"})
        self.write("tasks/main.yml", [{"bedplate.datacenter.preflight": {"checks": "_clock_preflight"}}])
        self.write("defaults/main.yml", {"clock_enabled": True, "clock_servers": ["a"], "clock_peers": ["b"]})

    def write(self, name: str, content: object) -> None:
        path = self.role / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content), encoding="utf-8")

    def run(self, facts: dict[str, Any], **variables: Any) -> dict[str, Any]:
        """Return what the task answered for the host."""
        fact_task = {"ansible.builtin.set_fact": {**facts, "cacheable": True}}
        play = {"hosts": "all", "gather_facts": False, "pre_tasks": [fact_task], "roles": ["clock"], "vars": variables}
        (self.folder / "hosts").write_text("web1 ansible_host=127.0.0.1 ansible_port=9 ansible_user=nobody\n")
        done = played(self.folder, play, "hosts")
        answer = done.stdout.split("TASK [clock : ")[-1].split("=> ", 1)
        assert len(answer) == 2 or "ok: [web1]" in answer[0], done.stdout + done.stderr
        return dict(json.JSONDecoder().raw_decode(answer[1])[0]) if len(answer) == 2 else {}


@pytest.fixture
def role(tmp_path: Path) -> Role:
    return Role(tmp_path)


@pytest.mark.parametrize(
    ("facts", "variables", "says"),
    [
        ({"os_family": "RedHat", "distribution": "Fedora"}, {},
         "web1 runs Fedora 12, which the role clock does not support; it supports Debian 12, Ubuntu 22.04"),
        ({"distribution": "Ubuntu", "distribution_major_version": "24", "distribution_version": "24.04"}, {},
         "web1 runs Ubuntu 24.04, which the role clock does not support; it supports Debian 12, Ubuntu 22.04"),
        ({}, {"clock_servers": []}, "clock_servers is empty"),
        ({}, {"clock_servers": ["a", "9"]}, "web1: a, 9: not for chronyd"),
        # Also where the role has nothing to do: the setting would be wrong on the next host.
        ({"virtual": "container"}, {"clock_servers": []}, "clock_servers is empty"),
    ],
)  # fmt: skip
def test_a_refusal_is_one_sentence(role: Role, facts: dict[str, Any], variables: dict[str, Any], says: str) -> None:
    answer = role.run({**FACTS, **facts}, **variables)
    assert answer["msg"] == says


@pytest.mark.parametrize(
    ("facts", "variables", "says"),
    [
        ({**FACTS}, {}, "by chronyd"),
        ({**FACTS}, {"clock_peers": []}, "no peers; by chronyd"),
        ({**FACTS, "virtual": "container"}, {}, "web1: clock is off or container"),
        # Without any facts, and on a host that does not answer.
        ({"other": 1}, {"clock_enabled": False}, "web1: clock is off or unknown"),
        ({"other": 1}, {"clock_enabled": "no"}, "web1: clock is off or unknown"),
    ],
)  # fmt: skip
def test_what_is_worth_knowing_is_said(role: Role, facts: dict[str, Any], variables: dict[str, Any], says: str) -> None:
    assert role.run(facts, **variables)["msg"] == says


def test_a_host_is_asked_only_for_facts_that_are_missing(role: Role) -> None:
    assert role.run(FACTS)["msg"] == "by chronyd"
    assert "Failed to connect" in role.run({"other": 1})["msg"]
