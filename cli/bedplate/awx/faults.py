"""What AWX answers when it does not do what was asked, as one sentence each."""

from __future__ import annotations

from typing import Any

import httpx

from bedplate.errors import EngineError

_SHOWN = 300
_SECRET = ("credentials/", "notification_templates/")


class AwxError(EngineError):
    """AWX refused a request, or failed.

    Args:
        status: the HTTP status.
    """

    def __init__(self, message: str, status: int, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, where=where, hint=hint)
        self.status = status


def unreachable(error: httpx.TransportError, root: str) -> EngineError:
    """Return what is said of an AWX that cannot be reached."""
    text = str(error) or type(error).__name__
    if "certificate" in text.lower():
        hint = "awx.ca_file names the authority that it comes from"
        return EngineError(f"AWX's certificate is not valid: {text}", where=root, hint=hint)
    if isinstance(error, httpx.TimeoutException):
        return EngineError("AWX does not answer in time", where=root, hint="awx.timeout is how long it may take")
    if isinstance(error, httpx.ConnectError):
        return EngineError(f"AWX cannot be reached: {text}", where=root)
    return EngineError(f"the connection to AWX was lost: {text}", where=root)


def fault_of(response: httpx.Response, method: str, path: str, root: str) -> AwxError:
    """Return what is said of an answer that is no success."""
    # AWX quotes values that it does not take: of these they are secrets.
    status, detail = response.status_code, "" if path.startswith(_SECRET) else _detail(response)
    verb = {"GET": "read", "POST": "write", "PATCH": "write", "DELETE": "delete"}.get(method, method)
    what = path.strip("/")
    said = f": {detail}" if detail else ""
    if status == 401:
        hint = "BEDPLATE_AWX_TOKEN, awx.token_file or the keyring must have one that is valid"
        return AwxError("AWX does not accept the token or password", status, where=root, hint=hint)
    if status == 404 and _is_page(response):
        hint = "awx.url is AWX's address, behind a gateway with its path, such as https://host/api/controller"
        return AwxError("there is no AWX API here", status, where=root, hint=hint)
    if status == 429:
        wait = response.headers.get("Retry-After")
        hint = f"it asks to wait {wait} s" if wait else "try again later"
        return AwxError("AWX has too many requests", status, where=root, hint=hint)
    messages = {
        400: f"AWX does not accept {what}{said}",
        403: f"AWX does not let this account {verb} {what}{said}",
        404: f"AWX has no {what} (any more){said}",
        409: f"AWX cannot {verb} {what} now, for something else goes on there{said}",
    }
    if 300 <= status < 400:
        return AwxError(f"AWX is somewhere else: {response.headers.get('Location', '')}", status, where=root)
    if status >= 500:
        return AwxError(f"AWX failed with {status} when it was to {verb} {what}", status, where=root)
    return AwxError(messages.get(status, f"AWX answers {status} to {method} {what}{said}"), status, where=root)


def _is_page(response: httpx.Response) -> bool:
    """Whether it is not AWX that answers: AWX says as JSON that it does not have an object, the younger which kind."""
    try:
        detail = response.json().get("detail")
    except (ValueError, AttributeError):
        return True
    return detail not in {"Not found.", None} and not str(detail).endswith("matches the given query.")


def _detail(response: httpx.Response) -> str:
    try:
        answer = response.json()
    except ValueError:
        return ""
    return "; ".join(_sentences(answer))[:_SHOWN]


def _sentences(answer: Any, key: str = "") -> list[str]:  # noqa: ANN401
    if isinstance(answer, dict):
        quiet = {"detail", "error", "__all__"}
        return [s for name, value in answer.items() for s in _sentences(value, "" if name in quiet else str(name))]
    if isinstance(answer, list):
        return [sentence for each in answer for sentence in _sentences(each, key)]
    return [f"{key}: {answer}" if key else str(answer)]
