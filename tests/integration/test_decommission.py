"""The product decommission: a host that nobody gets into any more, and what NetBox was told on the way."""

from __future__ import annotations

import pytest

from integration.netbox_records import NetBox
from integration.products import as_root, order
from lab_fleet import LabFleet

HOST, OTHER = "ash1-cloud-02", "ash1-cloud-01"
NAMED = {"host": HOST, "host_again": HOST}
PREPARE = """
mkdir -p /etc/bedplate/hooks/drain.d /etc/bedplate/tls /root/.aws
printf '#!/bin/sh\\nexit 0\\n' > /etc/bedplate/hooks/drain.d/10
chmod +x /etc/bedplate/hooks/drain.d/10
echo secret | tee /etc/bedplate/tls/host.key /root/.aws/credentials > /root/.pgpass
unit=/etc/systemd/system/proof.service
printf '[Service]\\nExecStart=/bin/sleep inf\\n[Install]\\nWantedBy=multi-user.target\\n' > $unit
systemctl enable --now proof
"""


def test_a_host_goes(lab: LabFleet, netbox: type[NetBox]) -> None:
    as_root(lab, HOST, PREPARE)
    named = [word for name, value in NAMED.items() for word in ("-p", f"decommission_{name}={value}")]
    early = lab.bedplate("run", "decommission", "--limit", HOST, "-p", "decommission_units=proof", *named, check=False)
    assert (early.returncode, netbox.written) == (3, []), "a check comes first"
    assert "dry_run_first" in early.stderr
    tried = order(lab, "decommission", HOST, "--check", units="proof", **NAMED)
    assert (tried.code, netbox.written) == (0, [])
    assert as_root(lab, HOST, "systemctl is-active proof; cat /root/.pgpass") == "active\nsecret\n"
    try:
        done = order(lab, "decommission", HOST, units="proof", **NAMED)
        assert (done.code, done.outcomes) == (0, {HOST: "changed"}), done.hosts
        values = done.hosts[HOST]["values"]
        assert values["stopped"] == ["proof.service"]
        assert {"/etc/bedplate/tls/host.key", "/root/.aws/credentials", "/root/.pgpass"} <= set(values["wiped"])
        assert values["revoked"][-1] == "/home/ansible/.ssh/authorized_keys"
        assert [change["status"] for change in netbox.written] == ["decommissioning", "offline"]
        assert lab.ssh(HOST, "true", check=False).returncode == 255
    finally:
        lab.recreate(HOST)


@pytest.mark.parametrize(
    ("limit", "names"), [(f"{HOST},{OTHER}", NAMED), (OTHER, NAMED), (HOST, {"host": HOST, "host_again": OTHER})]
)
def test_a_name_that_is_not_given_twice_is_refused(
    lab: LabFleet, netbox: type[NetBox], limit: str, names: dict[str, str]
) -> None:
    given = [word for name, value in names.items() for word in ("-p", f"decommission_{name}={value}")]
    tried = lab.bedplate("run", "decommission", "--limit", limit, *given, "--check", check=False)
    assert tried.returncode in {2, 3, 5}, tried.stdout
    done = lab.bedplate("run", "decommission", "--limit", limit, *given, check=False)
    assert done.returncode in {2, 3}, "without a check that ended well it does not even start"
    assert netbox.written == []
    assert as_root(lab, HOST, "test -e /root && echo there") == "there\n"
