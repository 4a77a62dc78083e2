"""Letting an accepted run in, with the locks that it needs, and out again."""

from __future__ import annotations

import contextlib
from dataclasses import fields
from datetime import UTC, datetime

from bedplate.errors import RefusedError, SettingsError, StoreError
from bedplate.guardrails import Order
from bedplate.guardrails.locks import LockRepository, Occupied
from bedplate.launch.auditing import Auditor, asked_details
from bedplate.launch.guarding import claim_of
from bedplate.launch.turn import why_occupied
from bedplate.runs import Run, RunRepository, RunStatus

_KEPT = frozenset({"id", "outcomes", "status", "requester", "created_at"})


class Admission:
    """Keeps a run in the store and gives it what it needs for itself, or refuses it.

    Args:
        refused: the exit code of a run that was refused.
    """

    def __init__(self, store: RunRepository, locks: LockRepository, auditor: Auditor, refused: int) -> None:
        self._store = store
        self._locks = locks
        self._auditor = auditor
        self._refused = refused

    def admit(self, run: Run, order: Order | None, *, resumed: bool = False, patient: bool = False) -> None:
        """Keep a run as queued, with its locks. A run that was pending goes on being so if it does not get them.

        Args:
            patient: it waits for its turn where others have what it needs.

        Raises:
            RefusedError: another run has them, or has started this one already.
        """
        if resumed:
            self._resume(run)
        else:
            self._auditor.record("asked", run, **asked_details(run))
            self._store.add(run)
        if order is None:
            return
        others = self._locks.take(claim_of(run, order.limits))
        if others and not patient:
            self._refuse(run, order, others, back=resumed)

    def dismiss(self, run: Run) -> None:
        """Give back what an ended run had, and tell the audit log. A store that is away hears of it later."""
        with contextlib.suppress(StoreError, SettingsError):
            self._locks.release(run.id)
            self._auditor.record("ended", run, status=run.status.value, error=run.error)

    def withdraw(self, run: Run, exit_code: int) -> bool:
        """Cancel a run that waits for approval. Return False if it does not."""
        withdrawn = run.status is RunStatus.PENDING and self._store.update(
            run.id,
            only_from=(RunStatus.PENDING,),
            status=RunStatus.CANCELED,
            finished_at=datetime.now(UTC),
            exit_code=exit_code,
            error="withdrawn before it was approved",
        )
        if withdrawn:
            self._auditor.record("ended", run, status=RunStatus.CANCELED.value)
        return withdrawn

    def _resume(self, run: Run) -> None:
        values = {each.name: getattr(run, each.name) for each in fields(run) if each.name not in _KEPT}
        if not self._store.update(run.id, only_from=(RunStatus.PENDING,), status=RunStatus.QUEUED, **values):
            raise RefusedError("refused by approval: it does not wait any more", where=f"run {run.id}")

    def _refuse(self, run: Run, order: Order, others: Occupied, *, back: bool) -> None:
        why = why_occupied(order, others)
        if back:
            self._store.update(run.id, status=RunStatus.PENDING, pid=None, folder=None)
        else:
            now = datetime.now(UTC)
            self._store.update(
                run.id, status=RunStatus.REFUSED, finished_at=now, exit_code=self._refused, error=why, folder=None
            )
        self._auditor.record("refused", run, why=why)
        raise RefusedError(why)
