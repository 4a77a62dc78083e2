"""GET requests to NetBox's REST API: kept-alive connections, TLS verified, few retries, every answer checked."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import ssl
import threading
import time
import urllib.request
import zlib
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple
from urllib.parse import urlencode, urlsplit

from .faults import InventoryError, SourceError

Json = Any  # what a JSON document holds

_TRY_AGAIN = frozenset((408, 425, 429, 500, 502, 503, 504))
_LONGEST_WAIT = 30.0
_USER_AGENT = "bedplate.datacenter.netbox"
_V2_PREFIX = "nbt_"


class Endpoint:
    """Where NetBox is and how to come in.

    Args:
        url: NetBox's address, with or without a path and `/api`.
        token: a v1 token (40 hexadecimal digits) or a v2 token (`nbt_KEY.TOKEN`).
        headers: sent besides our own.
        timeout: seconds that one answer may keep still.
        retries: how often a request is sent again after a failure that may pass.

    Raises:
        InventoryError: the address is no http or https address, or it holds credentials.
    """

    def __init__(
        self,
        url: str,
        *,
        token: Optional[str] = None,
        headers: Optional[Mapping[str, str]] = None,
        validate_certs: bool = True,
        ca_path: Optional[str] = None,
        timeout: float = 60,
        retries: int = 3,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InventoryError("%r is no http or https address" % url, where="api_endpoint")
        if parts.username or parts.password or parts.query:
            raise InventoryError("the address must not hold credentials or a query", where="api_endpoint")
        path = parts.path.rstrip("/")
        self.path = path.removesuffix("/api")
        self.scheme = parts.scheme
        self.host = parts.hostname
        self.port = parts.port or (443 if parts.scheme == "https" else 80)
        self.base = "%s://%s%s" % (parts.scheme, parts.netloc, self.path)
        self.timeout = timeout
        self.retries = retries
        self.headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": _USER_AGENT}
        self.headers.update(headers or {})
        if token:
            self.headers["Authorization"] = _authorization(token)
        self.tls = _tls(validate_certs, ca_path) if parts.scheme == "https" else None
        self.proxy = _proxy(parts.scheme, parts.netloc)


def _authorization(token: str) -> str:
    token = token.strip()
    if not token.isascii() or not token.isprintable():
        raise InventoryError("the token has characters that no token has", where="token")
    if token.startswith(("Token ", "Bearer ")):
        return token
    return ("Bearer %s" if token.startswith(_V2_PREFIX) else "Token %s") % token


def _tls(validate_certs: bool, ca_path: Optional[str]) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context()
        if ca_path:
            context.load_verify_locations(cafile=ca_path)
    except (OSError, ssl.SSLError) as error:
        raise InventoryError("cannot read certificates: %s" % error, where=ca_path) from error
    if not validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _proxy(scheme: str, netloc: str) -> Optional[Tuple[str, int]]:
    """Return the proxy that the environment names for this address, with its port."""
    if urllib.request.proxy_bypass(netloc):
        return None
    url = urllib.request.getproxies().get(scheme)
    if not url:
        return None
    parts = urlsplit(url if "://" in url else "http://%s" % url)
    return (parts.hostname, parts.port or 3128) if parts.hostname else None


class Client:
    """Asks one NetBox. Each thread has its own connection.

    Args:
        pause: waits that many seconds; tests give one that does not.
    """

    def __init__(self, endpoint: Endpoint, pause: Callable[[float], None] = time.sleep) -> None:
        self.endpoint = endpoint
        self._pause = pause
        self._local = threading.local()
        self._opened: List[http.client.HTTPConnection] = []

    def get(self, path: str, query: Sequence[Tuple[str, str]] = ()) -> Json:
        """Return the JSON of an answer to GET.

        Args:
            path: below NetBox's own, such as `/api/status/`.
            query: pairs of name and value.

        Raises:
            SourceError: there was no complete and well-formed answer.
        """
        target = "%s%s%s" % (self.endpoint.path, path, "?%s" % urlencode(query) if query else "")
        url = "%s%s" % (self.endpoint.base, path)
        tries = self.endpoint.retries + 1
        while True:
            tries -= 1
            try:
                return self._once(target, url)
            except _PassingError as fault:
                self._close()
                if not tries:
                    raise SourceError(fault.message, where=url) from fault.__cause__
                self._pause(fault.wait if fault.wait is not None else 0.5 * 2 ** (self.endpoint.retries - tries))

    def close(self) -> None:
        """Close the connections of all threads."""
        while self._opened:
            self._opened.pop().close()

    def _once(self, target: str, url: str) -> Json:
        try:
            response = self._send(target)
            body = response.read()
        except http.client.IncompleteRead as error:
            raise _PassingError("the answer was cut off after %d bytes" % len(error.partial)) from error
        except socket.timeout as error:
            raise _PassingError("no answer within %g seconds" % self.endpoint.timeout) from error
        except ssl.SSLCertVerificationError as error:
            raise SourceError(
                "the certificate is not trusted: %s" % error.verify_message, where=url, hint="ca_path names the CA file"
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise _PassingError("no connection: %s" % (error or type(error).__name__)) from error
        if response.status != 200:
            raise _refusal(response, _unpacked(response, body), url)
        return _decoded(response, body, url)

    def _send(self, target: str) -> http.client.HTTPResponse:
        """Send a request; a connection that the server dropped while it was idle is opened anew, once."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            try:
                return self._exchange(connection, target)
            except (http.client.RemoteDisconnected, ConnectionError):
                connection.close()
        self._local.connection = connection = self._connect()
        self._opened.append(connection)
        return self._exchange(connection, target)

    def _exchange(self, connection: http.client.HTTPConnection, target: str) -> http.client.HTTPResponse:
        endpoint = self.endpoint
        if endpoint.proxy and endpoint.scheme == "http":
            target = "http://%s:%d%s" % (endpoint.host, endpoint.port, target)
        connection.request("GET", target, headers=endpoint.headers)
        return connection.getresponse()

    def _connect(self) -> http.client.HTTPConnection:
        endpoint = self.endpoint
        host, port = endpoint.proxy or (endpoint.host, endpoint.port)
        if endpoint.tls is None:
            return http.client.HTTPConnection(host, port, timeout=endpoint.timeout)
        connection = http.client.HTTPSConnection(host, port, timeout=endpoint.timeout, context=endpoint.tls)
        if endpoint.proxy:
            connection.set_tunnel(endpoint.host, endpoint.port)
        return connection

    def _close(self) -> None:
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None


class _PassingError(Exception):
    """A failure that may have passed when the request is sent again."""

    def __init__(self, message: str, wait: Optional[float] = None) -> None:
        super().__init__(message)
        self.message = message
        self.wait = wait


def _unpacked(response: http.client.HTTPResponse, body: bytes) -> bytes:
    if response.headers.get("Content-Encoding", "").lower() != "gzip":
        return body
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error) as error:
        raise _PassingError("the compressed answer is damaged: %s" % error) from error


def _decoded(response: http.client.HTTPResponse, body: bytes, url: str) -> Json:
    kind = response.headers.get_content_type()
    if kind != "application/json" and not kind.endswith("+json"):
        raise SourceError(
            "the answer is %s, not JSON" % kind,
            where=url,
            hint="is api_endpoint the address of NetBox itself, with no login page before it?",
        )
    try:
        return json.loads(_unpacked(response, body))
    except (ValueError, RecursionError) as error:
        raise _PassingError("the answer is not whole JSON: %s" % error) from error


def _refusal(response: http.client.HTTPResponse, body: bytes, url: str) -> Exception:
    status = response.status
    said = "NetBox answered %d %s%s" % (status, response.reason, _detail(response, body))
    if status in _TRY_AGAIN:
        return _PassingError(said, _retry_after(response.headers.get("Retry-After")))
    hints: Dict[int, str] = {
        401: "check the token",
        403: "check the token, and that it has the right to view these objects",
        404: "is api_endpoint the address of NetBox?",
    }
    if 300 <= status < 400:
        return SourceError(
            "%s, a redirect to %s" % (said, _without_query(response.headers.get("Location", "nowhere"))),
            where=url,
            hint="api_endpoint must be the address that answers itself",
        )
    return SourceError(said, where=url, hint=hints.get(status))


def _detail(response: http.client.HTTPResponse, body: bytes) -> str:
    if response.headers.get_content_type() != "application/json":
        return ""
    try:
        answer = json.loads(body)
    except ValueError:
        return ""
    detail = answer.get("detail", answer) if isinstance(answer, dict) else answer
    return ": %s" % str(detail)[:300]


def _retry_after(value: Optional[str]) -> Optional[float]:
    return min(float(value), _LONGEST_WAIT) if value and value.isdigit() else None


def _without_query(url: str) -> str:
    return url.split("?", 1)[0]
