"""The product verify is green on hosts at the baseline, and on broken ones exactly the expected checks are red."""

from __future__ import annotations

import json
import shlex
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lab_fleet import ROOT, LabFleet

OBSERVER = "fra1-obs-01"
BLOCK = (
    "nft 'add table inet proof; add chain inet proof {chain} {{ type filter hook {chain} priority -300; }}; "
    "add rule inet proof {chain} tcp dport {port} drop'"
)
UNBLOCK = "nft delete table inet proof"
RULES = "/etc/prometheus/rules/hosts.yml"
TARGETS = "/etc/prometheus/targets/nodes.json"


@dataclass(frozen=True)
class Fault:
    """One way to break a host, what undoes it, and what is then said of which check.

    Attributes:
        at: where the commands run, when that is another host.
    """

    host: str
    check: str
    words: str
    commands: str
    undo: str
    at: str = ""

    def run(self, lab: LabFleet, commands: str) -> None:
        """Run commands of this fault as root."""
        lab.ssh(self.at or self.host, f"sudo sh -ec {shlex.quote(commands)}")


FAULTS = [
    Fault(
        "ams1-metal-01", "metrics", "prometheus-node-exporter is inactive",
        "systemctl stop prometheus-node-exporter", "systemctl start prometheus-node-exporter",
    ),
    Fault(
        "ams1-metal-01", "accounts", "mallory could get in and is not expected",
        "useradd --create-home --shell /bin/bash mallory; install -d -o mallory -m 0700 /home/mallory/.ssh;"
        " install -o mallory -m 0600 ~ansible/.ssh/authorized_keys /home/mallory/.ssh/authorized_keys",
        "userdel --remove mallory",
    ),
    Fault(
        "ash1-cloud-01", "metrics", "fra1-obs-01 cannot scrape it",
        BLOCK.format(chain="input", port=9100), UNBLOCK,
    ),
    Fault("ash1-cloud-01", "clock", "chrony is inactive", "systemctl stop chrony", "systemctl start chrony"),
    Fault(
        "ash1-cloud-02", "metrics", "fra1-obs-01 has no scrape target for it",
        f"cp -p {TARGETS} /tmp/targets; sed -i 's/\"ash1-cloud-02\"/\"gone\"/' {TARGETS}",
        f"cp -p /tmp/targets {TARGETS}; rm /tmp/targets",
        at=OBSERVER,
    ),
    Fault(
        "ash1-cloud-02", "ports", "8081/tcp (python3) answers from outside",
        "systemd-run --quiet --unit=proof-port python3 -m http.server 8081; sleep 2", "systemctl stop proof-port",
    ),
    Fault(
        "fra1-colo-01", "logs", "a line logged now did not reach fra1-obs-01; rsyslog is active",
        "systemctl kill --signal=STOP rsyslog", "systemctl kill --signal=CONT rsyslog",
    ),
    Fault(
        "fra1-colo-02", "logs", "a line logged now did not reach fra1-obs-01",
        BLOCK.format(chain="output", port=2514), UNBLOCK,
    ),
]  # fmt: skip
NO_RULE = Fault(
    OBSERVER, "alert", "fra1-obs-01 lacks the alert rules HostClockOff, HostClockUnsynchronised, HostDown",
    f"mv {RULES} /tmp/rules; systemctl reload prometheus", f"mv /tmp/rules {RULES}; systemctl reload prometheus",
)  # fmt: skip


@dataclass(frozen=True)
class Proof:
    """What a run of verify left."""

    code: int
    run: dict[str, Any]

    @property
    def failed(self) -> dict[str, dict[str, str]]:
        """What failed, by host and check, with what was said."""
        return {
            host["host"]: {each["check"]: each["detail"] for each in host["checks"] if each["status"] == "failed"}
            for host in self.run["verification"]["hosts"]
        }

    def status(self, host: str, check: str) -> str:
        """What became of one check."""
        (found,) = [each for each in self.run["verification"]["hosts"] if each["host"] == host]
        return next(each["status"] for each in found["checks"] if each["check"] == check)


def verify(lab: LabFleet, *arguments: str) -> Proof:
    """Run verify, and check that what it leaves is as documented."""
    done = lab.bedplate("run", "verify", "-o", "json", *arguments, check=False)
    run = json.loads(lab.bedplate("runs", "show", json.loads(done.stdout)["id"], "-o", "json").stdout)
    for name, document in (("run", run), ("verify", run["verification"])):
        schema = json.loads((ROOT / "docs" / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(document)
    return Proof(done.returncode, run)


def junit_failures(run: dict[str, Any]) -> set[tuple[str, str]]:
    """What the JUnit file says has failed."""
    root = ET.parse(Path(run["folder"]) / "artifacts" / "verify.xml").getroot()  # noqa: S314 (our own)
    cases = root.findall("./testsuite/testcase")
    return {(case.attrib["classname"], case.attrib["name"]) for case in cases if case.find("failure") is not None}


@pytest.fixture(scope="module")
def fleet(lab: LabFleet) -> LabFleet:
    """The lab at the baseline; where other tests brought it there already, nothing is run."""
    names = list(lab.hosts)
    with ThreadPoolExecutor(len(names)) as pool:
        marks = list(pool.map(lambda host: lab.ssh(host, "cat /etc/bedplate/baseline.json", check=False), names))
    digests = {json.loads(mark.stdout)["digest"] if mark.returncode == 0 else "" for mark in marks}
    if "" in digests or len(digests) > 1:
        lab.bedplate("run", "baseline", timeout=1800)
    return lab


@pytest.fixture(scope="module")
def proof(fleet: LabFleet) -> Proof:
    """One run on hosts that are broken in many ways at once, and whole again afterwards."""
    with ThreadPoolExecutor(len(FAULTS)) as pool:
        try:
            list(pool.map(lambda fault: fault.run(fleet, fault.commands), FAULTS))
            return verify(fleet)
        finally:
            list(pool.map(lambda fault: fault.run(fleet, fault.undo), FAULTS))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.check}-{fault.host}")
def test_what_is_broken_is_red_and_says_why(proof: Proof, fault: Fault) -> None:
    assert fault.words in proof.failed[fault.host].get(fault.check, "nothing")


def test_nothing_else_is_red(proof: Proof) -> None:
    expected = {(fault.host, fault.check) for fault in FAULTS}
    assert {(host, check) for host, checks in proof.failed.items() for check in checks} == expected
    assert junit_failures(proof.run) == expected
    # Where metrics do not arrive, no alert can be driven: that is no second fault.
    assert {proof.status(host, "alert") for host, check in expected if check == "metrics"} == {"blocked"}


def test_broken_hosts_fail_and_the_others_do_not(proof: Proof, fleet: LabFleet) -> None:
    assert proof.code == 5
    outcomes = {row["host"]: row["outcome"] for row in proof.run["results"]}
    assert {host for host, outcome in outcomes.items() if outcome == "failed"} == {fault.host for fault in FAULTS}
    shown = fleet.bedplate("runs", "show", proof.run["id"]).stdout
    assert "fra1-colo-01 logs: a line logged now did not reach" in " ".join(shown.split())


def test_a_rule_that_is_missing_is_seen_by_reading_only(fleet: LabFleet) -> None:
    NO_RULE.run(fleet, NO_RULE.commands)
    try:
        proof = verify(fleet, "--check", "--limit", OBSERVER)
    finally:
        NO_RULE.run(fleet, NO_RULE.undo)
    assert list(proof.failed[OBSERVER]) == ["alert"]
    assert NO_RULE.words in proof.failed[OBSERVER]["alert"]
    assert proof.status(OBSERVER, "logs") == "skipped"
    assert proof.code == 5


def test_hosts_at_the_baseline_are_green_and_stay_as_they_are(fleet: LabFleet) -> None:
    proof = verify(fleet)
    assert proof.failed == {host: {} for host in fleet.hosts}
    assert (proof.code, proof.run["verification"]["score"]["percent"]) == (0, 100)
    assert proof.run["summary"]["changed"] == 0
    folder = "/var/lib/prometheus/node-exporter"
    assert all("verify" not in fleet.ssh(host, f"ls -A {folder}").stdout for host in fleet.hosts)
