"""Checking an order: product, parameters, hosts, guardrails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from bedplate.catalog import FleetNames, Product, ResolvedParameters, load_catalog, resolve_parameters
from bedplate.content import Content
from bedplate.errors import RefusedError
from bedplate.execution.choices import command_answers
from bedplate.execution.command_line import hide_arguments
from bedplate.execution.digest import content_digest, git_commit, product_digest
from bedplate.execution.inventory import InventoryAdapter
from bedplate.launch.estimate import expected_seconds
from bedplate.launch.request import LaunchRequest, PreparedRun
from bedplate.launch.targets import Target, resolve_target
from bedplate.runs import REDACTED, Run, RunMode, RunRepository, RunStatus, new_run_id
from bedplate.settings import Settings

_COLLECTION = "bedplate.datacenter"


class Preparation:
    """Makes a run of an order, if nothing speaks against it. Nothing is written.

    Args:
        adapter: answers about the inventory.
        store: knows how long such runs took.
    """

    def __init__(self, content: Content, settings: Settings, adapter: InventoryAdapter, store: RunRepository) -> None:
        self._content = content
        self._settings = settings
        self._adapter = adapter
        self._store = store

    def prepare(self, request: LaunchRequest) -> PreparedRun:
        """Return the run that an order means; raises as `Launcher.prepare` says."""
        product = load_catalog(self._content.products).get(request.product)
        _hide(product, request.parameters)
        _check_offered(product, datetime.now(UTC).date())
        parameters = resolve_parameters(product, request.parameters, self._fleet(product, request.parameters))
        target = resolve_target(product, self._adapter, request.limit, request.hosts)
        run = self._run(product, request, parameters, target)
        return PreparedRun(
            run=run,
            playbook=f"{_COLLECTION}.{Path(product.playbook).stem}",
            context=product.targets.context,
            environment=self._adapter.environment,
            variables={**parameters.values, "bedplate_run": _identity(run)},
            secrets=tuple(_texts([parameters.values[name] for name in parameters.secret_names])),
            expected=expected_seconds(self._store.durations(product.name, run.mode), len(target.hosts)),
            warnings=(*self._adapter.warnings, *target.warnings),
        )

    def _fleet(self, product: Product, given: Mapping[str, Any]) -> FleetNames | None:
        """Return the inventory's names, and what commands say, where a parameter is checked against them."""
        if not any(parameter.source for parameter in product.parameters):
            return None
        answers = command_answers(product, given, self._content.root)
        return FleetNames(frozenset(self._adapter.names.hosts), frozenset(self._adapter.names.groups), answers)

    def _run(self, product: Product, request: LaunchRequest, parameters: ResolvedParameters, target: Target) -> Run:
        run_id = new_run_id()
        return Run(
            id=run_id,
            product=product.name,
            product_title=product.title,
            status=RunStatus.QUEUED,
            mode=RunMode.CHECK if request.check else RunMode.APPLY,
            diff=request.diff,
            requester=self._settings.user,
            reason=request.reason,
            created_at=datetime.now(UTC),
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
        )


def _hide(product: Product, given: Mapping[str, Any]) -> None:
    hide_arguments(_texts([value for name, value in given.items() if name in product.secret_names]))


def _check_offered(product: Product, today: date) -> None:
    unenforced = product.unenforced_guardrails()
    if unenforced:
        raise RefusedError(
            f"{product.name} asks for limits that cannot be enforced here: {', '.join(unenforced)}",
            hint="a limit that is not enforced would only look like one",
        )
    sunset = product.lifecycle.sunset
    if sunset is not None and date.fromisoformat(str(sunset)) < today:
        instead = product.lifecycle.replaced_by
        raise RefusedError(
            f"{product.name} is not offered any more since {sunset}", hint=f"order {instead}" if instead else None
        )


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
