"""Runs, host results and events as the documents that `-o json` shows; docs/schemas/ describes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bedplate.reports.verification import read_verification
from bedplate.runs import Event, HostOutcome, HostResult, Run

SCHEMA = 1


def run_document(run: Run, results: Sequence[HostResult] | None = None) -> dict[str, Any]:
    """Return a run as a document; with `results` also what it did to each host."""
    duration = run.duration
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "id": run.id,
        "product": run.product,
        "product_title": run.product_title,
        "status": run.status,
        "mode": run.mode,
        "diff": run.diff,
        "requester": run.requester,
        "reason": run.reason,
        "limit": run.limit,
        "hosts": list(run.hosts),
        "parameters": dict(run.parameters),
        "product_digest": run.product_digest,
        "content_digest": run.content_digest,
        "git_commit": run.git_commit,
        "inventory": run.inventory,
        "engine": run.engine,
        "folder": run.folder,
        "rerun_of": run.rerun_of,
        "created_at": run.created_at,
        "queued_at": run.queued_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "duration": None if duration is None else duration.total_seconds(),
        "tasks": run.tasks,
        "exit_code": run.exit_code,
        "error": run.error,
    }
    if results is not None:
        document["summary"] = outcome_counts(results)
        document["results"] = [host_result_document(result) for result in results]
        document["artifacts"] = artifact_names(run.folder)
        proof = read_verification(run.folder)
        if proof is not None:
            document["verification"] = proof
    return document


def host_result_document(result: HostResult) -> dict[str, Any]:
    """Return what a run did to one host as a document."""
    return {
        "host": result.host,
        "outcome": result.outcome,
        "ok": result.ok,
        "changed": result.changed,
        "failed": result.failed,
        "unreachable": result.unreachable,
        "skipped": result.skipped,
        "rescued": result.rescued,
        "ignored": result.ignored,
    }


def event_document(event: Event) -> dict[str, Any]:
    """Return an event as a document."""
    return {
        "counter": event.counter,
        "kind": event.kind,
        "created": event.created,
        "host": event.host,
        "play": event.play,
        "role": event.role,
        "task": event.task,
        "action": event.action,
        "changed": event.changed,
        "duration": event.duration,
        "stdout": event.stdout,
        "data": dict(event.data),
    }


def outcome_counts(results: Iterable[HostResult]) -> dict[str, int]:
    """Return how many hosts came to each outcome, every outcome named."""
    counts = Counter(result.outcome for result in results)
    return {outcome.value: counts.get(outcome, 0) for outcome in HostOutcome}


def artifact_names(folder: Path | None) -> list[str]:
    """Return the files that the run's playbook left under `artifacts/`, relative to it."""
    if folder is None or not (folder / "artifacts").is_dir():
        return []
    root = folder / "artifacts"
    return sorted(str(file.relative_to(root)) for file in root.rglob("*") if file.is_file())
