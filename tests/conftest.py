"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# A busy machine makes any test slow: how long one takes is measured by the benchmarks, not judged here.
settings.register_profile("bedplate", deadline=None)
settings.load_profile("bedplate")
