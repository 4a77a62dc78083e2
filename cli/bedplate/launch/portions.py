"""Work over many things, by all cores where there are enough of them, without holding all of them in memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from typing import TypeVar

from bedplate.errors import EngineError

_Thing = TypeVar("_Thing")
_Done = TypeVar("_Done")
# Fewer are done sooner than a process has started.
_FEW = 400
_PORTION = 50
_AHEAD = 3


def over_all(
    work: Callable[[_Thing], _Done], things: Iterable[_Thing], count: int, *, few: int = _FEW
) -> Iterator[_Done]:
    """Yield what `work` makes of each thing, in their order.

    Args:
        work: a function of a module, or a partial of one: other processes call it.
        count: how many things there are.
        few: with fewer, this process does all of it.

    Raises:
        EngineError: one of the processes was killed.
    """
    cores = len(os.sched_getaffinity(0))
    if count < few or cores == 1:
        yield from map(work, things)
        return
    left = iter(things)
    waiting: deque[Future[list[_Done]]] = deque()
    try:
        with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
            while portion := list(islice(left, _PORTION)):
                waiting.append(pool.submit(_all, work, portion))
                if len(waiting) > _AHEAD * cores:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
    except BrokenExecutor as error:
        raise EngineError("a process that was to compare hosts was killed") from error


def _all(work: Callable[[_Thing], _Done], portion: list[_Thing]) -> list[_Done]:
    return [work(thing) for thing in portion]
