"""From nb_inventory's file to ours: options, groups and expressions, and what is lost."""

from __future__ import annotations

from typing import Any

import pytest

from bedplate.errors import UsageError
from bedplate.fleet.migration import Fate, Migration, keep_compatible, migrate
from bedplate.fleet.migration_expressions import translated


def migrated(**given: Any) -> Migration:
    return migrate({"plugin": "netbox.netbox.nb_inventory", **given}, "nb.yml")


def fates(migration: Migration) -> dict[str, Fate]:
    return {note.option: note.fate for note in migration.notes}


def test_options_of_one_meaning_keep_their_names() -> None:
    same = {
        "api_endpoint": "https://netbox.example.com",
        "validate_certs": False,
        "timeout": 30,
        "headers": {"X": "y"},
        "query_filters": [{"site": "fra1"}],
        "device_query_filters": [{"has_primary_ip": "true"}],
        "vm_query_filters": [{"status": "active"}],
        "strict": True,
        "interfaces": True,
    }
    found = migrated(**same)
    assert same.items() <= found.settings.items()
    assert all(fates(found)[option] is Fate.KEPT for option in same)


def test_defaults_that_differ_are_written_down() -> None:
    assert migrated().settings == {
        "plugin": "bedplate.datacenter.netbox",
        "statuses": [],
        "config_context": False,
        "services": True,
        "group_by": [],
    }


def test_groups() -> None:
    found = migrated(group_by=["sites", "device_roles", "tag", "manufacturers", "is_virtual", "time_zone"])
    assert found.settings["group_by"] == ["site", "role", "tag"]
    assert found.settings["keyed_groups"] == [{"key": "bedplate_manufacturer", "prefix": "manufacturers"}]
    assert found.settings["groups"] == {"is_virtual": "bedplate_netbox.type == 'virtual_machine'"}
    assert {
        "group_by: sites": Fate.CHANGED,
        "group_by: tag": Fate.KEPT,
        "group_by: time_zone": Fate.LOST,
    }.items() <= fates(found).items()


def test_addresses_and_tokens() -> None:
    found = migrated(ansible_host_dns_name=True, token={"type": "Bearer", "value": "x"}, headers={"A": "b"})
    assert found.settings["ansible_host_from"] == ["dns_name", "primary"]
    assert found.settings["headers"] == {"A": "b", "Authorization": "Bearer x"}
    assert migrated(oob_ip_as_primary_ip=True).settings["ansible_host_from"] == ["oob", "primary"]


def test_what_has_no_equivalent_is_told() -> None:
    found = migrated(group_names_raw=True, site_data=True, cert="/a", flatten_custom_fields=True, nosuch=1)
    lost = {option for option, fate in fates(found).items() if fate is Fate.LOST}
    assert lost == {"group_names_raw", "site_data", "cert", "flatten_custom_fields", "nosuch"}
    off = migrated(group_names_raw=False, cache=True, fetch_all=False, plurals=True)
    assert Fate.LOST not in fates(off).values()


def test_expressions_of_each_kind() -> None:
    found = migrated(
        compose={"window": "custom_fields.window", "rack_url": "rack.url"},
        groups={"web": "role == 'web'"},
        keyed_groups=[{"key": "status.value", "prefix": "status"}, {"key": "tags"}],
    )
    assert found.settings["compose"] == {"window": "bedplate_custom_fields.window", "rack_url": "rack.url"}
    assert found.settings["groups"] == {"web": "bedplate_role == 'web'"}
    assert [entry["key"] for entry in found.settings["keyed_groups"]] == ["bedplate_status", "bedplate_tags"]
    assert fates(found)["compose: rack_url"] is Fate.LOST


def test_a_compatible_file_keeps_what_means_the_same() -> None:
    given = {"group_by": ["sites"], "plurals": False, "compose": {"a": "rack.url"}, "cache": True, "cert": "/a",
             "prefixes": False, "token": "x", "cache_timeout": 60}  # fmt: skip
    found = keep_compatible({"plugin": "netbox.netbox.nb_inventory", **given}, "nb.yml")
    assert found.settings == {
        "plugin": "bedplate.datacenter.netbox",
        "compat": "nb_inventory",
        "group_by": ["sites"],
        "plurals": False,
        "compose": {"a": "rack.url"},
        "token": "x",
        "cache_ttl": 60,
    }
    assert [option for option, fate in fates(found).items() if fate is Fate.LOST] == ["cert"]


def test_a_file_of_another_plugin() -> None:
    with pytest.raises(UsageError, match="not for nb_inventory"):
        migrate({"plugin": "amazon.aws.aws_ec2"}, "aws.yml")


@pytest.mark.parametrize(
    ("text", "said", "unknown"),
    [
        ("status.value", "bedplate_status", ()),
        ("name.split('-')[0]", "inventory_hostname.split('-')[0]", ()),
        ("name ~ '.name'", "inventory_hostname ~ '.name'", ()),
        ("custom_fields['a b'] | default(name)", "bedplate_custom_fields['a b'] | default(inventory_hostname)", ()),
        ("'x' if role.slug == 'web' else site.slug", "'x' if bedplate_role == 'web' else bedplate_site", ()),
        ("device_type.manufacturer.slug is defined", "bedplate_manufacturer is defined", ()),
        ("is_virtual", "(bedplate_netbox.type == 'virtual_machine')", ()),
        ("ansible_host", "ansible_host", ()),
        ("rack.display_name", "rack.display_name", ("rack.display_name",)),
        ("site.slug.nothing", "site.slug.nothing", ("site.slug.nothing",)),
        ("tags | length", "tags | length", ("tags",)),
        ("platform is none", "platform is none", ("platform",)),
        ("a.b[0]['c']", "a.b[0]['c']", ("a.b.0.c",)),
        ("(", "(", ("(",)),
    ],
)
def test_expressions(text: str, said: str, unknown: tuple[str, ...]) -> None:
    assert translated(text) == (said, unknown)


def test_groups_see_the_hosts_variables() -> None:
    assert translated("'pci' in tags and platform == 'x'", of_variables=True) == (
        "'pci' in bedplate_tags and bedplate_platform == 'x'",
        (),
    )
