"""What NetBox says of a host and is not so, as the look at the host compared it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bedplate.drift.observation import RECORD_KIND, CheckOutcome, HostCheck, Observation, RoleCoverage, Severity

_LONGEST = 300
_MOST = 500
_ROLE = "(NetBox)"
# Which machine it is, and how it is reached, matters more than how much of something it has.
_GRAVE = ("serial", "interface ", "cluster")


@dataclass(frozen=True, slots=True)
class RecordCheck:
    """One host against its record.

    Args:
        observations: before is what NetBox says, after what the host does; None where one of them has no such thing.
        not_compared: sentences about what nothing is said of.
    """

    observations: tuple[Observation, ...] = ()
    not_compared: tuple[str, ...] = ()

    def added_to(self, check: HostCheck) -> HostCheck:
        """Return what a check says of the host, with this."""
        outcome = check.outcome
        if self.observations and outcome.judged:
            outcome = CheckOutcome.DRIFTED
        coverage = RoleCoverage(_ROLE, 1, self.not_compared)
        return replace(
            check,
            outcome=outcome,
            observations=(*check.observations, *self.observations),
            coverage=(*check.coverage, coverage) if outcome.judged else check.coverage,
            recorded=True,
        )


def read_record_check(host: str, text: str) -> RecordCheck | None:
    """Return what was compared; None where the text says nothing of the kind."""
    try:
        document = json.loads(text)
    except ValueError:
        return None
    if not isinstance(document, Mapping):
        return None
    entries = [entry for entry in _items(document.get("differences")) if isinstance(entry, Mapping)]
    found = {one.key: one for entry in entries[:_MOST] if (one := _observation(host, entry))}
    return RecordCheck(tuple(found.values()), tuple(map(str, _items(document.get("not_compared"))[:_MOST])))


def _observation(host: str, entry: Mapping[str, Any]) -> Observation | None:
    field = entry.get("field")
    if not isinstance(field, str) or not field:
        return None
    severity = Severity.MEDIUM if field.startswith(_GRAVE) else Severity.LOW
    before, after = _text(entry.get("in_netbox")), _text(entry.get("on_host"))
    return Observation(host, RECORD_KIND, field[:_LONGEST], "value", before, after, severity=severity)


def _text(value: Any) -> str | None:  # noqa: ANN401
    return None if value is None else str(value)[:_LONGEST]


def _items(value: Any) -> list[Any]:  # noqa: ANN401
    return value if isinstance(value, list) else []
