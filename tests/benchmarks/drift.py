"""Drift: the fast check beside check mode and a ping, what it takes of a host, and nights of a large fleet."""

from __future__ import annotations

from . import drift_lab, drift_store
from .figures import Figure


def measure() -> list[Figure]:
    """Return the figures of lab hosts, and of recorded ones."""
    return [*drift_lab.measure(), *drift_store.measure()]
