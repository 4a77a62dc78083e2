"""The product service_control on real units: well, broken by an edit, and rolled back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration.products import as_root, order
from lab_fleet import LabFleet

FIRST, SECOND = "ash1-cloud-01", "fra1-colo-01"
BOTH = f"{FIRST},{SECOND}"
INSTALL = """
install -d /etc/proof
echo 8090 > /etc/proof/port
cat > /etc/systemd/system/proof.service <<'UNIT'
[Service]
ExecStart=/bin/sh -c 'exec python3 -m http.server --bind 127.0.0.1 $(cat /etc/proof/port)'
UNIT
systemctl daemon-reload
systemctl start proof
"""
REMOVE = "systemctl stop proof; rm -rf /etc/proof /etc/systemd/system/proof.service /var/lib/bedplate/unit_control"
PARAMETERS = {
    "unit": "proof",
    "health": "http://127.0.0.1:8090/",
    "patience": 5,
}


@pytest.fixture(scope="module")
def served(lab: LabFleet) -> Iterator[LabFleet]:
    """Two hosts with a small web server as a unit."""
    for host in (FIRST, SECOND):
        as_root(lab, host, INSTALL)
    yield lab
    for host in (FIRST, SECOND):
        as_root(lab, host, REMOVE)


def test_a_restart_that_fails_is_rolled_back_and_the_next_host_has_no_turn(served: LabFleet) -> None:
    config = {"action": "restart", "config": "/etc/proof"}
    good = order(served, "service_control", BOTH, **PARAMETERS, **config)
    assert (good.code, good.outcomes) == (0, {FIRST: "changed", SECOND: "changed"}), good.run
    for host in (FIRST, SECOND):
        as_root(served, host, "echo nonsense > /etc/proof/port; touch /etc/proof/added")
    bad = order(served, "service_control", BOTH, **PARAMETERS, **config)
    assert (bad.code, bad.outcomes) == (5, {FIRST: "failed", SECOND: "not_started"})
    assert "rolled back to its last good configuration, with which it is well" in bad.hosts[FIRST]["detail"]
    assert bad.hosts[FIRST]["values"]["rolled_back"] is True
    assert (
        as_root(served, FIRST, "cat /etc/proof/port; ls /etc/proof; systemctl is-active proof")
        == "8090\nport\nactive\n"
    )
    rejected = "/var/lib/bedplate/unit_control/proof.service/rejected/etc/proof"
    assert as_root(served, FIRST, f"cat {rejected}/port; ls {rejected}") == "nonsense\nadded\nport\n"
    assert as_root(served, SECOND, "cat /etc/proof/port") == "nonsense\n"


def test_stop_start_and_status(served: LabFleet) -> None:
    as_root(served, FIRST, "echo 8090 > /etc/proof/port; systemctl restart proof")
    tried = order(served, "service_control", FIRST, "--check", **PARAMETERS, action="stop")
    assert (tried.code, tried.hosts[FIRST]["detail"]) == (0, "would stop it")
    assert as_root(served, FIRST, "systemctl is-active proof") == "active\n"
    assert order(served, "service_control", FIRST, **PARAMETERS, action="stop").outcomes == {FIRST: "changed"}
    stopped = order(served, "service_control", FIRST, **PARAMETERS)
    assert (stopped.code, stopped.hosts[FIRST]["detail"]) == (5, "not well: it is inactive (dead)")
    assert order(served, "service_control", FIRST, **PARAMETERS, action="start").outcomes == {FIRST: "changed"}


def test_what_a_host_needs_is_not_stopped(lab: LabFleet) -> None:
    refused = order(lab, "service_control", FIRST, unit="ssh", action="stop")
    assert refused.code == 5
    assert "ssh.service is not stopped" in refused.hosts[FIRST]["detail"]
