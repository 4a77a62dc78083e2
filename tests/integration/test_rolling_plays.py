"""Batches of a playbook that plans them itself: guardrails hold from `bedplate run` and from plain Ansible alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.execution_project import Project, task

PLAN = "{{ ansible_play_hosts_all | bedplate.datacenter.rolling_batches(hostvars, **_batches) }}"
BATCHES = {
    "by": "none",
    "canary": 0,
    "size": 9,
    "limits": "{{ ansible_facts['bedplate_limits'] }}",
    "order": "{{ bedplate_hosts | default([]) }}",
    "sizes": "{{ bedplate_batches | default([]) }}",
}
HOSTS = {
    "a1": ["site_fra1", "rack_a"],
    "a2": ["site_fra1", "rack_b"],
    "c1": ["site_ash1", "rack_c"],
    "c2": ["site_ash1", "rack_c"],
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A product whose hosts each write down with whom they were in a batch."""
    project = Project(tmp_path)
    project.write_inventory(
        {
            host: {"bedplate_failure_domain": domain, "bedplate_site": domain[0].removeprefix("site_")}
            for host, domain in HOSTS.items()
        }
    )
    check = task("Check", "bedplate.datacenter.validate_parameters", arguments={"product": "rolls"}, run_once=True)
    guardrails = {"canary": 1, "serial_by": "site"}
    project.product("rolls", [check], guardrails=guardrails, targets={"max_hosts": 4})
    playbook = project.root / "playbooks" / "rolls.yml"
    plays = yaml.safe_load(playbook.read_text(encoding="utf-8"))
    local = {"run_once": True, "delegate_to": "localhost", "delegate_facts": True, "vars": {"_batches": BATCHES}}
    plays[0]["tasks"].append(task("Plan", "set_fact", arguments={"__plan": PLAN}, **local))
    record = {
        "content": "{{ ansible_play_batch | sort | join(' ') }}",
        "dest": f"{tmp_path}/{{{{ inventory_hostname }}}}",
    }
    plays.append({
        "name": "Roll",
        "hosts": "{{ hostvars['localhost'].__plan | flatten | join(',') }}",
        "serial": "{{ hostvars['localhost'].__plan | map('length') | list }}",
        "gather_facts": False,
        "tasks": [task("Record", "copy", arguments={**record, "mode": "0600"})],
    })  # fmt: skip
    playbook.write_text(yaml.safe_dump(plays, sort_keys=False), encoding="utf-8")
    return project


def batches(project: Project) -> dict[str, str]:
    return {host: (project.folder / host).read_text(encoding="utf-8") for host in HOSTS}


def plain(project: Project, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(project.inventory)]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(project.root / "collections"), "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        [*command, "bedplate.datacenter.rolls", *options],
        env=environment, cwd=project.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_what_is_asked_for_is_made_as_careful_as_the_guardrails(project: Project) -> None:
    expected = {"a1": "a1", "a2": "a2", "c1": "c1 c2", "c2": "c1 c2"}
    done = project.bedplate("run", "rolls")
    assert done.returncode == 0, done.stdout + done.stderr
    assert batches(project) == expected


def test_they_hold_without_bedplate(project: Project) -> None:
    done = plain(project)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = batches(project)
    canary = [host for host, batch in found.items() if batch == host]
    assert canary, json.dumps(found)
    assert all(len({HOSTS[host][0] for host in batch.split()}) == 1 for batch in found.values())


def test_more_hosts_than_allowed_are_refused_without_bedplate(project: Project) -> None:
    manifest = project.root / "playbooks" / "products" / "rolls.yml"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("max_hosts: 4", "max_hosts: 3"), encoding="utf-8")
    done = plain(project)
    assert "rolls runs on at most 3 hosts at once, not on 4" in " ".join(done.stdout.split())
    assert done.returncode != 0
    assert not (project.folder / "a1").exists()
    assert plain(project, "--limit", "a1,a2").returncode == 0
