"""What was told of already, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from bedplate.notices import NoticeRepository, Trouble
from bedplate.store import open_notices
from integration.store.places import NOW, Place

TROUBLE = Trouble("patch", ("b", "a"), "Install")


@contextmanager
def _notices(place: Place) -> Iterator[NoticeRepository]:
    notices = open_notices(place.settings)
    try:
        yield notices
    finally:
        notices.close()


def test_the_order_of_hosts_makes_no_other_trouble() -> None:
    assert Trouble("patch", ("a", "b"), "Install").cause == TROUBLE.cause
    others = [
        Trouble("ping", ("a", "b"), "Install"),
        Trouble("patch", ("a",), "Install"),
        Trouble("patch", ("a", "b"), "Go"),
        Trouble("patch", ("a", "b"), "Install", "team 1"),
    ]
    assert TROUBLE.cause not in {other.cause for other in others}


def test_a_trouble_is_new_once(place: Place) -> None:
    with _notices(place) as notices:
        assert notices.remember(TROUBLE, "run-1", NOW)
        assert not notices.remember(TROUBLE, "run-2", NOW)
        notices.forget(TROUBLE)
        assert notices.remember(TROUBLE, "run-3", NOW)


def test_a_success_ends_what_it_covers(place: Place) -> None:
    with _notices(place) as notices:
        notices.remember(TROUBLE, "run-1", NOW)
        notices.settle("patch", ("a",))
        notices.settle("ping", ("a", "b"))
        assert not notices.remember(TROUBLE, "run-2", NOW)
        notices.settle("patch", ("a", "b", "c"))
        assert notices.remember(TROUBLE, "run-3", NOW)


def test_of_many_at_once_one_tells(place: Place) -> None:
    with _notices(place) as notices, ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda number: notices.remember(TROUBLE, f"run-{number}", NOW), range(16)))
    assert sorted(told) == [False] * 15 + [True]
