"""The guardrails that a playbook has to act on itself, and the variables by which it does."""

from __future__ import annotations

from collections.abc import Iterable

BATCH_KEYS = ("canary", "serial_by", "max_fail_percent")
_HOSTS = ("bedplate_hosts", "bedplate_batches")
_READS = {"canary": _HOSTS, "serial_by": _HOSTS, "max_fail_percent": ("bedplate_max_fail_percent",)}


def unread_keys(playbook: str, asked: Iterable[str]) -> tuple[str, ...]:
    """Return which of the keys that a manifest has the text of its playbook does not act on."""
    return tuple(key for key in asked if not all(variable in playbook for variable in _READS[key]))


def variables_of(key: str) -> str:
    """Return the variables of a key, as a sentence has them."""
    return " and ".join(_READS[key])
