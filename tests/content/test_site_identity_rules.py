"""What a host is told about itself: names are checked, and data stays on its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.role_content import load_plugin
from content.test_modules import start

RULES = load_plugin("plugins/filter/site_identity.py")
MODULE = load_plugin("plugins/modules/host_name.py")
SETTINGS = {"name": "web1", "hostname": "web1", "fqdn": "web1.example.com", "owner": "", "extra": {}}
SETTINGS |= {"remote_hands": "", "console": ""}


@given(st.text())
def test_any_text_becomes_one_line_that_steers_nothing(text: str) -> None:
    line = RULES.one_line(text)
    assert line.isprintable()
    assert len(line.splitlines()) <= 1
    assert len(line) <= 200


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, ""), ("  a\tb\r\nc ", "a b c"), ("\x1b[31mred\x9b0m", "[31mred 0m"), ("a\u202eb", "a b"), ("Köln", "Köln")],
)
def test_lines(value: object, shown: str) -> None:
    assert RULES.one_line(value) == shown


@pytest.mark.parametrize(
    ("hosts", "names", "says"),
    [
        ([], {}, ""),
        ([{"address": "2001:db8::1", "names": ["Mirror.example.com", "mirror"]}], {}, ""),
        ([], {"hostname": ""}, ""),
        ([], {"hostname": "web1.example.com"}, "no domain"),
        ([], {"hostname": "Web1"}, "site_identity_hostname"),
        ([], {"hostname": "web1\n"}, "site_identity_hostname"),
        ([], {"hostname": "-a"}, "site_identity_hostname"),
        ([], {"hostname": "a" * 64}, "at most 63"),
        ([], {"hostname": "localhost"}, "every host"),
        ([], {"domain": "a b"}, "site_identity_domain"),
        ([], {"domain": ".com"}, "site_identity_domain"),
        ([], {"address": "eth0"}, "site_identity_address"),
        ([{"address": "fe80::1%eth0\n", "names": ["a"]}], {}, "no IPv4 or IPv6"),
        ([{"address": "10.0.0.1", "names": []}], {}, "has no names"),
        ([{"address": "10.0.0.1", "names": ["a", "b c"]}], {}, "'b c'"),
        ([{"address": "10.0.0.1", "names": ["Localhost"]}], {}, "localhost cannot be"),
    ],
)
def test_names_and_addresses(hosts: list[dict[str, Any]], names: dict[str, str], says: str) -> None:
    given_names = {"hostname": "web1", "domain": "example.com", "address": "127.0.1.1", **names}
    faults = RULES.identity_faults(hosts, **given_names)
    assert (len(faults) == 1 and says in faults[0]) if says else faults == []


def test_the_record_has_the_same_keys_whatever_is_known() -> None:
    full = RULES.identity_document({"bedplate_site": "fra1", "bedplate_tags": ["b", "a"], "other": 1}, SETTINGS)
    bare = RULES.identity_document({}, SETTINGS)
    assert full.keys() == bare.keys()
    assert full["site"] == "fra1"
    assert full["tags"] == ["a", "b"]
    assert bare["site"] is None
    assert bare["owner"] is None
    assert json.loads(json.dumps(full)) == full


def test_every_key_of_the_record_is_documented() -> None:
    notes = (Path(__file__).parents[2] / "roles" / "site_identity" / "NOTES.md").read_text(encoding="utf-8")
    assert [key for key in RULES.identity_document({}, SETTINGS) if f"`{key}`" not in notes] == []


def test_what_is_not_known_is_not_shown() -> None:
    assert RULES.identity_lines(RULES.identity_document({}, SETTINGS)) == [["Host", "web1.example.com"]]


@pytest.mark.parametrize(
    ("known", "place"),
    [
        ({"site": "fra1", "rack": "r1", "position": 11.0}, "fra1, rack r1, unit 11"),
        ({"site": "fra1", "rack": "r1", "position": 11.5}, "fra1, rack r1, unit 11.5"),
        ({"site": "ash1", "cluster": "c1"}, "ash1, cluster c1"),
    ],
)
def test_place(known: dict[str, Any], place: str) -> None:
    document = RULES.identity_document({f"bedplate_{key}": value for key, value in known.items()}, SETTINGS)
    assert ["Place", place] in RULES.identity_lines(document)


@given(st.text(), st.text(alphabet="abc \n", min_size=1))
def test_the_block_replaces_itself_and_nothing_else(rest: str, block: str) -> None:
    once = MODULE.with_block(rest, "other")
    assert MODULE.with_block(once, block) == MODULE.with_block(rest, block)
    assert MODULE.with_block(rest, block).endswith(rest)


def test_a_mark_that_lost_its_partner_is_dropped() -> None:
    for mark in (MODULE._BEGIN, MODULE._END):
        assert MODULE.with_block(f"a\n{mark}b\n", "x") == f"{MODULE._BEGIN}x\n{MODULE._END}a\nb\n"


def test_files_are_named_and_other_lines_are_kept(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    hosts = tmp_path / "etc" / "hosts"
    hosts.write_bytes(b"127.0.0.1 localhost\n10.0.0.1 \xe4\n")
    wanted = {"root": str(tmp_path), "name": "web1", "hosts": "127.0.1.1 web1\n"}
    assert start("host_name", **wanted, _ansible_check_mode=True)["changed"] is True
    assert hosts.read_bytes() == b"127.0.0.1 localhost\n10.0.0.1 \xe4\n"
    assert len(start("host_name", **wanted)["written"]) == 2
    assert start("host_name", **wanted)["changed"] is False
    assert hosts.read_bytes().endswith(b"127.0.1.1 web1\n# END bedplate\n127.0.0.1 localhost\n10.0.0.1 \xe4\n")
    assert (tmp_path / "etc" / "hostname").read_text(encoding="utf-8") == "web1\n"
    assert hosts.stat().st_mode & 0o777 == 0o644
    assert start("host_name", **{**wanted, "name": ""})["changed"] is False


def test_a_file_that_is_written_over_gets_shorter_too(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text("a long text\n", encoding="utf-8")
    MODULE.overwrite(str(file), "short\n")
    assert file.read_text(encoding="utf-8") == "short\n"
