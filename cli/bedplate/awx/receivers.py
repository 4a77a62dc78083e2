"""Receivers of results as AWX's notification templates: apprise's addresses in the words of AWX's types."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

_MAIL_PORTS = {"mailto": 25, "mailtos": 587}


@dataclass(frozen=True)
class Notification:
    """One notification template: its name, AWX's type, and the configuration, which holds secrets."""

    name: str
    kind: str
    configuration: Mapping[str, Any] = field(repr=False)


def notifications_of(name: str, addresses: Sequence[str]) -> list[Notification] | None:
    """Return the notification templates of a receiver: one for each address, the first of the receiver's own name.

    None where AWX has no type for one of the addresses, or an address does not say enough.
    """
    found = []
    for number, address in enumerate(addresses, 1):
        translated = _translated(urlsplit(address))
        if translated is None:
            return None
        found.append(Notification(name if number == 1 else f"{name} ({number})", *translated))
    return found


def _translated(address: SplitResult) -> tuple[str, dict[str, Any]] | None:
    translate = _KINDS.get(address.scheme)
    configuration = translate(address) if translate and address.hostname else None
    return (_TYPES[address.scheme], configuration) if configuration else None


def _webhook(address: SplitResult) -> dict[str, Any] | None:
    query = _query(address)
    method = query.get("method", "POST").upper()
    if method not in {"POST", "PUT"}:
        return None
    return {
        "url": f"{_http(address)}{address.path}",
        "http_method": method,
        "disable_ssl_verification": _unverified(query),
        "username": unquote(address.username or ""),
        "password": unquote(address.password or ""),
        "headers": {key[1:]: value for key, value in query.items() if key.startswith("+")},
    }


def _mail(address: SplitResult) -> dict[str, Any] | None:
    query, user = _query(address), unquote(address.username or "")
    if not user and "from" not in query:
        return None
    sender = query.get("from") or (user if "@" in user else f"{user}@{address.hostname}")
    secure = query.get("mode", "starttls") == "ssl"
    return {
        "host": query.get("smtp") or address.hostname,
        "port": address.port or (465 if secure else _MAIL_PORTS[address.scheme]),
        "username": query.get("user") or user,
        "password": unquote(address.password or ""),
        "use_tls": address.scheme == "mailtos" and not secure,
        "use_ssl": secure,
        "sender": sender,
        "recipients": [each.strip() for each in (query.get("to") or sender).split(",")],
        "timeout": 30,
    }


def _slack(address: SplitResult) -> dict[str, Any] | None:
    """Only with the token of a bot: AWX does not post to Slack's webhooks."""
    token = unquote(address.netloc.rpartition("@")[2])
    channels = [unquote(part).lstrip("#") for part in address.path.split("/") if part]
    channels += [address.fragment] if address.fragment else []
    if not token.startswith("xoxb-") or not channels:
        return None
    return {"token": token, "channels": channels}


def _mattermost(address: SplitResult) -> dict[str, Any] | None:
    *path, token = address.path.rstrip("/").split("/")
    if not token:
        return None
    url = f"{_http(address)}{'/'.join(path)}/hooks/{token}"
    return {"mattermost_url": url, "mattermost_no_verify_ssl": _unverified(_query(address))}


def _http(address: SplitResult) -> str:
    port = f":{address.port}" if address.port else ""
    return f"http{'s' if address.scheme.endswith('s') else ''}://{address.hostname}{port}"


def _query(address: SplitResult) -> dict[str, str]:
    # A `+` begins the name of a header; it is no blank.
    return {key: values[0] for key, values in parse_qs(address.query.replace("+", "%2B")).items()}


def _unverified(query: Mapping[str, str]) -> bool:
    return query.get("verify", "yes").lower() in {"no", "false", "0"}


_KINDS: dict[str, Callable[[SplitResult], dict[str, Any] | None]] = {
    "json": _webhook,
    "jsons": _webhook,
    "mailto": _mail,
    "mailtos": _mail,
    "slack": _slack,
    "mmost": _mattermost,
    "mmosts": _mattermost,
}
_TYPES = {
    "json": "webhook",
    "jsons": "webhook",
    "mailto": "email",
    "mailtos": "email",
    "slack": "slack",
    "mmost": "mattermost",
    "mmosts": "mattermost",
}
