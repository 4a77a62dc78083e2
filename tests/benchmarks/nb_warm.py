"""20,000 hosts from what was kept, beside nb_inventory with its jsonfile cache: see `nb_inventory`.

nb_inventory takes ten minutes for that. It is stopped when it has taken so many times as long as ours that the limit
is proven; the figures are then what it took until then.
"""

from __future__ import annotations

from .figures import Figure
from .nb_inventory import LIST_HOSTS, OURS, Place, beside, cost, rows

_LIMIT = 0.02
_PATIENCE = 1.6 / _LIMIT  # times ours


def measure() -> list[Figure]:
    """Return the figures, none if nobody asked for them."""
    return beside(lambda place: warm(place, filled(place)))


def filled(place: Place) -> dict[str, str]:
    """Have all keep what they read, and return what nb_inventory needs in the environment to use it."""
    cache = {"ANSIBLE_CACHE_PLUGIN": "jsonfile", "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(place.folder / "cache")}
    cache |= {"ANSIBLE_INVENTORY_CACHE": "true", "ANSIBLE_INVENTORY_CACHE_TIMEOUT": "86400", **place.more}
    cost(LIST_HOSTS, place.theirs(), cache)
    for name in OURS:
        cost(LIST_HOSTS, place.ours(name), place.more)
    return cache


def warm(place: Place, cache: dict[str, str]) -> list[Figure]:
    """Return the figures of what is kept."""
    kept = {"BEDPLATE_INVENTORY_CACHE_TTL": "86400"}
    ours = {name: cost(LIST_HOSTS, place.ours(name), kept) for name in OURS}
    theirs = cost(LIST_HOSTS, place.theirs(), cache, ours["ours"].wall * _PATIENCE)
    what = f"warm, {' '.join(LIST_HOSTS)}"
    limits = {"ours": _LIMIT}
    return [row for name, taken in ours.items() for row in rows(f"{what}: {name}", taken, theirs, limits.get(name))]
