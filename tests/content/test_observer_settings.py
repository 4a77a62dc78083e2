"""What the role observer makes of its settings, as Ansible renders it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from content.role_content import ROOT

RULES = {"hosts.yml": "", "site.yaml": "", "two words.yml": "", ".hidden.yml": "", "a-b_c.1.yml": ""}
ADDRESSES = {
    "": "localhost:9090",
    "0.0.0.0": "localhost:9090",  # noqa: S104
    "::": "localhost:9090",
    "192.0.2.1": "192.0.2.1:9090",
    "2001:db8::1": "[2001:db8::1]:9090",
}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Variables of the role, for each address that Prometheus may listen on."""
    folder = tmp_path_factory.mktemp("settings")
    hosts = {f"host{number}": {"observer_listen_address": address} for number, address in enumerate(ADDRESSES)}
    addresses = "groups.all | map('extract', hostvars, '_observer_self') | list"
    shown = "{{ {'unread': _observer_rules_unread, 'self': " + addresses + "} | to_json }}"
    play = {
        "hosts": "all",
        "gather_facts": False,
        "connection": "local",
        "vars_files": [str(ROOT / "roles" / "observer" / "vars" / "main.yml")],
        "vars": {"observer_rules": RULES, "observer_listen_port": 9090},
        "tasks": [
            {"name": "Keep", "ansible.builtin.set_fact": {"_observer_self": "{{ _observer_self }}"}},
            {
                "name": "Write",
                "ansible.builtin.copy": {"content": shown, "dest": str(folder / "shown.json")},
                "run_once": True,
            },
        ],
    }
    (folder / "play.yml").write_text(json.dumps([play]), encoding="utf-8")
    (folder / "hosts.yml").write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "-i", folder / "hosts.yml", folder / "play.yml",
         "--extra-vars", json.dumps({"ansible_python_interpreter": sys.executable})],
        env={**os.environ, "ANSIBLE_HOME": str(folder), "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads((folder / "shown.json").read_text(encoding="utf-8"))
    return found


def test_prometheus_scrapes_itself_where_it_listens(rendered: dict[str, Any]) -> None:
    """By a name that its certificate has, where it listens everywhere."""
    assert rendered["self"] == list(ADDRESSES.values())


def test_rules_that_prometheus_would_not_read_are_noticed(rendered: dict[str, Any]) -> None:
    assert rendered["unread"] == ["site.yaml", "two words.yml", ".hidden.yml"]


def test_all_that_an_observer_knows_of_the_fleet_is_written_in_one_place() -> None:
    """The product observe writes that, and seals take it at its word."""
    role = ROOT / "roles" / "observer"
    reads = {
        path.name
        for path in (role / "templates").iterdir()
        if re.search(r"\b_observer_(fleet|hosts|senders)\b", path.read_text(encoding="utf-8"))
    }
    tasks = (role / "tasks" / "fleet.yml").read_text(encoding="utf-8")
    assert reads == set(re.findall(r"'([a-z.-]+\.j2)'", tasks))
