"""What can go wrong on the way from NetBox to an inventory.

InventoryError                  the inventory cannot be used
└── SourceError                 NetBox did not give a complete and well-formed answer
"""

from __future__ import annotations

from typing import Dict, List, Optional

_NAMED_AT_MOST = 20


class InventoryError(Exception):
    """Why there is no usable inventory, in one sentence.

    Args:
        message: the sentence, without a final full stop.
        where: file, URL or option that it is about.
        hint: what would be right, or what to do next.
    """

    def __init__(self, message: str, where: Optional[str] = None, hint: Optional[str] = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = "%s: %s" % (self.where, self.message) if self.where else self.message
        return "%s (%s)" % (text, self.hint) if self.hint else text


class SourceError(InventoryError):
    """NetBox is away, refuses, or answered with something that is not complete and well-formed."""


class Notices:
    """What was wrong with single hosts without spoiling the inventory: one sentence, many hosts."""

    def __init__(self) -> None:
        self._hosts: Dict[str, List[str]] = {}

    def add(self, sentence: str, host: str) -> None:
        """Note that `sentence` holds for `host`."""
        self._hosts.setdefault(sentence, []).append(host)

    def sentences(self) -> List[str]:
        """Return each sentence with the hosts that it holds for, at most twenty of them by name."""
        return ["%s: %s" % (sentence, listed(hosts)) for sentence, hosts in self._hosts.items()]


def listed(names: List[str]) -> str:
    """Return names for a message: the first twenty, and how many more there are."""
    shown = ", ".join(names[:_NAMED_AT_MOST])
    more = len(names) - _NAMED_AT_MOST
    return "%s and %d more" % (shown, more) if more > 0 else shown
