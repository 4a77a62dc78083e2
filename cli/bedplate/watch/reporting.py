"""Reports on how hosts stand, from what the store has."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from bedplate.drift.finding import FindingQuery, FindingState, HostFacts
from bedplate.drift.repository import DriftRepository
from bedplate.drift.waivers import Waivers
from bedplate.errors import NotFoundError, UsageError
from bedplate.execution.inventory_cache import private_folder, write_private
from bedplate.reports.drift_html import drift_html
from bedplate.reports.drift_junit import drift_junit
from bedplate.reports.drift_metrics import drift_metrics
from bedplate.reports.drift_report import DriftReport, report_document
from bedplate.reports.drift_sarif import drift_sarif
from bedplate.reports.plain import plain
from bedplate.watch.background import FleetBackground
from bedplate.watch.waiver_file import WaiverBook

_TREND = 60
_READABLE = 0o644
_OPEN = tuple(state for state in FindingState if state.is_open)


def _json(document: object) -> str:
    return json.dumps(plain(document), indent=2, ensure_ascii=False) + "\n"


FORMATS: Mapping[str, Callable[[DriftReport], str]] = {
    "html": drift_html,
    "json": lambda report: _json(report_document(report)),
    "junit": drift_junit,
    "sarif": lambda report: _json(drift_sarif(report)),
    "prometheus": drift_metrics,
}
_FILES = {"html": "drift.html", "json": "drift.json", "junit": "drift.xml", "sarif": "drift.sarif"}


class Reporting:
    """Makes reports of one product's checks."""

    def __init__(self, drift: DriftRepository, background: FleetBackground, book: WaiverBook) -> None:
        self._drift = drift
        self._background = background
        self._book = book

    def report(self, product: str, at: datetime, *, check_id: str | None = None) -> DriftReport:
        """Return how the product's hosts stand.

        Args:
            check_id: the check that it is about; by default the last one.

        Raises:
            NotFoundError: the product was never checked, or there is no such product.
        """
        checks = self._drift.checks(product, _TREND)
        if not checks:
            raise NotFoundError(f"{product} was never checked", hint=f"bedplate drift check {product}")
        check = next((one for one in checks if one.id == check_id), checks[0])
        hosts = self._background.groups.keys()  # what has left the inventory is nobody's concern any more
        states = self._drift.host_states(product, hosts)
        facts = self._background.facts(product, [state.host for state in states])
        waivers = Waivers(self._book.all(), at.date(), facts)
        openly = self._drift.find(FindingQuery(_OPEN, product, hosts))
        found = [(finding, waivers.of(finding)) for finding in openly]
        gone = self._drift.find(FindingQuery((FindingState.RESOLVED,), product, hosts))
        return DriftReport(
            at=at,
            check=check,
            states=states,
            open=[finding for finding, waiver in found if waiver is None],
            waived=[(finding, waiver) for finding, waiver in found if waiver is not None],
            resolved=[finding for finding in gone if finding.resolved_at == check.finished_at],
            trend=[one for one in checks[::-1] if one.limit == check.limit],
        )

    def with_others(self, report: DriftReport, products: Sequence[str]) -> DriftReport:
        """Return a report that also tells of what is no host, such as AWX."""
        found = [finding for product in products for finding in self._drift.find(FindingQuery(_OPEN, product))]
        hosts = {finding.observed.host for finding in found}
        waivers = Waivers(self._book.all(), report.at.date(), dict.fromkeys(hosts, HostFacts()))
        judged = [(finding, waivers.of(finding)) for finding in found]
        return replace(
            report,
            open=[*report.open, *(finding for finding, waiver in judged if waiver is None)],
            waived=[*report.waived, *((finding, waiver) for finding, waiver in judged if waiver is not None)],
        )


def write_reports(report: DriftReport, folder: Path) -> dict[str, Path]:
    """Write the report in every form that people and CI read into a folder, each file whole; return them by form.

    Raises:
        UsageError: the folder cannot be written.
    """
    files = {name: folder / file for name, file in _FILES.items()}
    try:
        private_folder(folder)
        for name, file in files.items():
            write_private(file, FORMATS[name](report).encode("utf-8", "replace"))
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=str(folder)) from error
    return files


def write_metrics(report: DriftReport, textfile: str) -> dict[str, Path]:
    """Write the report for Prometheus, readable for all; return the file by its form, or nothing where none is named.

    Raises:
        UsageError: the file cannot be written.
    """
    if not textfile:
        return {}
    file = Path(textfile).expanduser().absolute()
    try:
        private_folder(file.parent)
        write_private(file, drift_metrics(report, report.at).encode("utf-8", "replace"), mode=_READABLE)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=str(file)) from error
    return {"prometheus": file}
