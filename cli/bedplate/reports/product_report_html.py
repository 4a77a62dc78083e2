"""Figures of products as one HTML page with charts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from bedplate.catalog.report import ProductReport
from bedplate.figures import Measure, Scope
from bedplate.reports.html_page import render
from bedplate.reports.product_charts import Bar, Column, bars, columns
from bedplate.reports.product_report import MEASURES, objective_text, percent, seconds_text, slo_text
from bedplate.reports.run_text import moment

_POINTS = (50, 95)


def report_page(scope: Scope, reports: Sequence[ProductReport]) -> str:
    """Return the page: it is whole by itself and asks nobody for anything."""
    period = {"since": moment(scope.since), "until": moment(scope.until)}
    return render("report.html.j2", **period, products=[_product(report) for report in reports])


def _product(report: ProductReport) -> dict[str, Any]:
    product, roadmap, feedback, slo = report.product, report.roadmap, report.feedback, slo_text(report)
    duration = report.spreads.get(Measure.DURATION)
    due = roadmap.kept + len(roadmap.late)
    return {
        "name": product.name,
        "title": product.title,
        "summary": product.summary,
        "owner": product.owner.team,
        "orders": sum(report.orders.values()),
        "by_status": ", ".join(f"{count} {status.value}" for status, count in sorted(report.orders.items())) or "none",
        "checks": report.checks,
        "success": percent(report.success_ratio),
        "p95": seconds_text(duration.points[95] if duration else None),
        "hosts": report.hosts,
        "people": report.people,
        "teams": ", ".join(report.teams) or "none that is known",
        "cost": f"{report.cost.amount:.2f} {report.cost.currency}" if report.cost else "-",
        "score": f"{feedback.mean:.1f} of 5 ({feedback.count})" if feedback.mean is not None else "-",
        "slo": slo.plain,
        "slo_class": _class(slo.style),
        "roadmap": f"{roadmap.kept} of {due} milestones kept" if due else "",
        "late": [f"{each.when}, {each.what} ({each.status.replace('_', ' ')})" for each in roadmap.late],
        "objectives": [
            {"text": objective_text(each).plain.strip(), "class": {True: "good", False: "bad", None: "dim"}[each.met]}
            for each in report.objectives
        ],
        "comments": feedback.comments,
        "charts": [{"title": title, "svg": svg} for title, svg in _charts(report)],
    }


def _class(style: object) -> str:
    return {"red": "bad", "green": "good"}.get(str(style), "dim")


def _charts(report: ProductReport) -> Iterator[tuple[str, Markup]]:
    name = report.product.title
    if report.days:
        title = "Runs a day"
        yield title, columns(f"{title} of {name}", [Column(f"{d.day}", d.successful, d.failed) for d in report.days])
    times = [
        Bar(f"{MEASURES[measure]} p{point}", spread.points[point], seconds_text(spread.points[point]))
        for measure, spread in report.spreads.items()
        for point in _POINTS
    ]
    if times:
        yield "Times", bars(f"Times of {name}", times)
    if report.cost and report.cost.amount:
        for title, shares in (("team", report.cost.by_team), ("cost centre", report.cost.by_cost_centre)):
            rows = [Bar(who, what, f"{what:.2f} {report.cost.currency}") for who, what in sorted(shares.items())]
            yield f"Cost by {title}", bars(f"Cost of {name} by {title}", rows)
    if report.feedback.count:
        scores = [Bar(f"{score} of 5", count, str(count)) for score, count in sorted(report.feedback.scores.items())]
        yield "Scores", bars(f"Scores of {name}", scores)
