"""Whose a resource is."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from bedplate.drift.managed import Resource

_FILES = ("file", "meta", "folder")


class Attribution:
    """Finds who manages what.

    Args:
        resources: what a run's tasks manage; of two that manage the same, the later one counts.
    """

    def __init__(self, resources: Iterable[Resource]) -> None:
        resources = list(resources)
        self._known = {(resource.kind, resource.key): resource for resource in resources}
        self._patterns = [resource for resource in resources if resource.kind == "pattern"]
        self._folders = [resource for resource in resources if resource.kind == "folder"]

    def of(self, kind: str, key: str) -> Resource | None:
        """Return what manages a resource; None for what nobody manages."""
        if kind != "file":
            return self._known.get((kind, key))
        for alike in _FILES:
            if (alike, key) in self._known:
                return self._known[alike, key]
        folder = key.rpartition("/")[0]
        inside = (resource for resource in self._folders if resource.key == folder)
        matching = (resource for resource in self._patterns if fnmatchcase(key, resource.key))
        return next(inside, None) or next(matching, None)
