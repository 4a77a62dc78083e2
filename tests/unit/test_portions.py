"""Work that other processes do comes back whole and in order, and a process that dies is said."""

from __future__ import annotations

import operator
import os
import signal

import pytest

from bedplate.errors import EngineError
from bedplate.launch.portions import over_all


@pytest.mark.parametrize("few", [0, 10_000])
def test_everything_is_done_once_and_in_order(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1})
    numbers = iter(range(2000))
    done = over_all(operator.neg, numbers, 2000, few=few)
    assert next(done) == 0
    assert next(numbers) < 1000, "no more is taken than is soon worked on"
    left = list(done)
    assert len(left) == 1998
    assert left == sorted(left, reverse=True)
    assert left[-1] == -1999


def test_a_process_that_was_killed_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1})
    with pytest.raises(EngineError, match="a process that was to compare hosts was killed"):
        list(over_all(signal.raise_signal, [signal.SIGKILL], 1, few=0))
