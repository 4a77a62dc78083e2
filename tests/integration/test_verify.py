"""The product verify is green on hosts at the baseline, and on broken ones exactly the expected checks are red."""

from __future__ import annotations

import json
import shlex
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from lab_fleet import ROOT, LabFleet

OBSERVER, EXPIRED = "fra1-obs-01", "ash1-cloud-01"
CERTIFICATE = "/etc/bedplate/tls/host.pem"
TUNNEL = "bedplate-log-tunnel"
BLOCK = (
    "nft 'add table inet proof; add chain inet proof {chain} {{ type filter hook {chain} priority -300; }}; "
    "add rule inet proof {chain} tcp dport {port} drop'"
)
GUARDED = "systemctl --quiet is-active bedplate-firewall &&"
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
    Fault(
        EXPIRED, "logs", "its certificate has expired",
        f"cp -p {CERTIFICATE} /tmp/host.pem; cat /tmp/expired.pem > {CERTIFICATE}; systemctl restart {TUNNEL}",
        f"cp -p /tmp/host.pem {CERTIFICATE}; systemctl restart {TUNNEL}; rm /tmp/host.pem /tmp/expired.pem",
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
        "systemd-run --quiet --unit=proof-port python3 -m http.server 8081; sleep 2;"
        f" {GUARDED} nft insert rule inet bedplate input tcp dport 8081 accept; true",
        f"systemctl stop proof-port; {GUARDED} systemctl restart bedplate-firewall; true",
    ),
    Fault(
        "fra1-colo-01", "logs", "a line logged now did not reach fra1-obs-01; rsyslog is active, connected to ",
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


def expired_certificate(lab: LabFleet, host: str) -> bytes:
    """Return the host's certificate as its authority would have made it, if its time were over."""
    read = lambda at, path: lab.ssh(at, f"sudo cat {path}").stdout.encode()  # noqa: E731
    authority = x509.load_pem_x509_certificate(read(OBSERVER, "/etc/bedplate/ca/ca.pem"))
    key = load_pem_private_key(read(OBSERVER, "/etc/bedplate/ca/ca.key"), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    present = x509.load_pem_x509_certificate(read(host, CERTIFICATE))
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        issuer_name=authority.subject, subject_name=present.subject, public_key=present.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(days=9), not_valid_after=now - timedelta(days=1),
    )  # fmt: skip
    for extension in present.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


def await_logs(lab: LabFleet, host: str) -> None:
    """Wait until lines of a host arrive again: a session that broke has its own patience before it is begun anew."""
    token = f"whole-{host}-{datetime.now(UTC).timestamp()}"
    lab.ssh(host, f"logger {token}")
    look = f"sudo grep -q -- {token} /var/log/bedplate/hosts/{host}/messages"
    deadline = time.monotonic() + 180
    while lab.ssh(OBSERVER, look, check=False).returncode and time.monotonic() < deadline:
        time.sleep(1)


@pytest.fixture(scope="module")
def proof(baselined: LabFleet) -> Proof:
    """One run on hosts that are broken in many ways at once, and whole again afterwards."""
    certificate = expired_certificate(baselined, EXPIRED).decode()
    baselined.ssh(EXPIRED, f"printf %s {shlex.quote(certificate)} > /tmp/expired.pem")
    with ThreadPoolExecutor(len(FAULTS)) as pool:
        try:
            list(pool.map(lambda fault: fault.run(baselined, fault.commands), FAULTS))
            return verify(baselined)
        finally:
            list(pool.map(lambda fault: fault.run(baselined, fault.undo), FAULTS))
            silenced = {fault.host for fault in FAULTS if fault.check == "logs"}
            list(pool.map(lambda host: await_logs(baselined, host), silenced))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.check}-{fault.host}")
def test_what_is_broken_is_red_and_says_why(proof: Proof, fault: Fault) -> None:
    assert fault.words in proof.failed[fault.host].get(fault.check, "nothing")


def test_nothing_else_is_red(proof: Proof) -> None:
    expected = {(fault.host, fault.check) for fault in FAULTS}
    assert {(host, check) for host, checks in proof.failed.items() for check in checks} == expected
    assert junit_failures(proof.run) == expected
    # Where metrics do not arrive, no alert can be driven: that is no second fault.
    assert {proof.status(host, "alert") for host, check in expected if check == "metrics"} == {"blocked"}


def test_broken_hosts_fail_and_the_others_do_not(proof: Proof, baselined: LabFleet) -> None:
    assert proof.code == 5
    outcomes = {row["host"]: row["outcome"] for row in proof.run["results"]}
    assert {host for host, outcome in outcomes.items() if outcome == "failed"} == {fault.host for fault in FAULTS}
    shown = baselined.bedplate("runs", "show", proof.run["id"]).stdout
    assert "fra1-colo-01 logs: a line logged now did not reach" in " ".join(shown.split())


def test_a_rule_that_is_missing_is_seen_by_reading_only(baselined: LabFleet) -> None:
    NO_RULE.run(baselined, NO_RULE.commands)
    try:
        proof = verify(baselined, "--check", "--limit", OBSERVER)
    finally:
        NO_RULE.run(baselined, NO_RULE.undo)
    assert list(proof.failed[OBSERVER]) == ["alert"], proof.failed
    assert NO_RULE.words in proof.failed[OBSERVER]["alert"]
    assert proof.status(OBSERVER, "logs") == "skipped"
    assert proof.code == 5


def test_hosts_at_the_baseline_are_green_and_stay_as_they_are(baselined: LabFleet) -> None:
    proof = verify(baselined)
    assert proof.failed == {host: {} for host in baselined.hosts}
    assert (proof.code, proof.run["verification"]["score"]["percent"]) == (0, 100)
    assert proof.run["summary"]["changed"] == 0
    folder = "/var/lib/prometheus/node-exporter"
    assert all("verify" not in baselined.ssh(host, f"ls -A {folder}").stdout for host in baselined.hosts)
