"""What an HTTP answer says: a whole JSON document, a failure that may pass, or a refusal."""

from __future__ import annotations

import gzip
import http.client
import json
import zlib
from email.utils import parsedate_to_datetime
from typing import Any, Dict, Optional

from .faults import SourceError

Json = Any  # what a JSON document holds

_TRY_AGAIN = frozenset((408, 425, 429, 500, 502, 503, 504))
_LONGEST_WAIT = 30.0


class AnswerError(SourceError):
    """NetBox, or what stands before it, answered with a refusal or with something that is no JSON."""


class PassingError(Exception):
    """A failure that may have passed when the request is sent again."""

    def __init__(self, message: str, wait: Optional[float] = None) -> None:
        super().__init__(message)
        self.message = message
        self.wait = wait


def unpacked(response: http.client.HTTPResponse, body: bytes) -> bytes:
    """Return the body without compression. Raises PassingError if it is damaged."""
    if response.headers.get("Content-Encoding", "").lower() != "gzip":
        return body
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error) as error:
        raise PassingError("the compressed answer is damaged: %s" % error) from error


def decoded(response: http.client.HTTPResponse, body: bytes, url: str) -> Json:
    """Return the JSON of an answer. Raises AnswerError if it is none, PassingError if it is cut off."""
    kind = response.headers.get_content_type()
    if kind != "application/json" and not kind.endswith("+json"):
        raise AnswerError(
            "the answer is %s, not JSON" % kind,
            where=url,
            hint="is api_endpoint the address of NetBox itself, with no login page before it?",
        )
    try:
        return json.loads(unpacked(response, body))
    except (ValueError, RecursionError) as error:
        raise PassingError("the answer is not whole JSON: %s" % error) from error


def refusal(response: http.client.HTTPResponse, body: bytes, url: str) -> Exception:
    """Return what an answer that is not 200 means: a PassingError or an AnswerError."""
    status = response.status
    said = "NetBox answered %d %s%s" % (status, response.reason, _detail(response, body))
    if status in _TRY_AGAIN:
        return PassingError(said, _retry_after(response.headers))
    hints: Dict[int, str] = {
        401: "check the token",
        403: "check the token, and that it has the right to view these objects",
        404: "is api_endpoint the address of NetBox?",
    }
    if 300 <= status < 400:
        return AnswerError(
            "%s, a redirect to %s" % (said, _without_query(response.headers.get("Location", "nowhere"))),
            where=url,
            hint="api_endpoint must be the address that answers itself",
        )
    return AnswerError(said, where=url, hint=hints.get(status))


def _detail(response: http.client.HTTPResponse, body: bytes) -> str:
    if response.headers.get_content_type() != "application/json":
        return ""
    try:
        answer = json.loads(body)
    except ValueError:
        return ""
    detail = answer.get("detail", answer) if isinstance(answer, dict) else answer
    return ": %s" % str(detail)[:300]


def _retry_after(headers: http.client.HTTPMessage) -> Optional[float]:
    """Return the seconds to wait that an answer names, as a number or as a time by its own clock."""
    value = headers.get("Retry-After", "")
    if value.isdigit():
        return min(float(value), _LONGEST_WAIT)
    try:
        asked = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("Date", ""))
    except (TypeError, ValueError):
        return None
    return min(max(0.0, asked.total_seconds()), _LONGEST_WAIT)


def _without_query(url: str) -> str:
    return url.split("?", 1)[0]
