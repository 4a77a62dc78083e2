"""Sending messages with apprise: mail, chats, webhooks and whatever else it knows."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bedplate.errors import ExternalError

_KIND = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Message:
    """What is told."""

    title: str
    body: str
    kind: Literal["success", "failure", "warning", "info"] = "info"


def send(addresses: Sequence[str], message: Message) -> None:
    """Send a message to every address.

    Raises:
        ExternalError: one of them could not be reached, or its address is not known; says the kind, never the address.
    """
    import apprise  # noqa: PLC0415 (it is slow to import, and most runs tell nobody)

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its messages have addresses in them
    failed = []
    for address in addresses:
        kind = found[1] if (found := _KIND.match(address)) else "no"
        channel = apprise.Apprise()
        if not channel.add(address):
            failed.append(f"an address of kind {kind} that apprise does not know")
        elif not channel.notify(title=message.title, body=message.body, notify_type=apprise.NotifyType(message.kind)):
            failed.append(f"an address of kind {kind} that did not take it")
    if failed:
        raise ExternalError(f"could not tell {'; '.join(failed)}")
