"""Filters, whether NetBox knows them, and what a query asks for."""

import pytest

from netbox_modules import faults, filters, query


def never_asked(_kind: str) -> frozenset[str]:
    pytest.fail("the schema was asked for without need")


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([{"site": "fra1"}, {"role": ["a", "b"]}], [("site", "fra1"), ("role", "a"), ("role", "b")]),
        (["site=fra1", "name = web=1"], [("site", "fra1"), ("name", "web=1")]),
        (
            [{"has_primary_ip": True, "tenant": None, "id": 7}],
            [("has_primary_ip", "true"), ("tenant", "null"), ("id", "7")],
        ),
        ([], []),
    ],
)
def test_forms_of_filters(entries: list[object], expected: list[tuple[str, str]]) -> None:
    assert filters.parse_filters("query_filters", entries) == expected


@pytest.mark.parametrize(
    "entry", ["site", 5, {"site": {"a": 1}}, {"limit": 5}, {"fields": "id"}, "ordering=name", ["a"]]
)
def test_what_is_no_filter_is_named_with_its_option(entry: object) -> None:
    with pytest.raises(faults.InventoryError, match="vm_query_filters"):
        filters.parse_filters("vm_query_filters", [entry])


@pytest.mark.parametrize("kind", ["device", "virtual_machine"])
@pytest.mark.parametrize("name", ["site", "region", "role", "tag", "tag__n", "status__n", "name__isw", "id__gte", "q"])
def test_filters_of_all_versions_need_no_schema(kind: str, name: str) -> None:
    filters.check_filters(kind, [(name, "x")], never_asked)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("device", "nosuchfilter"), ("device", "sites"), ("virtual_machine", "rack_id"), ("device", "cf_gone"),
     ("device", "name__nosuch"), ("device", "site__ic")],
)  # fmt: skip
def test_filters_that_netbox_would_ignore_are_refused(kind: str, name: str) -> None:
    with pytest.raises(faults.InventoryError, match=name):
        filters.check_filters(kind, [(name, "x")], lambda _kind: frozenset(("cf_lifecycle",)))


def test_a_misspelt_filter_is_told_what_was_near() -> None:
    with pytest.raises(faults.InventoryError, match="did you mean region"):
        filters.check_filters("device", [("regoin", "emea")], lambda _kind: frozenset())


def test_other_filters_are_looked_up_in_the_schema() -> None:
    asked: list[str] = []

    def names(kind: str) -> frozenset[str]:
        asked.append(kind)
        return frozenset(("cf_lifecycle",))

    filters.check_filters("virtual_machine", [("cf_lifecycle", "run")], names)
    assert asked == ["virtual_machine"]


@pytest.mark.parametrize("schema", [None, [], {}, {"paths": []}, {"paths": {"/x/": {"get": {}}}}])
def test_a_schema_without_the_list_has_no_names(schema: object) -> None:
    assert filters.names_in_schema(schema, "/x/") == frozenset()


def a_query(statuses: tuple[str, ...] = ("active", "staged"), **kinds: list[tuple[str, str]]) -> "query.Query":
    return query.Query(("device", "virtual_machine"), kinds, statuses)


def test_statuses_go_with_the_filters() -> None:
    assert a_query(device=[("site", "fra1")]).parameters_of("device") == [
        ("site", "fra1"), ("status", "active"), ("status", "staged"),
    ]  # fmt: skip


def test_a_status_in_the_filters_decides_for_its_kind() -> None:
    asked = a_query(device=[("status", "planned")])
    assert asked.parameters_of("device") == [("status", "planned")]
    assert asked.statuses_of("virtual_machine") == ["active", "staged"]


def test_a_status_of_one_kind_does_not_take_all_of_the_other() -> None:
    asked = a_query(statuses=("inventory",))
    assert asked.takes("device")
    assert not asked.takes("virtual_machine")


def test_no_statuses_take_all() -> None:
    asked = a_query(statuses=())
    assert asked.takes("device")
    assert asked.parameters_of("device") == []


def test_the_digest_tells_queries_apart() -> None:
    asked = [
        a_query(),
        a_query(statuses=("active",)),
        a_query(device=[("site", "fra1")]),
        a_query(virtual_machine=[("site", "fra1")]),
        query.Query(("device",), {}, ("active", "staged")),
        query.Query(("device", "virtual_machine"), {}, ("active", "staged"), services=False),
        query.Query(("device", "virtual_machine"), {}, ("active", "staged"), classes=["tag"]),
    ]
    assert len({one.digest() for one in asked}) == len(asked)
    assert a_query().digest() == a_query().digest()
