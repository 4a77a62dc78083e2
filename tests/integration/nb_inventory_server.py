"""A local NetBox for comparisons with nb_inventory: whole objects, pages by position, a few filters."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "nb_inventory"
DEVICES = "/api/dcim/devices/"
MACHINES = "/api/virtualization/virtual-machines/"
CHANGES = "/api/core/object-changes/"
_PATHS = {
    DEVICES: "devices",
    MACHINES: "virtual-machines",
    "/api/dcim/sites/": "sites",
    "/api/dcim/regions/": "regions",
    "/api/dcim/site-groups/": "site-groups",
    "/api/dcim/locations/": "locations",
    "/api/dcim/racks/": "racks",
    "/api/dcim/device-roles/": "device-roles",
    "/api/dcim/device-types/": "device-types",
    "/api/dcim/manufacturers/": "manufacturers",
    "/api/dcim/platforms/": "platforms",
    "/api/dcim/interfaces/": "interfaces",
    "/api/tenancy/tenants/": "tenants",
    "/api/virtualization/clusters/": "clusters",
    "/api/virtualization/interfaces/": "vm-interfaces",
    "/api/ipam/services/": "services",
    "/api/ipam/ip-addresses/": "ip-addresses",
    CHANGES: "changes",
}
_FILTERS = {DEVICES: ["site", "role", "mac_address"], MACHINES: ["site", "role", "disk"]}
_MAX_PAGE = 5


class NbServer:
    """The server and what it knows.

    Attributes:
        lists: name of a list → its objects; tests may change them.
        status: path → status of its answers, where that is not 200.
        delay: seconds before each answer.
        targets: what was asked for so far.
    """

    def __init__(self) -> None:
        self.lists: dict[str, list[dict[str, Any]]] = json.loads((FIXTURES / "lists.json").read_text())
        self.lists["changes"] = []
        self.log("dcim.device", 1)
        self.status: dict[str, int] = {}
        self.delay = 0.0
        self.version = "4.6.8"
        self.targets: list[str] = []
        self.url = ""

    def log(self, label: str, number: int) -> None:
        """Add an entry to the changelog, as now."""
        changes = self.lists["changes"]
        entry = {"id": changes[-1]["id"] + 1 if changes else 10, "time": datetime.now(UTC).isoformat()}
        changes.append({**entry, "changed_object_type": label, "changed_object_id": number})

    def answer(self, target: str) -> tuple[int, Any]:
        """Return status and document of the answer to a GET request."""
        self.targets.append(target)
        parts = urlsplit(target)
        path = parts.path if parts.path.endswith("/") else f"{parts.path}/"
        if self.status.get(path, 200) != 200:
            return self.status[path], {"detail": "no"}
        if path == "/api/status/":
            return 200, {"netbox-version": self.version}
        if path == "/api/schema/":
            return 200, self._schema()
        if path not in _PATHS:
            return 404, {"detail": f"no test asks for {path}"}
        return 200, self._page(path, parse_qsl(parts.query, keep_blank_values=True))

    def _page(self, path: str, parameters: list[tuple[str, str]]) -> dict[str, Any]:
        asked = dict(parameters)
        found = [entry for entry in self.lists[_PATHS[path]] if _matches(entry, parameters)]
        if "ordering" in asked:
            found.sort(key=lambda entry: int(entry["id"]), reverse=asked["ordering"] == "-id")
        offset = int(asked.get("offset", 0))
        page = found[offset : offset + min(_MAX_PAGE, int(asked.get("limit", 0)) or _MAX_PAGE)]
        if "fields" in asked:
            page = [{key: entry.get(key) for key in asked["fields"].split(",")} for entry in page]
        if asked.get("exclude") == "config_context":
            page = [{key: value for key, value in entry.items() if key != "config_context"} for entry in page]
        rest = [(name, value) for name, value in parameters if name != "offset"]
        more = f"{self.url}{path}?{urlencode([*rest, ('offset', offset + _MAX_PAGE)])}"
        return {"count": len(found), "next": more if offset + _MAX_PAGE < len(found) else None, "results": page}

    def _schema(self) -> dict[str, Any]:
        return {
            "openapi": "3.0.3",
            "info": {"version": "4.6.8 (4.6)"},
            "paths": {
                path: {"get": {"parameters": [{"in": "query", "name": name} for name in names]}}
                for path, names in _FILTERS.items()
            },
        }


def _matches(entry: dict[str, Any], parameters: list[tuple[str, str]]) -> bool:
    asked = dict(parameters)
    if int(entry["id"]) <= int(asked.get("id__gt", 0)):
        return False
    if str(entry.get("last_updated")) < asked.get("last_updated__gte", ""):
        return False
    values = {
        "id": entry["id"],
        "site": (entry.get("site") or {}).get("slug"),
        "role": (entry.get("role") or {}).get("slug") if isinstance(entry.get("role"), dict) else None,
        "device_id": (entry.get("device") or {}).get("id"),
        "virtual_machine_id": (entry.get("virtual_machine") or {}).get("id"),
        "parent_object_id": entry.get("parent_object_id"),
    }
    wanted: dict[str, set[str]] = {}
    for name, value in parameters:
        if name in values:
            wanted.setdefault(name, set()).add(value)
    if (
        "assigned_object_id" in entry and "id" not in wanted
    ):  # which host an address is of is not told by the address alone
        return True
    return all(str(values[name]) in among for name, among in wanted.items())


@contextmanager
def nb_server() -> Iterator[NbServer]:
    """Run a server on a free port of 127.0.0.1."""
    server = NbServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(server.delay)
            status, document = server.answer(self.path)
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class names it so)
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
