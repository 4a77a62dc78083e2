"""Small rules of compat: nb_inventory; the whole is compared in tests/integration."""

import copy
import re
from typing import Any

import pytest

from netbox_modules import alike, client, compat_lists, compat_tables, faults


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("Etc/GMT+7", "minus_7"),
        ("Etc/GMT-2", "plus_2"),
        ("Asia/Kolkata", "plus_6"),
        ("UTC", "plus_0"),
        ("No/Where", None),
        ("", None),
        (None, None),
    ],
)
def test_hours_from_utc(zone: str | None, told: str | None) -> None:
    found = compat_tables.utc_offset(zone)
    assert found == told or (told == "plus_6" and re.match("plus_[56]", str(found)))


def test_a_line_ends_where_a_tree_runs_in_a_circle() -> None:
    tree: dict[int, dict[str, Any]] = {
        1: {"slug": "a", "parent": {"id": 2}},
        2: {"slug": "b", "parent": {"id": 1}},
        3: {"slug": "c", "parent": {"id": 9}},
    }
    assert compat_tables.line_of(tree, 1) == ["a", "b"]
    assert compat_tables.line_of(tree, 3) == ["c"]
    assert compat_tables.line_of(tree, None) == []


class Answering:
    """A client that gives one answer to everything."""

    endpoint = client.Endpoint("https://netbox.example.com")

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def get(self, _path: str, _query: object) -> object:
        return self.answer


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {"results": []},
        {"count": "1", "results": []},
        {"count": 1, "results": None},
        {"count": 1, "results": [{"name": "x"}]},
        {"count": 2, "results": [{"id": 1}, {"id": 1}]},
        {"count": 3, "results": []},
    ],
)
def test_what_is_no_whole_list_fails_the_read(answer: object) -> None:
    with pytest.raises(faults.SourceError):
        compat_lists.read_list(Answering(answer), "/api/dcim/devices/", (), 100, alike.Alike())


def test_equal_values_are_kept_once_and_others_apart() -> None:
    one = alike.Alike()
    entries: list[dict[str, Any]] = [
        {"id": number, "site": {"id": 1, "slug": "x" * 100}, "n": [flag], "name": "h"}
        for number, flag in enumerate((1, True, 1.0, "1"))
    ]
    expected = copy.deepcopy(entries)
    shared = [one.share(entry) for entry in entries]
    assert shared == expected
    assert len({id(entry["site"]) for entry in shared}) == 1
    assert [type(entry["n"][0]) for entry in shared] == [int, bool, float, str]
