"""Bringing in the jobs that people and schedules launched in AWX, once each, going on where it was left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from bedplate.awx.bringing import Bringing
from bedplate.awx.client import PAGE, AwxClient
from bedplate.awx.comparison import Found
from bedplate.awx.executions import Execution
from bedplate.awx.kinds import BY_NAME
from bedplate.catalog import Product
from bedplate.engine_runs import EngineRun, EngineRunRepository
from bedplate.errors import NotFoundError
from bedplate.execution.executor import RunEnd
from bedplate.runs import Run, RunRepository

_SKEW = timedelta(minutes=1)


@dataclass(frozen=True)
class Brought:
    """A run that was brought in, and the job that it is; `completed` where it was launched from here."""

    run: Run
    number: int
    completed: bool = False


@dataclass
class SyncNotes:
    """What else there is to say. `under_way`: jobs that go on; the next sync looks at them again."""

    under_way: int = 0
    sentences: list[str] = field(default_factory=list)


class Syncing:
    """Brings jobs in.

    Args:
        store: where runs are kept.
        kept: which job is which run, and up to which job all were brought in.
        products: the catalog, by name.
        exit_codes: what to keep as exit code for each end.
        sleep: waits so many seconds.
    """

    def __init__(  # noqa: PLR0917 (each is a part of its own, named where it is made)
        self,
        client: AwxClient,
        store: RunRepository,
        kept: EngineRunRepository,
        products: Mapping[str, Product],
        exit_codes: Mapping[RunEnd, int],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._store = store
        self._kept = kept
        self._products = products
        self._bringing = Bringing(client, store, kept, exit_codes, sleep)
        self._engine = client.root
        self.notes = SyncNotes()

    def sync(self, organization: str) -> Iterator[Brought]:
        """Bring in what ended since the last time, and yield each run; what else there is to say is in `notes` then.

        Raises:
            EngineError: AWX cannot be reached or refuses; what was brought in stays, and the next sync goes on.
            StoreError: the store cannot be written.
        """
        templates = self._templates(organization)
        waits = False
        for page in self._pages(organization):
            known = self._kept.known(self._engine, [execution.number for execution in page])
            for execution in page:
                name, link = templates.get(execution.body["job_template"]), known.get(execution.number)
                if name is None or (link and link.complete):
                    continue
                if self._has_ended(execution, link):
                    run = self._bringing.bring(execution, name, self._products.get(name), link)
                    yield Brought(run, execution.number, completed=link is not None)
                elif not waits:
                    waits = True
                    self._kept.advance(self._engine, execution.number - 1)
            if not waits:
                self._kept.advance(self._engine, page[-1].number)
        self._note_clock()

    def _templates(self, organization: str) -> dict[int, str]:
        """Our job templates, by id; their names are those of products."""
        kind = BY_NAME["job_template"]
        entries = self._client.pages("job_templates/", organization__name=organization)
        found = (Found(kind, entry["id"], entry["name"], entry) for entry in entries)
        return {each.id: each.name for each in found if each.is_ours}

    def _pages(self, organization: str) -> Iterator[list[Execution]]:
        """Jobs after the last that was brought in, by id: AWX's ids only grow, whatever its clock says."""
        after = self._kept.position(self._engine)
        while True:
            query: dict[str, str | int] = {"id__gt": after, "job_template__organization__name": organization}
            page = self._client.get("jobs/", **query, order_by="id", page_size=PAGE)
            executions = [Execution.of(entry) for entry in page.get("results", [])]
            if executions:
                yield executions
                after = executions[-1].number
            if len(executions) < PAGE:
                return

    def _has_ended(self, execution: Execution, link: EngineRun | None) -> bool:
        """Whether a job can be brought in: it has ended, and nobody follows it."""
        if not execution.ended:
            self.notes.under_way += 1
            return False
        if link is None:
            return True
        try:
            return self._store.get(link.run_id).status.ended
        except NotFoundError:
            return True

    def _note_clock(self) -> None:
        ahead = self._client.clock_ahead
        if abs(ahead) > _SKEW:
            said = f"{round(abs(ahead).total_seconds())} s {'ahead of' if ahead > timedelta() else 'behind'}"
            self.notes.sentences.append(f"AWX's clock is {said} the one here; runs launched there have AWX's times")
