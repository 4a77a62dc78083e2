"""Checking an order: product, parameters, hosts, guardrails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bedplate.catalog import FleetNames, Product, ResolvedParameters, load_catalog, resolve_parameters
from bedplate.content import Content
from bedplate.execution.choices import command_answers
from bedplate.execution.command_line import hide_arguments
from bedplate.execution.digest import content_digest, git_commit, product_digest
from bedplate.execution.inventory import InventoryAdapter
from bedplate.execution.strategy import strategy_of
from bedplate.guardrails import judge
from bedplate.launch.estimate import expected_seconds
from bedplate.launch.guarding import Gathering, Guarded
from bedplate.launch.request import LaunchRequest, PreparedRun
from bedplate.launch.targets import Target, resolve_target
from bedplate.persons import person_of
from bedplate.runs import REDACTED, Run, RunMode, RunRepository, RunStatus, new_run_id
from bedplate.settings import Settings
from bedplate.store import SqlLedger

_COLLECTION = "bedplate.datacenter"


class Preparation:
    """Makes a run of an order, and lets every guardrail say what it thinks of it. Nothing is written.

    Args:
        adapter: answers about the inventory.
        store: knows how long such runs took.
        ledger: knows locks and approvals.
    """

    def __init__(
        self, content: Content, settings: Settings, adapter: InventoryAdapter, store: RunRepository, ledger: SqlLedger
    ) -> None:
        self._content = content
        self._settings = settings
        self._adapter = adapter
        self._store = store
        self._gathering = Gathering(content, settings, adapter, store, ledger)

    def prepare(self, request: LaunchRequest) -> PreparedRun:
        """Return the run that an order means, with all verdicts; raises as `Launcher.judge` says."""
        product = load_catalog(self._content.products).get(request.product)
        _hide(product, request.parameters)
        parameters = resolve_parameters(product, request.parameters, self._fleet(product, request.parameters))
        target = resolve_target(product, self._adapter, request.limit, request.hosts)
        run = self._run(product, request, parameters, target)
        strategy = strategy_of(self._settings.execution, run.mode)
        secret = parameters.secret_names
        visible = {name: value for name, value in parameters.values.items() if name not in secret}
        guarded = Guarded(product, run, target, visible, resumed=request.resumes is not None)
        order = self._gathering.order(guarded, datetime.now(UTC))
        return PreparedRun(
            run=run,
            playbook=f"{_COLLECTION}.{Path(product.playbook).stem}",
            context=product.targets.context,
            environment={**self._adapter.environment, **strategy.environment},
            variables={
                **parameters.values,
                **self._batches(product, run),
                **strategy.variables,
                "bedplate_run": _identity(run),
            },
            secrets=tuple(_texts([parameters.values[name] for name in secret])),
            expected=expected_seconds(self._store.durations(product.name, run.mode), len(target.hosts)),
            warnings=(*self._adapter.warnings, *target.warnings),
            order=order,
            verdicts=judge(order),
            calendars=product.guardrails.freeze or (),
            resumed=guarded.resumed,
            limit=product.targets.force_limit or ",".join(run.hosts),
            patience=request.patience,
            request=request,
        )

    def _fleet(self, product: Product, given: Mapping[str, Any]) -> FleetNames | None:
        """Return the inventory's names, and what commands say, where a parameter is checked against them."""
        if not any(parameter.source for parameter in product.parameters):
            return None
        answers = command_answers(product, given, self._content.root)
        return FleetNames(frozenset(self._adapter.names.hosts), frozenset(self._adapter.names.groups), answers)

    def _batches(self, product: Product, run: Run) -> dict[str, Any]:
        """Return what a playbook has to know to go through its hosts in batches."""
        found: dict[str, Any] = {}
        batches = self._gathering.batches(product, run.hosts)
        if batches is not None:
            found["bedplate_hosts"] = [host for batch in batches for host in batch]
            found["bedplate_batches"] = [len(batch) for batch in batches]
        if product.guardrails.max_fail_percent is not None:
            found["bedplate_max_fail_percent"] = product.guardrails.max_fail_percent
        return found

    def _run(self, product: Product, request: LaunchRequest, parameters: ResolvedParameters, target: Target) -> Run:
        waiting = request.resumes
        run_id = waiting.id if waiting else new_run_id()
        return Run(
            id=run_id,
            product=product.name,
            product_title=product.title,
            status=RunStatus.QUEUED,
            mode=RunMode.CHECK if request.check else RunMode.APPLY,
            diff=request.diff,
            requester=waiting.requester if waiting else person_of(self._settings).name,
            reason=request.reason,
            created_at=waiting.created_at if waiting else datetime.now(UTC),
            product_digest=product_digest(self._content, product.name, product.playbook),
            content_digest=content_digest(self._content),
            git_commit=git_commit(self._content),
            parameters={
                name: REDACTED if name in parameters.secret_names else value
                for name, value in parameters.values.items()
            },
            limit=request.limit,
            hosts=target.hosts,
            inventory=str(self._adapter.path),
            folder=self._settings.runs_folder / run_id,
            rerun_of=request.rerun_of,
            engine=request.engine,
        )


def _hide(product: Product, given: Mapping[str, Any]) -> None:
    hide_arguments(_texts([value for name, value in given.items() if name in product.secret_names]))


def _identity(run: Run) -> dict[str, Any]:
    return {"id": run.id, "product": run.product, "requester": run.requester, "reason": run.reason}


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401
    """Yield every text in plain data, numbers as text."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
