"""What any way of reading NetBox gives: found hosts, before names and classes are settled.

A reading is complete or it is a SourceError; there is nothing in between.
"""

from __future__ import annotations

from typing import Any, Dict, List, Protocol

from .faults import Notices
from .query import Query


class FoundHost:
    """One device or virtual machine.

    Attributes:
        record: as in a snapshot; its name is NetBox's and its class is None.
        created: when it was made in NetBox, as text that sorts by time; empty if not known.
    """

    __slots__ = ("created", "record")

    def __init__(self, record: Dict[str, Any], created: str = "") -> None:
        self.record = record
        self.created = created


class Reading:
    """All that was found, from one complete and well-formed read."""

    def __init__(self, hosts: List[FoundHost], netbox_version: str) -> None:
        self.hosts = hosts
        self.netbox_version = netbox_version


class Source(Protocol):
    """A way to read NetBox."""

    url: str
    """NetBox's address without credentials."""

    def read(self, query: Query, notices: Notices) -> Reading:
        """Read what the query asks for. Raises SourceError unless all of it came, whole and well-formed."""
