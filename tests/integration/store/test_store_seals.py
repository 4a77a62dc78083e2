"""Seals, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bedplate.drift.seals import KeptSeal, SealRepository
from bedplate.store import open_seals
from integration.store.places import Place

AT = datetime(2026, 11, 25, 3, 4, 5, 678901, tzinfo=UTC)
ONE = KeptSeal("a", "baseline", "r1", AT, "d1", "signature:body", ("t1", "t2"))
TEXTS = {"t1": b"one", "t2": b"two", "t9": b"nobody names it"}


@pytest.fixture
def seals(place: Place) -> Iterator[SealRepository]:
    repository = open_seals(place.settings)
    yield repository
    repository.close()


def test_a_seal_is_kept_with_the_texts_that_it_names(seals: SealRepository) -> None:
    assert seals.put([ONE, replace(ONE, host="b\udcff", digest="d2", signed="s:2")], TEXTS) == ["a", "b\udcff"]
    assert seals.signed("baseline", ["a", "b\udcff", "c"]) == {"a": "signature:body", "b\udcff": "s:2"}
    assert seals.signed("metal", ["a"]) == {}
    assert len(seals.sealed("baseline")) == 2
    assert seals.texts(["t1", "t9", "t7"]) == {"t1": b"one"}


def test_a_seal_that_says_the_same_writes_nothing(seals: SealRepository) -> None:
    assert seals.put([ONE], TEXTS) == ["a"]
    later = replace(ONE, run="r2", taken_at=AT + timedelta(days=1), signed="another:body")
    assert seals.put([later], {"t1": b"never written"}) == []
    assert seals.signed("baseline", ["a"]) == {"a": "signature:body"}
    assert seals.put([replace(later, product="metal")], TEXTS) == ["a"]
    assert seals.put([replace(later, digest="d2"), replace(later, host="b")], {"t1": b"never written"}) == ["a", "b"]
    assert seals.signed("baseline", ["a", "b"]) == {"a": "another:body", "b": "another:body"}
    assert seals.texts(["t1"]) == {"t1": b"one"}


def test_texts_that_no_seal_names_any_more_are_swept_away(seals: SealRepository) -> None:
    seals.put([ONE, replace(ONE, host="b", texts=("t1",))], TEXTS)
    assert seals.sweep() == 0
    seals.put([replace(ONE, digest="d2", texts=("t3",))], {"t3": b"three"})
    assert seals.sweep() == 1
    assert seals.texts(["t1", "t2", "t3"]) == {"t1": b"one", "t3": b"three"}


def test_many_seals_at_once(seals: SealRepository) -> None:
    many = [replace(ONE, host=f"h{number:04}", texts=(f"x{number}",)) for number in range(1200)]
    assert len(seals.put(many, {f"x{number}": b"x" for number in range(1200)})) == 1200
    assert seals.put(many, {}) == []
    assert len(seals.signed("baseline", [seal.host for seal in many])) == 1200
    assert len(seals.texts(f"x{number}" for number in range(1200))) == 1200


def test_nothing_is_written_for_nobody(seals: SealRepository) -> None:
    assert seals.put([], TEXTS) == []
    assert (seals.sealed("baseline"), seals.sweep()) == (set(), 0)


def test_a_seal_is_renewed_only_where_it_is_still_the_one_that_it_was_made_of(seals: SealRepository) -> None:
    other = replace(ONE, host="b\udcff", digest="d2")
    seals.put([ONE, other], TEXTS)
    later = AT + timedelta(days=1)
    new = replace(ONE, digest="d9", signed="new:body", taken_at=later)
    stale, unknown = replace(other, digest="d8", signed="never"), replace(ONE, host="c")
    assert seals.renew([(new, "d1"), (stale, "d1"), (unknown, "d1")]) == ["a"]
    assert seals.kept("baseline", ["a", "b\udcff", "c"]) == {"a": new, "b\udcff": other}
    assert seals.taken(["a", "b\udcff", "c"]) == {("baseline", "a"): later, ("baseline", "b\udcff"): AT}
    assert (seals.renew([]), seals.kept("metal", ["a"]), seals.taken([])) == ([], {}, {})
