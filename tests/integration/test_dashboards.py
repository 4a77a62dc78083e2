"""Every query of every dashboard has data at an observer of the lab."""

from __future__ import annotations

import json
import shlex
import ssl
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator

import pytest

import dashboards
from lab_fleet import LabFleet

OBSERVER = "fra1-obs-01"
PATIENCE = 150  # seconds: rules are evaluated once a minute, and some read what others have recorded
# Nothing in this fleet checks at night: what such a machine would write, as docs/metrics.md says.
FINDINGS = """bedplate_drift_findings{subject="fra1-colo-01",severity="warning"} 2
bedplate_drift_findings{subject="fra1-colo-02",severity="critical"} 1
"""
FILE = "/var/lib/prometheus/node-exporter/bedplate_proof.prom"


class Prometheus:
    """The observer's Prometheus, asked from outside."""

    def __init__(self, lab: LabFleet) -> None:
        self._address = lab.hosts[OBSERVER].address
        self._trust = ssl.create_default_context(cadata=lab.ssh(OBSERVER, "cat /etc/bedplate/tls/ca.pem").stdout)

    def has_data(self, expression: str) -> bool:
        """Return whether a query has a number for an answer."""
        question = urllib.parse.urlencode({"query": expression})
        url = f"https://{self._address}:9090/api/v1/query?{question}"
        with urllib.request.urlopen(url, timeout=10, context=self._trust) as answer:
            samples = json.load(answer)["data"]["result"]
        return bool(samples) and all(sample["value"][1] != "NaN" for sample in samples)


@pytest.fixture(scope="module")
def prometheus(baselined: LabFleet) -> Iterator[Prometheus]:
    text = f"{FINDINGS}bedplate_nightly_last_run_timestamp_seconds {int(time.time())}\n"
    baselined.ssh(OBSERVER, f"printf %s {shlex.quote(text)} | sudo tee {FILE} >/dev/null")
    try:
        yield Prometheus(baselined)
    finally:
        baselined.ssh(OBSERVER, f"sudo rm -f {FILE}")


@pytest.mark.parametrize("host", [OBSERVER, "ash1-cloud-02"])
def test_every_panel_has_data(prometheus: Prometheus, host: str) -> None:
    queries = dashboards.queries() + dashboards.variable_values()
    asked = {query: query.filled(site=".+", host=host) for query in queries}
    deadline = time.monotonic() + PATIENCE
    empty = set(asked)
    while empty and time.monotonic() < deadline:
        empty = {query for query in empty if not prometheus.has_data(asked[query])}
        time.sleep(2 if empty else 0)
    assert {f"{query.dashboard}, {query.panel}: {asked[query]}" for query in empty} == set()


def test_a_query_without_data_would_be_noticed(prometheus: Prometheus) -> None:
    assert not prometheus.has_data('up{host="nobody"}')
