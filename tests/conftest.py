"""What holds for all tests."""

from __future__ import annotations

import os

from hypothesis import settings

# A busy machine makes any test slow: how long one takes is measured by the benchmarks, not judged here.
# New examples are found at home; CI judges a change by examples that do not change with the weather.
settings.register_profile("bedplate", deadline=None, derandomize=bool(os.environ.get("CI")), print_blob=True)
settings.load_profile("bedplate")
