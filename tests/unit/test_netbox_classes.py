"""Which class a host has."""

import pytest

from netbox_modules import a_record, classes, faults

DEFAULT = ("custom_field", "tag", "role", "type", "site_group")


def class_of(
    record: dict[str, object],
    sources: tuple[str, ...] = DEFAULT,
    mapping: dict[str, dict[str, str]] | None = None,
    default: str = "bare_metal",
) -> tuple[str | None, list[str]]:
    """Return the class of a record, and the notices."""
    notices = faults.Notices()
    rule = classes.ClassRule(sources, mapping or {}, "bedplate_class", default)
    return rule.class_of(record, notices), notices.sentences()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"site_group": []}, "bare_metal"),
        ({"site_group": ["datacenters", "colo"]}, "colo"),
        ({"site_group": ["bare-metal", "rented"]}, "bare_metal"),
        ({"site_group": ["colo", "cloud"]}, "cloud"),
        ({"type": "virtual_machine", "site_group": ["bare-metal"]}, "cloud"),
        ({"tags": ["x", "bare-metal"], "site_group": ["colo"]}, "bare_metal"),
        ({"type": "virtual_machine", "tags": ["colo"]}, "colo"),
        ({"custom_fields": {"bedplate_class": "cloud"}, "tags": ["colo"]}, "cloud"),
        ({"custom_fields": {"bedplate_class": {"value": "Bare-Metal", "label": "x"}}}, "bare_metal"),
        ({"custom_fields": {"bedplate_class": None}, "site_group": ["colo"]}, "colo"),
    ],
)
def test_the_default_rule(values: dict[str, object], expected: str) -> None:
    assert class_of(a_record(**values)) == (expected, [])


def test_a_map_names_the_values_of_a_source() -> None:
    mapping = {"role": {"hypervisor": "bare-metal"}, "tag": {"equinix": "colo"}}
    assert class_of(a_record(role="hypervisor"), mapping=mapping)[0] == "bare_metal"
    assert class_of(a_record(tags=["equinix"]), mapping=mapping)[0] == "colo"


def test_a_map_of_other_sources_leaves_virtual_machines_in_the_cloud() -> None:
    assert class_of(a_record(type="virtual_machine"), mapping={"role": {}})[0] == "cloud"


def test_the_order_of_the_sources_decides() -> None:
    record = a_record(type="virtual_machine", site_group=["colo"])
    assert class_of(record, ("site_group", "type"))[0] == "colo"


def test_a_host_may_have_no_class() -> None:
    assert class_of(a_record(site_group=[]), default="")[0] is None


def test_a_custom_field_that_names_no_class_is_noted_with_the_host() -> None:
    found, notices = class_of(a_record(custom_fields={"bedplate_class": "mainframe"}))
    assert found == "colo"
    assert "mainframe" in notices[0]
    assert "web01" in notices[0]


@pytest.mark.parametrize(
    ("sources", "mapping", "default", "told"),
    [
        (("rack",), {}, "", "rack"),
        (DEFAULT, {"rack": {}}, "", "rack"),
        (DEFAULT, {"tag": {"x": "mainframe"}}, "", "mainframe"),
        (DEFAULT, {"tag": ["x"]}, "", "class_map.tag"),
        (DEFAULT, {}, "mainframe", "mainframe"),
    ],
)
def test_rules_that_cannot_be(
    sources: tuple[str, ...], mapping: dict[str, dict[str, str]], default: str, told: str
) -> None:
    with pytest.raises(faults.InventoryError, match=told):
        classes.ClassRule(sources, mapping, "bedplate_class", default)
