"""A local HTTP server that answers like NetBox, with objects that a real one answered.

It pages, filters and projects as NetBox does, ignores filters that it does not know without a word, and can be told to
fail. What no test should ask for is answered with 599 and kept in `unexpected`.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from integration import netbox_graphql

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "netbox"
V1_TOKEN = "0123456789abcdef0123456789abcdef01234567"
V2_TOKEN = "nbt_AbCdEfGhIjKl.0123456789abcdef0123456789abcdef01234567"
DEVICES = "/api/dcim/devices/"
MACHINES = "/api/virtualization/virtual-machines/"
_FILES = {
    DEVICES: "devices",
    MACHINES: "virtual-machines",
    "/api/dcim/regions/": "regions",
    "/api/dcim/site-groups/": "site-groups",
    "/api/dcim/sites/": "sites",
    "/api/virtualization/clusters/": "clusters",
    "/api/ipam/services/": "services",
    "/api/dcim/interfaces/": "interfaces",
    "/api/virtualization/interfaces/": "vm-interfaces",
    "/api/ipam/ip-addresses/": "ip-addresses",
}
CHANGES = "/api/core/object-changes/"
GRAPHQL = "/graphql/"
CONTEXTS = "/api/extras/config-contexts/"
CUSTOM_FIELDS = "/api/extras/custom-fields/"
PREFIXES = "/api/ipam/prefixes/"
# What REST's devices and virtual machines carry -> the list that it is in.
_CARRIED = {
    "location": "/api/dcim/locations/",
    "rack": "/api/dcim/racks/",
    "role": "/api/dcim/device-roles/",
    "platform": "/api/dcim/platforms/",
    "tenant": "/api/tenancy/tenants/",
    "device_type": "/api/dcim/device-types/",
    "tags": "/api/extras/tags/",
}
_FIELD_TYPES = {"backup": "boolean", "cost_center": "text", "lifecycle": "text", "patch_window": "text"}
_HOST_TYPES = ["dcim.device", "virtualization.virtualmachine"]
_PAGING = {"limit", "offset", "ordering", "fields", "id__gt", "last_updated__gte"}
_FILTERS: dict[str, Callable[[dict[str, Any]], set[str]]] = {
    "status": lambda entry: {entry["status"]["value"]},
    "site": lambda entry: {entry["site"]["slug"]} if entry["site"] else set(),
    "role": lambda entry: {entry["role"]["slug"]} if entry["role"] else set(),
    "tag": lambda entry: {tag["slug"] for tag in entry["tags"]},
    "name": lambda entry: {str(entry["name"])},
    "cf_lifecycle": lambda entry: {str(entry["custom_fields"].get("lifecycle"))},
    "has_primary_ip": lambda entry: {"true" if entry["primary_ip4"] or entry["primary_ip6"] else "false"},
    "asset_tag": lambda entry: {str(entry.get("asset_tag"))},
    "id": lambda entry: {str(entry["id"])},
    **{
        f"{column}_id": lambda entry, column=column: {str(entry[column]["id"]) if entry.get(column) else "null"}
        for column in ("tenant", "platform", "location", "rack", "cluster", "site", "role")
    },
}


@dataclass
class Answer:
    """An answer that is given instead of NetBox's own.

    Attributes:
        cut: send only this many bytes of the body, then close the connection.
        delay: seconds before anything is sent.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    cut: int | None = None
    delay: float = 0


def json_answer(document: object, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(document).encode(), {"Content-Type": "application/json", **headers})


def recorded_error(number: int) -> Answer:
    """Return an error that a real NetBox answered: 0 no credentials, 1 v1 token, 2 v2 token, 3 unknown path (HTML)."""
    entry = json.loads((FIXTURES / "errors.json").read_text())[number]
    body = entry["body"] if isinstance(entry["body"], str) else json.dumps(entry["body"])
    return Answer(entry["status"], body.encode(), {"Content-Type": entry["headers"]["Content-Type"]})


class NetBoxServer:
    """The server and what it knows.

    Attributes:
        lists: path → objects; tests may change them.
        authorizations: accepted values of the Authorization header.
        max_page_size: NetBox's MAX_PAGE_SIZE.
        graphql: whether GraphQL is switched on.
        queries: the GraphQL queries so far.
        hidden: columns and lists that GraphQL does not show to the token.
        requests: (path, parameters, headers) of all requests so far.
        body: of the request that is being answered.
        unexpected: requests that no test should have caused.
        before: called with each path before it is answered; what it returns is answered instead.
        after_page: called with a path after a page of it was made.
    """

    def __init__(self) -> None:
        self.lists: dict[str, list[dict[str, Any]]] = {
            path: json.loads((FIXTURES / f"{name}.json").read_text()) for path, name in _FILES.items()
        }
        self.status: dict[str, Any] = json.loads((FIXTURES / "status.json").read_text())["body"]
        self.schema_filters = {
            DEVICES: ["status", "cf_lifecycle", "asset_tag", "airflow"],
            MACHINES: ["status", "cf_lifecycle"],
        }
        self.authorizations = {f"Token {V1_TOKEN}", f"Bearer {V2_TOKEN}"}
        for column, path in _CARRIED.items():
            self.lists[path] = self._carried(column)
        self.lists[CONTEXTS] = [{"id": 1, "is_active": True, "tags": [], "regions": []}]
        self.lists[CONTEXTS] += [{"id": 2, "is_active": True, "tags": [], "regions": [{"id": 1}]}]
        self.lists[CUSTOM_FIELDS] = [
            {"id": number, "name": name, "type": {"value": of_type}, "object_types": _HOST_TYPES}
            for number, (name, of_type) in enumerate(_FIELD_TYPES.items(), 1)
        ]
        self.lists[PREFIXES] = []
        self.lists[CHANGES] = []
        self.log("dcim.device", 1)
        self.max_page_size = 1000
        self.graphql = True
        self.queries: list[str] = []
        self.hidden: set[str] = set()
        self.requests: list[tuple[str, list[tuple[str, str]], dict[str, str]]] = []
        self.unexpected: list[str] = []
        self.connections = 0
        self.before: Callable[[str], Answer | None] = lambda _path: None
        self.after_page: Callable[[str], None] = lambda _path: None
        self.url = ""
        self._own = threading.local()

    @property
    def body(self) -> bytes:
        return bytes(self._own.body)

    def fail(self, path: str, answer: Answer, times: int | None = None) -> None:
        """Answer requests for a path with this, the first `times` of them or all."""
        left = [times]

        def before(asked: str) -> Answer | None:
            if asked != path or left[0] == 0:
                return None
            if left[0] is not None:
                left[0] -= 1
            return answer

        self.before = before

    def log(self, label: str, number: int, **values: Any) -> None:
        """Add an entry to the changelog, as now."""
        last = max((entry["id"] for entry in self.lists[CHANGES]), default=12)
        entry = {"id": last + 1, "time": _now(), "changed_object_type": label, "changed_object_id": number, **values}
        self.lists[CHANGES].append(entry)

    def change(self, path: str, number: int, **values: Any) -> None:
        """Change an object of a list, and what hosts carry of it, as of now, without an entry in the changelog."""
        entry = next(one for one in self.lists[path] if one["id"] == number)
        entry.update(values)
        if "last_updated" in entry:
            entry["last_updated"] = _now()
        for host in (*self.lists[DEVICES], *self.lists[MACHINES]):
            for column in ("site", "cluster", "primary_ip4", "oob_ip", *_CARRIED):
                of_column = {"site": "/api/dcim/sites/", "cluster": "/api/virtualization/clusters/", **_CARRIED}
                if of_column.get(column, "/api/ipam/ip-addresses/") != path or not host.get(column):
                    continue
                carried = host[column] if isinstance(host[column], list) else [host[column]]
                for one in carried:
                    if one["id"] == number:
                        one.update({key: value for key, value in values.items() if key in one})

    def device(self, number: int) -> dict[str, Any]:
        """Return the device of this id."""
        return next(entry for entry in self.lists[DEVICES] if entry["id"] == number)

    def machine(self, number: int) -> dict[str, Any]:
        """Return the virtual machine of this id."""
        return next(entry for entry in self.lists[MACHINES] if entry["id"] == number)

    def paths(self) -> list[str]:
        """Return the paths that were asked for, in order."""
        return [path for path, _parameters, _headers in self.requests]

    def answer(self, target: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
        """Return the answer to a GET request, or to a POST request with this body."""
        parts = urlsplit(target)
        parameters = parse_qsl(parts.query, keep_blank_values=True)
        self.requests.append((parts.path, parameters, headers))
        self._own.body = body or b""
        instead = self.before(parts.path)
        if instead is not None:
            return instead
        authorization = headers.get("Authorization")
        if authorization not in self.authorizations:
            return recorded_error(0 if authorization is None else 1 if authorization.startswith("Token") else 2)
        if parts.path in self.lists:
            return self._page(parts.path, parameters)
        schema_type = {"Content-Type": "application/vnd.oai.openapi+json; charset=utf-8"}
        others: dict[str, Callable[[], Answer]] = {
            GRAPHQL: lambda: self._graphql(json.loads(body or b"{}")["query"]),
            "/api/status/": lambda: json_answer(self.status),
            "/api/schema/": lambda: json_answer(self._schema(), **schema_type),
        }
        if parts.path in others:
            return others[parts.path]()
        self.unexpected.append(target)
        return json_answer({"detail": "no test asks for this"}, 599)

    def _graphql(self, query: str) -> Answer:
        self.queries.append(query)
        if not self.graphql:
            return Answer(404, b"The GraphQL API is not enabled.", {"Content-Type": "text/html; charset=utf-8"})
        answer = json_answer(netbox_graphql.answer(query, self.lists, self.max_page_size, self.hidden))
        self.after_page(GRAPHQL)
        return answer

    def _carried(self, column: str) -> list[dict[str, Any]]:
        found: dict[int, dict[str, Any]] = {}
        for host in (*self.lists[DEVICES], *self.lists[MACHINES]):
            carried = host.get(column) or []
            for one in carried if isinstance(carried, list) else [carried]:
                found[one["id"]] = dict(one)
        return [found[number] for number in sorted(found)]

    def _page(self, path: str, parameters: list[tuple[str, str]]) -> Answer:
        asked = dict(parameters)
        found = [entry for entry in self.lists[path] if _matches(entry, parameters)]
        if asked.get("ordering") == "id":
            found.sort(key=lambda entry: entry["id"])
        elif asked.get("ordering") == "-id":
            found.sort(key=lambda entry: -entry["id"])
        else:
            self.unexpected.append(f"{path} without ordering=id")
        limit = min(int(asked["limit"]) or self.max_page_size, self.max_page_size)
        page = found[:limit]
        if "fields" in asked:
            fields = asked["fields"].split(",")
            page = [{key: entry[key] for key in entry if key in fields} for entry in page]
        answer = json_answer({"count": len(found), "next": None, "previous": None, "results": page})
        self.after_page(path)
        return answer

    def _schema(self) -> dict[str, Any]:
        return {
            "openapi": "3.0.3",
            "paths": {
                path: {"get": {"parameters": [{"in": "query", "name": name} for name in [*names, "limit", "offset"]]}}
                for path, names in self.schema_filters.items()
            },
        }


def _matches(entry: dict[str, Any], parameters: list[tuple[str, str]]) -> bool:
    after = [int(value) for name, value in parameters if name == "id__gt"]
    if after and entry["id"] <= max(after):
        return False
    since = [value for name, value in parameters if name == "last_updated__gte"]
    if since and str(entry.get("last_updated") or "") < since[0]:
        return False
    wanted: dict[str, set[str]] = {}
    for name, value in parameters:
        if name not in _PAGING:
            wanted.setdefault(name, set()).add(value)
    return all(name not in _FILTERS or values & _FILTERS[name](entry) for name, values in wanted.items())


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def _handler(server: NetBoxServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            server.connections += 1

        def do_GET(self) -> None:
            self._give(server.answer(self.path, dict(self.headers.items())))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._give(server.answer(self.path, dict(self.headers.items()), body))

        def _give(self, answer: Answer) -> None:
            time.sleep(answer.delay)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body[: answer.cut])
            if answer.cut is not None:
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class names it so)
            pass

    return Handler


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away."""


@contextmanager
def netbox_server() -> Iterator[NetBoxServer]:
    """Run a server on a free port of 127.0.0.1, and fail if it was asked for what no test should ask for."""
    server = NetBoxServer()
    http = _QuietServer(("127.0.0.1", 0), _handler(server))
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
    assert not server.unexpected, server.unexpected
