"""What of NetBox is asked for."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Dict, List, Mapping, Sequence

from .filters import Filter

KINDS = ("device", "virtual_machine")
_STATUSES_OF_ONE_KIND = {"inventory": "device", "paused": "virtual_machine"}


class Query:
    """Which objects of NetBox become hosts, and with how much of what belongs to them.

    Args:
        kinds: `device`, `virtual_machine` or both.
        filters: kind → filters.
        statuses: taken unless a kind's filters name a status; empty for all.
        config_context, services, interfaces: whether these are read too.
        classes: the settings that say which class a host has; they only count in the digest.
    """

    def __init__(
        self,
        kinds: Sequence[str],
        filters: Mapping[str, Sequence[Filter]],
        statuses: Sequence[str],
        *,
        config_context: bool = True,
        services: bool = True,
        interfaces: bool = False,
        classes: object = None,
    ) -> None:
        self.kinds = kinds
        self.filters = filters
        self.statuses = statuses
        self.config_context = config_context
        self.services = services
        self.interfaces = interfaces
        self._classes = classes

    def statuses_of(self, kind: str) -> List[str]:
        """Return the statuses that are taken of a kind; empty if its filters decide that, or all are taken."""
        if any(name.split("__", 1)[0] == "status" for name, _value in self.filters.get(kind, ())):
            return []
        return [status for status in self.statuses if _STATUSES_OF_ONE_KIND.get(status, kind) == kind]

    def parameters_of(self, kind: str) -> List[Filter]:
        """Return the filters of a kind as they are sent."""
        return [*self.filters.get(kind, ()), *(("status", status) for status in self.statuses_of(kind))]

    def takes(self, kind: str) -> bool:
        """Return whether there can be any host of a kind: not if only statuses of the other kind are asked for."""
        return kind in self.kinds and bool(self.parameters_of(kind) or not self.statuses)

    def has_filters(self) -> bool:
        """Return whether there are filters besides statuses."""
        return any(self.filters.values())

    def digest(self) -> str:
        """Return what tells the answer to this query from the answers to others."""
        asked: Dict[str, Any] = {
            "kinds": sorted(self.kinds),
            "parameters": {kind: sorted(self.parameters_of(kind)) for kind in self.kinds},
            "with": [self.config_context, self.services, self.interfaces],
            "classes": self._classes,
        }
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode("utf-8")).hexdigest()[:16]
