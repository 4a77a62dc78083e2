"""The inventory plugin as Ansible sees it: real ansible processes against snapshots and a local server.

BEDPLATE_ANSIBLE_BIN names the `bin` folder of another virtual environment, to test with another ansible-core.
"""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from integration.netbox_server import DEVICES, V2_TOKEN, NetBoxServer, json_answer, netbox_server, recorded_error
from netbox_modules import ROOT, a_record

BIN = Path(os.environ.get("BEDPLATE_ANSIBLE_BIN") or Path(sys.executable).parent)
GOLDEN = ROOT / "tests" / "fixtures" / "netbox" / "golden.json"
TEMPLATE = "{{ lookup('pipe', 'touch %s; echo run') }}"


@dataclass
class Ansible:
    """Runs ansible's commands on one inventory folder, with a state folder of its own."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.folder.parent / "home"

    def write(self, **options: object) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "netbox.yml").write_text(json.dumps({"plugin": "bedplate.datacenter.netbox", **options}))

    def snapshot(self, *records: dict[str, Any], **options: object) -> None:
        document = {
            "schema": 1,
            "taken_at": "2026-11-20T06:00:00Z",
            "source": "https://netbox.example.com",
            "netbox_version": "4.6.8",
            "cursor": None,
            "hosts": {record["name"]: record for record in records},
        }
        self.write(snapshot=".snapshot.json", **options)
        (self.folder / ".snapshot.json").write_text(json.dumps(document))

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "NETBOX_"))}
        set_here = {"BEDPLATE_HOME": str(self.home), "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "COLUMNS": "1000"}
        command = [str(BIN / program), "-i", str(self.folder), *arguments]
        return subprocess.run(
            command, cwd=ROOT, env={**kept, **set_here, **self.environment}, capture_output=True, text=True, check=False
        )

    def listing(self) -> dict[str, Any]:
        done = self.run("ansible-inventory", "--list")
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        answer["stderr"] = " ".join(done.stderr.split())
        return answer

    def failure(self) -> str:
        done = self.run("ansible-inventory", "--list")
        assert done.returncode != 0, done.stdout
        assert V2_TOKEN not in done.stderr
        return " ".join(done.stderr.split())


@pytest.fixture
def ansible(tmp_path: Path) -> Ansible:
    return Ansible(tmp_path / "inventory")


@pytest.fixture
def netbox(ansible: Ansible) -> Iterator[NetBoxServer]:
    with netbox_server() as server:
        ansible.write(api_endpoint=server.url, retries=0)
        ansible.environment["NETBOX_TOKEN"] = V2_TOKEN
        yield server


def normalized(listing: dict[str, Any], url: str) -> dict[str, Any]:
    """Return what ansible says, without what depends on the machine or on ansible's version."""
    answer = json.loads(json.dumps(listing).replace(url, "https://netbox.example.com"))
    answer.pop("stderr")
    answer["_meta"].pop("profile", None)
    for variables in answer["_meta"]["hostvars"].values():
        variables.pop("ansible_local", None)
    return dict(_plain(answer))


def _plain(value: Any) -> Any:
    """Return a value without ansible's marks of what is no template."""
    if isinstance(value, dict):
        return value["__ansible_unsafe"] if "__ansible_unsafe" in value else {k: _plain(v) for k, v in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, list) else value


def test_the_whole_inventory_equals_the_stored_one(ansible: Ansible, netbox: NetBoxServer) -> None:
    ansible.write(
        api_endpoint=netbox.url,
        page_size=11,
        interfaces=True,
        strict=True,
        compose={"service_name": "bedplate_role ~ '.' ~ bedplate_site", "mirror": "repos.mirror | default('none')"},
        groups={"in_build": "bedplate_custom_fields.lifecycle == 'build'"},
        keyed_groups=[{"key": "bedplate_custom_fields.patch_window", "prefix": "patch"}],
    )
    found = normalized(ansible.listing(), netbox.url)
    if os.environ.get("BEDPLATE_WRITE_GOLDEN"):
        GOLDEN.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    assert found == json.loads(GOLDEN.read_text())


def test_a_read_leaves_a_snapshot_that_serves_when_netbox_is_away(ansible: Ansible, netbox: NetBoxServer) -> None:
    first = ansible.listing()
    (kept,) = (ansible.home / "snapshots").glob("*.json")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert V2_TOKEN not in kept.read_text()
    asked = len(netbox.requests)
    assert normalized(ansible.listing(), netbox.url) == normalized(first, netbox.url)
    assert len(netbox.requests) == asked

    ansible.environment["BEDPLATE_INVENTORY_REFRESH"] = "1"
    netbox.before = lambda _path: json_answer({"detail": "database is down"}, 503)
    told = ansible.failure()
    assert "503 Service Unavailable: database is down" in told
    assert "second" in told or "minute" in told
    assert "BEDPLATE_INVENTORY_STALE=1" in told
    ansible.environment["BEDPLATE_INVENTORY_STALE"] = "1"
    stale = ansible.listing()
    assert normalized(stale, netbox.url) == normalized(first, netbox.url)
    assert "The last good snapshot serves instead" in stale["stderr"]


def test_a_refused_token_is_never_an_empty_inventory(ansible: Ansible, netbox: NetBoxServer) -> None:
    netbox.authorizations.clear()
    told = ansible.failure()
    assert "403 Forbidden: Invalid v2 token" in told
    assert netbox.url in told


def test_however_much_ansible_says_the_token_is_not_in_it(ansible: Ansible, netbox: NetBoxServer) -> None:
    loud = ("ansible-inventory", "--list", "-vvvvv")
    said = ansible.run(*loud)
    assert said.returncode == 0
    assert "hosts, read in full" in " ".join((said.stdout + said.stderr).split())
    netbox.authorizations.clear()
    ansible.environment["BEDPLATE_INVENTORY_REFRESH"] = "1"
    refused = ansible.run(*loud)
    assert refused.returncode != 0
    secret = V2_TOKEN.rpartition(".")[2]
    assert not [done for done in (said, refused) if secret in done.stdout + done.stderr]


def test_a_token_that_sees_less_trips_the_gate_and_the_snapshot_stays(ansible: Ansible, netbox: NetBoxServer) -> None:
    ansible.listing()
    (kept,) = (ansible.home / "snapshots").glob("*.json")
    before = kept.read_bytes()
    netbox.lists[DEVICES] = netbox.lists[DEVICES][:4]
    ansible.environment["BEDPLATE_INVENTORY_REFRESH"] = "1"
    assert "hosts are gone since the last good snapshot" in ansible.failure()
    assert kept.read_bytes() == before


def test_a_token_file_is_read_from_beside_the_inventory(ansible: Ansible, netbox: NetBoxServer) -> None:
    del ansible.environment["NETBOX_TOKEN"]
    ansible.write(api_endpoint=netbox.url, token_file="token.txt", retries=0, types=["device"], services=False)
    (ansible.folder / "token.txt").write_text("")
    assert "there is no token in this file" in ansible.failure()
    (ansible.folder / "token.txt").write_text(f"{V2_TOKEN}\n")
    assert len(ansible.listing()["_meta"]["hostvars"]) == 26


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"query_filter": [{"site": "ams1"}]}, "unknown option 'query_filter' (did you mean query_filters?)"),
        ({"query_filters": [{"nosuchfilter": "1"}]}, "NetBox has no filter 'nosuchfilter' for devices"),
        ({"query_filters": [{"site": "nowhere"}]}, "there is no host at all"),
        ({"group_by": ["color"]}, "group_by: unknown value 'color'"),
        ({"ansible_host_from": ["guess"]}, "ansible_host_from: unknown value 'guess'"),
        ({"class_from": ["color"]}, "unknown source of a class 'color'"),
    ],
)
def test_options_that_cannot_be(ansible: Ansible, netbox: NetBoxServer, options: dict[str, object], told: str) -> None:
    ansible.write(api_endpoint=netbox.url, retries=0, **options)
    assert told in ansible.failure()


def test_an_unknown_path_is_told(ansible: Ansible, netbox: NetBoxServer) -> None:
    netbox.before = lambda _path: recorded_error(3)
    assert "404 Not Found" in ansible.failure()


@pytest.mark.parametrize(
    ("content", "told"),
    [('{"schema": 1', "no whole JSON document"), ('{"schema": 99, "hosts": {}}', "schema 99, newer than the 1")],
)
def test_a_snapshot_that_cannot_be_used_is_named(ansible: Ansible, content: str, told: str) -> None:
    ansible.snapshot(a_record())
    (ansible.folder / ".snapshot.json").write_text(content)
    failure = ansible.failure()
    assert told in failure
    assert str(ansible.folder / ".snapshot.json") in failure


def test_two_slugs_that_meet_are_both_named(ansible: Ansible) -> None:
    ansible.snapshot(a_record("a", tags=["web-1"]), a_record("b", tags=["web_1"]))
    failure = ansible.failure()
    assert "'web-1'" in failure
    assert "'web_1'" in failure


def test_no_text_of_netbox_is_a_template(ansible: Ansible, tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    evil = TEMPLATE % mark
    texts = dict.fromkeys(("serial", "asset_tag", "dns_name", "model", "site", "rack", "url", "platform"), evil)
    record = a_record(
        "web01", **texts, tags=[evil], custom_fields={"note": evil, evil: {"deep": [evil]}},
        config_context={"motd": evil, "nested": {"list": [evil]}, "time_sync_servers_default": [evil]},
        services=[{"name": evil, "protocol": "tcp", "ports": [22]}],
    )  # fmt: skip
    ansible.snapshot(
        record,
        a_record(evil),
        strict=True,
        ansible_host_from=["dns_name", "primary"],
        compose={"composed": "bedplate_serial", "joined": "bedplate_serial ~ '!'"},
        groups={"odd": "bedplate_model != 'x'"},
        keyed_groups=[{"key": "bedplate_asset_tag", "prefix": "asset"}],
    )
    shown = "{{ [hostvars['web01'], composed, joined, motd, nested, bedplate_custom_fields, group_names] | to_json }}"
    done = ansible.run("ansible", "web01", "-m", "ansible.builtin.debug", "-a", json.dumps({"msg": shown}), "-o")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("lookup(") > 10
    direct = ansible.run("ansible", "web01", "-m", "ansible.builtin.debug", "-a", "var=[composed,joined,motd,nested]")
    assert direct.stdout.count("lookup(") >= 4, direct.stdout
    assert not mark.exists()
    assert "left out, because Ansible cannot take the name" in done.stderr


def test_bad_data_of_single_hosts_is_named_and_the_rest_is_there(ansible: Ansible) -> None:
    ansible.snapshot(
        a_record("good"),
        a_record("bare", id=2, primary_ip4=None),
        a_record("localhost", id=3),
        a_record("sly", id=4, config_context={"ansible_ssh_common_args": "-oProxyCommand=id", "ntp": 1}),
        a_record("retired", id=5, status="decommissioning"),
        a_record("seen", id=6, context_only=True, config_context={"ntp": 1}),
    )
    listing = ansible.listing()
    variables = listing["_meta"]["hostvars"]
    assert set(variables) == {"good", "bare", "sly", "seen"}
    assert "ansible_host" not in variables["bare"]
    assert "ansible_ssh_common_args" not in variables["sly"]
    assert "ntp" not in variables["seen"]
    assert listing["context_only"]["hosts"] == ["seen"]
    for told in (
        "no address in primary, so Ansible connects by the host's name: bare",
        "Ansible keeps this name for itself: 'localhost'",
        "'ansible_ssh_common_args' of the config context was refused",
    ):
        assert told in listing["stderr"]


def test_hosts_without_an_address_can_be_left_out(ansible: Ansible) -> None:
    ansible.snapshot(a_record("good"), a_record("bare", id=2, primary_ip4=None), hosts_without_address="skip")
    assert set(ansible.listing()["_meta"]["hostvars"]) == {"good"}


def test_the_documentation_is_whole() -> None:
    command = [
        str(BIN / "ansible-doc"),
        "-t",
        "inventory",
        "-j",
        "bedplate.datacenter.netbox",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    documented = json.loads(done.stdout)["bedplate.datacenter.netbox"]
    assert all(option["description"] for option in documented["doc"]["options"].values())
    assert "api_endpoint: https://" in documented["examples"]


def test_the_lab_fleet_needs_no_netbox() -> None:
    listing = Ansible(ROOT / "inventories" / "lab").listing()
    assert set(listing["role_observer"]["hosts"]) == {"fra1-obs-01"}
    assert set(listing["region_emea"]["children"]) == {"site_fra1", "site_ams1"}
    assert listing["stderr"] == ""
