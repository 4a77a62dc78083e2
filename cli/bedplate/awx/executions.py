"""What AWX says of one of its jobs: where it stands, and in one sentence why it did not end well."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bedplate.awx.client import AwxClient

_UNDER_WAY = frozenset({"new", "pending", "waiting", "running"})
_CHAINED = "Previous Task Failed: "
_TASKS = {
    "project_update": "sync the project",
    "inventory_update": "update the inventory source",
}


@dataclass(frozen=True)
class Execution:
    """One job, as AWX describes it.

    Attributes:
        number: AWX's id of the job.
        complete: it has ended, and AWX has saved all its events.
        revision: the commit of the project that it runs; empty as long as AWX does not know.
    """

    number: int
    status: str
    complete: bool
    revision: str
    body: Mapping[str, Any] = field(repr=False)

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Execution:
        """Return the job that an answer describes."""
        complete = bool(body.get("event_processing_finished"))
        return cls(int(body["id"]), body["status"], complete, body.get("scm_revision") or "", body)

    @property
    def ended(self) -> bool:
        return self.status not in _UNDER_WAY

    @property
    def begun(self) -> bool:
        return self.ended or self.status == "running"

    @property
    def explanation(self) -> str | None:
        """Why AWX itself could not run it, in one sentence; None where it could."""
        text = str(self.body.get("job_explanation") or "").strip()
        if text.startswith(_CHAINED):
            return _chained(text.removeprefix(_CHAINED))
        if not text and self.status == "error":
            text = (self.body.get("result_traceback") or "").strip().rpartition("\n")[2] or "AWX does not say why"
        return f"AWX could not run it: {' '.join(text.split())}" if text else None

    def moment(self, name: str) -> datetime | None:
        """Return when it was `created`, `started` or `finished`, by AWX's clock."""
        return datetime.fromisoformat(self.body[name]) if self.body.get(name) else None


def read_execution(client: AwxClient, number: int) -> Execution:
    """Return a job as it stands. Raises as `AwxClient.send`; AwxError with 404 where it was deleted."""
    return Execution.of(client.get(f"jobs/{number}/"))


def _chained(text: str) -> str:
    """Say of what the job depended on, which AWX describes as JSON."""
    try:
        found = json.loads(text)
        kind, name, number = (str(found[key]) for key in ("job_type", "job_name", "job_id"))
    except (ValueError, KeyError, TypeError):
        return f"AWX could not do what the job needs first: {text}"
    what = _TASKS.get(kind, f"finish the {kind.replace('_', ' ')}")
    return f"AWX could not {what} {name}; its {kind.replace('_', ' ')} {number} says why"
