"""What independent judges said stands in the README of the roles that they looked at."""

from __future__ import annotations

import json

import pytest

from content.role_content import ROOT, load_plugin

README = load_plugin("tools/role_readme.py")
VERDICT = {
    "judge": "lynis",
    "version": "3.1.4",
    "host": "web1",
    "score": "81 of 80",
    "passed": True,
    "findings": [{"key": "a", "text": "b"}, {"key": "c", "text": "d"}],
    "unexplained": 0,
}


def test_scores_of_its_judges_and_no_others() -> None:
    lines = README.audit_lines([VERDICT, {**VERDICT, "judge": "nmap"}], ["lynis", "ssh-audit"])
    assert lines[-1] == "| lynis 3.1.4 | web1 | 81 of 80 | yes | 2 |"
    assert sum(line.startswith("| ") for line in lines) == 2
    assert README.audit_lines([VERDICT], ["nmap"]) == []


@pytest.mark.parametrize(
    ("change", "end"),
    [({"passed": False}, "| no | 2 |"), ({"unexplained": 1}, "| no | 2, 1 without a reason |")],
)
def test_what_did_not_pass_is_not_hidden(change: dict[str, object], end: str) -> None:
    assert README.audit_lines([{**VERDICT, **change}], ["lynis"])[-1].endswith(end)


def test_every_judge_has_a_role() -> None:
    verdicts = json.loads((ROOT / "tests/audit/results.json").read_text(encoding="utf-8"))["verdicts"]
    assert {verdict["judge"] for verdict in verdicts} <= {
        judge for judges in README.JUDGES.values() for judge in judges
    }


@pytest.mark.parametrize("role", README.JUDGES)
def test_the_readme_links_to_the_reasons(role: str) -> None:
    text = (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8")
    assert "## What independent judges say" in text
    assert (ROOT / "roles" / role / "../../docs/audit.md").is_file()
