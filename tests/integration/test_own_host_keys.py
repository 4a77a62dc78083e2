"""Host keys that are enrolled into the state folder hold for runs, without a word in the inventory."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from lab_fleet import LabFleet

HOST = "fra1-colo-01"


def _ping(lab: LabFleet, inventory: Path, home: Path) -> int:
    env = {**lab.environment, "BEDPLATE_HOME": str(home), "BEDPLATE_INVENTORY_PATH": str(inventory)}
    command = [sys.executable, "-m", "bedplate", "run", "ping", "--limit", HOST]
    return subprocess.run(command, env=env, check=False, capture_output=True).returncode


def test_a_run_looks_into_the_state_folder(lab: LabFleet, tmp_path: Path) -> None:
    inventory = tmp_path / "inventory"
    shutil.copytree(lab.inventory, inventory)
    host = lab.hosts[HOST]
    variables = {"ansible_user": host.user, "ansible_ssh_private_key_file": str(host.key)}
    (inventory / "group_vars" / "all.yml").write_text(yaml.safe_dump(variables), encoding="utf-8")
    home = tmp_path / "a home"
    home.mkdir(mode=0o700)
    # An open connection of someone else to the same host must not stand in for the host's key.
    subprocess.run(["ansible", HOST, "-i", lab.inventory, "-m", "ansible.builtin.raw", "-a", "true"],
                   env=lab.environment, check=True, capture_output=True)  # fmt: skip
    assert _ping(lab, inventory, home) == 4
    shutil.copy(host.known_hosts, home / "known_hosts")
    assert _ping(lab, inventory, home) == 0
