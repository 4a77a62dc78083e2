"""A lab of the tests' own, as tests use it: its state folder, its inventory, its hosts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
FACTORY = ROOT / "molecule" / "shared" / "factory"
_PROGRAMS = ("podman", "debootstrap", "unshare", "ssh", "ssh-keygen", "ip")


def require_lab() -> None:
    """Skip where no lab can run; fail instead in CI, where it must."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [program for program in _PROGRAMS if shutil.which(program, path=path) is None]
    reason = f"the lab needs {', '.join(missing)}" if missing else ""
    if not missing and os.geteuid() != 0:
        sudo = shutil.which("sudo")
        if sudo is None or subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode:
            reason = "the lab needs root, or sudo without a password"
    if reason:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


def podman(*arguments: str) -> str:
    """Run root's podman and return what it printed."""
    return here_as_root("podman", *arguments)


def here_as_root(*command: str) -> str:
    """Run a command as root and return what it printed."""
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    return subprocess.run([*prefix, *command], capture_output=True, text=True, check=True).stdout


@dataclass(frozen=True)
class LabHost:
    """How to log in to a host, as `lab status -o json` says it."""

    name: str
    address: str
    port: int
    user: str
    key: Path
    known_hosts: Path
    platform: str
    container: str


class LabFleet:
    """The lab whose state is in `home`; every command gets BEDPLATE_HOME and nothing of the person's own settings.

    Args:
        home: state folder (BEDPLATE_HOME) of everything that runs on this lab.
    """

    def __init__(self, home: Path) -> None:
        self.home = home

    @property
    def inventory(self) -> Path:
        """The inventory folder with this lab's addresses: `bedplate -i`, `ansible-playbook -i`."""
        return self.home / "lab" / "inventory"

    @property
    def ssh_config(self) -> Path:
        return self.home / "lab" / "ssh_config"

    @property
    def environment(self) -> dict[str, str]:
        """The environment for `bedplate` and `ansible` commands on this lab."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BEDPLATE_")}
        scripts = str(Path(sys.executable).parent)
        return {
            **kept,
            "PATH": f"{scripts}:{kept.get('PATH', '')}",
            "BEDPLATE_HOME": str(self.home),
            "BEDPLATE_INVENTORY_PATH": str(self.inventory),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
        }

    def bedplate(
        self, *arguments: str, check: bool = True, timeout: float = 900, **settings: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a bedplate command on this lab; with `check`, fail the test with what it said unless it exits 0.

        Args:
            settings: by name in lower case, without BEDPLATE_: `execution_strategy`.
        """
        command = [sys.executable, "-m", "bedplate", *arguments]
        more = {f"BEDPLATE_{name.upper()}": value for name, value in settings.items()}
        finished = subprocess.run(
            command, env={**self.environment, **more}, capture_output=True, text=True, check=False, timeout=timeout
        )
        if check and finished.returncode != 0:
            pytest.fail(f"bedplate {' '.join(arguments)}: {finished.returncode}\n{finished.stdout}\n{finished.stderr}")
        return finished

    def status(self) -> dict[str, Any]:
        """Return `lab status -o json`."""
        status: dict[str, Any] = json.loads(self.bedplate("lab", "status", "-o", "json").stdout)
        return status

    @property
    def hosts(self) -> dict[str, LabHost]:
        """The hosts by name."""
        return {row["name"]: _host(row) for row in self.status()["hosts"]}

    def ssh(self, host: str, command: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a shell command on a host as `ansible`."""
        words = ["ssh", "-F", str(self.ssh_config), "-o", "BatchMode=yes", host, command]
        finished = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if check and finished.returncode != 0:
            pytest.fail(f"{host}: {command}: {finished.returncode}\n{finished.stdout}\n{finished.stderr}")
        return finished

    def recreate(self, *hosts: str) -> None:
        """Make hosts anew from their image: what tests changed on them is gone."""
        self.bedplate("lab", "up", *(f"--recreate={host}" for host in hosts))


def _host(row: dict[str, Any]) -> LabHost:
    paths = {"key": Path(row["key"]), "known_hosts": Path(row["known_hosts"])}
    names = ("name", "address", "port", "user", "platform", "container")
    return LabHost(**{name: row[name] for name in names}, **paths)
