"""The product onboard: a host compared with NetBox, brought to the baseline, proven, and only then active."""

from __future__ import annotations

from pathlib import Path

import pytest

from integration.netbox_records import NetBox
from integration.products import as_root, order
from lab_fleet import LabFleet, podman

HOST, OBSERVER = "ash1-cloud-01", "fra1-obs-01"
TARGETS = "/etc/prometheus/targets/nodes.json"


@pytest.fixture
def without_pynetbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an execution environment that has only Ansible."""
    (tmp_path / "pynetbox.py").write_text("raise ImportError\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def test_a_host_that_differs_is_left_where_that_is_wanted(baselined: LabFleet, netbox: type[NetBox]) -> None:
    done = order(baselined, "onboard", HOST, differences="fail")
    assert done.code == 5
    values = done.hosts[HOST]["values"]
    found = {row["field"]: row for row in values["differences"]}
    assert (found["platform"]["in_netbox"], found["platform"]["on_host"]) == (None, "debian-12")
    assert found["interface eth0"]["in_netbox"] is None
    assert "container" in values["not_compared"][0]
    assert values["source"] == "netbox"
    assert netbox.written == []


def test_a_check_writes_nothing(baselined: LabFleet, netbox: type[NetBox]) -> None:
    done = order(baselined, "onboard", HOST, "--check", differences="write")
    assert done.code == 0, done.run
    rows = done.hosts[HOST]["values"]["differences"]
    assert rows
    assert [row for row in rows if not row["written"]] == _addresses_only(rows)
    assert (netbox.written, done.hosts[HOST]["values"]["status"]) == ([], "active")


def test_a_host_becomes_active_when_all_is_right_and_stays_as_it_is(baselined: LabFleet, netbox: type[NetBox]) -> None:
    done = order(baselined, "onboard", HOST, differences="write")
    assert done.code == 0, done.run
    assert (done.outcomes, done.hosts[HOST]["values"]["status"]) == ({HOST: "changed"}, "active")
    assert done.artifact("verify.json")
    assert {"platform": 7} in netbox.written
    assert netbox.written[-1] == {"status": "active"}
    mac = as_root(baselined, HOST, "cat /sys/class/net/eth0/address").strip()
    assert [(each["name"], each["mac_address"]) for each in netbox.interfaces] == [("eth0", mac)]
    count = len(netbox.written)
    again = order(baselined, "onboard", HOST, differences="write")
    assert (again.code, len(netbox.written)) == (0, count)
    assert again.hosts[HOST]["values"]["differences"] == _addresses_only(again.hosts[HOST]["values"]["differences"])
    assert again.outcomes == {HOST: "unchanged"}
    assert again.run["summary"].get("changed", 0) == 0


def _addresses_only(differences: list[dict[str, object]]) -> list[dict[str, object]]:
    return [row for row in differences if row["field"] == "interface eth0 addresses" and not row["written"]]


def test_a_host_that_cannot_be_observed_does_not_become_active(baselined: LabFleet, netbox: type[NetBox]) -> None:
    keys = "install -D -o mallory -m 0600 ~ansible/.ssh/authorized_keys /home/mallory/.ssh/authorized_keys"
    as_root(baselined, HOST, f"useradd --create-home --shell /bin/sh mallory; {keys}")
    try:
        done = order(baselined, "onboard", HOST)
    finally:
        as_root(baselined, HOST, "userdel --remove mallory 2>/dev/null")
    assert (done.code, netbox.written) == (5, [])
    assert "status" not in done.hosts[HOST]["values"]


def test_a_host_that_its_observer_does_not_know_is_refused_before_anything_is_changed(
    baselined: LabFleet, netbox: type[NetBox]
) -> None:
    as_root(baselined, OBSERVER, f"cp -a {TARGETS} /root/nodes.json; sed -i s/{HOST}/other/ {TARGETS}")
    try:
        done = order(baselined, "onboard", HOST)
    finally:
        as_root(baselined, OBSERVER, f"mv /root/nodes.json {TARGETS}")
    assert (done.code, netbox.written) == (5, [])
    assert f"{OBSERVER} does not know of {HOST} yet" in _log(done.run["folder"])


def test_a_host_that_cannot_be_reached_is_told_of(lab: LabFleet, netbox: type[NetBox]) -> None:
    host = lab.hosts[HOST]
    podman("stop", "--time", "1", host.container)
    try:
        done = order(lab, "onboard", HOST)
    finally:
        podman("start", host.container)
    assert (done.code, netbox.written) == (4, [])
    assert done.outcomes == {HOST: "unreachable"}
    assert f"it cannot be reached at {host.address}, port {host.port}" in done.hosts[HOST]["detail"]


@pytest.mark.usefixtures("without_pynetbox")
def test_without_pynetbox_what_writes_is_refused(lab: LabFleet, netbox: type[NetBox]) -> None:
    done = order(lab, "onboard", HOST, differences="write", activate="false")
    assert (done.code, netbox.written) == (5, [])
    assert "the Python package pynetbox is missing on the control node" in _log(done.run["folder"])


@pytest.mark.usefixtures("without_pynetbox")
def test_without_pynetbox_the_inventory_is_compared(baselined: LabFleet) -> None:
    done = order(baselined, "onboard", HOST, activate="false")
    assert done.code == 0, done.run
    assert (done.hosts[HOST]["values"]["source"], done.hosts[HOST]["detail"]) == ("inventory", "as NetBox says")


def _log(folder: str) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in Path(folder).glob("*log*") if path.is_file())
