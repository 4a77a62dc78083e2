"""The product service_deploy: a service that is well, one that is rolled back, and what is shown of it."""

from __future__ import annotations

import json
import time

import pytest

from integration.products import as_root, order
from lab_fleet import LabFleet

FIRST, SECOND, OBSERVER = "ash1-cloud-01", "fra1-colo-01", "fra1-obs-01"
PARAMETERS = {
    "name": "shop",
    "team": "shop-team",
    "cost_center": "cc-4711",
    "command": "/usr/bin/python3 -m http.server 8099 --bind 127.0.0.1 --directory /usr/share/doc",
    "health": "http://127.0.0.1:8099/",
    "patience": 5,
}
READ = """
import ssl, sys, urllib.request
context = ssl.create_default_context(cafile="/etc/bedplate/tls/ca.pem")
context.check_hostname = False
print(urllib.request.urlopen(sys.argv[1], context=context).read().decode())
"""
METRICS = "/var/lib/prometheus/node-exporter"
LABELS = '{service="shop",team="shop-team",cost_center="cc-4711"}'


def test_a_service_that_is_not_well_gives_way_to_the_one_before(lab: LabFleet) -> None:
    both = f"{FIRST},{SECOND}"
    as_root(lab, FIRST, f"mkdir -p {METRICS}")
    good = order(lab, "service_deploy", both, **PARAMETERS)
    assert (good.code, good.outcomes) == (0, {FIRST: "changed", SECOND: "changed"}), good.hosts
    assert f"bedplate_service_up{LABELS} 1" in as_root(lab, FIRST, f"cat {METRICS}/bedplate_services.prom")
    assert as_root(lab, FIRST, "ps -o user= -C python3 | sort -u").split().count("root") == 0
    bad = order(lab, "service_deploy", both, **{**PARAMETERS, "command": "/usr/bin/false"})
    assert (bad.code, bad.outcomes) == (5, {FIRST: "failed", SECOND: "not_started"})
    assert "rolled back to what was there before, with which it is well" in bad.hosts[FIRST]["detail"]
    assert "http.server" in as_root(lab, FIRST, "systemctl show shop --property=ExecStart")
    gone = order(lab, "service_deploy", both, name="shop", state="absent")
    assert gone.outcomes == {FIRST: "changed", SECOND: "changed"}
    assert as_root(lab, FIRST, "systemctl is-active shop bedplate-services.timer || true").split() == ["inactive"] * 2


def test_units_of_others_are_left_alone(lab: LabFleet) -> None:
    done = order(lab, "service_deploy", FIRST, **{**PARAMETERS, "name": "ssh"})
    assert done.code == 5
    assert "no service of this product" in done.hosts[FIRST]["detail"]


def test_an_observer_has_its_metrics_and_its_logs(baselined: LabFleet) -> None:
    assert order(baselined, "service_deploy", OBSERVER, **PARAMETERS).code == 0
    as_root(baselined, OBSERVER, f"python3 -c '{READ}' {PARAMETERS['health']}proof || true")
    ask = f"python3 -c '{READ}' 'https://localhost:9090/api/v1/query?query=bedplate_service_up'"
    arrived = f"grep -c 'shop.*GET /proof' /var/log/bedplate/hosts/{OBSERVER}/messages || true"
    deadline = time.monotonic() + 90
    while True:
        found = json.loads(as_root(baselined, OBSERVER, ask))["data"]["result"]
        lines = as_root(baselined, OBSERVER, arrived).strip()
        if found and lines not in {"", "0"}:
            break
        if time.monotonic() > deadline:
            pytest.fail(f"metrics: {found}, lines: {lines}")
        time.sleep(3)
    labels = found[0]["metric"]
    assert (labels["host"], labels["service"], labels["team"]) == (OBSERVER, "shop", "shop-team")
    assert found[0]["value"][1] == "1"
    assert "ServiceBudgetBurning" in as_root(baselined, OBSERVER, "cat /etc/prometheus/rules/services.yml")
    order(baselined, "service_deploy", OBSERVER, name="shop", state="absent")
