# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Lengths of time, as parameters have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ansible_collections.bedplate.datacenter.plugins.plugin_utils.parameters import duration_seconds


class FilterModule:
    """The filters of this file, by name."""

    def filters(self) -> Mapping[str, Callable[..., object]]:
        """Return each filter under its name."""
        return {"duration_seconds": duration_seconds}
