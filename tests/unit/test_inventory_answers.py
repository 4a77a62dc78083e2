"""What ansible's answers mean, what completion makes of them, and known_hosts files."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedplate.commands.completing import complete_group, complete_host, complete_limit
from bedplate.errors import InventoryError, UsageError
from bedplate.execution.inventory_answers import parse_graph, parse_hosts, unmarked
from bedplate.execution.inventory_cache import (
    GroupNames,
    InventoryCache,
    InventoryNames,
    names_document,
    names_from_document,
)
from bedplate.execution.inventory_enrolment import HostKeys, KeyState
from bedplate.execution.inventory_known_hosts import HostKey, KnownHosts
from bedplate.execution.inventory_process import PatternError, _failure, _messages
from bedplate.execution.inventory_reach import KeyTrust, trust
from bedplate.execution.inventory_ssh import SshPlan

GRAPH = """\
@all:
  |--@ungrouped:
  |--@region_emea:
  |  |--@site_fra1:
  |  |  |--a1
  |  |  |--a2
  |--@class_colo:
  |  |--a1
"""
NAMES = parse_graph(GRAPH)
ED25519 = HostKey("ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIDI1NTE5")
OTHER = HostKey("ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIG90aGVy")
RSA = HostKey("ssh-rsa", "AAAAB3NzaC1yc2E=")


class TestGraph:
    def test_hosts_and_groups(self) -> None:
        assert NAMES.hosts == ("a1", "a2")
        assert NAMES.groups["region_emea"] == GroupNames((), ("site_fra1",))
        assert NAMES.groups["site_fra1"] == GroupNames(("a1", "a2"), ())
        assert NAMES.groups["all"].children == ("ungrouped", "region_emea", "class_colo")

    def test_groups_of_a_host_go_up(self) -> None:
        assert NAMES.groups_of("a1") == ["class_colo", "region_emea", "site_fra1"]
        assert NAMES.groups_of("a2") == ["region_emea", "site_fra1"]

    def test_below_a_group(self) -> None:
        below = NAMES.below("region_emea")
        assert below.hosts == ("a1", "a2")
        assert sorted(below.groups) == ["region_emea", "site_fra1"]

    def test_kept_and_read_again(self) -> None:
        assert names_from_document(names_document(NAMES)) == NAMES
        assert names_from_document({"schema": 2}) is None
        assert names_from_document([]) is None

    def test_hosts_in_ansibles_order(self) -> None:
        assert parse_hosts("  hosts (2):\n    b\n    a\n") == ["b", "a"]
        assert parse_hosts("  hosts (0):\n") == []

    def test_marks_are_taken_off(self) -> None:
        assert unmarked({"a": [{"__ansible_unsafe": "{{ x }}"}], "b": {"__ansible_vault": "c"}}) == {
            "a": ["{{ x }}"],
            "b": {"__ansible_vault": "c"},
        }


class TestMessages:
    STDERR = (
        "[WARNING]: Failed to parse inventory with 'ansible_collections.bedplate.datacenter.plugins.inventory.netbox'"
        " plugin: https://netbox: it is down (start it)\n\nFailed to parse\n\n<<< caused by >>>\n\nx\nOrigin: y\n\n"
        "[WARNING]: Failed to parse inventory with 'ansible_collections.ansible.builtin.plugins.inventory.yaml' plugin:"
        " Plugin configuration YAML file, not YAML inventory\n\n"
        "[ERROR]: Completely failed to parse inventory source /etc/inv/netbox.yml\n"
    )

    def _error(self, stderr: str) -> InventoryError:
        import subprocess  # noqa: PLC0415

        return _failure(_messages(stderr), subprocess.CompletedProcess([], 1, "", stderr))

    def test_our_plugins_sentence_wins(self) -> None:
        error = self._error(self.STDERR)
        assert (error.where, error.message) == ("/etc/inv/netbox.yml", "https://netbox: it is down (start it)")

    def test_no_message_at_all(self) -> None:
        assert self._error("Traceback\nKeyError: x\n").message == "KeyError: x"
        assert self._error("").message == "ansible ended with code 1"

    def test_an_unmatched_part_is_told_from_a_broken_inventory(self) -> None:
        error = self._error(
            "[WARNING]: Could not match supplied host pattern, ignoring: x\n[ERROR]: Specified inventory, host pattern"
            " and/or --limit leaves us with no hosts to target.\n"
        )
        assert isinstance(error, PatternError)
        assert error.parts == ("x",)


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> click.Context:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    InventoryCache(tmp_path / "home").put_names(tmp_path / "inv", names_document(NAMES))
    root = click.Context(click.Group("bedplate"))
    root.params["inventory"] = str(tmp_path / "inv")
    return click.Context(click.Command("run"), parent=root)


class TestCompletion:
    @pytest.mark.parametrize(
        ("typed", "offered"),
        [
            ("", ["all", "class_colo", "region_emea", "site_fra1", "ungrouped", "a1", "a2"]),
            ("site_fra1:&cl", ["site_fra1:&class_colo"]),
            ("site_fra1,!a", ["site_fra1,!all", "site_fra1,!a1", "site_fra1,!a2"]),
            ("!re", ["!region_emea"]),
            ("nothing", []),
        ],
    )
    def test_the_last_part_of_a_limit(self, context: click.Context, typed: str, offered: list[str]) -> None:
        assert [item.value for item in complete_limit(context, click.Option(["--limit"]), typed)] == offered

    def test_hosts_and_groups(self, context: click.Context) -> None:
        assert [item.value for item in complete_host(context, click.Argument(["x"]), "a")] == ["a1", "a2"]
        assert [item.value for item in complete_group(context, click.Argument(["x"]), "s")] == ["site_fra1"]

    def test_nothing_kept_is_silent(self, context: click.Context, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BEDPLATE_HOME", "/nonexistent")
        assert complete_limit(context, click.Option(["--limit"]), "") == []

    def test_bad_settings_are_silent(self, context: click.Context, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BEDPLATE_EXECUTION_FORKS", "many")
        assert complete_limit(context, click.Option(["--limit"]), "") == []


class TestCache:
    def test_a_damaged_answer_is_no_answer(self, tmp_path: Path) -> None:
        cache = InventoryCache(tmp_path)
        cache.put("x.json", [1])
        assert cache.get("x.json") == [1]
        (cache.folder / "x.json").write_text("[1")
        assert cache.get("x.json") is None

    def test_the_oldest_go_first(self, tmp_path: Path) -> None:
        cache = InventoryCache(tmp_path)
        for number in range(70):
            cache.put(f"{number}.json", number)
        assert len(list(cache.folder.iterdir())) == 60
        assert cache.get("69.json") == 69

    def test_a_folder_that_cannot_be_made_is_no_fault(self, tmp_path: Path) -> None:
        (tmp_path / "cache").write_text("a file")
        InventoryCache(tmp_path).put("x.json", 1)
        assert InventoryCache(tmp_path).get("x.json") is None


class TestKnownHosts:
    @settings(deadline=None, max_examples=30)
    @given(st.lists(st.sampled_from(["# note", "", "b ssh-rsa AAAA", "@cert-authority *.x ssh-rsa AAAA", "broken"])))
    def test_other_lines_are_never_lost(self, tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
        file = tmp_path_factory.mktemp("known") / "hosts"
        file.write_text("".join(f"{line}\n" for line in lines))
        known = KnownHosts(file)
        known.add("a", [ED25519])
        known.forget("a")
        known.add("a", [OTHER, OTHER])
        known.save()
        assert file.read_text().splitlines() == [*lines, f"a {OTHER.type} {OTHER.content}"]
        assert KnownHosts(file).keys("A") == [OTHER]

    def test_a_link_stays_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "real").write_text("")
        (tmp_path / "link").symlink_to(tmp_path / "real")
        known = KnownHosts(tmp_path / "link")
        known.add("a", [RSA])
        known.save()
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "real").read_text() == f"a {RSA.type} {RSA.content}\n"

    def test_a_file_that_cannot_be_read(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="cannot be read"):
            KnownHosts(tmp_path)

    @pytest.mark.parametrize(
        ("lines", "shown", "expected"),
        [
            ("", [ED25519], KeyTrust.UNKNOWN),
            (f"a ssh-ed25519 {ED25519.content}", [ED25519], KeyTrust.MATCH),
            (f"a ssh-ed25519 {OTHER.content}", [ED25519], KeyTrust.CHANGED),
            (f"a ssh-ed25519 {OTHER.content}", [RSA], KeyTrust.CHANGED),
            (f"a ssh-rsa {RSA.content}\na ssh-ed25519 {OTHER.content}", [RSA, ED25519], KeyTrust.CHANGED),
            (f"a ssh-rsa {RSA.content}", [RSA, ED25519], KeyTrust.MATCH),
            (f"b ssh-ed25519 {ED25519.content}", [ED25519], KeyTrust.UNKNOWN),
            (f"@revoked a ssh-ed25519 {ED25519.content}", [ED25519], KeyTrust.REVOKED),
            (f"a ssh-ed25519 {ED25519.content}", [], KeyTrust.NOT_SEEN),
        ],
    )
    def test_trust(self, tmp_path: Path, lines: str, shown: list[HostKey], expected: KeyTrust) -> None:
        (tmp_path / "hosts").write_text(lines + "\n")
        plan = SshPlan("a", "a", 22, "a", ())
        assert trust(plan, shown, [KnownHosts(tmp_path / "hosts")]) is expected

    def test_states_of_keys(self) -> None:
        host = HostKeys("a", "a", known=(OTHER, RSA), shown=(ED25519, RSA))
        assert host.rows() == [
            (OTHER, KeyState.REPLACED),
            (RSA, KeyState.KNOWN),
            (ED25519, KeyState.CHANGED),
        ]
        assert host.new == ()
        assert HostKeys("a", "a", known=(RSA,), shown=(ED25519, RSA)).new == (ED25519,)
        revoked = HostKeys("a", "a", shown=(ED25519,), revoked=(ED25519,))
        assert revoked.rows() == [(ED25519, KeyState.REVOKED)]
        assert revoked.conflicts == (ED25519,)


def test_names_of_nothing() -> None:
    assert InventoryNames().below("all") == InventoryNames()
