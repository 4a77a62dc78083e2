"""The faults of an inventory as JUnit XML: a suite an owner, a case a host."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence

from bedplate.fleet import Fault, FaultLevel

_NO_OWNER = "no owner"
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(hosts: Mapping[str, str | None], faults: Sequence[Fault], *, strict: bool = False) -> str:
    """Return the report; errors fail a case, warnings are told in its output.

    Args:
        hosts: name → owner, of all hosts that were looked at.
        strict: warnings fail a case too.
    """
    of_host: dict[str, list[Fault]] = {}
    for fault in faults:
        of_host.setdefault(fault.host, []).append(fault)
    suites: dict[str, list[str]] = {}
    for name, owner in hosts.items():
        suites.setdefault(owner or _NO_OWNER, []).append(name)
    root = ET.Element("testsuites", name="bedplate inventory check")
    for owner, names in sorted(suites.items()):
        suite = ET.SubElement(root, "testsuite", name=_clean(owner), tests=str(len(names)), errors="0")
        failed = [_add_case(suite, owner, name, of_host.get(name, []), strict) for name in sorted(names)]
        suite.set("failures", str(sum(failed)))
    ET.indent(root)
    return f"<?xml version='1.0' encoding='UTF-8'?>\n{ET.tostring(root, encoding='unicode')}\n"


def _add_case(suite: ET.Element, owner: str, host: str, faults: Sequence[Fault], strict: bool) -> bool:
    """Add the case of a host, and return whether it failed. A case has one failure at most, as readers expect."""
    case = ET.SubElement(suite, "testcase", classname=_clean(owner), name=_clean(host))
    failing = [fault for fault in faults if strict or fault.level is FaultLevel.ERROR]
    if failing:
        failure = ET.SubElement(case, "failure", type=failing[0].kind, message=_clean(failing[0].message))
        failure.text = _told(failing)
    rest = [fault for fault in faults if fault not in failing]
    if rest:
        ET.SubElement(case, "system-out").text = _told(rest)
    return bool(failing)


def _told(faults: Sequence[Fault]) -> str:
    return _clean("\n".join(f"{fault.level}: {fault.message} ({fault.hint})" for fault in faults))


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", text)
