"""A server process that answers like a NetBox of 20,000 hosts, and takes as long as a real one took.

The times were recorded on NetBox 4.6.8 with PostgreSQL 15 on two cores, 20,000 hosts. Like that one, it works on two
requests at a time. `/bench/` says how many requests there were and for how long at least one was under way.

Alone: `python tests/benchmarks/netbox_replay.py 20000 PORT`.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

if __package__:
    from .fleet_snapshot import fleet_document
    from .netbox_whole import manufacturers, related, whole
else:
    from fleet_snapshot import fleet_document
    from netbox_whole import manufacturers, related, whole

# Seconds of the server for an answer, and for each host in it.
_LIST, _COUNT, _CHANGES, _POLL, _POLL_REST, _QUERY = 0.03, 0.03, 0.022, 0.04, 0.08, 0.01
_PER_HOST, _PER_CONTEXT = 16 / 20_000, 4.5 / 10_000
_PER_WHOLE_HOST = 39 / 20_000
# Of what a host takes: the tags nested in it; and what its id alone takes.
_PER_TAGS, _PER_ID = 3.9 / 10_000, 0.4 / 10_000
_CORES, _PAGE = 2, 1000
_DEVICES, _MACHINES = "/api/dcim/devices/", "/api/virtualization/virtual-machines/"
_KINDS = {"device_list": "device", "virtual_machine_list": "virtual_machine"}
_TABLES = {
    "site": "/api/dcim/sites/",
    "location": "/api/dcim/locations/",
    "rack": "/api/dcim/racks/",
    "role": "/api/dcim/device-roles/",
    "platform": "/api/dcim/platforms/",
    "tenant": "/api/tenancy/tenants/",
    "cluster": "/api/virtualization/clusters/",
    "device_type": "/api/dcim/device-types/",
    "tags": "/api/extras/tags/",
    "region": "/api/dcim/regions/",
    "site_group": "/api/dcim/site-groups/",
}
_MAY_LACK = ("tenant", "platform", "location", "rack", "cluster", "site", "role")
_TYPES = {
    "device": "asset_tag position location rack device_type oob_ip",
    "virtual_machine": "",
}
_OWN = "id name status serial local_context_data custom_fields created last_updated config_context tags site role"


class Fleet:
    """The hosts of `fleet_snapshot`, as NetBox would give them."""

    def __init__(self, count: int) -> None:
        self.lists: dict[str, dict[str, dict[str, Any]]] = {column: {} for column in _TABLES}
        self.hosts: dict[str, dict[int, dict[str, Any]]] = {"device": {}, "virtual_machine": {}}
        self.tagged: Counter[int] = Counter()
        self.contexts: dict[tuple[str, int], dict[str, Any]] = {}
        self.changes = [_change(1, "dcim.device", 1)]
        for record in fleet_document(count)["hosts"].values():
            self._add(record)

    def touch(self, count: int) -> None:
        """Change so many devices."""
        for number in range(1, count + 1):
            self.hosts["device"][number]["serial"] = f"changed-{len(self.changes)}"
            self.changes.append(_change(self.changes[-1]["id"] + 1, "dcim.device", number))

    def _add(self, record: dict[str, Any]) -> None:
        kind, number = record["type"], record["id"]
        region = self._number("region", record["region"][0], {"slug": record["region"][0], "parent": None})
        group = self._number("site_group", record["site_group"][0], {"slug": record["site_group"][0], "parent": None})
        self._number("site", record["site"], {"region": {"id": region}, "group": {"id": group}})
        entry: dict[str, Any] = {"id": str(number), "created": "2026-01-01T00:00:00Z", "local_context_data": None}
        for key in ("name", "status", "serial", "asset_tag", "position", "custom_fields", "last_updated"):
            entry[key] = record[key]
        for column in ("site", "location", "rack", "role", "platform", "tenant", "cluster"):
            entry[column] = {"id": self._number(column, record[column])} if record[column] else None
        model = {"model": record["model"], "manufacturer": {"slug": "dell"}}
        entry["device_type"] = {"id": self._number("device_type", "r650", model)} if record["model"] else None
        entry["tags"] = [{"id": self._number("tags", slug)} for slug in record["tags"]]
        self.tagged.update(tag["id"] for tag in entry["tags"])
        first = number * 4 + (kind == "device") * 2
        primary = {"id": first, "address": record["primary_ip4"] + "/16", "dns_name": record["dns_name"]}
        entry |= {"primary_ip4": primary, "primary_ip6": None, "oob_ip": None}
        if record["oob_ip"]:
            entry["oob_ip"] = {"id": first + 1, "address": record["oob_ip"] + "/16", "dns_name": ""}
        self.contexts[kind, number] = record["config_context"]
        self.hosts[kind][number] = entry

    def _number(self, column: str, slug: str, more: dict[str, Any] | None = None) -> int:
        known = self.lists[column]
        if slug not in known:
            known[slug] = {"id": len(known) + 1, "slug": slug, "name": slug, **(more or {})}
        return int(known[slug]["id"])


class Replay:
    """Answers, and keeps account."""

    def __init__(self, count: int, url: str) -> None:
        self.fleet = Fleet(count)
        self.url = url
        self.requests = 0
        self.busy = 0.0
        self._cores = threading.Semaphore(_CORES)
        self._lock = threading.Lock()
        self._running = 0
        self._since = 0.0

    def answer(self, path: str, asked: dict[str, str], query: str) -> bytes:
        """Return the JSON of an answer, after the time that a real server took for it."""
        if path == "/bench/":
            return self._account(asked)
        with self._lock:
            self.requests += 1
            self._running += 1
            if self._running == 1:
                self._since = time.perf_counter()
        try:
            with self._cores:
                begun = time.perf_counter()
                document, takes = self._graphql(query) if query else self._rest(path, asked)
                body = json.dumps(document).encode()
                time.sleep(max(0.0, takes - (time.perf_counter() - begun)))
            return body
        finally:
            with self._lock:
                self._running -= 1
                if not self._running:
                    self.busy += time.perf_counter() - self._since

    def _account(self, asked: dict[str, str]) -> bytes:
        self.fleet.touch(int(asked.get("touch", 0)))
        body = json.dumps({"requests": self.requests, "busy": self.busy}).encode()
        self.requests, self.busy = 0, 0.0
        return body

    def _graphql(self, query: str) -> tuple[dict[str, Any], float]:
        if "__type" in query:
            return {"data": _types()}, _QUERY
        name = query[1 : query.index("(")]
        if "last_updated:{gte" in query:
            return {"data": {name: [] for name in re.findall(r"(\w+_list)\(", query)}}, _POLL
        kind = _KINDS[name]
        hosts = self.fleet.hosts[kind]
        bounds = dict(re.findall(r'(gte|lt):"(\d+)"', query))
        wanted = range(int(bounds["gte"]), min(int(bounds.get("lt", 10**9)), len(hosts) + 1)) if bounds else None
        numbers = list(map(int, re.findall(r'"(\d+)"', query)) if wanted is None else wanted)
        tag = re.search(r'tags:\{id:\{exact:"(\d+)"', query)
        if tag:
            found = [one for one in numbers if one in hosts and {"id": int(tag[1])} in hosts[one]["tags"]]
            found = found[:_PAGE]
            return {"data": {name: [{"id": str(one)} for one in found]}}, _QUERY + len(found) * _PER_ID
        if query.endswith("{id config_context}}"):
            entries = [{"id": str(one), "config_context": self.fleet.contexts[kind, one]} for one in numbers]
            return {"data": {name: entries}}, _QUERY + len(numbers) * _PER_CONTEXT
        found = [hosts[one] for one in numbers if one in hosts]
        if query.endswith("{id tags{id}}}"):
            return {"data": {name: found}}, _QUERY + len(found) * (_PER_ID + _PER_TAGS)
        return {"data": {name: found}}, _QUERY + len(found) * (_PER_HOST - (0 if "tags{id}" in query else _PER_TAGS))

    def _rest(self, path: str, asked: dict[str, str]) -> tuple[dict[str, Any], float]:
        if path == "/api/status/":
            return {"netbox-version": "4.6.8"}, _QUERY
        if path == "/api/schema/":
            return {"paths": {one: {"get": {"parameters": []}} for one in (_DEVICES, _MACHINES)}}, _LIST
        if path in (_DEVICES, _MACHINES):
            if "last_updated__gte" in asked:
                return {"count": 0, "next": None, "results": []}, _POLL_REST
            if "ordering" not in asked:
                return self._whole(path, int(asked.get("offset", 0)), asked.get("ids", ""))
            return self._count(self.fleet.hosts["device" if path == _DEVICES else "virtual_machine"], asked), _COUNT
        page = [entry for entry in self._entries(path, asked) if int(entry["id"]) > int(asked.get("id__gt", 0))]
        takes = _CHANGES if "object-changes" in path else _LIST
        return {"count": len(page), "next": None, "results": page}, takes

    def _entries(self, path: str, asked: dict[str, str]) -> list[dict[str, Any]]:
        """Return what is in a list that is not of hosts."""
        if path == "/api/core/object-changes/":
            return self.fleet.changes[-1:] if asked.get("ordering") == "-id" else self.fleet.changes
        if path == "/api/extras/custom-fields/":
            names = next(iter(self.fleet.hosts["device"].values()))["custom_fields"]
            types = ["dcim.device", "virtualization.virtualmachine"]
            return [
                {"id": number, "name": name, "type": {"value": "text"}, "object_types": types}
                for number, name in enumerate(names, 1)
            ]
        if path == "/api/extras/config-contexts/":
            entries = [{"id": 1, "regions": [], "tags": []}, {"id": 2, "regions": [{"id": 1}], "tags": []}]
            return [{**{name: [] for name in asked["fields"].split(",")}, **entry} for entry in entries]
        if path == "/api/dcim/manufacturers/":
            return manufacturers()
        column = next((column for column, of_path in _TABLES.items() if path == of_path), None)
        known = self.fleet.lists[column].values() if column else ()
        if column == "tags":
            known = [{**tag, "tagged_items": self.fleet.tagged[tag["id"]]} for tag in known]
        return related(column or "", sorted(known, key=lambda entry: int(entry["id"])))

    def _whole(self, path: str, offset: int, ids: str) -> tuple[dict[str, Any], float]:
        """Return a page of whole hosts by position, of all or of some ids."""
        kind = "device" if path == _DEVICES else "virtual_machine"
        chosen = set(map(int, ids.split(","))) if ids else None
        hosts = [(one, entry) for one, entry in self.fleet.hosts[kind].items() if chosen is None or one in chosen]
        lists = {column: {entry["id"]: entry for entry in known.values()} for column, known in self.fleet.lists.items()}
        page = [whole(entry, self.fleet.contexts[kind, one], lists) for one, entry in hosts[offset : offset + _PAGE]]
        more = offset + _PAGE < len(hosts)
        following = f"{self.url}{path}?limit={_PAGE}&offset={offset + _PAGE}" if more else None
        return {"count": len(hosts), "next": following, "results": page}, _QUERY + len(page) * _PER_WHOLE_HOST

    def _count(self, hosts: dict[int, dict[str, Any]], asked: dict[str, str]) -> dict[str, Any]:
        found = list(hosts.values())
        for column in _MAY_LACK:
            if asked.get(f"{column}_id") == "null":
                found = [entry for entry in found if entry[column] is None]
        if asked.get("has_primary_ip") == "false":
            found = [entry for entry in found if entry["primary_ip4"] is None]
        first = max(hosts) if asked["ordering"] == "-id" else 1
        return {"count": len(found), "results": [{"id": first}] if found else []}


def _types() -> dict[str, Any]:
    common = f"{_OWN} platform tenant cluster primary_ip4 primary_ip6"
    kinds = {kind: {"fields": [{"name": name} for name in f"{common} {more}".split()]} for kind, more in _TYPES.items()}
    return {**kinds, "lookup": {"inputFields": [{"name": name} for name in ("gte", "lt", "in_list")]}}


def _change(number: int, label: str, changed: int) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return {"id": number, "time": now, "changed_object_type": label, "changed_object_id": changed}


def serve(count: int, port: int) -> None:
    """Serve for ever on this port of 127.0.0.1."""
    replay = Replay(count, f"http://127.0.0.1:{port}")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._give("")

        def do_POST(self) -> None:
            self._give(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["query"])

        def _give(self, query: str) -> None:
            parts = urlsplit(self.path)
            pairs = parse_qsl(parts.query)
            asked = {**dict(pairs), "ids": ",".join(value for name, value in pairs if name == "id")}
            body = replay.answer(parts.path, asked, query)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class names it so)
            pass

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
