"""A NetBox of one record with its interfaces, that writes down what it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


class NetBox(BaseHTTPRequestHandler):
    """Answers each request for a record with the one that it has."""

    record: dict[str, Any]
    interfaces: list[dict[str, Any]]
    macs: list[dict[str, Any]]
    platforms: list[dict[str, Any]] = [{"id": 7, "slug": "debian-12", "name": "Debian 12"}]  # noqa: RUF012 (a class is a server)
    written: list[dict[str, Any]]
    token: str
    address: str

    def do_GET(self) -> None:
        """Answer with the record, or with a list of what belongs to it."""
        path = urlsplit(self.path).path
        listed = {
            "interfaces": self.interfaces,
            "mac-addresses": [],
            "ip-addresses": [],
            "platforms": self.platforms,
        }.get(path.rstrip("/").rpartition("/")[2])
        if listed is not None:
            self._answer({"count": len(listed), "next": None, "previous": None, "results": listed})
        else:
            self._answer({**self.record, "url": self._url(path)})

    def do_PATCH(self) -> None:
        """Change the record, or an interface."""
        change = self._body()
        self.written.append(change)
        path = urlsplit(self.path).path
        if "/interfaces/" in path:
            number = int(path.rstrip("/").rpartition("/")[2])
            (changed,) = (each for each in self.interfaces if each["id"] == number)
            # Before NetBox 4.2 it is a text, and since then an object of its own.
            mac = change.get("mac_address") or self.macs[change["primary_mac_address"] - 1]["mac_address"]
            changed["mac_address"] = mac
            self._answer(changed)
            return
        for key, value in change.items():
            self.record[key] = _as_shown(key, value)
        self._answer(self.record)

    def do_POST(self) -> None:
        """Take an interface, or a hardware address."""
        path = urlsplit(self.path).path
        listed = self.macs if path.endswith("/mac-addresses/") else self.interfaces
        created = {**self._body(), "id": len(listed) + 1}
        self.written.append(dict(created))
        created["url"] = self._url(f"{path}{created['id']}/")
        if listed is self.interfaces:
            created.update(mac_address=None, primary_mac_address=None, enabled=True)
        listed.append(created)
        self._answer(created, 201)

    def _url(self, path: str) -> str:
        return f"http://{self.headers['Host']}{path}"

    def _body(self) -> dict[str, Any]:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return dict(body[0] if isinstance(body, list) else body)

    def _answer(self, document: Any, status: int = 200) -> None:
        right = self.headers["Authorization"] == f"Token {self.token}"
        content = json.dumps(document if right else {"detail": "Invalid token"}).encode()
        self.send_response(status if right else 403)
        self.send_header("Content-Type", "application/json")
        self.send_header("API-Version", "4.6")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _as_shown(key: str, value: Any) -> Any:
    if key == "status":
        return {"value": value, "label": value}
    return {"id": value, "slug": "debian-12", "name": "Debian 12"} if key == "platform" else value


@contextmanager
def serving(record: dict[str, Any]) -> Iterator[type[NetBox]]:
    """Serve a NetBox of this record; its address and token are attributes."""
    token = "0123456789abcdef0123456789abcdef01234567"
    members = {"written": [], "record": record, "interfaces": [], "macs": [], "token": token}
    handler = type("Handler", (NetBox,), members)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    handler.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield handler
    finally:
        server.shutdown()
        server.server_close()
