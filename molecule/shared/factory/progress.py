"""Progress of long work: JSON lines for programs, plain lines for people."""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

from factory.errors import FactoryError


class Progress:
    """Writes one line an event to standard output; safe to use from several threads.

    Args:
        as_json: JSON lines instead of text. Kinds of `event`: step, result, error.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._lock = threading.Lock()

    def step(self, subject: str, text: str, *, done: bool = True) -> None:
        """Say that something happened (`done`), or began, with `subject` (a host, an image, the network)."""
        self._write({"event": "step", "subject": subject, "text": text, "done": done}, f"{subject}: {text}")

    def result(self, value: dict[str, Any]) -> None:
        """Give the answer of the whole command."""
        self._write({"event": "result", "result": value}, json.dumps(value, indent=2))

    def error(self, error: FactoryError) -> None:
        """Say why the command failed."""
        where = f"{error.where}: " if error.where else ""
        hint = f" ({error.hint})" if error.hint else ""
        fields = {"kind": error.kind, "message": error.message, "where": error.where, "hint": error.hint}
        self._write({"event": "error", **fields}, f"error: {where}{error.message}{hint}")

    def _write(self, event: dict[str, Any], text: str) -> None:
        with self._lock:
            sys.stdout.write((json.dumps(event) if self._as_json else text) + "\n")
            sys.stdout.flush()
