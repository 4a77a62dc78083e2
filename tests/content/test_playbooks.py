"""Every playbook can be read by Ansible, and starts the way that products start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from content.role_content import ROOT, flatten, read_yaml

PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))
each_playbook = pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda path: path.stem)


@each_playbook
def test_syntax(playbook: Path, tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.ini"
    inventory.write_text("[role_observer]\nobserver\n", encoding="utf-8")
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    done = subprocess.run(
        [program, "--syntax-check", "-i", str(inventory), str(playbook)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_HOME": str(tmp_path), "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"playbook: {playbook}"


@each_playbook
def test_the_parameters_of_a_product_are_checked_first(playbook: Path) -> None:
    manifests = [
        path.stem
        for path in (ROOT / "playbooks" / "products").glob("*.yml")
        if read_yaml(path)["playbook"] == f"playbooks/{playbook.name}"
    ]
    assert manifests, "a playbook in this folder belongs to a product"
    first = read_yaml(playbook)[0]
    task = first["tasks"][0]
    assert first["gather_facts"] is False
    assert task["bedplate.datacenter.validate_parameters"]["product"] in manifests
    assert task["run_once"] is True


@each_playbook
def test_plays_and_tasks_are_named(playbook: Path) -> None:
    for play in read_yaml(playbook):
        assert play.get("name")
        assert all(task.get("name") for task in flatten(play.get("tasks") or []))


def test_roles_of_the_baseline_are_tagged_by_their_names() -> None:
    roles = [role for play in read_yaml(ROOT / "playbooks" / "baseline.yml") for role in play.get("roles") or []]
    names = [role["role"].removeprefix("bedplate.datacenter.") for role in roles]
    assert [role["tags"] for role in roles] == [[name] for name in names]
    assert len(names) == len(set(names))


def test_the_mark_comes_last() -> None:
    last = read_yaml(ROOT / "playbooks" / "baseline.yml")[-1]
    assert last["hosts"] == "{{ bedplate_hosts | default('all') }}"
    assert last["roles"][-1]["role"] == "bedplate.datacenter.baseline_marker"
