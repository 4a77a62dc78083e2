"""Figures of products as a document, which docs/schemas describes, and as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from bedplate.catalog.durations import format_duration
from bedplate.catalog.report import ObjectiveFigure, ProductReport
from bedplate.figures import Measure, Scope, Spread
from bedplate.reports.fitting_table import FittingTable
from bedplate.reports.run_text import took

SCHEMA = 1
MEASURES = {
    Measure.APPROVAL: "asked → approved",
    Measure.WAITING: "approved → started",
    Measure.DURATION: "started → delivered",
    Measure.LEAD_TIME: "asked → delivered",
}
OBJECTIVES = {"success_ratio": "success ratio", "duration_p95": "duration p95", "lead_time_p95": "lead time p95"}
_NONE = "-"
# `product report NAME` tells these too.
_FIRST_TO_GO = ("CHECKS", "TEAMS", "P50", "LEAD P95", "HOSTS", "COST", "SCORE")


def report_document(scope: Scope, reports: Sequence[ProductReport]) -> dict[str, Any]:
    """Return `product report -o json`."""
    return {
        "schema": SCHEMA,
        "since": scope.since,
        "until": scope.until,
        "products": [_product_document(report) for report in reports],
    }


def _product_document(report: ProductReport) -> dict[str, Any]:
    product, feedback, cost = report.product, report.feedback, report.cost
    return {
        "name": product.name,
        "title": product.title,
        "owner": product.owner.team,
        "stage": product.lifecycle.stage,
        "orders": sum(report.orders.values()),
        "by_status": {status.value: count for status, count in sorted(report.orders.items())},
        "checks": report.checks,
        "success_ratio": report.success_ratio,
        "times": {measure.value: _spread_document(report.spreads.get(measure)) for measure in Measure},
        "objectives": [_objective_document(each) for each in report.objectives],
        "hosts": report.hosts,
        "people": report.people,
        "teams": list(report.teams),
        "cost": None
        if cost is None
        else {
            "amount": cost.amount,
            "currency": cost.currency,
            "by_team": dict(cost.by_team),
            "by_cost_centre": dict(cost.by_cost_centre),
        },
        "feedback": {
            "count": feedback.count,
            "mean": feedback.mean,
            "scores": {str(score): count for score, count in feedback.scores.items()},
            "comments": [
                {"person": each.person, "score": each.score, "at": each.at, "comment": each.comment, "run": each.run_id}
                for each in feedback.comments
            ],
        },
        "roadmap": {
            "kept": report.roadmap.kept,
            "late": [{"when": each.when, "what": each.what, "status": each.status} for each in report.roadmap.late],
        },
        "days": [{"day": each.day, "successful": each.successful, "failed": each.failed} for each in report.days],
    }


def _spread_document(spread: Spread | None) -> dict[str, Any] | None:
    if spread is None:
        return None
    named = {("max" if point == 100 else f"p{point}"): seconds for point, seconds in spread.points.items()}
    return {"runs": spread.count, **named}


def _objective_document(figure: ObjectiveFigure) -> dict[str, Any]:
    return {
        "objective": figure.objective.objective,
        "target": figure.objective.target,
        "window": format_duration(figure.objective.window),
        "runs": figure.runs,
        "measured": figure.measured,
        "met": figure.met,
        "budget_left": figure.budget_left,
    }


def draw_reports(out: Console, reports: Sequence[ProductReport]) -> None:
    """Draw the figures of many products, one a line, as many as there is room for."""
    rows = [_cells(report) for report in reports]
    out.print(FittingTable(rows, right=frozenset(rows[0]) - {"PRODUCT", "SLO"}, first_to_go=_FIRST_TO_GO))


def _cells(report: ProductReport) -> dict[str, Text]:
    duration, lead = report.spreads.get(Measure.DURATION), report.spreads.get(Measure.LEAD_TIME)
    feedback = report.feedback
    texts = {
        "PRODUCT": report.product.name,
        "ORDERS": str(sum(report.orders.values())),
        "CHECKS": str(report.checks),
        "SUCCESS": percent(report.success_ratio),
        "P50": seconds_text(duration.points[50] if duration else None),
        "P95": seconds_text(duration.points[95] if duration else None),
        "LEAD P95": seconds_text(lead.points[95] if lead else None),
        "HOSTS": str(report.hosts),
        "TEAMS": str(len(report.teams)),
        "COST": f"{report.cost.amount:.2f} {report.cost.currency}" if report.cost else _NONE,
        "SCORE": _NONE if feedback.mean is None else f"{feedback.mean:.1f} ({feedback.count})",
    }
    return {**{name: Text(text) for name, text in texts.items()}, "SLO": slo_text(report)}


def slo_text(report: ProductReport) -> Text:
    """Return in a few words whether the objectives are met."""
    judged = [each.met for each in report.objectives if each.met is not None]
    if not judged:
        return Text("no runs" if report.objectives else _NONE, style="dim")
    missed = judged.count(False)
    return Text(f"{missed} of {len(judged)} missed", style="red") if missed else Text("met", style="green")


def draw_report(out: Console, report: ProductReport) -> None:
    """Draw all figures of one product."""
    out.print(Text.assemble((report.product.title, "bold"), "  ", (report.product.name, "dim")))
    for heading, part in _parts(report):
        out.print()
        out.print(Text(heading, style="bold"))
        out.print(part)


def _parts(report: ProductReport) -> Iterator[tuple[str, RenderableType]]:
    orders = ", ".join(f"{count} {status.value}" for status, count in sorted(report.orders.items())) or "none"
    reached = f"{report.hosts} hosts; {report.people} people; teams: {', '.join(report.teams) or 'none that is known'}"
    yield "Orders", Text(f"{orders}; besides, {report.checks} checks\n{percent(report.success_ratio)} successful")
    yield "Reached", Text(reached)
    yield "Times", _times(report)
    if report.objectives:
        yield "Objectives", Group(*(objective_text(each) for each in report.objectives))
    if report.cost:
        shares = [*report.cost.by_team.items(), *report.cost.by_cost_centre.items()]
        lines = [f"{report.cost.amount:.2f} {report.cost.currency}", *(f"  {who}: {what:.2f}" for who, what in shares)]
        yield "Cost, by team and cost centre", Text("\n".join(lines))
    if report.feedback.count:
        lines = [f"  {each.score}  {each.person}: {each.comment}" for each in report.feedback.comments]
        yield f"Feedback: {report.feedback.mean:.1f} of 5 from {report.feedback.count}", Text("\n".join(lines))
    late = [f"  late: {each.when}  {each.what} ({each.status.replace('_', ' ')})" for each in report.roadmap.late]
    if report.roadmap.kept or late:
        yield f"Roadmap: {report.roadmap.kept} of {report.roadmap.kept + len(late)} kept", Text("\n".join(late))


def _times(report: ProductReport) -> Table:
    table = Table("", "RUNS", "P50", "P90", "P95", "P99", "MOST", box=None, pad_edge=False, header_style="bold")
    for measure, name in MEASURES.items():
        spread = report.spreads.get(measure)
        if spread:
            table.add_row(
                name, str(spread.count), *(seconds_text(spread.points[each]) for each in sorted(spread.points))
            )
    return table


def objective_text(figure: ObjectiveFigure) -> Text:
    """Return an objective, what was measured, and what is left of its budget, in one line."""
    objective = figure.objective
    is_ratio = objective.objective == "success_ratio"
    target = percent(float(objective.target)) if is_ratio else str(objective.target)
    text = Text(f"  {OBJECTIVES[objective.objective]} {target} over {format_duration(objective.window)}: ")
    if figure.measured is None or figure.budget_left is None:
        return text.append("no runs", style="dim")
    measured = percent(figure.measured) if is_ratio else seconds_text(figure.measured)
    text.append(f"{measured}, {'met' if figure.met else 'missed'}", style="green" if figure.met else "red")
    return text.append(f"; {figure.budget_left:.0%} of the error budget left ({figure.runs} runs)")


def percent(ratio: float | None) -> str:
    """Return a ratio for people; never 100 % where something is missing from it."""
    if ratio is None:
        return _NONE
    return f"{int(ratio * 1000 + 1e-9) / 10:g} %"


def seconds_text(seconds: float | None) -> str:
    """Return seconds for people."""
    return _NONE if seconds is None else took(seconds)
