"""A NetBox of one record with its interfaces, that writes down what it is told."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit


class NetBox(BaseHTTPRequestHandler):
    """Answers each request for a record with the one that it has."""

    record: dict[str, Any]
    interfaces: list[dict[str, Any]]
    written: list[dict[str, Any]]
    token: str

    def do_GET(self) -> None:
        """Answer with the record, with its interfaces, or with one platform."""
        path = urlsplit(self.path).path
        if path.endswith("/interfaces/"):
            self._answer(_page(self.interfaces))
        elif path.endswith("/platforms/"):
            self._answer(_page([{"id": 7, "slug": "debian-12"}]))
        else:
            self._answer({**self.record, "url": f"http://{self.headers['Host']}{path}"})

    def do_PATCH(self) -> None:
        """Change the record."""
        change = self._body()
        self.written.append(change)
        for key, value in change.items():
            self.record[key] = {"value": value, "label": value} if key == "status" else value
        self._answer(self.record)

    def do_POST(self) -> None:
        """Take an interface."""
        created = {**self._body(), "id": len(self.interfaces) + 1}
        self.written.append(created)
        self.interfaces.append(created)
        self._answer(created, 201)

    def _body(self) -> dict[str, Any]:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return dict(body[0] if isinstance(body, list) else body)

    def _answer(self, document: Any, status: int = 200) -> None:
        right = self.headers["Authorization"] == f"Token {self.token}"
        content = json.dumps(document if right else {"detail": "Invalid token"}).encode()
        self.send_response(status if right else 403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _page(results: list[dict[str, Any]]) -> dict[str, Any]:
    return {"count": len(results), "next": None, "previous": None, "results": results}
