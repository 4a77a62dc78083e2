"""The content as AWX runs it: a checkout without the package, hosts from a script, AWX's search paths."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import yaml

from bedplate.awx.catalog import wishes_of
from bedplate.awx.site import Site
from fake_awx.catalog import product
from integration.checkout import check_out
from integration.oldest_ansible import oldest_ansible

# The oldest ansible-core takes an interpreter's path for shell words, and a clone may lie in a folder with a blank.
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": os.path.realpath(sys.executable)}
DEFAULT = "/runner/requirements_collections:~/.ansible/collections:/usr/share/ansible/collections"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return check_out(tmp_path_factory.mktemp("runner") / "project")


@pytest.fixture(params=["today's ansible-core", "the oldest one"], autouse=True)
def _programs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = oldest_ansible() if request.param == "the oldest one" else Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def _ansible(checkout: Path, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command of ansible in a checkout, in nobody else's environment."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    home = {"HOME": str(checkout.parent), "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True"}
    return subprocess.run(
        command, cwd=checkout, env={**kept, **home, **env},
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


def _source_environment(checkout: Path) -> dict[str, str]:
    """What the inventory source that `apply` makes adds to the environment."""
    site = Site(project_url="https://git.example.com/x.git", inventory_source="inventories/lab/netbox.yml")
    wishes = wishes_of([product()], site, date(2026, 1, 1))
    (source,) = [each for each in wishes.objects if each.kind.name == "inventory_source"]
    variables: dict[str, str] = json.loads(source.fields["source_vars"])
    return {key: value.replace("/runner/project", str(checkout)) for key, value in variables.items()}


def _exported(checkout: Path, file: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Read an inventory source as AWX does."""
    path = checkout / file
    paths = {"ANSIBLE_COLLECTIONS_PATHS": DEFAULT, "ANSIBLE_INVENTORY_EXPORT": "True"}
    command = ["ansible-inventory", "--list", "--export", "-i", str(path), "--playbook-dir", str(path.parent)]
    return _ansible(checkout, *command, **paths, **_source_environment(checkout), **env)


def _script(folder: Path, document: object) -> Path:
    """Hosts as AWX gives them to a job."""
    folder.mkdir(exist_ok=True)
    file = folder / "hosts"
    text = json.dumps(document)
    file.write_text(f"#! /usr/bin/env python3\n# -*- coding: utf-8 -*-\nprint({text!r})\n", encoding="utf-8")
    file.chmod(0o700)
    return file


def test_an_inventory_source_finds_the_plugin_and_hosts_stay_data(checkout: Path, tmp_path: Path) -> None:
    said = _exported(checkout, "inventories/lab/netbox.yml")
    assert said.returncode == 0, said.stderr
    document = json.loads(said.stdout)
    assert len(document["_meta"]["hostvars"]) > 3
    host = "ams1-metal-01"
    hosts = _script(tmp_path, document)
    play = [
        {
            "name": "Look",
            "hosts": host,
            "gather_facts": False,
            "connection": "local",
            "tasks": [
                {"name": "Say", "ansible.builtin.debug": {"msg": "at {{ ansible_host }} in {{ bedplate_site }}"}}
            ],
        }
    ]
    (checkout / "look.yml").write_text(yaml.safe_dump(play), encoding="utf-8")
    done = _ansible(checkout, "ansible-playbook", "-i", str(hosts), "look.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "at 10.213.77.31 in ams1" in done.stdout


def test_an_inventory_source_that_fails_is_no_empty_one(checkout: Path) -> None:
    said = _exported(checkout, "inventories/awx/netbox.yml", NETBOX_API="http://127.0.0.1:9", NETBOX_TOKEN="x")
    assert said.returncode != 0
    assert "no connection" in said.stderr
    assert not said.stdout.strip()


def test_a_product_runs_without_the_package(checkout: Path, tmp_path: Path) -> None:
    hosts = {"all": {"hosts": ["h1", "h2"]}, "_meta": {"hostvars": {"h1": LOCAL, "h2": LOCAL}}}
    file = _script(tmp_path, hosts)
    paths = {"ANSIBLE_COLLECTIONS_PATH": f"/runner/requirements_collections:collections:{DEFAULT}"}
    command = ["ansible-playbook", "-i", str(file), "-e", "ping_become=false", "playbooks/ping.yml"]
    done = _ansible(checkout, *command, **paths)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "h2" in done.stdout
    refused = _ansible(checkout, *command[:-2], "ping_become=maybe", command[-1], **paths)
    assert refused.returncode != 0
    assert "ping_become" in refused.stdout
