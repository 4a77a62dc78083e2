"""AWX against the catalog: what it has otherwise, as findings that have a life as those of hosts do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from bedplate.awx.comparison import Action, Change, Plan
from bedplate.awx.comparison import Cause as ChangedBy
from bedplate.awx.kinds import Ref
from bedplate.awx.service import planned
from bedplate.catalog import Product
from bedplate.drift import CheckOutcome, HostCheck, Observation, Severity
from bedplate.drift.check import CheckRecord, DriftCheck, HostState
from bedplate.drift.finding import Cause, CheckKind, FindingEvent, Transition
from bedplate.drift.lifecycle import Background, HostLife, Step
from bedplate.drift.observation import RECORD_KIND, By, Confidence
from bedplate.drift.repository import DriftRepository
from bedplate.settings import AwxSettings

# What the findings are told to be of, in place of a product and a host.
PRODUCT = "awx"
_LONGEST = 200


class AwxCheck:
    """Checks one AWX.

    Args:
        settings: where it is; without an address nothing is checked.
        products: the catalog.
        drift: keeps what is found.
        receivers: apprise's addresses of those who hear of results, by name.
    """

    def __init__(
        self,
        settings: AwxSettings,
        products: Sequence[Product],
        drift: DriftRepository,
        receivers: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self._settings = settings
        self._products = products
        self._drift = drift
        self._receivers = receivers

    @property
    def host(self) -> str:
        """The name by which findings call it; empty where there is none."""
        return urlsplit(self._settings.url).netloc.rpartition("@")[2]

    def check(self, check_id: str, requester: str, at: datetime) -> None:
        """Read it, and keep what it has otherwise than the catalog wants; harmless when repeated.

        Raises:
            SettingsError: there is no token or password.
            EngineError: it cannot be reached or refuses.
            StoreError: what was found cannot be kept.
        """
        with planned(self._settings, self._products, receivers=self._receivers) as (plan, _):
            found = dict(_findings(plan, self.host))
        check = DriftCheck(check_id, PRODUCT, CheckKind.FAST, requester, at, at)
        outcome = CheckOutcome.DRIFTED if found else CheckOutcome.CLEAN
        known = {one.identity: one for one in self._drift.known([self.host])}
        seen = HostCheck(self.host, outcome, tuple(found), recorded=True)
        steps = [self._owned(step, found) for step in HostLife(check, at, seen, Background()).steps(known)]
        events: list[FindingEvent] = [event for step in steps if (event := step.event(check, at))]
        self._drift.record(
            CheckRecord(
                check=replace(check, outcomes={outcome: 1}),
                states=[HostState(self.host, PRODUCT, check_id, outcome, at, at)],
                changed=[step.finding for step in steps],
                events=events,
            )
        )

    def _owned(self, step: Step, found: Mapping[Observation, Change]) -> Step:
        """A finding is its product's team's, and corrective where somebody changed AWX."""
        change = found.get(step.finding.observed)
        if change is None:
            return step
        wanted = change.wish.product if change.wish else None
        teams = {product.name: product.owner.team for product in self._products}
        finding = replace(step.finding, owner=teams.get(wanted or ""))
        if step.transition in {Transition.OPENED, Transition.REOPENED}:
            finding = replace(finding, cause=_cause(change))
        return replace(step, finding=finding)


def _findings(plan: Plan, host: str) -> Iterator[tuple[Observation, Change]]:
    for change in plan.changes:
        key = f"{change.kind} {change.name}"
        for attribute, agreed, found in _attributes(change):
            yield Observation(
                host, RECORD_KIND, key, attribute, agreed, found, severity=Severity.MEDIUM, by=_writer(change)
            ), change  # fmt: skip


def _attributes(change: Change) -> Iterator[tuple[str, str | None, str | None]]:
    """Yield what is otherwise, as the catalog wants it and as AWX has it."""
    if change.action is Action.CREATE:
        yield "presence", "present", "absent"
    elif change.action is Action.PRUNE:
        yield "presence", "absent", "present"
    elif change.action is not Action.UPDATE:
        yield "state", "as wanted", change.why
    for difference in change.differences:
        yield difference.field, _text(difference.after), _text(difference.before)


def _text(value: Any) -> str | None:  # noqa: ANN401
    text = value.name if isinstance(value, Ref) else None if value in (None, "", [], {}) else str(value)
    return text[:_LONGEST] if text else None


def _cause(change: Change) -> Cause:
    by_hand = change.action is Action.UPDATE and change.cause is ChangedBy.AWX
    return Cause.CORRECTIVE if by_hand else Cause.INTENTIONAL if change.action is Action.UPDATE else Cause.UNKNOWN


def _writer(change: Change) -> By | None:
    """Return who wrote an object of AWX last, where that was somebody's own doing."""
    if change.found is None or _cause(change) is not Cause.CORRECTIVE:
        return None
    body = change.found.body
    name = (body.get("summary_fields", {}).get("modified_by") or {}).get("username")
    if not name:
        return None
    modified = str(body.get("modified") or "")
    time = datetime.fromisoformat(modified) if modified else None
    evidence = f"awx: {change.kind} {change.name} was last written by {name}"
    return By(name, f"wrote {change.kind} {change.name}", evidence, time, "awx", Confidence.LIKELY)
