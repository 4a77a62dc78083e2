"""Which executions of other engines are runs here, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bedplate.engine_runs import EngineRun, EngineRunRepository
from bedplate.store import open_engine_runs
from integration.store.places import Place

AWX = "https://awx.example.com/api/v2/"


@pytest.fixture
def kept(place: Place) -> Iterator[EngineRunRepository]:
    opened = open_engine_runs(place.settings)
    yield opened
    opened.close()


def test_who_claims_first_has_it(kept: EngineRunRepository) -> None:
    assert kept.claim(AWX, 7, "run-1") == EngineRun(AWX, 7, "run-1")
    assert kept.claim(AWX, 7, "run-2") == EngineRun(AWX, 7, "run-1")
    assert kept.claim("https://other.example.com/", 7, "run-2").run_id == "run-2"
    kept.settle(AWX, 7)
    assert kept.claim(AWX, 7, "run-3") == EngineRun(AWX, 7, "run-1", complete=True)
    assert kept.known(AWX, [6, 7]) == {7: EngineRun(AWX, 7, "run-1", complete=True)}
    assert kept.known(AWX, []) == {}


def test_of_many_at_once_one_has_it(kept: EngineRunRepository) -> None:
    with ThreadPoolExecutor(8) as pool:
        claimed = list(pool.map(lambda number: kept.claim(AWX, 1, f"run-{number}").run_id, range(16)))
    assert len(set(claimed)) == 1


def test_a_position_only_grows(kept: EngineRunRepository) -> None:
    assert kept.position(AWX) == 0
    kept.advance(AWX, 12)
    kept.advance(AWX, 7)
    assert kept.position(AWX) == 12
    assert kept.position("https://other.example.com/") == 0
    kept.advance(AWX, 1 << 40)
    assert kept.position(AWX) == 1 << 40
