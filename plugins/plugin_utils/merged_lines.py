# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Lines of many hosts, merged by time into one text of limited size."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone

# Lines are data, also for the terminal that they are read on.
_VISIBLE = dict.fromkeys((*range(32), 127, *range(128, 160), 8232, 8233), " ")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
Lines = Mapping[str, Sequence[Sequence[object]]]


def merged(lines: Lines) -> Iterator[tuple[int, str, str]]:
    """Yield moment (microseconds since the epoch), host and text, oldest first.

    Args:
        lines: by host, moment and text of each line, oldest first.
    """
    streams = [[(int(str(when)), host, str(text)) for when, text in found] for host, found in sorted(lines.items())]
    # What a program logs while the clock is set back is not in order.
    yield from heapq.merge(*(sorted(stream, key=lambda line: line[0]) for stream in streams), key=lambda line: line[0])


def text(lines: Lines, most_bytes: int) -> tuple[bytes, int]:
    """Return the merged lines as text, and how many of the oldest did not fit."""
    width = max((len(host) for host in lines), default=0)
    rendered = [
        "{0}  {1}  {2}\n".format(stamp(when), host.ljust(width), said.translate(_VISIBLE)).encode()
        for when, host, said in merged(lines)
    ]
    size, first = 0, len(rendered)
    while first and size + len(rendered[first - 1]) <= most_bytes:
        first -= 1
        size += len(rendered[first])
    return b"".join(rendered[first:]), first


def stamp(when: int) -> str:
    """Return a moment as people read it, in UTC."""
    return (_EPOCH + timedelta(microseconds=when)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
