"""Between the domain's objects and rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, cast

from sqlalchemy import Row

from bedplate.runs import Event, HostOutcome, HostResult, Run, RunMode, RunStatus
from bedplate.store.columns import plain_text
from bedplate.store.payload import pack_event, unpack_event
from bedplate.store.tables import OUTCOME_COLUMNS, RUNS

_RUN_FIELDS = tuple(f.name for f in fields(Run) if f.name != "outcomes")
RUN_COLUMNS = [*(RUNS.c[name] for name in _RUN_FIELDS), *(RUNS.c[name] for name in OUTCOME_COLUMNS.values())]
_UPDATABLE = frozenset(_RUN_FIELDS) - {"id"}
_COUNTS = tuple(f.name for f in fields(HostResult) if f.name != "host")


def row_of_run(run: Run) -> dict[str, Any]:
    """Return the row of a new run."""
    return row_of_fields({name: getattr(run, name) for name in _RUN_FIELDS}, allowed=frozenset(_RUN_FIELDS))


def row_of_fields(values: Mapping[str, Any], *, allowed: frozenset[str] = _UPDATABLE) -> dict[str, Any]:
    """Return columns and values for fields of a run.

    Raises:
        TypeError: a name is no field of Run, or one that never changes.
    """
    unknown = set(values) - allowed
    if unknown:
        raise TypeError(f"not a field of Run that can be set: {', '.join(sorted(unknown))}")
    row = dict(values)
    for name, kind in (("status", RunStatus), ("mode", RunMode)):
        if name in row:
            row[name] = kind(row[name]).value
    if "parameters" in row:
        row["parameters"] = dict(row["parameters"])
    if "hosts" in row:
        row["host_count"] = len(row["hosts"])
    return row


def run_of(row: Row[Any]) -> Run:
    """Return the run of a row with `RUN_COLUMNS`."""
    values: dict[str, Any] = dict(zip(_RUN_FIELDS, row, strict=False))
    values["status"] = RunStatus(values["status"])
    values["mode"] = RunMode(values["mode"])
    counts = zip(OUTCOME_COLUMNS, row[len(_RUN_FIELDS) :], strict=True)
    return Run(**values, outcomes={outcome: count for outcome, count in counts if count})


def row_of_result(run_key: int, result: HostResult) -> dict[str, Any]:
    """Return the row of a host's result."""
    counts = {name: getattr(result, name) for name in _COUNTS}
    return {"run_key": run_key, "host": plain_text(result.host), "outcome": result.outcome.value, **counts}


def result_of(row: Row[Any]) -> HostResult:
    """Return the host's result of a row of run_hosts."""
    return HostResult(row.host, **{name: getattr(row, name) for name in _COUNTS})


def row_of_event(run_key: int, event: Event) -> dict[str, Any]:
    """Return the row of an event."""
    return {
        "run_key": run_key,
        "counter": event.counter,
        "kind": event.kind,
        "created": event.created,
        "host": event.host,
        "changed": bool(event.changed),
        "failed": event.failed,
        "bulk": pack_event(event),
    }


def event_of(row: Row[Any]) -> Event:
    """Return the event of a row of events."""
    uuid, parent_uuid, play, role, task, action, duration, stdout, data = cast("Sequence[Any]", unpack_event(row.bulk))
    return Event(
        counter=row.counter,
        kind=row.kind,
        created=row.created,
        uuid=uuid,
        parent_uuid=parent_uuid,
        host=row.host,
        play=play,
        role=role,
        task=task,
        action=action,
        changed=row.changed,
        duration=duration,
        stdout=stdout,
        data=data,
    )


def outcome_row(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counters of a run for how many hosts came to each outcome."""
    return {OUTCOME_COLUMNS[outcome]: counts.get(outcome.value, 0) for outcome in HostOutcome}
