"""Small rules of compat: nb_inventory; the whole is compared in tests/integration."""

import re
from typing import Any

import pytest

from netbox_modules import compat_tables


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
