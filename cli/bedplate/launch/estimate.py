"""How long a run will take, from how long such runs took."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

# A run has a part that does not depend on its hosts; hosts that fit in one batch of forks cost nothing more.
_FIXED = 0.5


def expected_seconds(durations: Sequence[tuple[int, float]], hosts: int) -> float | None:
    """Return the seconds that a run on so many hosts will take; None without any experience.

    Args:
        durations: (number of hosts, seconds) of earlier runs.
    """
    scaled = [seconds * (_FIXED + (1 - _FIXED) * hosts / count) for count, seconds in durations if count]
    return median(scaled) if scaled else None
