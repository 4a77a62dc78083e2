"""An organisation's own rules, in Cedar: over who orders which product with which parameters, where and when."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import cedarpy

from bedplate.guardrails.questions import PolicyDecision, PolicyQuestion
from bedplate.guardrails.windows import DAYS

_LONG = 2**63
_POLICY = re.compile(r"`(policy[0-9]+)`")


class Policies:
    """A set of Cedar policies. As in Cedar, what no policy permits is refused, and a forbid outdoes every permit.

    Args:
        files: name → text.

    Raises:
        ValueError: a policy cannot be read; names file and fault.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        self.names: list[str] = []
        self._contacts: dict[str, str] = {}
        for file, text in sorted(files.items()):
            named = _annotated(file, text)
            self.names += [name for name, _ in named]
            self._contacts.update((name, contact) for name, contact in named if contact)
        doubled = sorted({name for name in self.names if self.names.count(name) > 1})
        if doubled:
            raise ValueError(f"two policies have the id {doubled[0]}")
        self._policies = "\n".join(text for _, text in sorted(files.items()))

    def decide(self, question: PolicyQuestion) -> PolicyDecision:
        """Return what the policies say of an order."""
        answer = cedarpy.is_authorized(_request(question), self._policies, list(_entities(question)))
        reasons = tuple(self._named(reason) for reason in answer.diagnostics.reasons)
        errors = tuple(map(self._explained, answer.diagnostics.errors))
        failed = (self._named(found) for each in answer.diagnostics.errors for found in _POLICY.findall(str(each)))
        asked = dict.fromkeys([*reasons, *failed])
        contacts = tuple(dict.fromkeys(self._contacts[name] for name in asked if name in self._contacts))
        return PolicyDecision(answer.allowed and not errors, reasons, errors, contacts)

    def _named(self, identity: str) -> str:
        number = identity.removeprefix("policy")
        return self.names[int(number)] if number.isdecimal() and int(number) < len(self.names) else identity

    def _explained(self, error: Any) -> str:  # noqa: ANN401
        text = str(error)
        for number in range(len(self.names) - 1, -1, -1):
            text = text.replace(f"`policy{number}`", self.names[number])
        return text


def _annotated(file: str, text: str) -> list[tuple[str, str]]:
    """Return name and contact of a file's policies in order: @id, or else the number, and @contact."""
    try:
        document = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError as error:
        raise ValueError(f"{file}: {' '.join(str(error).split())}") from None
    if document["templates"]:
        raise ValueError(f"{file}: a template decides nothing; write policies")
    policies = document["staticPolicies"]
    ordered = sorted(policies, key=lambda name: int(name.removeprefix("policy")))
    notes = [policies[name].get("annotations", {}) for name in ordered]
    return [(f"{file}#{each.get('id') or i}", each.get("contact") or "") for i, each in enumerate(notes, 1)]


def _request(question: PolicyQuestion) -> dict[str, Any]:
    now = question.now
    context = {
        "parameters": question.parameters,
        "hosts": list(question.hosts),
        "host_count": len(question.hosts),
        "groups": list(question.groups),
        "reason": question.reason or "",
        "time": {
            "date": now.date().isoformat(),
            "weekday": DAYS[now.weekday()],
            "hour": now.hour,
            "minute": now.minute,
            "unix": int(now.timestamp()),
        },
    }
    return {
        "principal": {"type": "User", "id": question.person},
        "action": {"type": "Action", "id": question.action},
        "resource": {"type": "Product", "id": question.product},
        "context": _cedar(context),
    }


def _entities(question: PolicyQuestion) -> Iterable[dict[str, Any]]:
    teams = [{"type": "Team", "id": team} for team in question.teams]
    yield {"uid": {"type": "User", "id": question.person}, "attrs": {}, "parents": teams}
    yield from ({"uid": team, "attrs": {}, "parents": []} for team in teams)
    attributes = {"owner": question.owner, "stage": question.stage, "tags": list(question.tags)}
    yield {"uid": {"type": "Product", "id": question.product}, "attrs": attributes, "parents": []}


def _cedar(value: Any) -> Any:  # noqa: ANN401
    """Return plain data as Cedar has it: decimals for numbers with a fraction, text for what it has no type for."""
    if isinstance(value, Mapping):
        return {str(key): _cedar(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [_cedar(inner) for inner in value if inner is not None]
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int) and -_LONG <= value < _LONG:
        return value
    if isinstance(value, float) and abs(value) < 1e14:
        return {"__extn": {"fn": "decimal", "arg": f"{value:.4f}"}}
    return str(value)
