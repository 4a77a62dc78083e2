"""The product reboot: hosts boot anew, drained and one after the other, and a host that is not well stops the rest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration.products import as_root, order
from lab_fleet import LabFleet

FIRST, SECOND = "ash1-cloud-01", "fra1-colo-01"
BOTH = f"{FIRST},{SECOND}"
HOOKS = "/etc/bedplate/hooks"
# Ready only when asked a second time, so that the wait shows.
INSTALL = f"""
for stage in drain ready undrain; do
    mkdir -p {HOOKS}/$stage.d
    printf '#!/bin/sh\\necho %s >> /root/stages\\n' $stage > {HOOKS}/$stage.d/10-proof
done
echo '[ "$(grep -c ready /root/stages)" -gt 1 ]' >> {HOOKS}/ready.d/10-proof
chmod +x {HOOKS}/*.d/*
rm -f /root/stages
"""


@pytest.fixture
def hooked(lab: LabFleet) -> Iterator[LabFleet]:
    """Two hosts whose hooks write down that they ran."""
    for host in (FIRST, SECOND):
        as_root(lab, host, INSTALL)
    yield lab
    for host in (FIRST, SECOND):
        as_root(lab, host, f"rm -rf {HOOKS} /root/stages /etc/systemd/system/proof*; systemctl daemon-reload")
        as_root(lab, host, "systemctl reset-failed")


def test_hosts_are_drained_and_boot_anew_one_after_the_other(hooked: LabFleet) -> None:
    done = order(hooked, "reboot", BOTH, units="ssh", patience="2m")
    assert (done.code, done.outcomes) == (0, {FIRST: "changed", SECOND: "changed"}), done.hosts
    for host in (FIRST, SECOND):
        values = done.hosts[host]["values"]
        assert values["rebooted"] is True
        assert values["boot_after"] != values["boot_before"]
        assert as_root(hooked, host, "cat /root/stages").split() == ["drain", "ready", "ready", "undrain"]


def test_a_host_that_is_not_well_afterwards_stays_drained_and_is_the_last(hooked: LabFleet) -> None:
    unit = "[Service]\nType=oneshot\nExecStart=/bin/false\n[Install]\nWantedBy=multi-user.target\n"
    as_root(hooked, FIRST, f"printf '{unit}' > /etc/systemd/system/proof-broken.service; systemctl enable proof-broken")
    done = order(hooked, "reboot", BOTH, patience="15s")
    as_root(hooked, FIRST, "systemctl disable proof-broken")
    assert (done.code, done.outcomes) == (5, {FIRST: "failed", SECOND: "not_started"})
    assert "stays drained: failed: proof-broken.service" in done.hosts[FIRST]["detail"]
    assert "undrain" not in as_root(hooked, FIRST, "cat /root/stages")
    assert as_root(hooked, SECOND, "cat /root/stages", check=False) == ""
