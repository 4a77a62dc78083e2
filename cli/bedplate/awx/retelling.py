"""AWX's events as Bedplate's own: without bulk, colors and secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from bedplate.awx.events import Entry
from bedplate.execution.events import LARGEST, described_event
from bedplate.execution.feed import is_unverified, slim
from bedplate.execution.redaction import Redactor
from bedplate.runs import Event

_COLORS = re.compile(r"\x1b\[[0-9;]*[mK]")
_CHECK = "validate_parameters"


class Retelling:
    """Turns events as AWX has them into Bedplate's, and passes them on.

    Args:
        tell: is given each event.
    """

    def __init__(self, redactor: Redactor, tell: Callable[[Event], None]) -> None:
        self._redactor = redactor
        self._tell = tell
        self.refusal: str | None = None

    def take(self, entries: list[Entry]) -> None:
        """Pass these on. What the product's manifest has against its answers is in `refusal` then."""
        for entry in entries:
            event = retold(entry, self._redactor)
            if event.kind == "runner_on_failed" and (event.action or "").endswith(_CHECK):
                self.refusal = self.refusal or _message(event)
            self._tell(event)


def retold(entry: Entry, redactor: Redactor) -> Event:
    """Return AWX's event as Bedplate keeps it; its counter is the same."""
    found = slim(entry)
    data: dict[str, Any] = found.get("event_data") or {}
    result = data.get("res")
    if entry["event"] in {"runner_on_skipped", "runner_item_on_skipped"} and isinstance(result, Mapping):
        data = {**data, "unverified": is_unverified(result)}
    printed = _COLORS.sub("", entry.get("stdout") or "")
    large = len(json.dumps(data)) > LARGEST
    return described_event(entry["counter"], {**found, "event_data": data, "stdout": printed}, redactor, large=large)


def _message(event: Event) -> str | None:
    result = event.data.get("res")
    message = str(result.get("msg") or "") if isinstance(result, Mapping) else ""
    return "; ".join(line.strip() for line in message.splitlines() if line.strip()) or None
