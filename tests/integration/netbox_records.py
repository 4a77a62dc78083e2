"""A NetBox of one record, that writes down what it is told."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit


class NetBox(BaseHTTPRequestHandler):
    """Answers each request for a record with the one that it has."""

    record: dict[str, Any]
    written: list[dict[str, Any]]
    token: str

    def do_GET(self) -> None:
        """Answer with the record."""
        self._answer({**self.record, "url": f"http://{self.headers['Host']}{urlsplit(self.path).path}"})

    def do_PATCH(self) -> None:
        """Change the record."""
        change = dict(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.written.append(change)
        for key, value in change.items():
            self.record[key] = {"value": value, "label": value} if key == "status" else value
        self._answer(self.record)

    def _answer(self, document: Any) -> None:
        right = self.headers["Authorization"] == f"Token {self.token}"
        content = json.dumps(document if right else {"detail": "Invalid token"}).encode()
        self.send_response(200 if right else 403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
