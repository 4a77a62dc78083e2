"""Groups, their nesting and their collisions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netbox_modules import a_record, faults, groups, names


def test_a_host_is_in_a_group_for_each_of_its_facts() -> None:
    plan = groups.plan_groups({"web01": a_record(location="hall-1")})
    assert {name for name, members in plan.members.items() if members} == {
        "class_colo", "location_fra1_hall_1", "rack_fra1_r01", "role_server", "platform_debian_12", "tenant_web",
        "status_active", "tag_baseline",
    }  # fmt: skip


def test_regions_contain_regions_and_sites_and_sites_contain_racks() -> None:
    plan = groups.plan_groups({"web01": a_record(region=["emea", "de"], location="hall-1")})
    nested = {parent: list(children) for parent, children in plan.children.items()}
    assert nested == {
        "region_emea": ["region_de"],
        "region_de": ["site_fra1"],
        "site_fra1": ["location_fra1_hall_1", "rack_fra1_r01"],
    }


def test_a_cluster_is_not_in_a_site_because_it_may_span_several() -> None:
    machine = {"type": "virtual_machine", "rack": None, "cluster": "prod"}
    plan = groups.plan_groups({"a": a_record("a", **machine), "b": a_record("b", **machine, site="ams1")})
    assert plan.members["cluster_prod"] == ["a", "b"]
    assert not any("cluster_prod" in children for children in plan.children.values())
    assert plan.members["site_fra1"] == ["a"]


def test_racks_of_one_name_in_two_sites_are_two_groups() -> None:
    plan = groups.plan_groups({"a": a_record("a", rack="r01"), "b": a_record("b", rack="r01", site="ams1")})
    assert plan.members["rack_fra1_r01"] == ["a"]
    assert plan.members["rack_ams1_r01"] == ["b"]


def test_a_host_without_facts_is_in_no_group() -> None:
    nothing = dict.fromkeys(("class", "site", "rack", "tenant", "role", "platform", "status"))
    assert groups.plan_groups({"a": a_record("a", region=[], tags=[], **nothing)}).members == {}


def test_only_the_kinds_that_are_asked_for() -> None:
    plan = groups.plan_groups({"web01": a_record()}, ["site", "role"])
    assert plan.members == {"site_fra1": ["web01"], "role_server": ["web01"]}


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ({"tags": ["web-1"]}, {"tags": ["web_1"]}, ("'web-1'", "'web_1'", "tag_web_1")),
        ({"site": "fra-1"}, {"site": "fra.1"}, ("'fra-1'", "'fra.1'", "site_fra_1")),
        ({"region": ["emea", "west"]}, {"region": ["amer", "west"]}, ("in emea", "in amer", "region_west")),
        ({"rack": "r 1"}, {"rack": "r-1"}, ("'r 1' in fra1", "'r-1' in fra1", "rack_fra1_r_1")),
    ],
)
def test_two_names_that_meet_in_one_group_are_an_error_that_names_both(
    one: dict[str, object], other: dict[str, object], told: tuple[str, ...]
) -> None:
    with pytest.raises(faults.InventoryError) as caught:
        groups.plan_groups({"a": a_record("a", **one), "b": a_record("b", **other)})
    assert all(part in str(caught.value) for part in told), str(caught.value)


@given(tags=st.lists(st.text(alphabet="ab-_.é", min_size=1, max_size=4), unique=True, min_size=1))
def test_either_each_slug_has_its_own_group_or_there_is_an_error(tags: list[str]) -> None:
    meet = len({names.group_name("tag", tag) for tag in tags}) < len(tags)
    hosts = {f"h{number}": a_record(f"h{number}", tags=[tag]) for number, tag in enumerate(tags)}
    if meet:
        with pytest.raises(faults.InventoryError):
            groups.plan_groups(hosts)
    else:
        plan = groups.plan_groups(hosts)
        assert all(plan.members[names.group_name("tag", tag)] == [f"h{number}"] for number, tag in enumerate(tags))


def test_the_failure_domain_lists_groups_from_the_largest_to_the_smallest() -> None:
    assert groups.failure_domain(a_record(region=["emea", "de"])) == [
        "region_emea", "region_de", "site_fra1", "rack_fra1_r01",
    ]  # fmt: skip
    machine = a_record(rack=None, cluster="fra1-c1")
    assert groups.failure_domain(machine) == ["region_emea", "site_fra1", "cluster_fra1_c1"]


def test_hosts_for_context_are_in_their_groups_and_in_one_of_their_own() -> None:
    plan = groups.plan_groups({"a": a_record("a"), "b": a_record("b", context_only=True)})
    assert plan.members["context_only"] == ["b"]
    assert plan.members["role_server"] == ["a", "b"]
