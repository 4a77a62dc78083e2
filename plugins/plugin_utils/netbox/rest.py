"""Reading NetBox by its REST API.

Lists are paged by id, not by offset: a change in mid-read neither loses nor doubles an object. Each list's count is
compared with what came, and each page must have the right form.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, FrozenSet, List, Optional, Sequence, Tuple

from .client import Client
from .faults import Notices, SourceError
from .filters import check_filters, names_in_schema
from .query import Query
from .reading import FoundHost, Reading
from .records import Attachments, Relations, build_record, note_shared_slugs

OLDEST = (4, 2)
PATHS = {"device": "/api/dcim/devices/", "virtual_machine": "/api/virtualization/virtual-machines/"}

_FIELDS = (
    "id,name,status,site,role,platform,tenant,cluster,serial,primary_ip4,primary_ip6,tags,custom_fields,created,"
    "last_updated"
)
_FIELDS_OF = {"device": ",location,rack,position,device_type,asset_tag,oob_ip", "virtual_machine": ""}
_RELATIONS = (
    ("regions", "/api/dcim/regions/", "id,slug,parent"),
    ("site_groups", "/api/dcim/site-groups/", "id,slug,parent"),
    ("sites", "/api/dcim/sites/", "id,slug,region,group"),
    ("clusters", "/api/virtualization/clusters/", "id,name,group,scope,scope_type"),
)
_SERVICES = (
    "/api/ipam/services/",
    "id,name,protocol,ports,parent_object_type,parent_object_id,device,virtual_machine",
)
_INTERFACES = {
    "device": (
        "/api/dcim/interfaces/",
        "id,name,type,enabled,mtu,mac_address,primary_mac_address,mgmt_only,device",
    ),
    "virtual_machine": (
        "/api/virtualization/interfaces/",
        "id,name,enabled,mtu,mac_address,primary_mac_address,virtual_machine",
    ),
}
_ADDRESSES = ("/api/ipam/ip-addresses/", "id,address,assigned_object_type,assigned_object_id")
_AT_ONCE = 2


class RestSource:
    """NetBox's REST API.

    Args:
        page_size: objects a page; NetBox may give fewer (MAX_PAGE_SIZE).
    """

    def __init__(self, client: Client, page_size: int = 500) -> None:
        self._client = client
        self._page_size = page_size
        self.url = client.endpoint.base

    def read(self, query: Query, notices: Notices) -> Reading:
        """Read what the query asks for, two lists at a time.

        Raises:
            SourceError: NetBox is too old, or some list did not come whole and well-formed.
            InventoryError: a filter is not known to NetBox.
        """
        try:
            return self._read(query, notices)
        finally:
            self._client.close()

    def _read(self, query: Query, notices: Notices) -> Reading:
        version = self._version()
        kinds = [kind for kind in query.kinds if query.takes(kind)]
        for kind in kinds:
            check_filters(kind, query.filters.get(kind, ()), self._filters_in_schema)
        lists = self._read_lists(self._wanted(query, kinds))
        relations = Relations({name: lists[name] for name, _path, _fields in _RELATIONS})
        attachments = Attachments(
            lists.get("services"),
            {kind: lists["interfaces_%s" % kind] for kind in kinds} if query.interfaces else None,
            lists.get("addresses", []),
        )
        note_shared_slugs({kind: lists[kind] for kind in kinds}, notices)
        hosts = []
        for kind in kinds:
            for entry in lists[kind]:
                url = "%s%s%d/" % (self.url, PATHS[kind][len("/api") :], entry["id"])
                record = build_record(kind, entry, url, relations, attachments)
                hosts.append(FoundHost(record, str(entry.get("created") or "")))
        return Reading(hosts, version)

    def _wanted(self, query: Query, kinds: Sequence[str]) -> List[Tuple[str, str, str, List[Tuple[str, str]]]]:
        """Return (name, path, fields, parameters) of each list that is needed, the longest first."""
        context = ",config_context" if query.config_context else ""
        wanted = [
            (kind, PATHS[kind], _FIELDS + _FIELDS_OF[kind] + context, query.parameters_of(kind)) for kind in kinds
        ]
        if query.interfaces:
            wanted += [("interfaces_%s" % kind, *_INTERFACES[kind], []) for kind in kinds]
            wanted.append(("addresses", *_ADDRESSES, []))
        if query.services:
            wanted.append(("services", *_SERVICES, []))
        return wanted + [(name, path, fields, []) for name, path, fields in _RELATIONS]

    def _read_lists(self, wanted: Sequence[Tuple[str, str, str, List[Tuple[str, str]]]]) -> Dict[str, List[Any]]:
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            futures = {name: pool.submit(self._list, path, fields, more) for name, path, fields, more in wanted}
            try:
                return {name: future.result() for name, future in futures.items()}
            except BaseException:
                for future in futures.values():
                    future.cancel()
                raise

    def _list(self, path: str, fields: str, parameters: Sequence[Tuple[str, str]]) -> List[Dict[str, Any]]:
        """Return all objects of a list, and make sure that they are all."""
        objects, expected = self._pages(path, fields, parameters)
        if len(objects) != expected:
            expected = self._count(path, parameters)
        if len(objects) != expected:
            objects, expected = self._pages(path, fields, parameters)
        if len(objects) != expected:
            raise SourceError(
                "NetBox counts %d objects, and %d came" % (expected, len(objects)),
                where=self.url + path,
                hint="if many objects are being changed right now, try again later",
            )
        return objects

    def _pages(self, path: str, fields: str, parameters: Sequence[Tuple[str, str]]) -> Tuple[List[Dict[str, Any]], int]:
        """Return the objects of a list in order of id, and how many NetBox said there were at first."""
        objects: List[Dict[str, Any]] = []
        first: Optional[int] = None
        while True:
            query = [*parameters, ("fields", fields), ("ordering", "id"), ("limit", str(self._page_size))]
            if objects:
                query.append(("id__gt", str(objects[-1]["id"])))
            count, page = self._page(path, query, objects[-1]["id"] if objects else 0)
            first = count if first is None else first
            objects += page
            if len(page) == count:
                return objects, first

    def _page(self, path: str, query: List[Tuple[str, str]], after: int) -> Tuple[int, List[Dict[str, Any]]]:
        answer = self._client.get(path, query)
        where = self.url + path
        if not isinstance(answer, dict) or not _is_number(answer.get("count")):
            raise SourceError("the answer is no page of a list: it has no count", where=where)
        count, page = answer["count"], answer.get("results")
        if not isinstance(page, list) or not all(_has_id(entry) for entry in page):
            raise SourceError("the answer is no page of a list: its results are no objects with an id", where=where)
        ids = [after, *(entry["id"] for entry in page)]
        if any(ids[position] <= ids[position - 1] for position in range(1, len(ids))):
            raise SourceError("the objects of a page are not in the order of id that was asked for", where=where)
        if len(page) > count or (count and not page):
            raise SourceError("NetBox counts %d more objects and sent %d" % (count, len(page)), where=where)
        return count, page

    def _count(self, path: str, parameters: Sequence[Tuple[str, str]]) -> int:
        return self._page(path, [*parameters, ("fields", "id"), ("ordering", "id"), ("limit", "1")], 0)[0]

    def _version(self) -> str:
        answer = self._client.get("/api/status/")
        version = answer.get("netbox-version") if isinstance(answer, dict) else None
        match = re.match(r"(\d+)\.(\d+)", version) if isinstance(version, str) else None
        if match is None:
            raise SourceError(
                "the answer names no version of NetBox",
                where=self.url + "/api/status/",
                hint="is api_endpoint the address of NetBox?",
            )
        if (int(match.group(1)), int(match.group(2))) < OLDEST:
            raise SourceError("this is NetBox %s; 4.2 is the oldest that is supported" % version, where=self.url)
        return str(version)

    def _filters_in_schema(self, kind: str) -> FrozenSet[str]:
        names = names_in_schema(self._client.get("/api/schema/", [("format", "json")]), PATHS[kind])
        if not names:
            raise SourceError("the schema does not say which filters there are", where=self.url + "/api/schema/")
        return names


def _has_id(entry: object) -> bool:
    return isinstance(entry, dict) and _is_number(entry.get("id"))


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
