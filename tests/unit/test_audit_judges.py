"""What the independent judges report is read whole, and nothing is left without a reason unseen."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"
sys.path.insert(0, str(TOOLS))
judges = importlib.import_module("audit.judges")
verdicts = importlib.import_module("audit.verdicts")
hosts = importlib.import_module("audit.hosts")
sys.path.remove(str(TOOLS))

LYNIS = """# Lynis Report
lynis_version=3.1.4
hardening_index=81
suggestion[]=SSH-7408|Consider hardening SSH configuration|MaxSessions (set 10 to 2)|-|
suggestion[]=DEB-0810|Install apt-listbugs|-|-|
warning[]=PKGS-7388|Can't find any security repository|-|-|
"""


def test_a_report_of_lynis() -> None:
    version, index, findings = judges.read_lynis(LYNIS)
    assert (version, index) == ("3.1.4", 81)
    assert {finding.key for finding in findings} == {"SSH-7408 MaxSessions", "DEB-0810", "PKGS-7388"}


def test_a_report_without_an_index_is_none() -> None:
    with pytest.raises(hosts.AuditError, match="no hardening index"):
        judges.read_lynis("lynis_version=3.1.4\n")


def test_a_report_of_ssh_audit() -> None:
    entry = {"algorithm": "curve25519-sha256", "notes": {"info": ["x"], "warn": ["not for ever"]}}
    broken = {"algorithm": "ssh-dss", "notes": {"fail": ["weak", "small"]}}
    report = {"kex": [entry], "key": [broken], "enc": [], "mac": [{"algorithm": "fine"}]}
    fails, warnings = judges.read_ssh_audit(json.dumps(report))
    assert [finding.text for finding in fails] == ["key: weak", "key: small"]
    assert [finding.key for finding in warnings] == ["ssh-audit curve25519-sha256"]


def test_only_the_section_on_judges_gives_reasons() -> None:
    text = (
        "| `A-1` | no |\n## What the judges leave\n\n| finding | why |\n|---|---|\n| `B-2 Port` | yes |\n"
        "\n## Else\n| `C-3` | no |\n"
    )
    reasons = verdicts.read_reasons(text)
    assert reasons == {"B-2 Port": "yes"}
    findings = (verdicts.Finding("B-2 Port", ""), verdicts.Finding("C-3", "text"))
    verdict = verdicts.Verdict("lynis", "3", "web1", "80 of 80", True, findings)
    assert verdict.unexplained(reasons) == [findings[1]]
