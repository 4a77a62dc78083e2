"""What the last check came to, as a text file for the node exporter; docs/metrics.md describes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from bedplate.drift import CheckOutcome
from bedplate.reports.drift_report import DriftReport

_HELP = {
    "bedplate_nightly_last_run_timestamp_seconds": "When the last check of the fleet ended.",
    "bedplate_drift_findings": "Open findings of a host that nobody accepted.",
    "bedplate_drift_hosts": "Hosts by what the last check says of them.",
    "bedplate_drift_waived_findings": "Open findings that somebody accepted.",
    "bedplate_drift_coverage_ratio": "Share of tasks or resources that the last check could judge.",
}


def drift_metrics(report: DriftReport, nightly_at: datetime | None = None) -> str:
    """Return the metrics in Prometheus' text format.

    Args:
        nightly_at: when the check of the whole fleet ended; None where it was not the night's.
    """
    counted = Counter((finding.observed.host, finding.observed.severity.value) for finding in report.open)
    outcomes = Counter(state.outcome for state in report.states)
    judged, lacking = (sum(part[index] for part in report.coverage.values()) for index in (0, 1))
    values: dict[str, Iterable[tuple[dict[str, str], float]]] = {
        "bedplate_nightly_last_run_timestamp_seconds": [({}, nightly_at.timestamp())] if nightly_at else [],
        "bedplate_drift_findings": [
            ({"subject": host, "severity": severity}, count) for (host, severity), count in sorted(counted.items())
        ],
        "bedplate_drift_hosts": [({"outcome": outcome.value}, outcomes[outcome]) for outcome in CheckOutcome],
        "bedplate_drift_waived_findings": [({}, len(report.waived))],
        "bedplate_drift_coverage_ratio": [({}, judged / (judged + lacking))] if judged + lacking else [],
    }
    return "".join(_lines(name, list(samples)) for name, samples in values.items())


def _lines(name: str, samples: Sequence[tuple[dict[str, str], float]]) -> str:
    if not samples:
        return ""
    head = f"# HELP {name} {_HELP[name]}\n# TYPE {name} gauge\n"
    return head + "".join(f"{name}{_labels(labels)} {value:.15g}\n" for labels, value in samples)


def _labels(labels: dict[str, str]) -> str:
    told = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{told}}}" if told else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
