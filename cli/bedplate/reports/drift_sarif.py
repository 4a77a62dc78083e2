"""Findings as SARIF 2.1.0, which code hosts and security tools read."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from bedplate import __version__
from bedplate.drift import Severity
from bedplate.drift.finding import Finding, FindingState
from bedplate.drift.waivers import Waiver
from bedplate.reports.drift_report import DriftReport

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {
    Severity.INFO: "note",
    Severity.LOW: "note",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}
_BASELINES = {
    FindingState.NEW: "new",
    FindingState.REOPENED: "new",
    FindingState.OPEN: "unchanged",
    FindingState.RESOLVED: "absent",
}


def drift_sarif(report: DriftReport) -> dict[str, Any]:
    """Return the report as a SARIF document."""
    pairs: list[tuple[Finding, Waiver | None]] = [(finding, None) for finding in (*report.open, *report.resolved)]
    pairs += report.waived
    rules = sorted({_rule(finding) for finding, _ in pairs})
    numbers = {rule: number for number, rule in enumerate(rules)}
    driver = {
        "name": "bedplate",
        "version": __version__,
        "rules": [
            {"id": rule, "shortDescription": {"text": f"{rule.replace('/', ': ')} is not as agreed"}} for rule in rules
        ],
    }
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"bedplate/{report.check.product}/{report.check.id}"},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, waiver, numbers) for finding, waiver in pairs],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(finding: Finding) -> str:
    return f"{finding.observed.kind}/{finding.observed.attribute}"


def _result(finding: Finding, waiver: Waiver | None, numbers: dict[str, int]) -> dict[str, Any]:
    seen = finding.observed
    rule = _rule(finding)
    told = f"agreed {seen.before}, found {seen.after}" if seen.before or seen.after else "not as agreed"
    result: dict[str, Any] = {
        "ruleId": rule,
        "ruleIndex": numbers[rule],
        "level": _LEVELS[seen.severity],
        "message": {"text": f"{seen.kind} {seen.key} on {seen.host}: {seen.attribute}: {told}"},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": _uri(seen.host, seen.key)}},
                "logicalLocations": [{"name": seen.host, "kind": "host", "fullyQualifiedName": seen.host}],
            }
        ],
        "partialFingerprints": {"bedplateFinding/v1": finding.id},
        "baselineState": _BASELINES[finding.state],
        "properties": {
            "role": seen.role,
            "task": seen.task,
            "severity": seen.severity.value,
            "cause": finding.cause.value,
            "owner": finding.owner,
        },
    }
    if waiver is not None:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": waiver.reason}]
    return result


def _uri(host: str, key: str) -> str:
    """Return where it is: code hosts show the path, so it is one below the host's name."""
    return quote(f"{host}/{key.lstrip('/')}", errors="replace")
