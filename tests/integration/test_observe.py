"""The product observe: a host that is new in NetBox is observed, and nothing else of an observer is touched."""

from __future__ import annotations

import json
import secrets
import shutil
import ssl
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from integration.execution_project import wait_for
from integration.products import as_root
from lab_fleet import LabFleet

OBSERVER, HOST, NEW = "fra1-obs-01", "fra1-colo-02", "fra1-colo-09"
PATIENCE = 60  # seconds until what must come counts as not coming
KNOWN = "/etc/prometheus/targets/*.json /etc/bedplate-receiver/senders.json /etc/bedplate/firewall.nft"


@dataclass(frozen=True)
class Grown:
    """A lab whose NetBox has a host more, which is another address of a host that there is."""

    lab: LabFleet
    inventory: Path
    address: str

    def bedplate(self, *words: str, check: bool = True) -> Any:
        return self.lab.bedplate("-i", str(self.inventory), *words, check=check)

    def observe(self, *options: str) -> dict[str, Any]:
        run: dict[str, Any] = json.loads(self.bedplate("run", "observe", "-o", "json", *options).stdout)
        return run

    def known(self) -> str:
        """Return what the observer's files and its firewall say, and since when its daemons run."""
        since = "systemctl show --property=ActiveEnterTimestamp,StateChangeTimestamp prometheus bedplate-receiver"
        return as_root(self.lab, OBSERVER, f"cat {KNOWN}; nft list table inet bedplate; {since}")

    def targets(self) -> set[tuple[str, str]]:
        """Return job and host of all that the observer's Prometheus scrapes."""
        trust = ssl.create_default_context(cadata=as_root(self.lab, OBSERVER, "cat /etc/bedplate/tls/ca.pem"))
        url = f"https://{self.lab.hosts[OBSERVER].address}:9090/api/v1/targets?state=active"
        with urllib.request.urlopen(url, timeout=10, context=trust) as answer:
            found = json.load(answer)["data"]["activeTargets"]
        return {(each["labels"]["job"], each["labels"].get("host", "")) for each in found}

    def received(self, token: str) -> bool:
        logged = f"/var/log/bedplate/hosts/{NEW}/messages"
        return token in as_root(self.lab, OBSERVER, f"grep -h {token} {logged} 2>/dev/null || true")


@pytest.fixture(scope="module")
def grown(baselined: LabFleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grown]:
    inventory = tmp_path_factory.mktemp("grown") / "inventory"
    shutil.copytree(baselined.inventory, inventory)
    file = inventory / ".snapshot.json"
    snapshot = json.loads(file.read_text(encoding="utf-8"))
    address, observer = (baselined.hosts[name].address for name in (HOST, OBSERVER))
    other = f"{address.rpartition('.')[0]}.199"
    snapshot["hosts"][NEW] = {**snapshot["hosts"][HOST], "name": NEW, "id": 900, "primary_ip4": other}
    file.write_text(json.dumps(snapshot), encoding="utf-8")
    # What the host sends to the observer comes from the other address.
    as_root(baselined, HOST, f"ip address add {other}/24 dev eth0; ip route add {observer}/32 dev eth0 src {other}")
    try:
        yield Grown(baselined, inventory, other)
    finally:
        as_root(baselined, HOST, f"ip route del {observer}/32; ip address del {other}/24 dev eth0", check=False)
        baselined.bedplate("run", "observe")
        as_root(baselined, HOST, "systemctl restart rsyslog")


def test_a_check_changes_nothing(grown: Grown) -> None:
    before = grown.known()
    run = grown.observe("--check")
    assert (run["status"], run["hosts"]) == ("successful", [OBSERVER])
    assert grown.known() == before


def test_a_host_that_is_new_is_scraped_and_its_logs_are_received_under_its_name(grown: Grown) -> None:
    stale = grown.bedplate("drift", "check", "-l", OBSERVER, "--escalate", "0", "-o", "json", check=False)
    assert [host["outcome"] for host in json.loads(stale.stdout)["hosts"]] == ["stale"]
    assert ("node", NEW) not in grown.targets()
    token = secrets.token_hex(8)
    as_root(grown.lab, HOST, f"systemctl restart rsyslog; logger --tag proof {token}")
    run = grown.observe()
    assert (run["status"], run["summary"]["changed"]) == ("successful", 1)
    wait_for(lambda: {("node", NEW), ("probe", NEW)} <= grown.targets(), "its targets", PATIENCE)
    wait_for(lambda: grown.received(token), "what was logged before, and waited", PATIENCE)


def test_a_second_run_changes_nothing_and_nothing_is_drift(grown: Grown) -> None:
    grown.observe()
    before = grown.known()
    assert grown.observe()["summary"]["ok"] == 1
    assert grown.known() == before
    found = json.loads(grown.bedplate("drift", "check", "-l", OBSERVER, "-o", "json").stdout)
    assert ([host["outcome"] for host in found["hosts"]], found["open"]) == (["clean"], [])
    full = grown.bedplate("drift", "check", "--full", "-l", OBSERVER, "-o", "json", check=False)
    assert json.loads(full.stdout)["open"] == []


def test_a_host_that_is_gone_is_forgotten(grown: Grown) -> None:
    grown.observe()
    grown.lab.bedplate("run", "observe")
    wait_for(lambda: not any(host == NEW for _, host in grown.targets()), "its targets to go", PATIENCE)
    assert grown.address not in as_root(grown.lab, OBSERVER, f"cat {KNOWN}; nft list table inet bedplate")
    assert grown.lab.bedplate("drift", "check", "-l", OBSERVER).returncode == 0


def test_an_observer_that_was_not_brought_to_its_role_is_left_alone(grown: Grown) -> None:
    unit, aside = "/etc/systemd/system/bedplate-receiver.service", "/root/bedplate-receiver.service"
    as_root(grown.lab, OBSERVER, f"mv {unit} {aside}")
    try:
        before = as_root(grown.lab, OBSERVER, "cat /etc/prometheus/targets/nodes.json")
        run = grown.observe()
        log = (Path(run["folder"]) / "stdout.log").read_text(encoding="utf-8")
        assert f"{OBSERVER} is left as it is" in log
        assert as_root(grown.lab, OBSERVER, "cat /etc/prometheus/targets/nodes.json") == before
    finally:
        as_root(grown.lab, OBSERVER, f"mv {aside} {unit}; systemctl daemon-reload")
