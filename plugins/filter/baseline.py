# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""What the mark of the baseline on a host says."""

from __future__ import annotations

import base64
import json
from typing import Any

# A mark that agrees in these stays as it is, with the time and the run that first brought the host there.
_IDENTITY = ("schema", "baseline", "version", "digest", "roles")
_WHEN = ("applied_at", "commit", "run")


def read_mark(content: str) -> dict[str, Any]:
    """Return the mark in base64 text as it was read from a host; empty when it is none or damaged."""
    try:
        mark = json.loads(base64.b64decode(content))
    except ValueError:
        return {}
    if not isinstance(mark, dict) or not isinstance(mark.get("applied_at"), str):
        return {}
    return mark


def keep_or_renew(wanted: dict[str, Any], content: str) -> dict[str, Any]:
    """Return the mark to write: as on the host when it tells the same baseline, else the wanted one.

    Args:
        wanted: the mark of this run.
        content: the host's mark in base64, empty when there is none.
    """
    found = read_mark(content)
    if set(found) == set(wanted) and all(found[key] == wanted[key] for key in _IDENTITY):
        return {**wanted, **{key: found[key] for key in _WHEN}}
    return dict(wanted)


class FilterModule:
    """Filters of the role baseline_marker."""

    def filters(self) -> dict[str, Any]:
        return {"baseline_mark": keep_or_renew}
