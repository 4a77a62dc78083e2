"""Runs that wait for somebody's consent: saying yes or no, and going on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bedplate.catalog import load_catalog
from bedplate.content import Content
from bedplate.errors import ParameterError, RefusedError, UsageError
from bedplate.execution.digest import content_digest, product_digest
from bedplate.guardrails import refusal_text, refusals
from bedplate.guardrails.approvals import Approval, ApprovalRepository, Decision
from bedplate.guardrails.consent import may_decide
from bedplate.launch.auditing import Auditor
from bedplate.launch.guarding import digest_of
from bedplate.launch.limits import limits_of
from bedplate.launch.request import LaunchRequest
from bedplate.persons import person_among, person_of
from bedplate.runs import REDACTED, Run, RunMode, RunRepository, RunStatus
from bedplate.settings import Settings
from bedplate.teams import load_teams

CHANGED = "content, parameters or hosts are not those that were ordered"


class Consent:
    """What can be done about a pending run.

    Args:
        refused: the exit code of a run that was refused.
    """

    def __init__(  # noqa: PLR0917 (each is a part of its own, named where it is made)
        self,
        content: Content,
        settings: Settings,
        store: RunRepository,
        approvals: ApprovalRepository,
        auditor: Auditor,
        refused: int,
    ) -> None:
        self._content = content
        self._settings = settings
        self._store = store
        self._approvals = approvals
        self._auditor = auditor
        self._refused = refused

    def decide(self, run_id: str, decision: Decision, comment: str | None) -> Run:
        """Say yes or no to a pending run as the person who calls, and return the run.

        Raises:
            NotFoundError: there is no such run.
            UsageError: it does not wait for approval.
            RefusedError: the person may not, or the content is another by now.
        """
        run = self.pending(run_id)
        product = load_catalog(self._content.products).get(run.product)
        teams = load_teams(self._settings)
        person = person_among(teams, self._settings)
        verdicts = may_decide(limits_of(product), run.requester, person, teams)
        if refusals(verdicts):
            self._auditor.record("refused", run, what=decision.value, why=refusal_text(verdicts))
            raise RefusedError(refusal_text(verdicts), where=f"run {run.id}")
        digests = product_digest(self._content, product.name, product.playbook), content_digest(self._content)
        if decision is Decision.APPROVE and digests != (run.product_digest, run.content_digest):
            raise RefusedError(f"refused by approval: {CHANGED}", where=f"run {run.id}", hint="order it anew")
        now = datetime.now(UTC)
        self._approvals.decide(Approval(run.id, person.name, decision, now, digest_of(run), comment))
        if decision is Decision.REJECT:
            self._close(run, f"rejected by {person.name}" + (f": {comment}" if comment else ""))
        kind = "approved" if decision is Decision.APPROVE else "rejected"
        self._auditor.record(kind, run, digest=digest_of(run), comment=comment)
        return self._store.get(run.id)

    def order_again(self, run_id: str, answers: Mapping[str, Any]) -> LaunchRequest:
        """Return the order that a pending run is, for those who may start it: its requester, and the workers.

        Args:
            answers: its secret parameters, which are not kept.

        Raises:
            NotFoundError: there is no such run.
            UsageError: it does not wait for approval.
            ParameterError: a secret parameter is missing.
            RefusedError: the person may not start it.
        """
        run = self.pending(run_id)
        self._check_starter(run)
        missing = [name for name in self.unknown_secrets(run) if name not in answers]
        if missing:
            raise ParameterError(f"secret answers are not kept: {', '.join(missing)}", where=f"run {run.id}")
        kept = {name: value for name, value in run.parameters.items() if value != REDACTED}
        return LaunchRequest(
            product=run.product,
            parameters={**kept, **answers},
            limit=run.limit,
            hosts=list(run.hosts) if run.rerun_of else None,
            check=run.mode is RunMode.CHECK,
            diff=run.diff,
            reason=run.reason,
            rerun_of=run.rerun_of,
            resumes=run,
            engine=run.engine,
        )

    def check_same(self, waiting: Run, prepared: Run) -> None:
        """Close a pending run that would be another one now. Raises RefusedError then."""
        if digest_of(waiting) == digest_of(prepared):
            return
        self._close(waiting, f"void: {CHANGED}")
        self._auditor.record("refused", waiting, why=CHANGED)
        raise RefusedError(f"refused by approval: {CHANGED}", where=f"run {waiting.id}", hint="order it anew")

    def pending(self, run_id: str) -> Run:
        """Return a run that waits for approval. Raises NotFoundError, or UsageError if it does not wait."""
        run = self._store.get(run_id)
        if run.status is not RunStatus.PENDING:
            raise UsageError(f"does not wait for approval, it is {run.status}", where=f"run {run.id}")
        return run

    @staticmethod
    def unknown_secrets(run: Run) -> list[str]:
        """Return the parameters whose values were not kept."""
        return [name for name, value in run.parameters.items() if value == REDACTED]

    def _check_starter(self, run: Run) -> None:
        person = person_of(self._settings)
        if person.trusted and (person.name == run.requester or person.name in self._settings.guardrails.workers):
            return
        raise RefusedError(
            f"refused by own_order: {run.requester} ordered it, not {person.name}",
            where=f"run {run.id}",
            hint=f"{run.requester} can start it, or an account that guardrails.workers names",
        )

    def _close(self, run: Run, error: str) -> None:
        self._store.update(
            run.id,
            only_from=(RunStatus.PENDING,),
            status=RunStatus.REFUSED,
            finished_at=datetime.now(UTC),
            exit_code=self._refused,
            error=error,
        )
