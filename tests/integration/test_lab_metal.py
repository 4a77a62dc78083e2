"""A bare-metal lab host, for real: booted, left alone, killed, started again, taken down. It takes some minutes."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab_fleet import FACTORY, require_lab

pytestmark = [pytest.mark.lab, pytest.mark.slow]


class MetalLab:
    """One container and one emulated machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def factory(self, *arguments: str) -> list[dict[str, object]]:
        """Run a factory command and return the events that it wrote; the last one is its result."""
        command = [sys.executable, str(FACTORY), "--json", "--folder", str(self.folder), *arguments]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return [json.loads(line) for line in finished.stdout.splitlines()]

    def up(self) -> list[dict[str, object]]:
        return self.factory("up", "--host=box=debian-13", "--host=iron=debian-12/metal")

    def ssh(self, host: str, command: str) -> str:
        words = ["ssh", "-F", str(self.folder / "ssh_config"), "-o", "BatchMode=yes", host, command]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()

    @property
    def pid(self) -> int:
        return int((self.folder / "metal" / "iron" / "qemu.pid").read_text())

    def devices(self) -> set[str]:
        """The network devices of machines, whichever lab they are of."""
        return {path.name for path in Path("/sys/class/net").glob("bp*")}


def runs(pid: int) -> bool:
    """Whether a process runs; one that ended and that nobody has asked about yet has no words left."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False


@pytest.fixture(scope="module")
def metal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetalLab]:
    require_lab()
    if shutil.which("qemu-system-x86_64") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("the lab needs qemu-system-x86")
    lab = MetalLab(tmp_path_factory.mktemp("metal lab"))
    lab.up()
    yield lab
    lab.factory("down")


def test_it_is_a_machine_of_its_own(metal: MetalLab) -> None:
    assert metal.ssh("iron", "hostname; systemctl is-system-running --wait") == "iron\nrunning"
    assert metal.ssh("iron", "uname -r") != platform.release()
    metal.ssh("iron", "sudo modprobe --all ipmi_si ipmi_devintf")
    assert metal.ssh("iron", "sudo ls /dev/ipmi0 /dev/nvme0n1") == "/dev/ipmi0\n/dev/nvme0n1"
    assert metal.ssh("box", "uname -r") == platform.release()


def test_timers_that_the_baseline_manages_are_off_and_not_masked(metal: MetalLab) -> None:
    timers = "apt-daily.timer apt-daily-upgrade.timer"
    assert metal.ssh("iron", f"systemctl is-enabled {timers} || :").split() == ["disabled", "disabled"]


def test_hosts_of_both_kinds_reach_each_other(metal: MetalLab) -> None:
    fleet = json.loads((metal.folder / "fleet.json").read_text())
    address = {host["name"]: host["address"] for host in fleet["hosts"]}
    assert "1 received" in metal.ssh("box", f"ping -c1 -W10 {address['iron']}")
    assert "1 received" in metal.ssh("iron", f"ping -c1 -W10 {address['box']}")


def test_up_again_changes_nothing(metal: MetalLab) -> None:
    before = metal.pid
    assert [event["event"] for event in metal.up()] == ["result"]
    assert metal.pid == before


def test_a_machine_that_died_starts_again_as_it_was(metal: MetalLab) -> None:
    known = (metal.folder / "known_hosts").read_text()
    metal.ssh("iron", "sudo touch /etc/kept && sync")
    os.kill(metal.pid, signal.SIGKILL)
    metal.up()
    assert metal.ssh("iron", "ls /etc/kept") == "/etc/kept"
    assert (metal.folder / "known_hosts").read_text() == known


def test_down_leaves_nothing(metal: MetalLab) -> None:
    pid, devices = metal.pid, metal.devices()
    metal.factory("down")
    assert not runs(pid)
    assert len(devices - metal.devices()) == 1
    assert not metal.folder.exists()
