"""Plans for AWX, and what became of them, as JSON types and as lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from bedplate.awx.applying import Result
from bedplate.awx.comparison import Action, Cause, Change, Difference, Plan
from bedplate.awx.kinds import Ref

if TYPE_CHECKING:
    from rich.console import Console

_SIGNS = {
    Action.CREATE: ("+", "green"),
    Action.UPDATE: ("~", "yellow"),
    Action.PRUNE: ("-", "red"),
    Action.FOREIGN: ("!", "magenta"),
    Action.BLOCKED: ("!", "magenta"),
}
_SHOWN = 60


def plan_document(plan: Plan, url: str, results: Sequence[Result] | None = None) -> dict[str, Any]:
    """Return a plan as JSON types; with `results`, what became of it too."""
    done = {id(result.change): result for result in results or ()}
    document: dict[str, Any] = {
        "schema": 1,
        "url": url,
        "changes": [
            _change_document(change, done.get(id(change)), applied=results is not None) for change in plan.changes
        ],
        "unchanged": plan.unchanged,
        "notes": list(plan.notes),
    }
    return document


def draw_plan(out: Console, plan: Plan) -> None:
    """Show the changes of a plan, each with the fields that differ."""
    for change in plan.changes:
        sign, color = _SIGNS[change.action]
        by_hand = " (changed in AWX)" if change.cause is Cause.AWX and change.action is Action.UPDATE else ""
        why = f": {change.why}" if change.why else ""
        out.print(f"{sign} {change.kind} {change.name}{by_hand}{why}", style=color, markup=False)
        for difference in change.differences:
            out.print(f"    {_difference_line(difference)}", markup=False)
    draw_notes(out, plan.notes)
    out.print(summary_line(plan))


def draw_notes(out: Console, notes: Iterable[str]) -> None:
    for note in notes:
        out.print(f"note: {note}", markup=False)


def summary_line(plan: Plan) -> str:
    """Return what a plan comes to, in one line."""
    count = {action: sum(change.action is action for change in plan.changes) for action in Action}
    parts = [
        f"{count[Action.CREATE]} to create",
        f"{count[Action.UPDATE]} to update",
        f"{count[Action.PRUNE]} to prune",
        f"{count[Action.FOREIGN] + count[Action.BLOCKED]} left alone",
        f"{plan.unchanged} as wanted",
    ]
    return ", ".join(parts) + "."


def result_line(result: Result) -> str:
    """Return what became of one change, in one line."""
    words = {Action.CREATE: "created", Action.UPDATE: "updated", Action.PRUNE: "deleted"}
    change = result.change
    if result.error:
        return f"{change.kind} {change.name}: {result.error}"
    fields = ", ".join(difference.field for difference in change.differences)
    return f"{words[change.action]} {change.kind} {change.name}{fields and f': {fields}'}"


def _change_document(change: Change, result: Result | None, *, applied: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "action": change.action.value,
        "kind": change.kind.name,
        "name": change.name,
        "product": change.wish.product if change.wish else None,
        "id": change.found.id if change.found else None,
        "cause": change.cause.value if change.action is Action.UPDATE else None,
        "why": change.why,
        "differences": [
            {"field": each.field, "before": _value(each.before), "after": _value(each.after)}
            for each in change.differences
        ],
    }
    if applied:
        document["result"] = "skipped" if result is None else "failed" if result.error else "done"
        document["error"] = result.error if result else None
    return document


def _value(value: Any) -> Any:  # noqa: ANN401
    return value.name if isinstance(value, Ref) else value


def _difference_line(difference: Difference) -> str:
    before, after = (_short(_value(value)) for value in (difference.before, difference.after))
    return f"{difference.field}: {before} -> {after}"


def _short(value: Any) -> str:  # noqa: ANN401
    text = "none" if value in (None, "", [], {}) else ", ".join(value) if _is_names(value) else str(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _is_names(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
