"""All ways to drift, none of which is in the way of another."""

from __future__ import annotations

from integration.drift_corpus import ways_files, ways_kernel, ways_more, ways_programs, ways_system
from integration.drift_corpus.ground import Ground
from integration.drift_corpus.way import Way

_PARTS = (
    ways_files.contents, ways_files.attributes, ways_files.kinds, ways_files.places, ways_files.more_places,
    ways_system.accounts, ways_system.packages, ways_system.units,
    ways_kernel.kernel, ways_kernel.network, ways_kernel.privileges,
    ways_more.first, ways_more.trusted, ways_more.alike, ways_programs.programs,
)  # fmt: skip


def ways(ground: Ground) -> list[Way]:
    """Return all ways to drift on this ground."""
    return [way for part in _PARTS for way in part(ground)]
