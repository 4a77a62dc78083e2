"""Lists and dictionaries that are equal, kept once."""

from __future__ import annotations

import hashlib
import marshal
from typing import Any, Dict

_PLAIN_MARSHAL = 2  # without references: equal values give equal bytes
_SHORT = 64


class Alike:
    """Remembers the values of objects, and gives the first one that is equal.

    What an object of NetBox carries of others (its site, its role) comes with each object anew, and takes most of the
    memory of a large fleet.
    """

    def __init__(self) -> None:
        self._known: Dict[bytes, Any] = {}

    def share(self, entry: Dict[str, Any]) -> Dict[str, Any]:
        """Replace the lists and dictionaries in an object by equal ones that are there already, and return it."""
        for key, value in entry.items():
            if value.__class__ is dict or value.__class__ is list:
                mark = marshal.dumps(value, _PLAIN_MARSHAL)
                if len(mark) > _SHORT:
                    mark = hashlib.blake2b(mark, digest_size=20).digest()
                entry[key] = self._known.setdefault(mark, value)
        return entry
