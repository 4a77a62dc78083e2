"""Lines are dated by what they begin with, the newest are kept, and many hosts' become one text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.role_content import load_plugin

LINES = load_plugin("plugins/modules/unit_lines.py")
MERGED = load_plugin("plugins/plugin_utils/merged_lines.py")
NOW = datetime(2026, 1, 2, 12, 0, tzinfo=timezone(timedelta(hours=1)))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("2026-01-01T10:00:00.5+00:00 host x", "2026-01-01T10:00:00.500000+00:00"),
        ("2026-01-01 10:00:00,123 x", "2026-01-01T09:00:00.123000+00:00"),
        ("2026-01-01T10:00:00Z x", "2026-01-01T10:00:00+00:00"),
        ("Jan  2 10:00:00 host x", "2026-01-02T09:00:00+00:00"),
        ("Dec 31 10:00:00 host x", "2025-12-31T09:00:00+00:00"),
        ('10.0.0.1 - - [01/Jan/2026:10:00:00 +0200] "GET /"', "2026-01-01T08:00:00+00:00"),
    ],
)
def test_times_of_lines(line: str, expected: str) -> None:
    assert LINES.moment(line, NOW) == datetime.fromisoformat(expected).timestamp() * 1_000_000


@pytest.mark.parametrize("line", ["", "  at frame 1", "Foo 12 10:00:00 x", "Feb 29 10:00:00 x"])
def test_lines_without_a_time(line: str) -> None:
    assert LINES.moment(line, NOW) is None


def test_a_line_without_a_time_belongs_to_the_one_before() -> None:
    lines = ["first\n", "2026-01-01T10:00:00Z error\n", "  at frame 1\n"]
    found = list(LINES.dated(lines, NOW))
    assert [when is None for when, _ in found] == [True, False, False]
    assert found[1][0] == found[2][0]


def test_only_what_was_asked_for_is_kept_and_the_newest_of_it() -> None:
    window = LINES.Window(10, 20, "a", 2, 1000)
    for when in (9, 10, 15, 20, 21):
        window.add(when, f"a{when}")
        window.add(when, "b")
    assert (list(window.lines), window.dropped) == ([(15, "a15"), (20, "a20")], 1)


@given(st.lists(st.text(max_size=20), max_size=30), st.integers(0, 100))
def test_the_size_is_kept(texts: list[str], most_bytes: int) -> None:
    window = LINES.Window(0, 100, "", 1000, most_bytes)
    for when, text in enumerate(texts):
        window.add(when, text)
    assert sum(len(text.encode()) for _, text in window.lines) <= most_bytes
    assert len(window.lines) + window.dropped == len(texts)


@pytest.mark.parametrize("path", ["/etc/shadow", "/var/log/../../etc/shadow", "/var/log/no-such-file"])
def test_files_elsewhere_are_not_read(path: str) -> None:
    assert LINES.file_fault(path)


LOGS = st.dictionaries(
    st.text("abc", min_size=1, max_size=3), st.lists(st.tuples(st.integers(0, 10**15), st.text(max_size=9)), max_size=9)
)


@given(LOGS, st.integers(0, 400))
def test_lines_of_many_hosts_become_one_text(lines: dict[str, list[tuple[int, str]]], most_bytes: int) -> None:
    content, left_out = MERGED.text(lines, most_bytes)
    rows = content.decode().split("\n")[:-1]
    assert len(content) <= most_bytes
    assert len(rows) + left_out == sum(len(found) for found in lines.values())
    stamps = [row.split("  ")[0] for row in rows]
    assert stamps == sorted(stamps)


def test_moments_are_in_utc() -> None:
    when = int(datetime(2026, 1, 1, 0, 0, 0, 7, tzinfo=UTC).timestamp() * 1_000_000) + 0
    assert MERGED.stamp(when) == "2026-01-01T00:00:00.000007Z"
