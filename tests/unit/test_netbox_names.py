"""Names of groups, hosts, variables and addresses."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netbox_modules import names

TEMPLATE = "{{ lookup('pipe', 'id') }}"


@given(kind=st.sampled_from(["site", "rack", "tag"]), slug=st.text(min_size=1))
def test_group_names_are_ones_that_ansible_leaves_alone(kind: str, slug: str) -> None:
    name = names.group_name(kind, slug)
    assert re.fullmatch(r"[^\d\W]\w*", name)
    assert name.startswith(f"{kind}_")


@given(slug=st.from_regex(r"[A-Za-z0-9_]+", fullmatch=True))
def test_letters_digits_and_underscores_stay(slug: str) -> None:
    assert names.group_name("site", slug) == f"site_{slug}"


def test_composed_and_decomposed_letters_have_one_group() -> None:
    assert names.group_name("rack", "Zu\u0308rich") == names.group_name("rack", "Z\u00fcrich") == "rack_Z\u00fcrich"


@pytest.mark.parametrize(
    "name", ["web01", "web01.example.com", "web 01", "wéb01", "web:01", "10.0.0.1", "web01__device_2"]
)
def test_names_that_ansible_takes(name: str) -> None:
    assert names.host_name_fault(name) is None


@pytest.mark.parametrize(
    "name",
    ["", " ", " web01", "web01\n", "we\x00b", "-oProxyCommand=id", "!web", "&web", "~web", "@web", "all", "ALL",
     "ungrouped", "localhost", "127.0.0.1", "::1", "web[1]", "web*", "a,b", "a/b", "..\\b", TEMPLATE, "{% x %}"],
)  # fmt: skip
def test_names_that_ansible_cannot_take(name: str) -> None:
    assert names.host_name_fault(name)


@given(name=st.text())
def test_no_accepted_name_is_an_option_a_path_or_a_template(name: str) -> None:
    if names.host_name_fault(name) is None:
        assert not name.startswith("-")
        assert not {"/", "\\", "\n", ","}.intersection(name)
        assert "{{" not in name


@pytest.mark.parametrize("name", ["ntp_servers", "_x", "x1"])
def test_names_of_variables(name: str) -> None:
    assert names.is_variable_name(name)


@pytest.mark.parametrize("name", ["", "ntp-servers", "1x", "a b", "True", "none", "class", "ä", "a.b", TEMPLATE])
def test_no_names_of_variables(name: str) -> None:
    assert not names.is_variable_name(name)


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("ansible_host", "192.0.2.1", True),
        ("ansible_host", "fe80::1%eth0", True),
        ("ansible_host", "web.example.com", True),
        ("ansible_host", "-oProxyCommand=id", False),
        ("ansible_host", "a b", False),
        ("ansible_host", TEMPLATE, False),
        ("ansible_host", 5, False),
        ("ansible_port", 2222, True),
        ("ansible_port", "2222", False),
        ("ansible_port", True, False),
        ("ansible_port", 70000, False),
        ("ansible_python_interpreter", "/usr/bin/python3.11", True),
        ("ansible_python_interpreter", "auto_silent", True),
        ("ansible_python_interpreter", "/bin/sh -c id", False),
        ("ansible_python_interpreter", "/bin/sh;id", False),
        ("ansible_python_interpreter", "python3", False),
    ],
)
def test_values_of_connection_variables(key: str, value: object, allowed: bool) -> None:
    assert names.is_allowed_connection_value(key, value) is allowed
