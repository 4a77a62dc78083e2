"""What is kept of a run, one JSON line each: for the time in which the store cannot take it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from bedplate.runs import Event, HostResult, Run, RunMode, RunRepository, RunStatus

_MOMENTS = frozenset(f.name for f in fields(Run) if f.name.endswith("_at")) | {"created"}
_KINDS = {"status": RunStatus, "mode": RunMode, "folder": Path}


@dataclass(frozen=True)
class Record:
    """Some things to keep, in one go: events, then host results, then fields of the run."""

    events: Sequence[Event] = ()
    results: Sequence[HostResult] = ()
    changes: dict[str, Any] = field(default_factory=dict)

    def save(self, store: RunRepository, run_id: str) -> None:
        """Write to the store; harmless when repeated. Raises StoreError, NotFoundError."""
        if self.events:
            store.add_events(run_id, self.events)
        if self.results:
            store.put_host_results(run_id, self.results)
        if self.changes:
            store.update(run_id, **self.changes)

    def to_json(self) -> str:
        """Return one line of JSON."""
        return _dump(
            {
                "events": [asdict(event) for event in self.events],
                "results": [asdict(result) for result in self.results],
                "changes": self.changes,
            }
        )

    @classmethod
    def from_json(cls, line: str) -> Record:
        """Return what `to_json` wrote. Raises ValueError."""
        document = json.loads(line)
        return cls(
            [Event(**_typed(event)) for event in document["events"]],
            [HostResult(**result) for result in document["results"]],
            _typed(document["changes"]),
        )


def run_to_json(run: Run) -> str:
    """Return a run as one line of JSON, without what the store counts itself."""
    return _dump({key: value for key, value in asdict(run).items() if key != "outcomes"})


def run_from_json(line: str) -> Run:
    """Return what `run_to_json` wrote. Raises ValueError."""
    return Run(**_typed(json.loads(line)))


def _dump(value: Any) -> str:  # noqa: ANN401
    return json.dumps(value, default=_plain, separators=(",", ":"))


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else str(value)


def _typed(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value if value is None else _typed_value(key, value) for key, value in values.items()}


def _typed_value(key: str, value: Any) -> Any:  # noqa: ANN401
    if key in _MOMENTS:
        return datetime.fromisoformat(value)
    return _KINDS[key](value) if key in _KINDS else value
