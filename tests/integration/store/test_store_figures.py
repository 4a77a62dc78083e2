"""Figures that the database adds up are those that Python would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest

from bedplate.figures import (
    DayCount,
    Feedback,
    FigureRepository,
    Measure,
    OrderCount,
    PersonCount,
    Scope,
    points_of,
)
from bedplate.runs import HostResult, Run, RunMode, RunStatus
from bedplate.store import open_figures
from integration.store.places import NOW, Place, make_run

SCOPE = Scope(NOW - timedelta(days=30), NOW + timedelta(days=1))


def ended(number: int, **fields: object) -> Run:
    """Return a run that was asked for in hour `number`, waited 10 s, and took so many seconds."""
    asked = NOW - timedelta(hours=number)
    values: dict[str, object] = {
        "product": "patch",
        "status": RunStatus.SUCCESSFUL,
        "created_at": asked,
        "queued_at": asked + timedelta(seconds=4),
        "started_at": asked + timedelta(seconds=10),
        "finished_at": asked + timedelta(seconds=10 + number),
    }
    return make_run(**{**values, **fields})


@contextmanager
def filled(place: Place, *runs: Run) -> Iterator[FigureRepository]:
    with place.opened() as store:
        for run in runs:
            store.add(run)
    figures = open_figures(place.settings)
    try:
        yield figures
    finally:
        figures.close()


def test_nothing_is_no_fault(place: Place) -> None:
    with filled(place) as figures:
        assert figures.orders(SCOPE) == []
        assert figures.spreads(SCOPE, Measure.DURATION) == {}
        assert figures.over(SCOPE, Measure.DURATION, 1) == (0, 0)
        assert figures.hosts_reached(SCOPE) == {}


@pytest.mark.parametrize("count", [1, 2, 7, 20, 101])
def test_percentiles_are_the_nearest_ranks(place: Place, count: int) -> None:
    runs = [ended(number) for number in range(1, count + 1)]
    other = ended(1, product="ping", finished_at=NOW + timedelta(days=9))
    failed = ended(500, status=RunStatus.FAILED)
    with filled(place, *runs, other, failed) as figures:
        found = figures.spreads(SCOPE, Measure.DURATION)["patch"]
        expected = points_of([float(number) for number in range(1, count + 1)])
        assert expected is not None
        assert found.count == count
        assert found.points == pytest.approx(expected.points)
        assert figures.spreads(SCOPE, Measure.LEAD_TIME)["patch"].points[100] == pytest.approx(count + 10)
        assert figures.spreads(SCOPE, Measure.APPROVAL)["patch"].points[50] == pytest.approx(4)
        assert figures.spreads(SCOPE, Measure.WAITING)["patch"].points[50] == pytest.approx(6)
        only = Scope(SCOPE.since, SCOPE.until, "patch")
        assert set(figures.spreads(only, Measure.DURATION)) == {"patch"}
        assert figures.over(only, Measure.DURATION, count / 2) == (count, count - count // 2)


def test_orders_people_and_days(place: Place) -> None:
    runs = [
        ended(30, hosts=("a", "b", "c")),
        ended(30, status=RunStatus.FAILED),
        ended(1, requester="grace"),
        ended(1, mode=RunMode.CHECK),
        ended(2, status=RunStatus.CANCELED),
        ended(2, status=RunStatus.REFUSED, started_at=None, finished_at=None),
        ended(24 * 40),
    ]
    with filled(place, *runs) as figures:
        assert set(figures.orders(SCOPE)) == {
            OrderCount("patch", RunMode.APPLY, RunStatus.SUCCESSFUL, 2),
            OrderCount("patch", RunMode.APPLY, RunStatus.FAILED, 1),
            OrderCount("patch", RunMode.CHECK, RunStatus.SUCCESSFUL, 1),
            OrderCount("patch", RunMode.APPLY, RunStatus.CANCELED, 1),
            OrderCount("patch", RunMode.APPLY, RunStatus.REFUSED, 1),
        }
        ada, grace = figures.people(SCOPE)
        assert (ada.person, ada.runs, ada.hosts) == ("ada", 3, 3 + 2 + 2)
        assert ada.host_seconds == pytest.approx(30 * 3 + 30 * 2 + 2 * 2)
        assert grace == PersonCount("patch", "grace", 1, 2, pytest.approx(2.0))
        assert figures.days(SCOPE) == [
            DayCount("patch", date(2026, 11, 21), 1, 1),
            DayCount("patch", date(2026, 11, 22), 1, 0),
        ]


def test_a_host_is_reached_once(place: Place) -> None:
    runs = [ended(1, id="one"), ended(2, id="two"), ended(3, id="check", mode=RunMode.CHECK)]
    with place.opened() as store:
        for run in runs:
            store.add(run)
        store.put_host_results("one", [HostResult("a", ok=1), HostResult("b", ok=1)])
        store.put_host_results("two", [HostResult("b", failed=1)])
        store.put_host_results("check", [HostResult("c", ok=1)])
    with filled(place) as figures:
        assert figures.hosts_reached(SCOPE) == {"patch": 2}


def test_feedback(place: Place) -> None:
    with filled(place) as figures:
        said = [Feedback("patch", "ada", score, NOW - timedelta(hours=score)) for score in (5, 5, 2)]
        said.append(Feedback("ping", "grace", 4, NOW, "quick\0 {{ x }}", "run-1"))
        for each in said:
            figures.add_feedback(each)
        figures.add_feedback(Feedback("patch", "ada", 1, NOW - timedelta(days=31), "long ago"))
        assert figures.scores(SCOPE) == {"patch": {5: 2, 2: 1}, "ping": {4: 1}}
        assert figures.comments(SCOPE, 5) == [Feedback("ping", "grace", 4, NOW, "quick\ufffd {{ x }}", "run-1")]
        assert figures.comments(Scope(SCOPE.since, SCOPE.until, "patch"), 5) == []
