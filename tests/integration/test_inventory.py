"""The inventory adapter, frozen inventories and the inventory commands, on real ansible."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml

from bedplate.content import find_content
from bedplate.errors import InventoryError, NotFoundError, UsageError
from bedplate.execution.inventory import InventoryAdapter
from bedplate.execution.inventory_cache import InventoryCache
from bedplate.execution.inventory_frozen import freeze
from bedplate.execution.inventory_process import ask
from bedplate.execution.inventory_source import InventorySource
from bedplate.settings import Settings
from integration.command_line import bedplate

LAB = Path(__file__).parents[2] / "inventories" / "lab"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def adapter(settings: Settings, path: Path) -> InventoryAdapter:
    return InventoryAdapter(find_content(), settings, path)


def seen_fleet(path: Path, original: InventoryAdapter) -> dict[str, Any]:
    """Return what a play on one host is told of the fleet."""
    arguments = json.dumps({"msg": "{{ lookup('bedplate.datacenter.fleet', 'shown', 'greeting', 'nowhere') }}"})
    command = ["ansible", "-i", str(path), "fra1-colo-01", "-m", "ansible.builtin.debug", "-a", arguments]
    told = ask(command, original.content, original.settings, original.source.plugin_names, {}).stdout
    fleet: dict[str, Any] = json.loads(told.partition("=> ")[2])["msg"]
    return fleet


FAULTS: dict[str, dict[str, Any] | None] = {
    "none": {"primary_ip4": None, "dns_name": None, "config_context": {"motd": ["a list"]}},
    "web 01": {"primary_ip4": "10.213.77.201", "status": "planned", "platform": None},
    "twin": {"primary_ip4": "10.213.77.202", "class": None, "platform": "windows-11"},
    "twin__device_902": {"id": 902, "primary_ip4": "10.213.77.202", "class": "mainframe", "site": None,
                         "location": None, "rack": None},
    "TWIN": {"primary_ip4": "192.0.2.7", "rack": None},
    "guest": {"type": "virtual_machine", "cluster": None, "rack": None, "primary_ip4": "10.213.77.203",
              "config_context": {"ansible_user": "root", "ansible_host": "10.213.77.9"}},
}  # fmt: skip


def plant(folder: Path, changes: dict[str, dict[str, Any] | None]) -> dict[str, set[str]]:
    """Change records of a snapshot, add some and take some out; return which faults the new ones were given."""
    document = json.loads((folder / ".fleet.json").read_text())
    hosts = document["hosts"]
    for number, (name, values) in enumerate(changes.items(), 900):
        if values is None:
            del hosts[name]
        else:
            fresh = {**hosts["fra1-colo-01"], "id": number, "primary_ip4": f"10.213.77.{number - 700}", "oob_ip": None}
            hosts[name] = {**hosts.get(name, fresh), **values, "name": name}
    for name in ("fra1-colo-01", "fra1-colo-02") if "none" in changes else ():
        hosts[name]["config_context"] = {"motd": "a text"}
    (folder / ".fleet.json").write_text(json.dumps(document))
    return {
        "none": {"no_address", "context_conflict"},
        "web 01": {"bad_name", "odd_status", "no_platform"},
        "twin": {"duplicate_address", "duplicate_name", "similar_name", "no_class", "unknown_platform"},
        "twin__device_902": {"duplicate_address", "duplicate_name", "unknown_class", "no_site"},
        "TWIN": {"similar_name", "outside_prefix", "no_rack"},
        "guest": {"no_cluster", "context_key", "context_address"},
    }


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A folder with a NetBox source, a static one, variables, a vaulted value and a template."""
    folder = tmp_path / "mixed"
    (folder / "group_vars" / "class_colo").mkdir(parents=True)
    (folder / "host_vars").mkdir()
    (folder / ".fleet.json").write_bytes((LAB / ".snapshot.json").read_bytes())
    config = {
        "plugin": "bedplate.datacenter.netbox",
        "snapshot": ".fleet.json",
        "keyed_groups": [{"key": "bedplate_tenant", "prefix": "team"}],
        "compose": {"where": "bedplate_site | upper"},
    }
    (folder / "10-netbox.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (folder / "20-more.yml").write_text("extra:\n  hosts:\n    jump1:\n", encoding="utf-8")
    (folder / "group_vars" / "class_colo" / "main.yml").write_text(
        "greeting: \"{{ lookup('ansible.builtin.env', 'HOME') }}\"\n"
        "secret: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n",
        encoding="utf-8",
    )
    (folder / "host_vars" / "fra1-colo-01.yml").write_text("greeting: own\n", encoding="utf-8")
    (folder / ".vault-password").write_text("never copied")
    return folder


class TestAnswers:
    @pytest.mark.parametrize(
        ("limit", "hosts"),
        [
            ("site_fra1:&class_colo:!role_observer", ["fra1-colo-01", "fra1-colo-02"]),
            ("region_amer", ["ash1-cloud-01", "ash1-cloud-02"]),
            ("~.*-cloud-0[12]$", ["ash1-cloud-01", "ash1-cloud-02"]),
            ("*metal*,fra1-obs-01", ["ams1-metal-01", "fra1-obs-01"]),
        ],
    )
    def test_a_limit_means_what_ansible_means(self, settings: Settings, limit: str, hosts: list[str]) -> None:
        assert sorted(adapter(settings, LAB).resolve(limit)) == hosts

    def test_answers_are_kept_until_a_file_changes(self, settings: Settings, mixed: Path, monkeypatch: Any) -> None:
        assert len(adapter(settings, mixed).resolve()) == 7
        cached = InventoryCache(settings.home)
        assert cached.folder.stat().st_mode & 0o777 == 0o700
        assert {file.stat().st_mode & 0o777 for file in cached.folder.iterdir()} == {0o600}
        names = cached.names(mixed)
        assert names is not None
        assert "team_web" in names.groups
        with monkeypatch.context() as no_ansible:
            no_ansible.setenv("PATH", "")
            no_ansible.setattr("sys.executable", "/nonexistent/python")
            assert len(adapter(settings, mixed).resolve()) == 7
        (mixed / "20-more.yml").write_text("extra:\n  hosts:\n    jump1:\n    jump2:\n", encoding="utf-8")
        assert len(adapter(settings, mixed).resolve()) == 8

    def test_a_change_of_the_snapshot_counts_too(self, settings: Settings, mixed: Path) -> None:
        assert "fra1-obs-01" in adapter(settings, mixed).names.hosts
        document = json.loads((mixed / ".fleet.json").read_text())
        del document["hosts"]["fra1-obs-01"]
        (mixed / ".fleet.json").write_text(json.dumps(document))
        assert "fra1-obs-01" not in adapter(settings, mixed).names.hosts

    def test_variables_have_ansibles_precedence_and_keep_templates_and_vaults(
        self, settings: Settings, mixed: Path
    ) -> None:
        asked = adapter(settings, mixed)
        assert asked.host("fra1-colo-01")["greeting"] == "own"
        other = asked.host("fra1-colo-02")
        assert other["greeting"].startswith("{{ lookup(")
        assert "ANSIBLE_VAULT" in json.dumps(other["secret"])
        assert other["where"] == "FRA1"
        assert asked.names.groups_of("fra1-colo-01") >= ["class_colo"]

    def test_connections_are_rendered_by_ansible(self, settings: Settings) -> None:
        one = adapter(settings, LAB).connections(["fra1-colo-01"])["fra1-colo-01"]
        assert (one.address, one.port, one.user) == ("10.213.77.11", 22, "ansible")
        assert f'UserKnownHostsFile="{settings.home}/lab/known_hosts"' in one.ssh_arguments

    def test_netbox_values_that_look_like_templates_stay_text(self, settings: Settings, mixed: Path) -> None:
        document = json.loads((mixed / ".fleet.json").read_text())
        document["hosts"]["fra1-colo-01"]["tenant"] = "{{ lookup('pipe', 'touch pwned') }}"
        document["hosts"]["fra1-colo-01"]["config_context"] = {"motd": "{{ 6 * 7 }}"}
        (mixed / ".fleet.json").write_text(json.dumps(document))
        (mixed / "10-netbox.yml").write_text("plugin: bedplate.datacenter.netbox\nsnapshot: .fleet.json\n")
        host = adapter(settings, mixed).host("fra1-colo-01")
        assert (host["motd"], host["bedplate_tenant"]) == ("{{ 6 * 7 }}", "{{ lookup('pipe', 'touch pwned') }}")
        assert not list(mixed.parent.rglob("pwned"))

    def test_a_script_is_asked_each_time(self, settings: Settings, tmp_path: Path) -> None:
        script = tmp_path / "inv" / "hosts.sh"
        script.parent.mkdir()
        script.write_text('#!/bin/sh\necho asked >> "$(dirname "$0")/../asked"\necho \'{"web": ["a"]}\'\n')
        script.chmod(0o755)
        assert adapter(settings, script.parent).resolve("web") == ["a"]
        first = (tmp_path / "asked").read_text()
        assert adapter(settings, script.parent).resolve("web") == ["a"]
        assert (tmp_path / "asked").read_text() > first


class TestFaults:
    @pytest.mark.parametrize(
        ("limit", "near"),
        [
            ("fra1-colo-1", "fra1-colo-01"),
            ("site_fra1:&class_coloo", "class_colo"),
            ("all:!role_observr", "role_observer"),
        ],
    )
    def test_a_limit_with_an_unknown_part_says_what_was_near(self, settings: Settings, limit: str, near: str) -> None:
        with pytest.raises(NotFoundError) as caught:
            adapter(settings, LAB).resolve(limit)
        assert near in str(caught.value)

    @pytest.mark.parametrize("limit", ["-x", "--version"])
    def test_a_limit_is_no_option(self, settings: Settings, limit: str) -> None:
        with pytest.raises(NotFoundError, match=f"no host or group matches '{limit}'"):
            adapter(settings, LAB).resolve(limit)

    def test_a_limit_whose_parts_do_not_meet(self, settings: Settings) -> None:
        with pytest.raises(NotFoundError, match="matches no host"):
            adapter(settings, LAB).resolve("site_ams1:&class_cloud")

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "empty|JSON"),
            (b'{"schema": 1, "hosts": {"a"', "JSON"),
            (b'{"schema": 99, "taken_at": "2026-11-20T06:00:00Z", "hosts": {}}', "schema 99"),
            (b"[]", "no snapshot"),
        ],
    )
    def test_a_bad_snapshot_is_the_plugins_one_sentence(
        self, settings: Settings, mixed: Path, content: bytes, said: str
    ) -> None:
        (mixed / ".fleet.json").write_bytes(content)
        with pytest.raises(InventoryError, match=said) as caught:
            adapter(settings, mixed).resolve()
        assert "\n" not in str(caught.value)
        assert "plugin" not in caught.value.message

    @pytest.mark.parametrize("content", ["all: [broken\n", "[web\nx", "plugin: bedplate.datacenter.nosuch\n"])
    def test_one_bad_source_fails_all(self, settings: Settings, mixed: Path, content: str) -> None:
        (mixed / "30-bad.yml").write_text(content)
        with pytest.raises(InventoryError, match="30-bad"):
            adapter(settings, mixed).resolve()

    def test_no_hosts_is_no_inventory(self, settings: Settings, tmp_path: Path) -> None:
        (tmp_path / "empty.yml").write_text("all:\n  hosts: {}\n")
        with pytest.raises(InventoryError, match="no host"):
            adapter(settings, tmp_path / "empty.yml").resolve()

    def test_no_such_path(self, settings: Settings, tmp_path: Path) -> None:
        with pytest.raises(InventoryError, match="there is no inventory here"):
            adapter(settings, tmp_path / "nosuch")

    def test_odd_files_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "inv").mkdir()
        (tmp_path / "inv" / "loop").symlink_to(tmp_path / "inv")
        with pytest.raises(InventoryError, match="links back"):
            _ = InventorySource(tmp_path / "inv").files
        (tmp_path / "inv" / "loop").unlink()
        (tmp_path / "inv" / "gone").symlink_to(tmp_path / "nowhere")
        with pytest.raises(InventoryError, match="link to nothing"):
            _ = InventorySource(tmp_path / "inv").files
        (tmp_path / "inv" / "gone").unlink()
        os.mkfifo(tmp_path / "inv" / "pipe")
        with pytest.raises(InventoryError, match="neither a file nor a folder"):
            _ = InventorySource(tmp_path / "inv").files

    def test_refresh_of_a_file_is_wrong_usage(self, settings: Settings) -> None:
        with pytest.raises(UsageError, match="nothing to ask"):
            adapter(settings, LAB).refresh()

    def test_vaulted_files_leave_no_plain_text_behind(self, settings: Settings, mixed: Path, tmp_path: Path) -> None:
        from ansible.parsing.vault import VaultLib, VaultSecret  # noqa: PLC0415 (slow)

        password = tmp_path / "password"
        password.write_text("open sesame")
        vault = VaultLib([("default", VaultSecret(b"open sesame"))])
        (mixed / "group_vars" / "all.yml").write_bytes(vault.encrypt("db_password: canary-4711\n"))
        execution = Settings.__dataclass_fields__["execution"].default_factory
        settings = Settings(home=settings.home, execution=type(execution())(vault_password_file=str(password)))
        assert adapter(settings, mixed).host("fra1-colo-01")["db_password"] == "canary-4711"
        kept = [file for file in settings.home.rglob("*") if file.is_file() and b"canary-4711" in file.read_bytes()]
        assert not kept


class TestFreeze:
    def test_a_frozen_inventory_says_the_same_for_its_hosts(
        self, settings: Settings, mixed: Path, tmp_path: Path
    ) -> None:
        original = adapter(settings, mixed)
        hosts = original.resolve("class_colo")
        frozen = adapter(settings, freeze(original, hosts, "hosts", tmp_path / "run" / "inventory"))
        assert sorted(frozen.resolve("class_colo")) == sorted(hosts)
        assert sorted(frozen.names.hosts) == sorted([*hosts, "jump1"])
        for host in hosts:
            assert frozen.host(host) == original.host(host)
            assert frozen.names.groups_of(host) == original.names.groups_of(host)

    def test_it_does_not_change_with_the_original(self, settings: Settings, mixed: Path, tmp_path: Path) -> None:
        original = adapter(settings, mixed)
        path = freeze(original, original.resolve("class_colo"), "hosts", tmp_path / "frozen")
        for file in [*mixed.rglob("*.yml"), mixed / ".fleet.json"]:
            file.unlink()
        assert "fra1-colo-01" in adapter(settings, path).resolve("class_colo")

    def test_everything_in_it_is_private_and_nothing_hidden_is_copied(
        self, settings: Settings, mixed: Path, tmp_path: Path
    ) -> None:
        original = adapter(settings, mixed)
        target = freeze(original, original.resolve(), "hosts", tmp_path / "frozen")
        modes = {entry.stat().st_mode & 0o777 for entry in target.rglob("*") if entry.is_file()}
        folders = {entry.stat().st_mode & 0o777 for entry in [target, *target.rglob("*")] if entry.is_dir()}
        assert (modes, folders) == ({0o600}, {0o700})
        hidden = [entry.name for entry in target.rglob(".*")]
        assert hidden == [".10-netbox.snapshot.json"]
        copied = target / "group_vars" / "class_colo" / "main.yml"
        assert copied.read_bytes() == (mixed / "group_vars" / "class_colo" / "main.yml").read_bytes()

    def test_fleet_context_keeps_the_observers(self, settings: Settings, tmp_path: Path) -> None:
        original = adapter(settings, LAB)
        path = freeze(original, ["fra1-colo-01"], "fleet", tmp_path / "frozen")
        frozen = adapter(settings, path)
        observers = original.resolve("role_observer")
        assert sorted(frozen.names.hosts) == sorted([*observers, "fra1-colo-01"])
        assert sorted(frozen.resolve("context_only")) == sorted(observers)

    @pytest.mark.parametrize("one_file", [False, True], ids=["folder", "file"])
    def test_the_whole_fleet_lies_beside_the_runs_hosts(
        self, settings: Settings, mixed: Path, tmp_path: Path, *, one_file: bool
    ) -> None:
        template = "{{ inventory_hostname }} in {{ bedplate_site | default(none) }}"
        (mixed / "group_vars" / "all.yml").write_text(f"shown: '{template}'\n")
        inventory = mixed / "10-netbox.yml" if one_file else mixed
        original = adapter(settings, inventory)
        frozen = freeze(original, ["fra1-colo-01"], "fleet", tmp_path / "frozen")
        assert len(adapter(settings, frozen).names.hosts) < len(original.names.hosts)
        fleet = seen_fleet(frozen, original)
        assert fleet == seen_fleet(inventory, original)
        assert sorted(fleet) == sorted(original.names.hosts)
        assert fleet["ams1-metal-01"]["shown"] == "ams1-metal-01 in ams1"

    def test_the_whole_fleet_is_read_once_a_run(self, settings: Settings, mixed: Path, tmp_path: Path) -> None:
        (mixed / "group_vars" / "class_colo" / "main.yml").unlink()
        (mixed / "group_vars" / "all.yml").write_text("shown: '{{ inventory_hostname }}'\n")
        original = adapter(settings, mixed)
        frozen = freeze(original, ["fra1-colo-01"], "fleet", tmp_path / "frozen")
        fleet = seen_fleet(frozen, original)
        (kept,) = (frozen / ".fleet").glob(".answer-*.json")
        assert (json.loads(kept.read_bytes()), kept.stat().st_mode & 0o777) == (fleet, 0o600)
        kept.write_text(json.dumps({"only": {"shown": "{{ 1 + 1 }}"}}))
        assert seen_fleet(frozen, original) == {"only": {"shown": "{{ 1 + 1 }}"}}
        kept.write_text("{")
        assert seen_fleet(frozen, original) == fleet

    @pytest.mark.parametrize("secret", ["!vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162", "\"{{ query('env', 'X') }}\""])
    def test_what_may_be_secret_is_not_written_down(
        self, settings: Settings, mixed: Path, tmp_path: Path, secret: str
    ) -> None:
        (mixed / "group_vars" / "class_colo" / "main.yml").write_text(f"other: {secret}\n")
        original = adapter(settings, mixed)
        frozen = freeze(original, ["fra1-colo-01"], "fleet", tmp_path / "frozen")
        assert seen_fleet(frozen, original)
        assert not list((frozen / ".fleet").glob(".answer-*"))

    def test_a_run_over_all_hosts_needs_nothing_beside(self, settings: Settings, tmp_path: Path) -> None:
        original = adapter(settings, LAB)
        assert not (freeze(original, original.resolve(), "fleet", tmp_path / "frozen") / ".fleet").exists()

    def test_live_settings_and_tokens_do_not_come_along(self, settings: Settings, mixed: Path, tmp_path: Path) -> None:
        config = {
            "plugin": "bedplate.datacenter.netbox",
            "api_endpoint": "http://127.0.0.1:9",
            "token": "canary-token",
            "snapshot_path": ".fleet.json",
            "cache_ttl": 10**9,
            "statuses": ["active"],
            "ansible_host_from": ["dns_name"],
        }
        (mixed / "10-netbox.yml").write_text(yaml.safe_dump(config) + "compose: {note: !unsafe '{{ x }}'}\n")
        source = InventorySource(mixed)
        assert source.is_live
        (plugin,) = source.ours
        original = adapter(settings, mixed)
        original._graph = "@all:\n"  # NetBox was asked
        target = freeze(original, ["fra1-colo-01"], "hosts", tmp_path / "frozen")
        written = (target / "10-netbox.yml").read_text()
        assert "canary" not in written
        assert "api_endpoint" not in written
        assert "!unsafe '{{ x }}'" in written
        assert plugin.is_live
        assert not InventorySource(target).is_live
        assert "canary" not in "".join(file.read_text() for file in target.rglob("*") if file.is_file())

    def test_a_single_file_with_variables_beside_it(self, settings: Settings, tmp_path: Path) -> None:
        folder = tmp_path / "one"
        (folder / "group_vars").mkdir(parents=True)
        (folder / "group_vars" / "web.yml").write_text("colour: red\n")
        (folder / "hosts.ini").write_text("[web]\na\nb\n")
        (folder / "unrelated.txt").write_text("not part of it")
        original = adapter(settings, folder / "hosts.ini")
        path = freeze(original, ["a"], "hosts", tmp_path / "frozen")
        assert path == tmp_path / "frozen" / "hosts.ini"
        assert adapter(settings, path).host("a")["colour"] == "red"
        assert sorted(entry.name for entry in path.parent.iterdir()) == ["group_vars", "hosts.ini"]

    def test_links_become_their_content(self, settings: Settings, mixed: Path, tmp_path: Path) -> None:
        (tmp_path / "shared.yml").write_text("colour: blue\n")
        (mixed / "group_vars" / "all.yml").symlink_to(tmp_path / "shared.yml")
        original = adapter(settings, mixed)
        target = freeze(original, original.resolve("class_colo"), "hosts", tmp_path / "frozen")
        copied = target / "group_vars" / "all.yml"
        assert not copied.is_symlink()
        assert copied.read_text() == "colour: blue\n"

    def test_only_hosts_of_other_sources(self, settings: Settings, mixed: Path, tmp_path: Path) -> None:
        original = adapter(settings, mixed)
        frozen = adapter(settings, freeze(original, ["jump1"], "hosts", tmp_path / "frozen"))
        assert frozen.resolve() == ["jump1"]

    def test_executable_sources_stay_executable(self, settings: Settings, tmp_path: Path) -> None:
        script = tmp_path / "inv" / "hosts.sh"
        script.parent.mkdir()
        script.write_text('#!/bin/sh\necho \'{"web": ["a"]}\'\n')
        script.chmod(0o755)
        target = freeze(adapter(settings, script.parent), ["a"], "hosts", tmp_path / "frozen")
        assert (target / "hosts.sh").stat().st_mode & 0o777 == 0o700

    def test_a_target_that_cannot_be_written(self, settings: Settings, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(InventoryError, match="cannot be copied"):
            freeze(adapter(settings, LAB), ["fra1-colo-01"], "hosts", tmp_path / "file" / "frozen")


class TestCommands:
    def test_documents_are_as_their_schemas_say(self, capsys: Any, tmp_path: Path, mixed: Path) -> None:
        listed = bedplate(capsys, "-i", mixed, "inventory", "list", "--by", "site", "-o", "json").document(
            "inventory_list"
        )
        assert [host["name"] for host in listed["hosts"]][-1] == "jump1"
        host = bedplate(capsys, "-i", mixed, "inventory", "host", "fra1-colo-01", "-o", "json").document(
            "inventory_host"
        )
        assert (host["record"]["site"], host["variables"]["greeting"]) == ("fra1", "own")
        graph = bedplate(capsys, "inventory", "graph", "region_amer", "-o", "json").document("inventory_graph")
        assert sorted(graph["hosts"]) == ["ash1-cloud-01", "ash1-cloud-02"]
        target = tmp_path / "written.json.gz"
        shown = bedplate(capsys, "inventory", "snapshot", "--write", target, "-o", "json").document(
            "inventory_snapshot"
        )
        assert (shown["hosts"], shown["file"], target.stat().st_mode & 0o777) == (6, str(target), 0o600)
        same = bedplate(capsys, "inventory", "diff", target, "-o", "json").document("inventory_diff")
        assert (same["added"], same["removed"], same["changed"]) == ([], [], [])

    def test_tables_show_every_host(self, capsys: Any) -> None:
        for arguments in (["list"], ["graph"], ["host", "fra1-colo-01"], ["snapshot"], ["check"]):
            said = bedplate(capsys, "inventory", *arguments)
            assert (said.code, said.err) == (0, "")
            assert said.out.strip()
        assert bedplate(capsys, "inventory", "list").out.count("10.213.77.") == 6

    def test_diff_of_two_files(self, capsys: Any, tmp_path: Path) -> None:
        document = json.loads((LAB / ".snapshot.json").read_text())
        document["hosts"].pop("fra1-colo-02")
        document["hosts"]["fra1-colo-01"]["site"] = "ams1"
        (tmp_path / "later.json").write_text(json.dumps(document))
        arguments = ("inventory", "diff", LAB / ".snapshot.json", tmp_path / "later.json")
        found = bedplate(capsys, *arguments, "-o", "json").document("inventory_diff")
        assert (found["removed"], [change["host"] for change in found["changed"]]) == (
            ["fra1-colo-02"],
            ["fra1-colo-01"],
        )
        assert found["changed"][0]["moved"] is True
        text = bedplate(capsys, *arguments).out
        assert "fra1-colo-01 (moved)" in text
        assert "site: fra1 -> ams1" in text

    def test_check_counts_errors(self, capsys: Any, mixed: Path) -> None:
        document = json.loads((mixed / ".fleet.json").read_text())
        document["hosts"]["fra1-colo-01"]["primary_ip4"] = document["hosts"]["fra1-colo-02"]["primary_ip4"]
        (mixed / ".fleet.json").write_text(json.dumps(document))
        said = bedplate(capsys, "-i", mixed, "inventory", "check", "-o", "json")
        assert (said.code, said.document("inventory_check")["errors"]) == (2, 2)

    def test_check_finds_planted_faults_for_their_owners(self, capsys: Any, mixed: Path, tmp_path: Path) -> None:
        document = json.loads((mixed / ".fleet.json").read_text())
        hosts = document["hosts"]
        hosts["fra1-colo-01"] |= {"primary_ip4": None, "dns_name": None, "custom_fields": {"owner": "payments"}}
        hosts["fra1-colo-02"]["config_context"] = {"ansible_user": "root"}
        hosts["ash1-cloud-01"] |= {"class": None, "tenant": "web"}
        (mixed / ".fleet.json").write_text(json.dumps(document))
        prefixes = tmp_path / "prefixes.json"
        addresses = {one["primary_ip4"] for one in hosts.values() if one["primary_ip4"]}
        stray = hosts["ash1-cloud-02"]["primary_ip4"]
        prefixes.write_text(json.dumps([{"prefix": f"{address}/32"} for address in addresses - {stray}]))
        arguments = ["-i", mixed, "inventory", "check", "--prefixes", prefixes]
        said = bedplate(capsys, *arguments, "-o", "json")
        found = said.document("inventory_check")
        assert {(fault["host"], fault["owner"], fault["kind"]) for fault in found["faults"]} >= {
            ("fra1-colo-01", "payments", "no_address"),
            ("fra1-colo-02", hosts["fra1-colo-02"]["tenant"], "context_key"),
            ("ash1-cloud-01", "web", "no_class"),
            ("ash1-cloud-02", hosts["ash1-cloud-02"]["tenant"], "outside_prefix"),
        }
        assert (said.code, found["prefixes"]) == (2, len(addresses) - 1)
        assert sum(row["errors"] for row in found["owners"]) == found["errors"]
        only = bedplate(capsys, *arguments, "--owner", "payments", "-o", "junit")
        (suite,) = ET.fromstring(only.out)  # noqa: S314 (made by us)
        assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("payments", "1", "1")

    def test_every_kind_of_fault_is_found_where_it_was_planted(self, capsys: Any, mixed: Path, tmp_path: Path) -> None:
        hosts = json.loads((mixed / ".fleet.json").read_text())["hosts"]
        planted = plant(mixed, FAULTS)
        (tmp_path / "prefixes.json").write_text(json.dumps([{"prefix": "10.213.77.0/24"}]))
        arguments = ["-i", mixed, "inventory", "check", "--prefixes", tmp_path / "prefixes.json", "-o"]
        assert "prefixes: 1 known" in bedplate(capsys, *arguments, "table").out
        found = bedplate(capsys, *arguments, "json").document("inventory_check")
        told = {(fault["kind"], fault["host"]) for fault in found["faults"]}
        assert told >= {(kind, host) for host, kinds in planted.items() for kind in kinds}
        schema = json.loads((find_content().root / "docs" / "schemas" / "inventory_check.schema.json").read_text())
        kinds = schema["properties"]["faults"]["items"]["properties"]["kind"]["enum"]
        assert {kind for kind, _host in told} == set(kinds)
        suites = ET.fromstring(bedplate(capsys, *arguments, "junit").out)  # noqa: S314 (made by us)
        failed = {case.get("name") for case in suites.iter("testcase") if case.find("failure") is not None}
        assert failed == {fault["host"] for fault in found["faults"] if fault["level"] == "error"}
        drawn = bedplate(capsys, "-i", mixed, "inventory", "graph", "-o", "svg").out
        active = {*hosts, *planted} - {"web 01"}  # which is planned, and so no host
        assert active <= {part.text for part in ET.fromstring(drawn).iter()}  # noqa: S314

    def test_each_planted_change_is_told(self, capsys: Any, mixed: Path, tmp_path: Path) -> None:
        before = tmp_path / "before.json"
        before.write_bytes((mixed / ".fleet.json").read_bytes())
        plant(mixed, {
            "fra1-colo-01": {"class": "cloud"},
            "fra1-colo-02": {"site": "ams1", "rack": "ams1-r09"},
            "ams1-metal-01": {"config_context": {"motd": "new"}, "serial": "S-NEW"},
            "newcomer": {},
            "ash1-cloud-01": None,
        })  # fmt: skip
        found = bedplate(capsys, "-i", mixed, "inventory", "diff", before, "-o", "json").document("inventory_diff")
        assert (found["added"], found["removed"]) == (["newcomer"], ["ash1-cloud-01"])
        changed = {change["host"]: change for change in found["changed"]}
        attributes = {host: {one["attribute"] for one in change["attributes"]} for host, change in changed.items()}
        assert attributes["fra1-colo-01"] == {"class"}
        assert attributes["fra1-colo-02"] >= {"site", "rack"}
        assert {one.split(".")[0] for one in attributes["ams1-metal-01"]} >= {"config_context", "serial"}
        assert {host for host, change in changed.items() if change["moved"]} == {"fra1-colo-01", "fra1-colo-02"}

    def test_a_drawing_has_every_group_and_host(self, capsys: Any, tmp_path: Path) -> None:
        drawing = tmp_path / "fleet.svg"
        bedplate(capsys, "inventory", "graph", "region_emea", "--svg", drawing)
        texts = [part.text for part in ET.parse(drawing).iter() if part.text]  # noqa: S314
        assert {"region_emea", "site_fra1", "fra1-colo-01"} <= set(texts)
        assert bedplate(capsys, "inventory", "graph", "region_emea", "-o", "svg").out == drawing.read_text()

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (["inventory", "graph", "nosuch", "-o", "svg"], 2),
            (["inventory", "diff", "--live"], 2),
            (["inventory", "check", "--prefixes", "/etc/hostname"], 2),
            (["inventory", "list", "--limit", "nosuch"], 2),
            (["inventory", "host", "nosuch"], 2),
            (["inventory", "graph", "nosuch"], 2),
            (["inventory", "refresh"], 2),
            (["inventory", "diff"], 2),
            (["-i", "/nonexistent", "inventory", "list"], 7),
            (["inventory", "diff", "/etc/hostname"], 7),
        ],
    )
    def test_exit_codes(self, capsys: Any, arguments: list[str], code: int) -> None:
        said = bedplate(capsys, *arguments)
        assert (said.code, said.out) == (code, "")
        assert said.err.startswith("bedplate: ")


class TestMigration:
    def test_a_file_of_nb_inventory_becomes_one_of_ours(self, capsys: Any, tmp_path: Path) -> None:
        given, made = tmp_path / "nb.yml", tmp_path / "netbox.yml"
        given.write_text(
            "plugin: netbox.netbox.nb_inventory\n"
            "api_endpoint: https://netbox.example.com\n"
            "token: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n"
            "group_by: [sites, rack_role]\n"
        )
        said = bedplate(capsys, "inventory", "migrate", given, "--write", made, "-o", "json")
        document = said.document("inventory_migrate")
        assert [note["option"] for note in document["notes"] if note["fate"] == "lost"] == ["group_by: rack_role"]
        assert made.read_text() == document["inventory"]
        assert "token: !vault" in document["inventory"]
        shown = bedplate(capsys, "inventory", "migrate", given)
        assert shown.out == document["inventory"]
        assert "rack_role" in shown.err
        kept = bedplate(capsys, "inventory", "migrate", given, "--compat")
        assert "compat: nb_inventory" in kept.out
        assert "everything has an equivalent" in kept.err

    def test_commands_say_that_a_compatible_file_is_not_for_them(self, capsys: Any, tmp_path: Path) -> None:
        file = tmp_path / "netbox.yml"
        file.write_text("plugin: bedplate.datacenter.netbox\napi_endpoint: http://127.0.0.1:9\ncompat: nb_inventory\n")
        said = bedplate(capsys, "-i", file, "inventory", "list")
        assert (said.code, said.out) == (7, "")
        assert "only ansible's own commands work" in said.err

    @pytest.mark.parametrize("content", ["plugin: amazon.aws.aws_ec2\n", "- a\n", "a: [\n"])
    def test_other_files(self, capsys: Any, tmp_path: Path, content: str) -> None:
        (tmp_path / "nb.yml").write_text(content)
        said = bedplate(capsys, "inventory", "migrate", tmp_path / "nb.yml")
        assert (said.code, said.out) == (2, "")
