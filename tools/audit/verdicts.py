"""What a judge says of a host, and what may be left with a reason."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_ROW = re.compile(r"^\| `([^`]+)` \| (.+) \|$", re.MULTILINE)
_BEGIN, _END = "<!-- scores: written by make audit -->\n", "<!-- end of the scores -->\n"


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


def read_reasons(page: str) -> dict[str, str]:
    """Return the reasons by key, from the rows of the page that begin with a key in backticks."""
    return dict(_ROW.findall(page))


def with_scores(page: str, verdicts: Iterable[Verdict]) -> str:
    """Return the page with the table of scores written anew.

    Raises:
        ValueError: the page has no place for it.
    """
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise ValueError(f"the page has no lines {_BEGIN.strip()} and {_END.strip()}")
    rows = [
        f"| {verdict.host} | {verdict.judge} {verdict.version} | {verdict.score} | {len(verdict.findings)} |\n"
        for verdict in verdicts
    ]
    table = ["| host | judge | score | left, each with a reason |\n", "|---|---|---|---|\n", *rows]
    return before + begin + "".join(table) + end + after
