"""What onboard does before it changes a host, as plain Ansible runs it: no host of the lab is needed for that."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from content.role_content import ROOT
from integration.netbox_records import NetBox, serving

_HOST = {
    "ansible_become": False,
    "ansible_connection": "local",
    "ansible_python_interpreter": sys.executable,
    "bedplate_netbox": {"type": "virtual_machine", "id": 1},
    "bedplate_platform": "beos-5",
}


# In place of another product: it has parameters of its own, and fails where the host's variables say so.
_OTHER = """
- name: Stand in for {name}
  hosts: all
  gather_facts: false
  tasks:
    - name: Check the parameters
      ansible.builtin.set_fact:
        bedplate_parameters: {{}}
        cacheable: true
    - name: "{name} BASELINE"
      ansible.builtin.assert:
        that: "'{name}' != fails | default('')"
"""


class Onboard:
    """The playbook on this machine, between products that change nothing here; with a folder for what it leaves."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._playbooks = folder / "playbooks"
        self._playbooks.mkdir()
        shutil.copy(ROOT / "playbooks" / "onboard.yml", self._playbooks)
        for name in ("baseline", "verify"):
            (self._playbooks / f"{name}.yml").write_text(_OTHER.format(name=name), encoding="utf-8")

    def run(
        self, parameters: dict[str, Any], environment: dict[str, str] | None = None, *options: str, **host: Any
    ) -> tuple[int, str]:
        """Return the exit code, and what it printed, on one line."""
        inventory = {"all": {"hosts": {"web1": {**_HOST, **host}}}}
        (self._folder / "hosts.yml").write_text(json.dumps(inventory), encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NETBOX_")}
        settings = {
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
            "ANSIBLE_HOME": str(self._folder / "home"),
            "BEDPLATE_ARTIFACTS": str(self._folder),
        }
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        given = json.dumps({f"onboard_{name}": value for name, value in parameters.items()})
        done = subprocess.run(
            [program, "-i", "hosts.yml", "-e", given, *options, "playbooks/onboard.yml"],
            cwd=self._folder, capture_output=True, text=True, check=False,
            env={**kept, **settings, **(environment or {})},
        )  # fmt: skip
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    def refusal(self, parameters: dict[str, Any], environment: dict[str, str] | None = None, **host: Any) -> str:
        """Return what it printed; it must fail before the baseline starts."""
        code, printed = self.run(parameters, environment, **host)
        assert code != 0, printed
        assert "BASELINE" not in printed
        return printed

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
    printed = onboard.refusal({"activate": False, "differences": "fail"})
    (found,) = onboard.report["values"]["differences"]
    assert (found["field"], found["in_netbox"], found["written"]) == ("platform", "beos-5", False)
    assert onboard.report["values"]["source"] == "inventory"
    assert "differs from NetBox in platform" in printed


def test_a_host_that_cannot_be_reached_is_told_of(onboard: Onboard) -> None:
    host = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9}
    onboard.refusal({"activate": False}, **host)
    assert onboard.report["outcome"] == "unreachable"
    assert onboard.report["detail"].startswith("it cannot be reached at 127.0.0.1, port 9 (")
    assert "Connection refused" in onboard.report["detail"]


@pytest.mark.parametrize("parameters", [{}, {"activate": False, "differences": "write"}], ids=str)
def test_without_pynetbox_what_writes_is_refused_before_a_host_is_reached(
    onboard: Onboard, tmp_path: Path, parameters: dict[str, Any]
) -> None:
    (tmp_path / "pynetbox.py").write_text("raise ImportError\n", encoding="utf-8")
    printed = onboard.refusal(parameters, {"PYTHONPATH": str(tmp_path)})
    assert "the Python package pynetbox is missing on the control node; what writes to NetBox needs it" in printed
    assert not (tmp_path / "onboard.json").exists()


@pytest.fixture
def netbox() -> Iterator[type[NetBox]]:
    with serving(
        {"id": 1, "name": "web1", "status": {"value": "staged"}, "platform": {"id": 7, "slug": "beos-5"}}
    ) as handler:
        yield handler


def asked(netbox: type[NetBox]) -> dict[str, str]:
    return {"NETBOX_URL": netbox.address, "NETBOX_TOKEN": netbox.token}


def test_a_host_that_passes_becomes_active_once(onboard: Onboard, netbox: type[NetBox]) -> None:
    code, printed = onboard.run({}, asked(netbox))
    assert (code, netbox.written) == (0, [{"status": "active"}]), printed
    assert (onboard.report["outcome"], onboard.report["values"]["status"]) == ("changed", "active")
    code, printed = onboard.run({}, asked(netbox))
    assert (code, netbox.written) == (0, [{"status": "active"}]), printed
    assert onboard.report["outcome"] == "unchanged"


@pytest.mark.parametrize("product", ["baseline", "verify"])
def test_a_host_that_fails_a_product_does_not_become_active(
    onboard: Onboard, netbox: type[NetBox], product: str
) -> None:
    code, _ = onboard.run({}, asked(netbox), fails=product)
    assert (code, netbox.written) == (2, [])
    assert "status" not in onboard.report["values"]


def test_a_check_proves_nothing_and_writes_nothing(onboard: Onboard, netbox: type[NetBox]) -> None:
    code, printed = onboard.run({"differences": "write"}, asked(netbox), "--check", fails="verify")
    assert (code, netbox.written) == (0, []), printed
