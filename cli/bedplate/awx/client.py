"""AWX's API: requests, pages, repeats where repeating is safe, and faults as one sentence.

The credential is in a header of each request and nowhere else: no message here shows a header.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from bedplate.awx.credential import Credential
from bedplate.awx.faults import AwxError, fault_of, unreachable
from bedplate.errors import EngineError, SettingsError
from bedplate.settings import AwxSettings

PAGE = 200  # AWX gives no more at once
_ATTEMPTS = 4
_PATIENCE = 60.0
_BUSY = frozenset({429, 502, 503, 504})
# A POST that makes an object is not repeated: nobody knows whether it was made when the answer is lost.
_REPEATABLE = frozenset({"GET", "PATCH", "DELETE"})
_NEARBY = frozenset({"localhost", "127.0.0.1", "::1"})


class AwxClient:
    """A connection to one AWX.

    Args:
        settings: where it is.
        credential: who asks.
        sleep: waits so many seconds.

    Attributes:
        clock_ahead: by how much AWX's clock is ahead of the one here, as of its last answer.

    Raises:
        SettingsError: there is no usable address.
    """

    def __init__(
        self, settings: AwxSettings, credential: Credential, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.root = api_root(settings)
        self._sleep = sleep
        self.clock_ahead = timedelta()
        self._http = httpx.Client(
            headers={"Authorization": credential.authorization, "Accept": "application/json"},
            verify=_verification(settings),
            timeout=settings.timeout,
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str, **query: str | int) -> dict[str, Any]:
        """Return one object, or one page of a list. Raises as `send`."""
        return _mapping(self.send("GET", path, query=query), self.root + path)

    def pages(self, path: str, **query: str | int) -> Iterator[dict[str, Any]]:
        """Yield all objects of a list, with one request for each 200."""
        number = 1
        while True:
            page = self.get(path, **query, page_size=PAGE, page=number, order_by="id")
            yield from page.get("results", [])
            if not page.get("next"):
                return
            number += 1

    def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Make an object and return it."""
        return _mapping(self.send("POST", path, body), self.root + path)

    def change(self, path: str, body: Mapping[str, Any]) -> None:
        """Set these fields of an object."""
        self.send("PATCH", path, body)

    def put(self, path: str, body: Mapping[str, Any]) -> None:
        """POST what has the same effect when it is sent twice: a survey, or an attachment."""
        self.send("POST", path, body, repeatable=True)

    def delete(self, path: str) -> None:
        """Delete an object; one that is gone already is no fault."""
        try:
            self.send("DELETE", path)
        except AwxError as fault:
            if fault.status != 404:
                raise

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str | int] | None = None,
        repeatable: bool | None = None,
    ) -> Any:  # noqa: ANN401
        """Return the answer to a request, as JSON types.

        Raises:
            AwxError: AWX refuses; its status is in the fault.
            EngineError: AWX cannot be reached, or what answers is no AWX.
        """
        repeatable = method in _REPEATABLE if repeatable is None else repeatable
        for attempt in range(1, _ATTEMPTS + 1):
            last = attempt == _ATTEMPTS
            try:
                response = self._http.request(method, self.root + path, json=body, params=dict(query or {}) or None)
            except httpx.TransportError as error:
                # Where no connection was made, nothing was asked yet.
                if last or not (repeatable or isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)):
                    raise unreachable(error, self.root) from error
                if "certificate" in str(error).lower():
                    raise unreachable(error, self.root) from error
                self._sleep(0.5 * 2**attempt)
                continue
            self.clock_ahead = _ahead(response, self.clock_ahead)
            pause = _pause(response, attempt)
            may_repeat = response.status_code == 429 or (response.status_code in _BUSY and repeatable)
            if last or not may_repeat or pause > _PATIENCE:
                return _answer(response, method, path, self.root)
            self._sleep(pause)
        raise AssertionError


def api_root(settings: AwxSettings) -> str:
    """Return where the API is, such as https://awx.example.com/api/v2/.

    Raises:
        SettingsError: the address is missing, or would send the token in the clear.
    """
    if not settings.url:
        raise SettingsError("is not set", where="awx.url", hint="such as https://awx.example.com")
    parts = urlsplit(settings.url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query or parts.fragment:
        hint = "such as https://awx.example.com"
        raise SettingsError("must be an address without user and query", where="awx.url", hint=hint)
    if parts.scheme == "http" and settings.verify and parts.hostname not in _NEARBY:
        hint = "use https, or say awx.verify = false"
        raise SettingsError("would send the token in the clear", where="awx.url", hint=hint)
    path = parts.path.rstrip("/")
    if path.endswith("/v2"):
        path = path.removesuffix("/v2")
    elif not path or "/api" not in path:
        path += "/api"
    return f"{parts.scheme}://{parts.netloc}{path}/v2/"


def _verification(settings: AwxSettings) -> Any:  # noqa: ANN401
    if not settings.verify or not settings.ca_file:
        return settings.verify
    import ssl  # noqa: PLC0415

    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise SettingsError(f"cannot be used: {error}", where=f"awx.ca_file {settings.ca_file}") from error


def _pause(response: httpx.Response, attempt: int) -> float:
    """Seconds to wait before the next attempt: what AWX asks for, else twice as long each time."""
    asked = response.headers.get("Retry-After", "")
    return float(asked) if asked.isdigit() else 0.5 * 2**attempt


def _ahead(response: httpx.Response, before: timedelta) -> timedelta:
    """By how much the clock of who answers is ahead; as before where it does not say."""
    try:
        said = parsedate_to_datetime(response.headers["Date"])
    except (KeyError, ValueError):
        return before
    return said - datetime.now(UTC) if said.tzinfo else before


def _answer(response: httpx.Response, method: str, path: str, root: str) -> Any:  # noqa: ANN401
    if not response.is_success:
        raise fault_of(response, method, path, root)
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError as error:
        raise EngineError(
            "what answers is a web page, not AWX's API",
            where=root,
            hint="awx.url is AWX's address, behind a gateway with its path, such as https://host/api/controller",
        ) from error


def _mapping(answer: Any, where: str) -> dict[str, Any]:  # noqa: ANN401
    if not isinstance(answer, dict):
        raise EngineError("AWX answers with something that is no object", where=where)
    return answer
