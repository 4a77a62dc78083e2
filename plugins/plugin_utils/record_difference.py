# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""One thing in which a host is not as NetBox says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Union

# Python 3.9 evaluates this.
Value = Union[str, int, None]


@dataclass(frozen=True)
class Difference:
    """A field in which NetBox and the host differ.

    Attributes:
        field: such as `serial`, `memory`, `interface eth0`, `interface eth0 mac`, `interface eth0 addresses`.
        in_netbox: what NetBox says; None where it says nothing.
        on_host: what the host says; None where it does not have it.
        writable: whether NetBox can be made to say what the host says. What is not is for people to decide.
    """

    field: str
    in_netbox: Value
    on_host: Value
    writable: bool

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data, such as reports have."""
        return {
            "field": self.field,
            "in_netbox": self.in_netbox,
            "on_host": self.on_host,
            "writable": self.writable,
        }
