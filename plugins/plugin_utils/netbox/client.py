"""Reading requests to NetBox: kept-alive connections, TLS verified, few retries, every answer checked."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
import urllib.request
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Callable, List, Mapping, Optional, Sequence, Tuple
from urllib.parse import urlencode, urlsplit

from .answers import Json, PassingError, decoded, refusal, unpacked
from .faults import InventoryError, SourceError

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
    """Asks one NetBox, from any number of threads; connections that are free are used again.

    Args:
        pause: waits that many seconds; tests give one that does not.
    """

    def __init__(self, endpoint: Endpoint, pause: Callable[[float], None] = time.sleep) -> None:
        self.endpoint = endpoint
        self._pause = pause
        self._free: List[http.client.HTTPConnection] = []
        self.server_time: Optional[datetime] = None
        """What the server's clock said in its last answer."""

    def get(self, path: str, query: Sequence[Tuple[str, str]] = ()) -> Json:
        """Return the JSON of an answer to GET.

        Args:
            path: below NetBox's own, such as `/api/status/`.
            query: pairs of name and value.

        Raises:
            SourceError: there was no complete and well-formed answer.
        """
        return self._ask("%s%s" % (path, "?%s" % urlencode(query) if query else ""), None)

    def query(self, text: str) -> Json:
        """Return the JSON of an answer to a GraphQL query. Raises SourceError as `get` does."""
        return self._ask("/graphql/", json.dumps({"query": text}).encode("utf-8"))

    def _ask(self, target: str, body: Optional[bytes]) -> Json:
        url = "%s%s" % (self.endpoint.base, target.split("?", 1)[0])
        tries = self.endpoint.retries + 1
        while True:
            tries -= 1
            try:
                return self._once(self.endpoint.path + target, body, url)
            except PassingError as fault:
                if not tries:
                    raise SourceError(fault.message, where=url) from fault.__cause__
                self._pause(fault.wait if fault.wait is not None else 0.5 * 2 ** (self.endpoint.retries - tries))

    def close(self) -> None:
        """Close the connections that are free."""
        while self._free:
            self._free.pop().close()

    def _once(self, target: str, sent: Optional[bytes], url: str) -> Json:
        try:
            connection, response = self._send(target, sent)
            try:
                body = response.read()
            except BaseException:
                connection.close()
                raise
            self._free.append(connection)
        except http.client.IncompleteRead as error:
            raise PassingError("the answer was cut off after %d bytes" % len(error.partial)) from error
        except socket.timeout as error:
            raise PassingError("no answer within %g seconds" % self.endpoint.timeout) from error
        except ssl.SSLCertVerificationError as error:
            raise SourceError(
                "the certificate is not trusted: %s" % error.verify_message, where=url, hint="ca_path names the CA file"
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise PassingError("no connection: %s" % (error or type(error).__name__)) from error
        self.server_time = _date(response.headers.get("Date")) or self.server_time
        if response.status != 200:
            raise refusal(response, unpacked(response, body), url)
        return decoded(response, body, url)

    def _send(self, target: str, body: Optional[bytes]) -> Tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """Send a request; a connection that the server dropped while it was idle is opened anew, once."""
        try:
            connection = self._free.pop()
        except IndexError:
            pass
        else:
            try:
                return connection, self._exchange(connection, target, body)
            except (http.client.RemoteDisconnected, ConnectionError):
                connection.close()
            except BaseException:
                connection.close()
                raise
        connection = self._connect()
        return connection, self._exchange(connection, target, body)

    def _exchange(
        self, connection: http.client.HTTPConnection, target: str, body: Optional[bytes]
    ) -> http.client.HTTPResponse:
        endpoint = self.endpoint
        if endpoint.proxy and endpoint.scheme == "http":
            target = "http://%s:%d%s" % (endpoint.host, endpoint.port, target)
        if body is None:
            connection.request("GET", target, headers=endpoint.headers)
        else:
            connection.request("POST", target, body, {**endpoint.headers, "Content-Type": "application/json"})
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


def _date(value: Optional[str]) -> Optional[datetime]:
    try:
        return parsedate_to_datetime(value) if value else None
    except (TypeError, ValueError):
        return None
