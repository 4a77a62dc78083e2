"""Variables of a host, and what NetBox may not set."""

import pytest

from netbox_modules import a_record, faults, variables


def made(address_from: tuple[str, ...] = ("primary",), **values: object) -> tuple[dict[str, object], str]:
    """Return the variables of a record, and all notices as one text."""
    notices = faults.Notices()
    found = variables.host_variables("web01", a_record(**values), address_from, notices)
    return found, "\n".join(notices.sentences())


def test_what_netbox_knows_is_under_one_prefix() -> None:
    found, notices = made()
    assert notices == ""
    assert {key for key in found if not key.startswith("bedplate_")} == {"ansible_host"}
    assert found["bedplate_region"] == "emea"
    assert found["bedplate_failure_domain"] == ["region_emea", "site_fra1", "rack_fra1_r01"]
    assert found["bedplate_oob"] == "198.51.100.11"
    assert found["bedplate_netbox"] == {
        "type": "device", "id": 1, "url": "https://netbox.example.com/dcim/devices/1/",
    }  # fmt: skip


def test_the_keys_of_the_config_context_are_variables() -> None:
    found, _ = made(config_context={"ntp": ["a"], "sshd": {"port": 22}})
    assert found["ntp"] == ["a"]
    assert found["sshd"] == {"port": 22}


@pytest.mark.parametrize(
    "key", ["ansible_ssh_common_args", "ansible_connection", "ansible_become_exe", "bedplate_class", "ntp-servers", "1"]
)
def test_keys_that_netbox_may_not_set_are_named(key: str) -> None:
    found, notices = made(config_context={key: "x", "ntp": 1})
    assert found["bedplate_class"] == "colo"
    assert key == "bedplate_class" or key not in found
    assert repr(key) in notices
    assert "web01" in notices
    assert found["ntp"] == 1


def test_a_few_connection_variables_may_come_from_netbox() -> None:
    found, notices = made(
        config_context={"ansible_port": 2222, "ansible_host": "192.0.2.99"},
        custom_fields={"ansible_python_interpreter": "/usr/bin/python3", "rack_unit": 3},
    )
    assert notices == ""
    assert (found["ansible_port"], found["ansible_host"]) == (2222, "192.0.2.99")
    assert found["ansible_python_interpreter"] == "/usr/bin/python3"
    assert found["bedplate_custom_fields"] == {"rack_unit": 3}


def test_connection_variables_with_dangerous_values_are_refused() -> None:
    found, notices = made(
        config_context={"ansible_host": "-oProxyCommand=id"}, custom_fields={"ansible_shell_executable": "/bin/evil"}
    )
    assert found["ansible_host"] == "192.0.2.11"
    assert "ansible_shell_executable" not in found
    assert found["bedplate_custom_fields"] == {}
    assert "ansible_host" in notices
    assert "ansible_shell_executable" in notices


def test_empty_custom_fields_are_no_fault() -> None:
    found, notices = made(custom_fields={"ansible_port": None, "note": None})
    assert notices == ""
    assert "ansible_port" not in found
    assert found["bedplate_custom_fields"] == {"note": None}


@pytest.mark.parametrize(("context", "kind"), [([1], "a list"), ("x", "a text"), (None, "nothing"), (3, "a number")])
def test_config_context_that_is_no_dictionary_is_named(context: object, kind: str) -> None:
    found, notices = made(config_context=context)
    assert kind in notices
    assert "web01" in notices
    assert found["bedplate_class"] == "colo"


@pytest.mark.parametrize(
    ("address_from", "values", "address"),
    [
        (("primary",), {}, "192.0.2.11"),
        (("primary",), {"primary_ip4": None, "primary_ip6": "2001:db8::1"}, "2001:db8::1"),
        (("primary_ip6", "dns_name"), {}, "web01.example.com"),
        (("dns_name", "primary"), {"dns_name": "-oProxyCommand=id"}, "192.0.2.11"),
        (("oob",), {}, "198.51.100.11"),
        (("oob",), {"oob_ip": None}, None),
        ((), {}, None),
    ],
)
def test_the_first_address_that_is_there_wins(
    address_from: tuple[str, ...], values: dict[str, object], address: str | None
) -> None:
    assert made(address_from, **values)[0].get("ansible_host") == address


def test_a_host_for_context_has_its_identity_and_nothing_to_configure() -> None:
    found, _ = made(context_only=True, config_context={"ntp": 1}, custom_fields={"a": 1})
    assert "ntp" not in found
    assert found["bedplate_custom_fields"] == {}
    assert (found["bedplate_site"], found["ansible_host"]) == ("fra1", "192.0.2.11")


def test_many_hosts_are_counted_and_the_first_are_named() -> None:
    notices = faults.Notices()
    for number in range(30):
        notices.add("no address", f"h{number}")
    (sentence,) = notices.sentences()
    assert "h0, " in sentence
    assert sentence.endswith("h19 and 10 more")
