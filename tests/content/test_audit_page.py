"""Nothing that an independent judge leaves is without a reason, and no reason is without something that is left."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from content.role_content import ROOT

PAGE = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
VERDICTS: list[dict[str, Any]] = json.loads((ROOT / "tests/audit/results.json").read_text(encoding="utf-8"))["verdicts"]
REASONS = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", PAGE, re.MULTILINE))
LEFT = {finding["key"] for verdict in VERDICTS for finding in verdict["findings"]}


def verdict_of(verdict: dict[str, Any]) -> str:
    return f"{verdict['host']} {verdict['judge']}"


@pytest.mark.parametrize("verdict", VERDICTS, ids=verdict_of)
def test_every_judge_is_content(verdict: dict[str, Any]) -> None:
    assert verdict["passed"]
    judge = f"{verdict['judge']} {verdict['version']}"
    row = f"| {verdict['host']} | {judge} | {verdict['score']} | {len(verdict['findings'])} |"
    assert row in PAGE.splitlines()


def test_what_is_left_has_a_reason_and_a_reason_has_something_that_is_left() -> None:
    assert LEFT - REASONS.keys() == set()
    assert REASONS.keys() - LEFT == set()


def test_every_judge_has_seen_every_host_that_it_is_for() -> None:
    seen: dict[str, set[str]] = {}
    for verdict in VERDICTS:
        seen.setdefault(verdict["host"], set()).add(verdict["judge"])
    assert {"fra1-colo-01", "fra1-colo-02", "fra1-obs-01", "ams1-metal-01"} <= seen.keys()
    for host, judges in seen.items():
        assert judges >= {"lynis", "ssh-audit", "sslyze", "nmap"}, host
    assert "promtool, amtool" in seen["fra1-obs-01"]


@pytest.mark.parametrize("role", ["access", "firewall", "hardening", "observer"])
def test_the_roles_lead_to_the_page(role: str) -> None:
    (link,) = re.findall(r"\(([^()]+audit\.md)\)", (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8"))
    assert (ROOT / "roles" / role / Path(link)).resolve() == ROOT / "docs" / "audit.md"
