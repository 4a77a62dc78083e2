"""Budgets and roadmaps: the arithmetic of reports."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.catalog.report import _last_day, _left, _roadmap
from bedplate.catalog.service import Milestone
from bedplate.figures import points_of, rank


@pytest.mark.parametrize(
    ("when", "day"),
    [
        ("2027", date(2027, 12, 31)),
        ("2027-Q1", date(2027, 3, 31)),
        ("2027-Q4", date(2027, 12, 31)),
        ("2028-02", date(2028, 2, 29)),
        ("2027-12", date(2027, 12, 31)),
        ("2027-05-17", date(2027, 5, 17)),
    ],
)
def test_a_milestone_is_due_when_its_time_is_over(when: str, day: date) -> None:
    assert _last_day(when) == day
    planned = Milestone(when=when, what="It")
    assert _roadmap([planned], day).late == [planned]
    assert _roadmap([planned], day - timedelta(days=1)).late == []


def test_what_was_dropped_is_neither_kept_nor_late() -> None:
    milestones = [Milestone(when="2020", what="It", status=status) for status in ("done", "dropped", "in_progress")]
    found = _roadmap(milestones, date(2026, 1, 1))
    assert (found.kept, [each.status for each in found.late]) == (1, ["in_progress"])


@pytest.mark.parametrize(
    ("bad", "runs", "allowed", "left"),
    [(0, 100, 0.01, 1), (1, 100, 0.01, 0), (2, 100, 0.01, -1), (0, 9, 0, 1), (1, 9, 0, 0)],
)
def test_an_error_budget(bad: int, runs: int, allowed: float, left: float) -> None:
    assert _left(bad, runs, allowed) == pytest.approx(left)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=300).map(sorted), st.integers(1, 100))
def test_a_percentile_has_that_part_of_the_values_at_or_under_it(values: list[float], point: int) -> None:
    value = values[rank(point, len(values)) - 1]
    assert sum(each <= value for each in values) * 100 >= point * len(values)
    assert sum(each < value for each in values) * 100 < point * len(values)
    spread = points_of(values)
    assert spread is not None
    assert spread.points[100] == values[-1]
