"""Questions of two surveys beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_KEYS = (
    "type",
    "question_name",
    "question_description",
    "variable",
    "required",
    "min",
    "max",
    "choices",
    "default",
)
Question = Mapping[str, Any]


def same_questions(before: Sequence[Question], after: Sequence[Question]) -> bool:
    """Whether two surveys ask the same, in the same order."""
    return list(map(_plain, before)) == list(map(_plain, after))


def changed_questions(before: Sequence[Question], after: Sequence[Question]) -> tuple[Question, Question]:
    """Return by variable which keys are otherwise in either; empty where only the order of questions differs."""
    old, new = ({item["variable"]: _plain(item) for item in each} for each in (before, after))
    changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return _only(changed, old, new), _only(changed, new, old)


def _plain(item: Question) -> dict[str, Any]:
    """A question in one form: AWX's page writes empty values and keys of its own where an API client has none."""
    kept = {key: item[key] for key in _KEYS if item.get(key) not in (None, "", [])}
    if isinstance(kept.get("choices"), str):
        kept["choices"] = kept["choices"].split("\n")
    return kept


def _only(names: Iterable[str], questions: Mapping[str, Question], others: Mapping[str, Question]) -> dict[str, Any]:
    return {
        name: {key: value for key, value in questions[name].items() if others.get(name, {}).get(key) != value}
        for name in names
        if name in questions
    }
