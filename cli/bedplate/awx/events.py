"""The events of an AWX job: each once, in order of their counter, however late AWX saves some of them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

from bedplate.awx.client import PAGE, AwxClient

Entry = dict[str, Any]
_AHEAD = 4
# So many looks, each after a pause, wait for events that others have overtaken.
_LOOKS = 10


class EventStream:
    """Reads the events of one job. Where a look was broken off by a fault, the next one goes on there.

    AWX saves events in portions, several at once, so a later event may be there before an earlier one. It is waited
    for a while; then the others go first, and it is asked for again when AWX has saved all.

    Args:
        number: AWX's id of the job.
    """

    def __init__(self, client: AwxClient, number: int) -> None:
        self._client = client
        self._path = f"jobs/{number}/job_events/"
        self._next = 1
        self._missing: list[tuple[int, int]] = []
        self._patience = _LOOKS
        self._pool = ThreadPoolExecutor(_AHEAD, thread_name_prefix="bedplate-awx-events")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def take(self, *, final: bool) -> Iterator[list[Entry]]:
        """Yield what is there and was not yielded yet, in portions.

        Args:
            final: AWX has saved all that it ever will: what is missing then was never saved.

        Raises:
            EngineError: as `AwxClient.send`.
        """
        ahead = 1
        while True:
            pages = self._pages(ahead)
            for page in pages:
                found = self._in_order(page, final=final)
                if found:
                    yield found
                if len(found) < len(page):
                    return  # an earlier one is still to come
            full = all(len(page) == PAGE for page in pages)
            if ahead == 1 and not full:
                break
            ahead = _AHEAD if full else 1
        if final:
            yield from self._belated()

    def _pages(self, ahead: int) -> list[list[Entry]]:
        """The next page, or the next ones at the same time: they are known by the counters in them."""
        if ahead == 1:
            return [self._ask(counter__gte=self._next)]
        begins = range(self._next, self._next + ahead * PAGE, PAGE)
        asked = [self._pool.submit(self._ask, counter__gte=begin, counter__lt=begin + PAGE) for begin in begins]
        return [each.result() for each in asked]

    def _ask(self, **query: int) -> list[Entry]:
        # `limit` instead of a page: AWX does not count all events then. Without `no_truncate` it cuts what was printed.
        answer = self._client.get(self._path, **query, order_by="counter", limit=PAGE, no_truncate=1)
        entries: list[Entry] = answer.get("results", [])
        return entries

    def _in_order(self, page: list[Entry], *, final: bool) -> list[Entry]:
        """The events up to the first that is missing, or all if it is waited for no longer."""
        found = []
        for entry in page:
            counter = entry["counter"]
            if counter < self._next:
                continue
            if counter > self._next:
                if not final and self._patience > 0:
                    self._patience -= 1
                    break
                if not final:
                    self._missing.append((self._next, counter))
            found.append(entry)
            self._next = counter + 1
            self._patience = _LOOKS
        return found

    def _belated(self) -> Iterator[list[Entry]]:
        while self._missing:
            begin, end = self._missing[0]
            found = self._ask(counter__gte=begin, counter__lt=end)
            if len(found) == PAGE:
                self._missing[0] = (found[-1]["counter"] + 1, end)
            else:
                del self._missing[0]
            if found:
                yield found
