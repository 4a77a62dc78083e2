"""The lists of the last read for `compat: nb_inventory`, as a file."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from datetime import datetime, timezone
from typing import Any, Dict, Iterator, List

from .alike import Alike
from .compat_lists import Lists, Objects
from .faults import InventoryError
from .private_files import write_privately

SCHEMA = 2
_FORMAT = "nb_inventory lists"
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_OBJECTS_A_LINE = 500


class Kept:
    """Lists that were read before.

    Attributes:
        taken_at: when NetBox said so last (UTC).
        full_at: when they were last read in full (UTC).
        query: the digest of what was asked for.
    """

    def __init__(self, lists: Lists, taken_at: datetime, full_at: datetime, query: str) -> None:
        self.lists = lists
        self.taken_at = taken_at
        self.full_at = full_at
        self.query = query


def read_kept(path: str) -> Kept:
    """Read lists that were written before. Raises InventoryError if the file has none."""
    try:
        with gzip.open(path, "rb") as file:
            head = json.loads(file.readline())
            if head.get("format") != _FORMAT or head["schema"] != SCHEMA:
                raise InventoryError("this is no file of compat: nb_inventory, or of another version", where=path)
            objects = _objects(file, Alike())
        lists = Lists(head["netbox_version"], objects, head["position"])
        if {name: len(listed) for name, listed in objects.items()} != head["sizes"]:
            raise InventoryError("the lists are not whole", where=path)
        return Kept(lists, _moment(head["taken_at"]), _moment(head["full_at"]), head["query"])
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InventoryError("the lists cannot be read: %s" % error, where=path) from error


def write_kept(path: str, kept: Kept, source: str) -> None:
    """Write lists in one step (0600). Raises InventoryError; what was there before is still there then."""
    body = io.BytesIO()
    with gzip.GzipFile(fileobj=body, mode="wb", compresslevel=1, mtime=0) as file:
        for line in _lines(kept.lists.objects):
            file.write(line)
    write_privately(path, _head(kept, source) + body.getvalue())


def write_again(path: str, kept: Kept, source: str) -> None:
    """Write lists of which only the head is not as it is in the file. Raises InventoryError as `write_kept` does."""
    try:
        with open(path, "rb") as file:
            data = file.read()
        first = zlib.decompressobj(wbits=31)
        whole = first.decompress(data).endswith(b"}\n") and bool(first.unused_data)
    except (OSError, zlib.error):
        whole = False
    if whole:
        write_privately(path, _head(kept, source) + first.unused_data)
    else:
        write_kept(path, kept, source)


def _head(kept: Kept, source: str) -> bytes:
    head: Dict[str, Any] = {
        "format": _FORMAT,
        "schema": SCHEMA,
        "taken_at": kept.taken_at.strftime(_TIME),
        "full_at": kept.full_at.strftime(_TIME),
        "source": source,
        "query": kept.query,
        "netbox_version": kept.lists.netbox_version,
        "position": kept.lists.position,
        "sizes": {name: len(listed) for name, listed in kept.lists.objects.items()},
    }
    return gzip.compress(json.dumps(head).encode("utf-8") + b"\n", compresslevel=1, mtime=0)


def _lines(objects: Dict[str, Objects]) -> Iterator[bytes]:
    for name, listed in objects.items():
        for at in range(0, max(len(listed), 1), _OBJECTS_A_LINE):
            part = [name, listed[at : at + _OBJECTS_A_LINE]]
            yield json.dumps(part, separators=(",", ":")).encode("utf-8") + b"\n"


def _objects(lines: Iterator[bytes], alike: Alike) -> Dict[str, Objects]:
    """Return the lists of a file, a part at a time: as a whole its text would take much memory."""
    objects: Dict[str, List[Dict[str, Any]]] = {}
    for line in lines:
        name, part = json.loads(line)
        objects.setdefault(name, []).extend(map(alike.share, part))
    return objects


def _moment(text: str) -> datetime:
    return datetime.strptime(text, _TIME).replace(tzinfo=timezone.utc)
