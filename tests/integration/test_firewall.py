"""Rules that cut off the control node undo themselves, even if that node dies; others last over a reboot."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab_fleet import FACTORY, ROOT, require_lab

pytestmark = pytest.mark.lab
TIMER = "bedplate-firewall-rollback.timer"
GOOD: dict[str, Any] = {"firewall_management_prefixes": ["192.0.2.0/24"], "firewall_rollback_seconds": 10}
CUTS_OFF = {**GOOD, "firewall_rules": [{"name": "a slip", "action": "drop", "ports": [22]}]}
PLAYBOOK = """
- name: Firewall
  hosts: all
  become: true
  roles:
    - role: bedplate.datacenter.firewall
"""


class Guarded:
    """One lab host and the role firewall on it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        command = [
            sys.executable,
            str(FACTORY),
            "--json",
            "--folder",
            str(folder / "lab"),
            "up",
            "--host=one=debian-13",
        ]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        assert finished.returncode == 0, finished.stdout
        self.host = json.loads(finished.stdout.splitlines()[-1])["result"]["hosts"][0]
        (folder / "firewall.yml").write_text(PLAYBOOK, encoding="utf-8")
        variables = {
            "ansible_host": self.host["address"],
            "ansible_user": self.host["user"],
            "ansible_ssh_private_key_file": self.host["key"],
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={self.host['known_hosts']} -o ConnectTimeout=3",
        }
        inventory = {"all": {"hosts": {"one": variables}}}
        (folder / "hosts.yml").write_text(json.dumps(inventory), encoding="utf-8")

    def start(self, variables: dict[str, Any], *options: str) -> subprocess.Popen[str]:
        """Start a play in a process group of its own."""
        playbook, inventory = str(self._folder / "firewall.yml"), str(self._folder / "hosts.yml")
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        return subprocess.Popen(
            [program, "-i", inventory, playbook, "-e", json.dumps(variables), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            start_new_session=True,
            env={
                **os.environ,
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self._folder),
            },
        )

    def run(self, variables: dict[str, Any], *options: str) -> str:
        process = self.start(variables, *options)
        said, _ = process.communicate(timeout=180)
        return said

    def inside(self, command: str) -> str:
        """Run a shell command without the network, and return what it printed."""
        return podman("exec", self.host["container"], "sh", "-c", command)

    def lets_in(self) -> bool:
        words = ["ssh", "-F", str(self._folder / "lab" / "ssh_config"), "-o", "ConnectTimeout=3", "-o", "BatchMode=yes"]
        return subprocess.run([*words, "one", "true"], capture_output=True, check=False).returncode == 0

    def down(self) -> None:
        command = [sys.executable, str(FACTORY), "--folder", str(self._folder / "lab"), "down"]
        subprocess.run(command, capture_output=True, check=True)


def podman(*arguments: str) -> str:
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    return subprocess.run([*prefix, "podman", *arguments], capture_output=True, text=True, check=False).stdout


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    require_lab()
    host = Guarded(tmp_path_factory.mktemp("fw"))
    assert "changed=3" in host.run(GOOD), "the rules, the unit and its start"
    yield host
    host.down()


def _until(condition: Any, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def test_a_control_node_that_dies_leaves_no_rules_behind(guarded: Guarded) -> None:
    before = guarded.inside("nft -s list table inet bedplate")
    process = guarded.start(CUTS_OFF)
    assert _until(lambda: guarded.inside(f"systemctl is-active {TIMER}") == "active\n", 120)
    assert _until(lambda: "a slip" in guarded.inside("nft list table inet bedplate"), 10)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not guarded.lets_in()
    assert _until(guarded.lets_in, 60)
    assert guarded.inside("nft -s list table inet bedplate") == before
    assert "a slip" not in guarded.inside("cat /etc/bedplate/firewall.nft")


def test_what_was_never_confirmed_is_not_taken_for_right_by_the_next_run(guarded: Guarded) -> None:
    before = guarded.inside("nft -s list table inet bedplate")
    process = guarded.start({**CUTS_OFF, "firewall_rollback_seconds": 600})
    assert _until(lambda: "a slip" in guarded.inside("nft list table inet bedplate"), 120)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    # Somebody at the console opens the door by hand, and the next run comes before the timer strikes.
    guarded.inside("nft insert rule inet bedplate input tcp dport 22 accept")
    assert "failed=0" in guarded.run(GOOD)
    assert guarded.inside("nft -s list table inet bedplate") == before
    assert guarded.inside(f"systemctl is-active {TIMER}") == "inactive\n"


def test_rules_that_are_flushed_by_hand_come_back_and_check_mode_shows_them(guarded: Guarded) -> None:
    before = guarded.inside("nft -s list table inet bedplate")
    guarded.inside("nft flush ruleset")
    said = guarded.run(GOOD, "--check", "--diff")
    assert "changed=1" in said
    assert "+\t\tip saddr { " in said
    assert guarded.inside("nft list ruleset") == ""
    assert "changed=1" in guarded.run(GOOD)
    assert guarded.inside("nft -s list table inet bedplate") == before
    assert "changed=0" in guarded.run(GOOD)


def test_rules_are_there_after_a_reboot(guarded: Guarded) -> None:
    before = guarded.inside("nft -s list table inet bedplate")
    podman("restart", guarded.host["container"])
    assert _until(guarded.lets_in, 60)
    assert guarded.inside("nft -s list table inet bedplate") == before
    assert "changed=0" in guarded.run(GOOD)
