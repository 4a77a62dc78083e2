# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Verdicts as the documents that a run leaves: JSON, JUnit, and a table for people."""

from __future__ import annotations

import os
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import Any

from .verification import BLOCKED, CHECKS, FAILED, PASSED, SKIPPED, Verdict

SCHEMA = 1
_STATUSES = (PASSED, FAILED, BLOCKED, SKIPPED)


def score(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """Return the verdicts by status, and what percent passed of those that apply."""
    counts = {status: sum(each.status == status for each in verdicts) for status in _STATUSES}
    applied = len(verdicts) - counts[SKIPPED]
    return {**counts, "percent": 100 * counts[PASSED] // applied if applied else 100}


def report(hosts: Mapping[str, Sequence[Verdict]], mode: str, taken_at: str) -> dict[str, Any]:
    """Return the whole proof as a document (docs/schemas/verify.schema.json).

    Args:
        mode: `apply` or `check`.
        taken_at: when, in UTC (ISO 8601).
    """
    return {
        "schema": SCHEMA,
        "mode": mode,
        "taken_at": taken_at,
        "score": score([verdict for verdicts in hosts.values() for verdict in verdicts]),
        "hosts": [_host(name, hosts[name]) for name in sorted(hosts)],
    }


def _host(name: str, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    failed = any(verdict.status == FAILED for verdict in verdicts)
    return {
        "host": name,
        "outcome": FAILED if failed else PASSED,
        "score": score(verdicts),
        "checks": [{"check": each.check, "status": each.status, "detail": _plain(each.detail)} for each in verdicts],
    }


def _plain(text: str) -> str:
    """Return a text in one line, without what XML does not allow or a terminal obeys: hosts say what they like."""
    words = " ".join(text.split())
    return "".join(letter if letter.isprintable() else "?" for letter in words)


def junit(document: Mapping[str, Any]) -> bytes:
    """Return the proof as JUnit's XML, a suite a host and a case a check."""
    root = ET.Element("testsuites", name="bedplate verify")
    for host in document["hosts"]:
        counts = host["score"]
        suite = ET.SubElement(
            root,
            "testsuite",
            name=host["host"],
            timestamp=document["taken_at"].rstrip("Z"),
            tests=str(len(host["checks"])),
            failures=str(counts[FAILED]),
            errors="0",
            skipped=str(counts[BLOCKED] + counts[SKIPPED]),
        )
        for check in host["checks"]:
            case = ET.SubElement(suite, "testcase", classname=host["host"], name=check["check"])
            if check["status"] == FAILED:
                ET.SubElement(case, "failure", message=check["detail"])
            elif check["status"] != PASSED:
                ET.SubElement(case, "skipped", message="{0}: {1}".format(check["status"], check["detail"]))
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def table(document: Mapping[str, Any]) -> list[str]:
    """Return the proof as lines: a host, its score, and a word for each check; then what failed."""
    names = [check for check in CHECKS if check != "reach"]
    rows = [["HOST", "SCORE", *(name.upper() for name in names)]]
    for host in document["hosts"]:
        words = {check["check"]: check["status"] for check in host["checks"]}
        rows.append([host["host"], "{0} %".format(host["score"]["percent"]), *(words[name] for name in names)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(word.ljust(widths[column]) for column, word in enumerate(row)).rstrip() for row in rows]
    return lines + failures(document)


def failures(document: Mapping[str, Any]) -> list[str]:
    """Return a line for each check that failed."""
    return [
        "{0}: {1}: {2}".format(host["host"], check["check"], check["detail"])
        for host in document["hosts"]
        for check in host["checks"]
        if check["status"] == FAILED
    ]


def write(folder: str, name: str, content: bytes) -> None:
    """Write a file in one step, readable by its owner alone."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix="." + name)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    os.rename(temporary, os.path.join(folder, name))
