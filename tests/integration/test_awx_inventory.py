"""The inventory file for AWX: its address and token come from the environment, and a failure is one to AWX too."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from integration.netbox_server import V1_TOKEN, netbox_server

ROOT = Path(__file__).parents[2]


def _list(address: str, home: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "NETBOX_API": address, "NETBOX_TOKEN": V1_TOKEN, "BEDPLATE_HOME": str(home)}
    command = ["ansible-inventory", "-i", "inventories/awx/netbox.yml", "--list"]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)


def test_hosts_come_from_the_netbox_of_the_environment(tmp_path: Path) -> None:
    with netbox_server() as netbox:
        said = _list(netbox.url, tmp_path)
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["_meta"]["hostvars"]


def test_a_netbox_that_is_away_is_no_empty_inventory(tmp_path: Path) -> None:
    assert _list("http://127.0.0.1:9", tmp_path).returncode != 0
