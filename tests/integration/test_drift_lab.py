"""A full check of a host at the baseline finds what was done to it, all of it, and nothing else."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import jsonschema

from lab_fleet import ROOT, LabFleet

HOST = "ash1-cloud-01"
SSHD, SYSCTL = "/etc/ssh/sshd_config.d/10-bedplate-hardening.conf", "/etc/sysctl.d/zz-bedplate-hardening.conf"
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


def test_what_was_done_to_a_host_is_found_and_nothing_else(baselined: LabFleet) -> None:
    baselined.ssh(HOST, f"sudo sh -ec {shlex.quote(BREAK)}")
    try:
        done = baselined.bedplate("drift", "check", "--full", "-l", HOST, "-o", "json", check=False, timeout=900)
    finally:
        baselined.ssh(HOST, f"sudo sh -ec {shlex.quote(UNDO)}")
    assert done.returncode == 6, done.stderr
    document = json.loads(done.stdout)
    schema = json.loads((ROOT / "docs" / "schemas" / "drift_check.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(document)
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
