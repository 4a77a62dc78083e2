"""What `compat: nb_inventory` reads: NetBox's objects as they are, whole lists of them, in NetBox's own order."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional, Sequence, Tuple

from . import changes, pages, polling
from .alike import Alike
from .answers import AnswerError
from .client import Client
from .faults import InventoryError, SourceError
from .filters import names_in_schema

Objects = List[Dict[str, Any]]
Pair = Tuple[str, str]

HOSTS = {"device": "/api/dcim/devices/", "virtual_machine": "/api/virtualization/virtual-machines/"}
ALWAYS = {
    "sites": "/api/dcim/sites/",
    "regions": "/api/dcim/regions/",
    "site_groups": "/api/dcim/site-groups/",
    "locations": "/api/dcim/locations/",
    "racks": "/api/dcim/racks/",
    "clusters": "/api/virtualization/clusters/",
}
_SERVICES = {"services": "/api/ipam/services/"}
_INTERFACES = {
    "interfaces_device": "/api/dcim/interfaces/",
    "interfaces_virtual_machine": "/api/virtualization/interfaces/",
}
_ADDRESSES = {"addresses": "/api/ipam/ip-addresses/"}
_AT_ONCE = 2
_OLDEST = (4, 2)


class Asked(NamedTuple):
    """What is asked for.

    Attributes:
        both, devices, machines: pairs of filter and value, as `query_filters` and its two companions have them.
        config_context, services, interfaces, addresses: whether these are read.
    """

    both: Sequence[Pair]
    devices: Sequence[Pair]
    machines: Sequence[Pair]
    config_context: bool
    services: bool
    interfaces: bool
    addresses: bool

    def digest(self, url: str) -> str:
        """Return what tells what is asked for of this NetBox from anything else."""
        return hashlib.sha256(repr((url, tuple(self))).encode("utf-8")).hexdigest()[:16]


class Lists(NamedTuple):
    """All that was read.

    Attributes:
        objects: name of a list → its objects.
        position: where the next refresh starts from; None where there can be none.
    """

    netbox_version: str
    objects: Dict[str, Objects]
    position: Optional[Dict[str, Any]] = None


def read_lists(client: Client, asked: Asked, page_size: int) -> Lists:
    """Read NetBox, two lists at a time.

    Raises:
        SourceError: NetBox is too old, or a list did not come whole and well-formed.
        InventoryError: a filter is one that NetBox would ignore.
    """
    try:
        version = read_version(client)
        parameters = _of_kinds(client, asked)
        position = _position(client, parameters, page_size)
        wanted = [(kind, HOSTS[kind], parameters[kind]) for kind in parameters]
        wanted += [(name, path, []) for name, path in _paths(asked).items()]
        alike = Alike()
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            futures = {
                name: pool.submit(read_list, client, path, of_list, page_size, alike) for name, path, of_list in wanted
            }
            objects = {name: future.result() for name, future in futures.items()}
        position["counts"] = {kind: len(objects[kind]) for kind in parameters}
        return Lists(version, objects, position)
    finally:
        client.close()


def _position(client: Client, parameters: Dict[str, List[Pair]], page_size: int) -> Dict[str, Any]:
    """Return where a refresh goes on from, if it begins before anything is read."""
    lists, asked_at = pages.Lists(client, page_size), changes.as_server_time(client.server_time)
    position: Dict[str, Any] = {"asked_at": asked_at, "parameters": parameters, "changelog": None, "polled": {}}
    try:
        position["changelog"] = changes.position_of(lists)
        since = changes.polled_from(asked_at)
        position["polled"] = polling.poll(client, lists, since, by_graphql=False, services=False)
    except AnswerError as error:
        position["unseen"] = str(error)
    except changes.NotExactError:
        pass
    return position


def _paths(asked: Asked) -> Dict[str, str]:
    parts = ((asked.services, _SERVICES), (asked.interfaces, _INTERFACES), (asked.addresses, _ADDRESSES))
    return {**ALWAYS, **{name: path for needed, paths in parts if needed for name, path in paths.items()}}


def _of_kinds(client: Client, asked: Asked) -> Dict[str, List[Pair]]:
    """Return the parameters of each kind of host that is asked for.

    A filter of query_filters that one kind does not have is left out for this kind, and a kind that has none of them
    is not read, as nb_inventory does it. One that neither has is an error: NetBox would answer with everything.
    """
    own = {"device": asked.devices, "virtual_machine": asked.machines}
    known: Dict[str, FrozenSet[str]] = {}
    if asked.both or asked.devices or asked.machines:
        schema = client.get("/api/schema/", [("format", "json")])
        known = {kind: names_in_schema(schema, path) for kind, path in HOSTS.items()}
    for name, _value in asked.both:
        if not any(_is_known(name, known[kind]) for kind in HOSTS):
            raise InventoryError("NetBox has no filter %r" % name, where="query_filters")
    parameters: Dict[str, List[Pair]] = {}
    for kind in HOSTS:
        for name, _value in own[kind]:
            if not _is_known(name, known[kind]):
                raise InventoryError("NetBox has no filter %r for a %s" % (name, kind.replace("_", " ")))
        pairs = [pair for pair in asked.both if _is_known(pair[0], known[kind])] + list(own[kind])
        if pairs or not asked.both:
            parameters[kind] = pairs + ([] if asked.config_context else [("exclude", "config_context")])
    return parameters


def _is_known(name: str, known: FrozenSet[str]) -> bool:
    return name in known or name.startswith("cf_")


def read_list(client: Client, path: str, parameters: Sequence[Pair], page_size: int, alike: Alike) -> Objects:
    """Read a list by position, and make sure that nothing was lost or doubled by a change in mid-read.

    Raises:
        SourceError: it did not come whole and well-formed.
    """
    found: Objects = []
    while True:
        query = [*parameters, ("limit", str(page_size)), ("offset", str(len(found)))]
        page = client.get(path, query)
        results = page.get("results") if isinstance(page, dict) else None
        if not isinstance(results, list) or type(page.get("count")) is not int or not all(map(_has_id, results)):
            raise SourceError("this is no list of objects", where=client.endpoint.base + path)
        found += map(alike.share, results)
        if not results or len(found) >= page["count"]:
            break
    if len(found) != page["count"] or len({entry["id"] for entry in found}) != len(found):
        raise SourceError(
            "%d objects came of %s: they changed while they were read" % (len(found), page["count"]),
            where=client.endpoint.base + path,
            hint="read again",
        )
    return found


def _has_id(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("id"), int)


def read_version(client: Client) -> str:
    """Return NetBox's version. Raises SourceError if it is too old, or not said."""
    status, where = client.get("/api/status/"), client.endpoint.base
    version = status.get("netbox-version") if isinstance(status, dict) else None
    parts = str(version).split("-")[0].split(".")[:2]
    if len(parts) < 2 or not all(part.isdigit() for part in parts):
        raise SourceError("this does not say its version, so it is no NetBox", where=where)
    if tuple(map(int, parts)) < _OLDEST:
        raise SourceError("NetBox %s is too old: 4.2 or newer is needed" % version, where=where)
    return str(version)
