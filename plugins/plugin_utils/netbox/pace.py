"""How many requests are under way at once: two at first, more for as long as that gives more objects a second."""

from __future__ import annotations

import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Callable, Dict, Hashable, List, Mapping, Sequence, TypeVar

FEWEST = 2
MOST = 8
_GAIN = 1.1
_HOLD = 4

Task = Callable[[], Any]
Name = TypeVar("Name", bound=Hashable)


class Pace:
    """Decides by the server's answer times.

    Attributes:
        allowed: how many requests may be under way now, from two to eight.
    """

    def __init__(self) -> None:
        self.allowed = FEWEST
        self._times: List[float] = []
        self._best = 0.0
        self._hold = 0

    def note(self, seconds: float) -> None:
        """Take in how long an answer took; after as many as are allowed at once, decide anew."""
        self._times.append(max(seconds, 1e-6))
        if len(self._times) < self.allowed:
            return
        rate = self.allowed * len(self._times) / sum(self._times)
        self._times.clear()
        if self._hold:
            self._hold -= 1
        elif rate > self._best * _GAIN:
            self._best = rate
            self.allowed = min(MOST, self.allowed + 1)
        else:
            self.allowed = max(FEWEST, self.allowed - 1)
            self._hold = _HOLD


def gather(tasks: Mapping[Name, Sequence[Task]], pace: Pace) -> Dict[Name, List[Any]]:
    """Run tasks, in order, as many at once as the pace allows, and return what they returned by name.

    Raises:
        what the first task that fails raises; those that have not begun are not run.
    """
    waiting = [(name, number, task) for name, listed in tasks.items() for number, task in enumerate(listed)]
    results: Dict[Name, List[Any]] = {name: [None] * len(listed) for name, listed in tasks.items()}
    running: Dict[Future[Any], Any] = {}
    with ThreadPoolExecutor(max_workers=MOST) as pool:
        while waiting or running:
            while waiting and len(running) < pace.allowed:
                name, number, task = waiting.pop(0)
                running[pool.submit(_timed, task)] = (name, number)
            done, _rest = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                name, number = running.pop(future)
                results[name][number], seconds = future.result()
                pace.note(seconds)
    return results


def _timed(task: Task) -> Any:  # noqa: ANN401 (tasks return what they like)
    begun = time.perf_counter()
    return task(), time.perf_counter() - begun
