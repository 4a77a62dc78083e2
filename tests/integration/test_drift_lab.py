"""What is done to a host at the baseline is found by a full check, all and nothing else, and repaired by policy."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema

from lab_fleet import ROOT, LabFleet

HOST, OTHER = "ash1-cloud-01", "fra1-colo-01"
SSHD, SYSCTL = "/etc/ssh/sshd_config.d/10-bedplate-hardening.conf", "/etc/sysctl.d/zz-bedplate-hardening.conf"
CHRONY = "/etc/chrony/chrony.conf"
SETTING = "net.ipv4.conf.all.accept_redirects"
BREAK = f"""
test "$(stat -c %a {SSHD})" != 666; cp -a {SSHD} {SYSCTL} /root; chmod 0666 {SSHD}
echo 'kernel.sysrq = 1' >> {SYSCTL}
sysctl -qw {SETTING}=1; test "$(sysctl -n {SETTING})" = 1
systemctl stop chrony; ! systemctl --quiet is-active chrony
"""
UNDO = f"""
cp -a /root/{Path(SSHD).name} {SSHD}; cp -a /root/{Path(SYSCTL).name} {SYSCTL}
rm /root/{Path(SSHD).name} /root/{Path(SYSCTL).name}
sysctl -qw {SETTING}=0; systemctl start chrony
"""


@contextmanager
def broken(lab: LabFleet) -> Iterator[None]:
    lab.ssh(HOST, f"sudo sh -ec {shlex.quote(BREAK)}")
    try:
        yield
    finally:
        lab.ssh(HOST, f"sudo sh -ec {shlex.quote(UNDO)}")


def full_check(lab: LabFleet, strategy: str) -> dict[str, Any]:
    words = ("drift", "check", "--full", "-l", HOST, "-o", "json")
    done = lab.bedplate(*words, check=False, execution_strategy=strategy)
    assert done.returncode == 6, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    schema = json.loads((ROOT / "docs" / "schemas" / "drift_check.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(document)
    return document


def test_what_was_done_to_a_host_is_found_and_nothing_else(baselined: LabFleet) -> None:
    with broken(baselined):
        document = full_check(baselined, "linear")
        by_mitogen = full_check(baselined, "mitogen")
    found = {(one["kind"], one["key"], one["attribute"]): one for one in document["open"]}
    assert set(found) == {
        ("file", SSHD, "mode"),
        ("file", SYSCTL, "content"),
        ("sysctl", SETTING, "value"),
        ("unit", "chrony.service", "state"),
    }
    assert {one["cause"] for one in found.values()} == {"corrective"}
    assert {one["role"] for one in found.values()} == {"hardening", "time_sync"}
    content = found["file", SYSCTL, "content"]
    assert content["diff"].splitlines()[-1] == "+kernel.sysrq = 1"
    live = found["sysctl", SETTING, "value"]
    assert (live["before"], live["after"]) == ("0", "1")
    (host,) = document["hosts"]
    assert host["outcome"] == "drifted"
    assert 50 < host["coverage"]["percent"] <= 100
    assert seen(by_mitogen) == seen(document)
    assert [one["roles"] for one in by_mitogen["hosts"]] == [one["roles"] for one in document["hosts"]]


def seen(document: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return what a check saw, without how often it was seen before."""
    return sorted(tuple(str(one[key]) for key in ("id", "before", "after", "diff", "role")) for one in document["open"])


def test_a_night_repairs_what_its_policy_names_and_leaves_the_rest(baselined: LabFleet) -> None:
    for host in (HOST, OTHER):
        baselined.ssh(host, f"sudo sh -ec \"echo '# mine' >> {CHRONY}; systemctl stop prometheus-node-exporter\"")
    policy = {"drift_repair_roles": "time_sync", "drift_repair_percent": "50"}
    try:
        done = baselined.bedplate("nightly", "--remediate", "-o", "json", check=False, **policy)
        left = [baselined.ssh(host, f"grep -c mine {CHRONY}", check=False).stdout.strip() for host in (HOST, OTHER)]
    finally:
        for host in (HOST, OTHER):
            baselined.ssh(host, "sudo systemctl start prometheus-node-exporter")
    assert done.returncode == 6, done.stderr
    repair = json.loads(done.stdout)["repair"]
    assert repair["stopped"] is None
    assert len(repair["runs"]) == 2, "one host first, then the other"
    assert {(one["host"], one["key"], one["role"]) for one in repair["mended"]} >= {
        (HOST, CHRONY, "time_sync"),
        (OTHER, CHRONY, "time_sync"),
    }
    assert left == ["0", "0"]
    openly = json.loads(baselined.bedplate("drift", "list", "-o", "json").stdout)
    assert {one["role"] for one in openly if one["host"] in {HOST, OTHER}} == {"metrics"}
