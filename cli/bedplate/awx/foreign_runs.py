"""Jobs that people and schedules launched in AWX, as runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bedplate.awx.executions import Execution
from bedplate.catalog import Product
from bedplate.execution.executor import RunEnd
from bedplate.runs import AWX, REDACTED, Run, RunMode, RunStatus, new_run_id

_ENCRYPTED = "$encrypted$"
_STATUSES = {
    "successful": RunStatus.SUCCESSFUL,
    "canceled": RunStatus.CANCELED,
}
_SYSTEM = "awx"


def run_of(execution: Execution, name: str, product: Product | None) -> Run:
    """Return the run that a job is, with AWX's times and before anything is known of its hosts.

    Args:
        name: the product's name, which is that of the job's template.
        product: the product; None where the catalog has none of this name any more.
    """
    body = execution.body
    created = execution.moment("created") or datetime.now(UTC)
    requester, reason = launched_by(body)
    return Run(
        id=new_run_id(created),
        product=name,
        product_title=product.title if product else name,
        status=_STATUSES.get(execution.status, RunStatus.FAILED),
        mode=RunMode.CHECK if body.get("job_type") == "check" else RunMode.APPLY,
        diff=bool(body.get("diff_mode")),
        requester=requester,
        reason=reason,
        created_at=created,
        queued_at=created,
        started_at=execution.moment("started"),
        finished_at=execution.moment("finished") or execution.moment("started") or created,
        git_commit=execution.revision or None,
        parameters=_parameters(body, product),
        limit=body.get("limit") or None,
        engine=AWX,
        inventory=str(body.get("summary_fields", {}).get("inventory", {}).get("name") or ""),
        exit_code=None,
    )


def launched_by(body: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return who launched a job, and what else started it: a schedule, or a workflow, which names its own launcher."""
    summary = body.get("summary_fields", {})
    launcher = body.get("launched_by") or {}
    person = summary.get("created_by", {}).get("username")
    if launcher.get("type") == "user":
        person = person or launcher.get("name")
    schedule = summary.get("schedule", {}).get("name")
    if launcher.get("type") == "schedule":
        schedule = schedule or launcher.get("name")
    workflow = summary.get("source_workflow_job", {}).get("name")
    causes = [("schedule", schedule), ("workflow", workflow)]
    reason = ", ".join(f"AWX's {kind} {name}" for kind, name in causes if name)
    return person or _SYSTEM, reason or None


def _parameters(body: Mapping[str, Any], product: Product | None) -> dict[str, Any]:
    """The answers, without those of secrets, which AWX shows as `$encrypted$`."""
    try:
        given = json.loads(body.get("extra_vars") or "{}")
    except ValueError:
        given = {}
    secret = product.secret_names if product else ()
    names = {parameter.name for parameter in product.parameters} if product else given.keys()
    return {
        name: REDACTED if name in secret or value == _ENCRYPTED else value
        for name, value in given.items()
        if name in names
    }


def end_of_status(status: str) -> RunEnd:
    """Return how a job ended of which AWX has nothing but the status any more."""
    return {"successful": RunEnd.DONE, "canceled": RunEnd.CANCELED}.get(status, RunEnd.FAILED)
