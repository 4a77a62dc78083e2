"""What a judge says of a host, and what may be left with a reason."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

NOTES = Path(__file__).resolve().parents[2] / "roles" / "hardening" / "NOTES.md"
_ROW = re.compile(r"^\| `([^`]+)` \| (.+) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Finding:
    """One thing that a judge does not like. `key` is what a reason is given for."""

    key: str
    text: str


@dataclass(frozen=True)
class Verdict:
    """What one judge says of one host.

    Attributes:
        score: the judge's own figure, as people know it.
        passed: whether the score is good enough.
        findings: what is left to do, in the judge's eyes.
    """

    judge: str
    version: str
    host: str
    score: str
    passed: bool
    findings: tuple[Finding, ...] = field(default=())

    def unexplained(self, reasons: dict[str, str]) -> list[Finding]:
        """Return the findings for which nobody gave a reason."""
        return [finding for finding in self.findings if finding.key not in reasons]


def read_reasons(text: str) -> dict[str, str]:
    """Return the reasons by key, from the section on judges of a role's notes.

    Args:
        text: Markdown with a section "What the judges leave" and a table of keys and reasons in it.
    """
    _, _, section = text.partition("## What the judges leave")
    section = section.partition("\n## ")[0]
    return dict(_ROW.findall(section))
