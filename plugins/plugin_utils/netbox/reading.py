"""What any way of reading NetBox gives: found hosts, before names and classes are settled.

A reading is complete or it is a SourceError; there is nothing in between.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Protocol

from .faults import Notices
from .query import Query
from .rows import Tables


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
    """All that was found, from one complete and well-formed read.

    Attributes:
        tables: what it was made from, for the next refresh; None where there is none.
        position: where the next refresh starts from.
        how: how it was read, and why not in a better way, for people.
        changed: whether anything is not as in the reading that this one went on from.
        altered: the only hosts that are not as in that reading, if they are known and none came or went; None else.
    """

    def __init__(
        self,
        hosts: Iterable[FoundHost],
        netbox_version: str,
        tables: Optional[Tables] = None,
        position: Optional[Dict[str, Any]] = None,
        how: str = "",
        *,
        changed: bool = True,
        altered: Optional[List[FoundHost]] = None,
    ) -> None:
        self.hosts = hosts
        self.netbox_version = netbox_version
        self.tables = tables
        self.position = position
        self.how = how
        self.changed = changed
        self.altered = altered


class Source(Protocol):
    """A way to read NetBox."""

    url: str
    """NetBox's address without credentials."""

    def read(self, query: Query, notices: Notices) -> Reading:
        """Read what the query asks for. Raises SourceError unless all of it came, whole and well-formed."""

    def update(
        self, query: Query, position: Mapping[str, Any], tables: Callable[[], Tables], notices: Notices
    ) -> Reading:
        """Read what changed since a position.

        Args:
            tables: gives what was read up to that position; only called if something changed.

        Raises:
            NotExactError: that cannot be told exactly.
            SourceError: there was no complete and well-formed answer.
        """
