"""After colleagues broke a host in every way that the lab knows, the fast check says who did what, and when."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest

from lab_fleet import ROOT, LabFleet

HOST = "fra1-colo-02"
# What one colleague breaks must not repair what another one broke.
FAULTS = (
    "sshd-drop-in", "chrony-server-edited", "chrony-stopped", "log-forwarding-removed", "user-added", "sysctl-set",
    "cron-added", "exporter-stopped", "package-added", "marker-edited", "journald-edited",
)  # fmt: skip
WHO = [
    (("file", "/etc/ssh/sshd_config.d/00-bob.conf", "presence"), "bob", "tee /etc/ssh/sshd_config.d/00-bob.conf"),
    (("file", "/etc/chrony/chrony.conf", "content"), "bob", "tee -a /etc/chrony/chrony.conf"),
    (("unit", "chrony.service", "state"), "alice", "systemctl disable --now chrony"),
    (("unit", "chrony.service", "enabled"), "alice", "systemctl disable --now chrony"),
    (("package", "rsyslog", "presence"), "bob", "apt-get -q -y remove rsyslog"),
    (("user", "carol", "presence"), "alice", "useradd --create-home --shell /bin/bash carol"),
    (("file", "/etc/sudoers.d/carol", "presence"), "alice", "tee /etc/sudoers.d/carol"),
    (("file", "/home/carol/.ssh/authorized_keys", "presence"), "alice", "/home/carol/.ssh/authorized_keys"),
    (("sysctl", "net.ipv4.tcp_syncookies", "value"), "bob", "sysctl -q -p /etc/sysctl.d/60-bob.conf"),
    (("file", "/etc/sysctl.d/60-bob.conf", "presence"), "bob", "tee /etc/sysctl.d/60-bob.conf"),
    (("file", "/etc/cron.d/alice-cleanup", "presence"), "alice", "tee /etc/cron.d/alice-cleanup"),
    (("unit", "prometheus-node-exporter.service", "state"), "bob", "systemctl stop prometheus-node-exporter"),
    (("package", "curl", "presence"), "alice", "apt-get -q -y install curl"),
    (("file", "/etc/bedplate/baseline.json", "content"), "bob", "sed -i"),
    (("file", "/etc/systemd/journald.conf.d/zz-alice.conf", "presence"), "alice", "zz-alice.conf"),
]


@pytest.fixture(scope="module")
def broken(baselined: LabFleet) -> tuple[dict[str, Any], datetime]:
    """What a check says of the broken host, and when it was broken."""
    baselined.bedplate("drift", "seal", "-l", HOST)
    began = datetime.now(UTC)
    for fault in FAULTS:
        baselined.bedplate("lab", "break", HOST, "--fault", fault)
    done = baselined.bedplate("drift", "check", "-l", HOST, "-o", "json", check=False)
    assert done.returncode == 6, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    schema = json.loads((ROOT / "docs" / "schemas" / "drift_check.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(document)
    return document, began


@pytest.mark.parametrize(("identity", "user", "command"), WHO, ids=[" ".join(identity) for identity, _, _ in WHO])
def test_findings_name_who_did_it(
    broken: tuple[dict[str, Any], datetime], identity: tuple[str, str, str], user: str, command: str
) -> None:
    document, began = broken
    found = {(one["kind"], one["key"], one["attribute"]): one for one in document["open"]}
    by = found[identity]["by"]
    assert by is not None
    assert (by["user"], by["confidence"]) in {(user, "certain"), (user, "likely")}
    assert command in by["command"]
    # Hosts of the lab have this machine's clock; the journal has whole seconds here.
    assert began.replace(microsecond=0) <= datetime.fromisoformat(by["time"]) <= datetime.now(UTC)
    assert user in by["evidence"]


def test_nobody_else_is_named_and_hardly_anything_is_unknown(broken: tuple[dict[str, Any], datetime]) -> None:
    open_ = broken[0]["open"]
    assert {one["by"]["user"] for one in open_ if one["by"]} == {"alice", "bob"}
    unknown = [(one["kind"], one["key"], one["attribute"]) for one in open_ if one["by"] is None]
    assert len(unknown) * 10 <= len(open_), unknown


def test_a_package_that_was_removed_is_its_roles(broken: tuple[dict[str, Any], datetime]) -> None:
    (gone,) = [one for one in broken[0]["open"] if (one["kind"], one["key"]) == ("package", "rsyslog")]
    assert (gone["attribute"], gone["role"], gone["task"]) == ("presence", "logging", "Install rsyslog")
