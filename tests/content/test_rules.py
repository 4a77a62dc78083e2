"""Alert and recording rules: tested by promtool, complete, and each alert with a runbook."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from content.role_content import ROOT, read_yaml

RULES = sorted((ROOT / "roles" / "observer" / "files" / "rules").glob("*.yml"))
TESTS = ROOT / "tests" / "content" / "rules"
RUNBOOKS = ROOT / "docs" / "runbooks"
SECTIONS = ("# ", "## Symptom", "## Check", "## Fix")


def _rules(kind: str) -> list[dict[str, Any]]:
    return [rule for file in RULES for group in read_yaml(file)["groups"] for rule in group["rules"] if kind in rule]


ALERTS = _rules("alert")
each_file = pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
each_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])


@each_file
def test_rules_do_what_their_tests_say(file: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("promtool is missing; tools/bootstrap tests installs it")
    test = TESTS / f"{file.stem}.test.yml"
    done = subprocess.run([promtool, "test", "rules", str(test)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@each_file
def test_every_rule_of_a_file_is_in_its_tests(file: Path) -> None:
    text = (TESTS / f"{file.stem}.test.yml").read_text(encoding="utf-8")
    names = [rule.get("alert") or rule["record"] for group in read_yaml(file)["groups"] for rule in group["rules"]]
    # nightly_last_run is seen through the alerts that read it.
    assert {name for name in names if name not in text} <= {"bedplate:nightly_last_run_timestamp_seconds:max"}


def test_names_are_given_once() -> None:
    for kind in ("alert", "record"):
        names = [rule[kind] for rule in _rules(kind)]
        assert len(names) == len(set(names))


@each_alert
def test_an_alert_says_what_it_is_and_how_bad(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in {"critical", "warning", "none"}
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
    assert alert["annotations"]["description"].endswith(".")
    assert not alert["annotations"]["summary"].endswith(".")


@each_alert
def test_an_alert_leads_to_its_runbook(alert: dict[str, Any]) -> None:
    repository = read_yaml(ROOT / "galaxy.yml")["repository"]
    name = alert["alert"]
    assert alert["annotations"]["runbook_url"] == f"{repository}/docs/runbooks/{name}.md"
    lines = (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8").splitlines()
    assert lines[0] == f"# {name}"
    headings = [line for line in lines if line.startswith("#")]
    assert [heading.startswith(section) for heading, section in zip(headings, SECTIONS, strict=True)] == [True] * 4
    for section in SECTIONS[1:]:
        assert lines[lines.index(section) + 2].strip(), section


def test_there_is_no_runbook_without_an_alert() -> None:
    assert {file.stem for file in RUNBOOKS.glob("*.md")} == {alert["alert"] for alert in ALERTS}


def test_metrics_of_our_own_are_described() -> None:
    described = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    used = {name for file in RULES for name in re.findall(r"bedplate_[a-z_]+", file.read_text(encoding="utf-8"))}
    assert {name for name in used if f"`{name}`" not in described} == set()


OURS = re.compile(r"\b(?:bedplate|hardware|smartmon|nvme)_[a-z0-9_]+")
# Contracts for whatever checks the fleet at night, and for the observer's own script.
WRITTEN_ELSEWHERE = {"bedplate_drift_findings", "bedplate_nightly_last_run_timestamp_seconds"}


@each_alert
def test_what_an_alert_reads_is_written_by_a_role_or_documented(alert: dict[str, Any]) -> None:
    places = [*(ROOT / "roles").glob("*/*/*"), *(ROOT / "plugins" / "modules").glob("*.py")]
    written = {
        name
        for file in places
        if file.is_file() and file.suffix != ".md"
        for name in OURS.findall(file.read_text(encoding="utf-8"))
    }
    assert set(OURS.findall(alert["expr"])) <= written | WRITTEN_ELSEWHERE
    contract = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in contract for name in OURS.findall(alert["expr"]))
