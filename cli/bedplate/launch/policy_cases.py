"""Test cases of policies: questions with the answers that are expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from bedplate.errors import UsageError
from bedplate.guardrails.calendars import as_moment
from bedplate.guardrails.policies import Policies
from bedplate.guardrails.questions import PolicyQuestion

_LISTS = ("teams", "tags", "hosts", "groups")
_TEXTS = ("person", "product", "owner", "stage", "action", "reason")
_KEYS = {*_LISTS, *_TEXTS, "name", "parameters", "at", "expect", "by"}
_EXPECTED = ("allow", "deny")


@dataclass(frozen=True)
class PolicyCase:
    """A question and its expected answer. `by` names a policy that has to be among those that decide."""

    name: str
    question: PolicyQuestion
    allowed: bool
    by: str | None = None


@dataclass(frozen=True)
class CaseResult:
    """What came of a case. `said` is the decision and the policies behind it."""

    name: str
    passed: bool
    said: str


def read_cases(file: Path, zone: ZoneInfo) -> list[PolicyCase]:
    """Return the cases of a YAML file.

    Args:
        zone: of moments without one.

    Raises:
        UsageError: the file cannot be read, or a case is not as it must be; says which.
    """
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:  # a ValueError of 2026-02-30
        raise UsageError(f"cannot be read: {' '.join(str(error).split())}", where=str(file)) from error
    cases = document.get("cases") if isinstance(document, Mapping) else None
    if not isinstance(cases, list) or not cases:
        raise UsageError("must be a mapping with a list `cases`", where=str(file))
    try:
        return [_case(case, f"cases[{number}]", zone) for number, case in enumerate(cases)]
    except ValueError as fault:
        raise UsageError(str(fault), where=str(file)) from None


def run_cases(policies: Policies, cases: Sequence[PolicyCase]) -> list[CaseResult]:
    """Return what the policies say of each case."""
    results = []
    for case in cases:
        decision = policies.decide(case.question)
        ids = [name.partition("#")[2] for name in decision.policies]
        passed = decision.allowed == case.allowed and (case.by is None or case.by in {*ids, *decision.policies})
        behind = [*decision.errors, *decision.policies] or ["no policy"]
        results.append(CaseResult(case.name, passed, f"{_EXPECTED[not decision.allowed]} by {', '.join(behind)}"))
    return results


def _case(case: Any, where: str, zone: ZoneInfo) -> PolicyCase:  # noqa: ANN401
    if not isinstance(case, Mapping) or not {"name", "person", "product", "at", "expect"} <= case.keys():
        raise ValueError(f"{where} must have name, person, product, at and expect")
    unknown = sorted(map(str, case.keys() - _KEYS))
    if unknown:
        raise ValueError(f"{where}: unknown key {unknown[0]}; known are {', '.join(sorted(_KEYS))}")
    if case["expect"] not in _EXPECTED:
        raise ValueError(f"{where}.expect must be allow or deny, not {case['expect']!r}")
    wrong = [name for name in _LISTS if not isinstance(case.get(name, []), list)]
    if wrong:
        raise ValueError(f"{where}.{wrong[0]} must be a list")
    if not isinstance(case.get("parameters") or {}, Mapping):
        raise ValueError(f"{where}.parameters must be a mapping")
    if not isinstance(case.get("by"), str | None):
        raise ValueError(f"{where}.by must be the name of a policy")
    values: dict[str, Any] = {name: str(case[name]) for name in _TEXTS if name in case}
    values |= {name: list(map(str, case[name])) for name in _LISTS if name in case}
    at: datetime = as_moment(case["at"], zone, f"{where}.at").astimezone(zone)
    question = PolicyQuestion(**values, parameters=case.get("parameters") or {}, now=at)
    return PolicyCase(str(case["name"]), question, case["expect"] == "allow", case.get("by"))
