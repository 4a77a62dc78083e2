"""`ansible-inventory --list` of 20,000 hosts, beside nb_inventory's: see `nb_inventory`."""

from __future__ import annotations

from .figures import Figure
from .nb_inventory import beside, cold

_LIMIT = 0.2


def measure() -> list[Figure]:
    """Return the figures of listing all that is known of the hosts, none if nobody asked for them."""
    return beside(lambda place: cold(place, ("ansible-inventory", "--list"), _LIMIT))
