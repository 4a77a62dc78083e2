"""A check as JUnit XML: a suite a host; what is not as agreed fails, what could not be judged is skipped."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence

from bedplate.drift import CheckOutcome
from bedplate.drift.check import HostState
from bedplate.drift.finding import Finding
from bedplate.drift.telling import who
from bedplate.reports.drift_report import DriftReport

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LOST = frozenset({CheckOutcome.UNKNOWN, CheckOutcome.STALE})


def drift_junit(report: DriftReport) -> str:
    """Return the report."""
    of_host: dict[str, list[Finding]] = {}
    for finding in report.open:
        of_host.setdefault(finding.observed.host, []).append(finding)
    root = ET.Element("testsuites", name=_clean(f"bedplate drift {report.check.product}"))
    for state in report.states:
        _add_suite(root, state, of_host.pop(state.host, []))
    for host, findings in of_host.items():
        other = HostState(host, report.check.product, report.check.id, CheckOutcome.DRIFTED, report.at)
        _add_suite(root, other, findings)
    ET.indent(root)
    return f"<?xml version='1.0' encoding='UTF-8'?>\n{ET.tostring(root, encoding='unicode')}\n"


def _add_suite(root: ET.Element, state: HostState, findings: Sequence[Finding]) -> None:
    suite = ET.SubElement(root, "testsuite", name=_clean(state.host), timestamp=state.checked_at.isoformat())
    lost = state.outcome in _LOST
    if lost:
        case = ET.SubElement(suite, "testcase", classname=_clean(state.host), name="judged")
        ET.SubElement(case, "error", type=state.outcome.value, message=_clean(state.reason or state.outcome.value))
    for finding in findings:
        _add_finding(suite, finding)
    failing = {finding.observed.role for finding in findings}
    for part in state.coverage:
        if part.role not in failing and not lost:
            ET.SubElement(suite, "testcase", classname=_clean(state.host), name=_clean(part.role))
        for name in part.unverifiable:
            case = ET.SubElement(suite, "testcase", classname=_clean(state.host), name=_clean(f"{part.role}: {name}"))
            ET.SubElement(case, "skipped", message="could not be judged")
    counts = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    suite.set("tests", str(len(suite.findall("testcase"))))
    for attribute, tag in counts.items():
        suite.set(attribute, str(len(suite.findall(f"testcase/{tag}"))))


def _add_finding(suite: ET.Element, finding: Finding) -> None:
    seen = finding.observed
    name = f"{seen.role or 'nobody'}: {seen.kind} {seen.key}: {seen.attribute}"
    case = ET.SubElement(suite, "testcase", classname=_clean(seen.host), name=_clean(name))
    message = f"agreed {seen.before or '-'}, found {seen.after or '-'} ({finding.state}, {finding.cause})"
    failure = ET.SubElement(case, "failure", type=seen.severity.value, message=_clean(message))
    failure.text = _clean(f"{seen.diff or message}\nby {who(finding.by)}")


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", text)
