"""Which settings of hardening and auditing are in force, and what the numbers beside them are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.role_content import ROOT, load_plugin, read_yaml

FILTERS = load_plugin("plugins/filter/hardening.py")
CONTROLS = st.sampled_from(["3.3.1", "3.3.10", "3.3", "5.1", "KRNL-6000"])
SETTINGS = st.lists(
    st.fixed_dictionaries({"control": CONTROLS, "name": st.sampled_from("abc"), "value": st.integers()})
)


@pytest.mark.parametrize(
    ("control", "off", "expected"),
    [
        ("3.3.1", ["3.3.1"], True),
        ("3.3.10", ["3.3.1"], False),
        ("3.3.10", ["3.3"], True),
        ("3.3.10", ["3"], True),
        ("KRNL-6000", ["3", "KRNL-6000"], True),
        ("KRNL-6000", ["KRNL"], False),
        ("", [], False),
    ],
)
def test_a_section_switches_off_what_is_in_it(control: str, off: list[str], expected: bool) -> None:
    assert FILTERS.switched_off(control, off) is expected


@given(SETTINGS, st.lists(CONTROLS))
def test_of_two_settings_for_one_thing_the_later_counts(settings: list[dict[str, object]], off: list[str]) -> None:
    found = FILTERS.in_force(settings, off, "name")
    on = [setting for setting in settings if not FILTERS.switched_off(setting["control"], off)]
    assert {setting["name"]: setting for setting in on} == {setting["name"]: setting for setting in found}
    assert len({setting["name"] for setting in found}) == len(found)


def test_an_entry_without_a_control_has_no_switch() -> None:
    own = {"name": "net.ipv4.ip_forward", "value": 1}
    assert FILTERS.in_force([{"control": "3.3.1", "name": "net.ipv4.ip_forward", "value": 0}, own], ["3"], "name") == [
        own
    ]


def test_rules_of_the_same_calls_are_one() -> None:
    rules = [
        {"key": "a", "calls": ["open"]},
        {"key": "a", "calls": ["open"], "users": True},
        {"key": "a", "calls": ["x"]},
    ]
    assert FILTERS.in_force(rules, [], "key", "calls") == rules[1:]


def test_a_mistyped_control_is_found() -> None:
    settings = [{"control": "3.3.10"}, {"control": "KRNL-6000"}, {"name": "own"}]
    assert FILTERS.unknown_controls(["3.3", "3.3.1", "KRNL-600"], settings) == ["3.3.1", "KRNL-600"]


def test_modules_are_in_use_by_others_or_by_themselves() -> None:
    text = (
        "usb_storage 81920 0 - Live 0x0\nudf 1 2 - Live 0x0\nlibcrc32c 1 0 sctp, Live 0x0\nsctp 1 0 - Unloading 0x0\n"
    )
    assert FILTERS.loaded_modules(text) == {"usb_storage": False, "udf": True, "libcrc32c": True, "sctp": False}


@pytest.mark.parametrize("role", ["hardening", "auditing"])
def test_every_setting_has_a_number_or_a_name(role: str) -> None:
    defaults = read_yaml(ROOT / "roles" / role / "defaults" / "main.yml")
    lists = {name: value for name, value in defaults.items() if name.endswith("_default") and isinstance(value, list)}
    entries = [entry for value in lists.values() for entry in value if isinstance(entry, dict)]
    assert entries
    number = re.compile(r"[1-7](\.\d+){2,4}|[A-Z]{3,4}-\d{4}|bedplate\.[a-z]+")
    assert [entry for entry in entries if not number.fullmatch(entry["control"])] == []


@pytest.mark.parametrize("role", ["hardening", "auditing"])
def test_readme_shows_every_number(role: str) -> None:
    defaults = (ROOT / "roles" / role / "defaults" / "main.yml").read_text(encoding="utf-8")
    readme = Path(ROOT / "roles" / role / "README.md").read_text(encoding="utf-8")
    assert (
        set(re.findall(r'control: "?([0-9A-Za-z.-]+)', defaults)) - set(re.findall(r"\| ([0-9A-Za-z.-]+) \|", readme))
        == set()
    )
