"""The fake AWX over HTTP."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from fake_awx.state import FakeAwx, Fault

TOKEN = "xYzToken0123456789abcdefABCDEF"
PASSWORD = "Xk93-secret-word"
ALLOWED = {f"Bearer {TOKEN}", f"Basic {base64.b64encode(f'bedplate:{PASSWORD}'.encode()).decode()}"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: else each answer waits for the other side's acknowledgement
    server: _QuietServer

    def _serve(self) -> None:
        awx = self.server.awx
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"null")
        with awx.lock:
            awx.requests.append((self.command, self.path))
            fault = awx.take_fault(self.command, self.path)
            if fault and not fault.after:
                return self._fail(fault)
            if self.headers.get("Authorization") not in ALLOWED:
                return self._give(401, {"detail": "Authentication credentials were not provided."})
            status, answer = awx.answer(self.command, self.path, body)
        return self._fail(fault) if fault else self._give(status, answer)

    def _fail(self, fault: Fault) -> None:
        if not fault.status:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._send(fault.status, fault.body.encode(), {"Content-Type": "text/html", **fault.headers})

    def _give(self, status: int, answer: Any) -> None:
        text = b"" if answer is None else json.dumps(answer).encode()
        self._send(status, text, {"Content-Type": "application/json"})

    def _send(self, status: int, text: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815 (the base class names them so)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string((timestamp or time.time()) + self.server.awx.clock.total_seconds())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class names it so)
        pass


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, awx: FakeAwx) -> None:
        self.awx = awx
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that was dropped on purpose is no news."""


@contextmanager
def awx_server(tls: ssl.SSLContext | None = None) -> Iterator[FakeAwx]:
    """Serve a fake AWX at its `url` on this machine."""
    awx = FakeAwx()
    server = _QuietServer(awx)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    awx.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield awx
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
