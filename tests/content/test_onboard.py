"""What onboard does before it changes a host, as plain Ansible runs it: no host of the lab is needed for that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from content.role_content import ROOT

_HOST = {
    "ansible_become": False,
    "ansible_connection": "local",
    "ansible_python_interpreter": sys.executable,
    "bedplate_netbox": {"type": "virtual_machine", "id": 1},
    "bedplate_platform": "beos-5",
}


class Onboard:
    """The playbook on one host, with a folder for what it leaves."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(self, parameters: dict[str, Any], environment: dict[str, str] | None = None, **host: Any) -> str:
        """Return what it printed, on one line; it must fail."""
        inventory = {"all": {"hosts": {"web1": {**_HOST, **host}}}}
        (self._folder / "hosts.yml").write_text(json.dumps(inventory), encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NETBOX_")}
        settings = {
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
            "ANSIBLE_HOME": str(self._folder / "home"),
            "BEDPLATE_ARTIFACTS": str(self._folder),
        }
        program, playbook = str(Path(sys.executable).with_name("ansible-playbook")), ROOT / "playbooks" / "onboard.yml"
        given = json.dumps({f"onboard_{name}": value for name, value in parameters.items()})
        done = subprocess.run(
            [program, "-i", str(self._folder / "hosts.yml"), "-e", given, str(playbook)],
            capture_output=True, text=True, check=False, env={**kept, **settings, **(environment or {})},
        )  # fmt: skip
        assert done.returncode != 0, done.stdout
        assert "TASK [bedplate.datacenter." not in done.stdout, "no role has started"
        return " ".join((done.stdout + done.stderr).split())

    @property
    def report(self) -> dict[str, Any]:
        """What was reported of the host."""
        document = json.loads((self._folder / "onboard.json").read_text(encoding="utf-8"))
        (host,) = document["hosts"]
        return dict(host)


@pytest.fixture
def onboard(tmp_path: Path) -> Onboard:
    return Onboard(tmp_path)


def test_a_host_that_differs_is_left_where_that_is_wanted(onboard: Onboard) -> None:
    printed = onboard.run({"activate": False, "differences": "fail"})
    (found,) = onboard.report["values"]["differences"]
    assert (found["field"], found["in_netbox"], found["written"]) == ("platform", "beos-5", False)
    assert onboard.report["values"]["source"] == "inventory"
    assert "differs from NetBox in platform" in printed


def test_a_host_that_cannot_be_reached_is_told_of(onboard: Onboard) -> None:
    host = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9}
    onboard.run({"activate": False}, **host)
    assert onboard.report["outcome"] == "unreachable"
    assert onboard.report["detail"].startswith("it cannot be reached at 127.0.0.1, port 9 (")
    assert "Connection refused" in onboard.report["detail"]


@pytest.mark.parametrize("parameters", [{}, {"activate": False, "differences": "write"}], ids=str)
def test_without_pynetbox_what_writes_is_refused_before_a_host_is_reached(
    onboard: Onboard, tmp_path: Path, parameters: dict[str, Any]
) -> None:
    (tmp_path / "pynetbox.py").write_text("raise ImportError\n", encoding="utf-8")
    printed = onboard.run(parameters, {"PYTHONPATH": str(tmp_path)})
    assert "the Python package pynetbox is missing on the control node; what writes to NetBox needs it" in printed
    assert not (tmp_path / "onboard.json").exists()
