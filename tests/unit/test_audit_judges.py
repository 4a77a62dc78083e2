"""What the independent judges report is read whole, and nothing is left without a reason unseen."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"
sys.path.insert(0, str(TOOLS))
judges = importlib.import_module("audit.judges")
verdicts = importlib.import_module("audit.verdicts")
hosts = importlib.import_module("audit.hosts")
ports = importlib.import_module("audit.ports")
tls = importlib.import_module("audit.tls")
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


SOCKETS = """\
LISTEN 0 4096         *:9100       *:*
LISTEN 0 128    0.0.0.0:22   0.0.0.0:*
LISTEN 0 4096 127.0.0.1:9115 0.0.0.0:*
LISTEN 0 25      [::]:2514      [::]:*
LISTEN 0 5      [::1]:323       [::]:*
LISTEN 0 4096 127.0.0.53%lo:53 0.0.0.0:*
"""


def test_ports_that_others_may_reach() -> None:
    assert tls.open_ports(SOCKETS, 22) == [2514, 9100]


def sslyze_report(*, chain: bool) -> dict[str, Any]:
    stores = [
        {"trust_store": {"name": "Mozilla"}, "was_validation_successful": False, "validation_error": "private"},
        {
            "trust_store": {"name": "Supplied CA file"},
            "was_validation_successful": chain,
            "validation_error": None if chain else "expired",
        },
    ]
    certificates = {"result": {"certificate_deployments": [{"path_validation_results": stores}]}}
    return {"server_scan_results": [{"scan_result": {"certificate_info": certificates}}]}


def test_a_port_that_complies_has_nothing_to_find() -> None:
    assert (
        tls.read_sslyze(9100, sslyze_report(chain=True), "COMPLIANCE AGAINST TLS\n\n    web1: OK - Compliant.\n") == []
    )


def test_what_the_profile_and_the_chain_have_against_a_port() -> None:
    said = """
 * TLS 1.0 Cipher Suites:
 COMPLIANCE AGAINST TLS CONFIGURATION
    web1:9100: FAILED - Not compliant.
        * ciphers: Cipher suites {'X'} are supported, but should be rejected.
        * tls_curves: TLS curves {'secp521r1'} are supported, but should be rejected.
"""
    found = tls.read_sslyze(9100, sslyze_report(chain=False), said)
    assert [finding.key for finding in found] == ["sslyze ciphers", "sslyze tls_curves", "sslyze chain"]


def test_a_port_without_tls_and_a_scan_that_broke_off() -> None:
    trace = "Traceback:\n  File x\nConnectionToServerTimedOut: too late\n"
    scanned = {"scan_result": None, "connectivity_error_trace": trace}
    (finding,) = tls.read_sslyze(80, {"server_scan_results": [scanned]}, "")
    assert finding.key == "sslyze 80 no_tls"
    assert finding.text == "no TLS with it: ConnectionToServerTimedOut: too late"
    with pytest.raises(hosts.AuditError, match="could not finish with port 9100"):
        tls.read_sslyze(9100, sslyze_report(chain=True), "COMPLIANCE\n ERROR - Scan did not run successfully; review")


def test_a_host_that_refuses_for_a_while_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\n[ -e {tmp_path}/asked ] || {{ touch {tmp_path}/asked; exit 255; }}\necho here\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(hosts.time, "sleep", lambda _seconds: None)
    assert hosts.Host("web1", Path("ssh_config"), "obs1", "web2").run("true") == "here\n"


UDP = "53/closed/udp//domain///, 123/open|filtered/udp//ntp///"
NMAP = f"""7.93
# Nmap 7.93 scan initiated
Host: 10.0.0.1 ()\tStatus: Up
Host: 10.0.0.1 ()\tPorts: 22/open/tcp//ssh///, 9100/closed/tcp//jetdirect///, {UDP}\tIgnored State: filtered (65533)
# Nmap done at Wed
"""


def test_a_report_of_nmap() -> None:
    assert ports.read_nmap(NMAP) == ("7.93", {("tcp", 22)}, {("tcp", 22), ("tcp", 9100), ("udp", 53)})
    with pytest.raises(hosts.AuditError, match="did not finish"):
        ports.read_nmap("7.93\nkilled\n")
    with pytest.raises(hosts.AuditError, match="no firewall drops anything"):
        ports.read_nmap(NMAP.replace("filtered", "closed"))


def test_what_the_firewall_promises() -> None:
    host = hosts.Host("web1", Path("ssh_config"), "obs1", "web2")
    observer = hosts.Host("obs1", Path("ssh_config"), "obs1", "web2")
    assert ports.promised(host, host.observer) == {("tcp", 22), ("tcp", 9100)}
    assert ports.promised(host, host.neighbor) == set()
    assert ports.promised(observer, host.neighbor) == {("tcp", 2514)}


def test_the_page_gives_reasons_and_takes_scores() -> None:
    page = (
        "# Page\n<!-- scores: written by make audit -->\nold\n<!-- end of the scores -->\n"
        "| finding | why |\n|---|---|\n| `B-2 Port` | yes |\n"
    )
    reasons = verdicts.read_reasons(page)
    assert reasons == {"B-2 Port": "yes"}
    findings = (verdicts.Finding("B-2 Port", ""), verdicts.Finding("C-3", "text"))
    verdict = verdicts.Verdict("lynis", "3", "web1", "80 of 80", True, findings)
    assert verdict.unexplained(reasons) == [findings[1]]
    written = verdicts.with_scores(page, [verdict])
    assert "| web1 | lynis 3 | 80 of 80 | 2 |\n<!-- end" in written
    assert "old" not in written
    assert verdicts.with_scores(written, [verdict]) == written
    with pytest.raises(ValueError, match="has no lines"):
        verdicts.with_scores("# Page\n", [verdict])
