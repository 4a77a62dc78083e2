# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""What an observer knows of the hosts that it watches."""

from __future__ import annotations

import http.client
import json
import os
import re
import ssl
import time
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.bedplate.datacenter.plugins.module_utils.probing import open_ports_of

DOCUMENTATION = r"""
module: verify_observer
short_description: An observer's part of the proof that hosts can be observed
description:
  - Waits on an observer until the metrics, the line and the alert of each host have arrived, for all hosts at once,
    and says after how many seconds each came. It also says which of a host's ports answer from here.
  - It changes nothing.
options:
  hosts:
    description: By host name, what is awaited of it.
    type: dict
    required: true
  probes:
    description: By host name, its C(address) and the TCP C(ports) to try.
    type: dict
    default: {}
  prometheus:
    description: The address of Prometheus, without C(http://) or C(https://).
    type: str
    default: 127.0.0.1:9090
  scheme:
    description: How Prometheus is asked; by default over TLS where the file I(authority) exists.
    type: str
    choices: [http, https]
  authority:
    description: >-
      The certificate of the private CA. The certificate and the key beside it, C(host.pem) and C(host.key), are shown
      to parts of the observer that ask for one.
    type: path
    default: /etc/bedplate/tls/ca.pem
  log_directory:
    description: The receiver's folder of logs.
    type: path
    default: /var/log/bedplate/hosts
  alerts:
    description: Names of the alerts that Prometheus must know.
    type: list
    elements: str
    default: []
  patience:
    description: The most seconds to wait for metrics and lines, and then for the alert that a metric drives.
    type: int
    default: 45
attributes:
  check_mode:
    support: full
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Wait for what two hosts have sent
  bedplate.datacenter.verify_observer:
    hosts:
      fra1-colo-01: {token: 81e0c2, logs: true}
      fra1-colo-02: {token: 5f1b77, logs: false}
"""

RETURN = r"""
error:
  description: Why nothing could be asked; empty when it could.
  returned: always
  type: str
missing_alerts:
  description: Alerts that Prometheus does not have.
  returned: always
  type: list
  elements: str
failing_rules:
  description: Rules that Prometheus could not evaluate.
  returned: always
  type: list
  elements: str
alertmanagers:
  description: Addresses of the Alertmanagers that Prometheus hands alerts to.
  returned: always
  type: list
  elements: str
hosts:
  description: By host, its C(target), and after how many seconds its C(metrics), its C(log) and its C(alert) came.
  returned: always
  type: dict
open_ports:
  description: By host, the ports that answered.
  returned: always
  type: dict
"""

_TAIL = 4 * 1024 * 1024
_SECONDS_TO_FIND = 10
_METRIC = "bedplate_verify_alert"
_ALERT = "VerifyProof"
_AHEAD = 'node_time_seconds{job="node"} - timestamp(node_time_seconds{job="node"})'
_CLOCKS = _AHEAD + " < 0 or clamp_min(" + _AHEAD + ' - on(instance, host) scrape_duration_seconds{job="node"}, 0)'


class Watch:
    """What has arrived of the awaited, and when."""

    def __init__(self, params: dict) -> None:
        self._tls = _tls(params["authority"])
        scheme = params["scheme"] or ("https" if self._tls else "http")
        self.prometheus = "{0}://{1}".format(scheme, params["prometheus"])
        self._logs = params["log_directory"]
        self._awaited: dict[str, dict] = params["hosts"]
        self._began = time.time()
        self._started = time.monotonic()
        self._patience: int = params["patience"]
        self._alertmanagers: list[str] = []
        self.hosts: dict[str, dict] = {
            host: {"target": None, "metrics": None, "log": None, "alert": None, "clock": None} for host in self._awaited
        }

    def prepare(self, alerts: list[str]) -> dict[str, list[str]]:
        """Return what Prometheus lacks or cannot evaluate, and whom it hands alerts to."""
        groups = self._ask("/api/v1/rules")["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        names = {rule["name"] for rule in rules if rule["type"] == "alerting"}
        self._find_alertmanagers()
        return {
            "missing_alerts": sorted(set(alerts) - names),
            "failing_rules": sorted({rule["name"] for rule in rules if rule["health"] == "err"}),
            "alertmanagers": self._alertmanagers,
        }

    def _find_alertmanagers(self) -> None:
        """Find out whom Prometheus hands alerts to: it knows some seconds after its start."""
        while True:
            active = self._ask("/api/v1/alertmanagers")["activeAlertmanagers"]
            self._alertmanagers = [re.sub(r"/api/v[0-9]+/alerts\Z", "", each["url"]) for each in active]
            if active or time.monotonic() - self._started >= min(self._patience, _SECONDS_TO_FIND):
                return
            time.sleep(0.5)

    def look(self) -> None:
        """Note what has arrived since the last look."""
        self._look_at_targets()
        tokens = {each["token"]: host for host, each in self._awaited.items() if each["token"]}
        shown = self._query(_METRIC) if tokens else []
        self._note("metrics", [tokens.get(each["metric"].get("token")) for each in shown])
        self._note("alert", [tokens.get(token) for token in self._alerts()] if tokens else [])
        self._note("log", [host for host, each in self._awaited.items() if each["logs"] and self._logged(host)])

    def look_at_clocks(self) -> None:
        """Note how far each host's clock was from this one's when it was scraped, less what the scrape took."""
        for sample in self._query(_CLOCKS):
            host = sample["metric"].get("host")
            if host in self.hosts:
                self.hosts[host]["clock"] = float(sample["value"][1])

    def waits(self) -> bool:
        """Return whether something may still come."""
        return any(self._incomplete(host) for host in self.hosts)

    def _incomplete(self, host: str) -> bool:
        seen, awaited = self.hosts[host], self._awaited[host]
        passed = time.monotonic() - self._started
        awaits_alert = seen["metrics"] is not None and seen["alert"] is None and self._alertmanagers
        # An alert has its own time, from its metric on: on a slow host the scrape alone can take most of it.
        if awaits_alert and passed < seen["metrics"] + self._patience:
            return True
        if passed >= self._patience:
            return False
        if awaited["logs"] and awaited["token"] and seen["log"] is None:
            return True
        target = seen["target"]
        if target is None or not target["fresh"]:
            return target is not None
        # What is not scraped can fire nothing.
        return bool(awaited["token"]) and target["health"] == "up" and seen["metrics"] is None

    def _note(self, what: str, hosts: list[str | None]) -> None:
        for host in hosts:
            if host is not None and self.hosts[host][what] is None:
                self.hosts[host][what] = round(time.monotonic() - self._started, 1)

    def _look_at_targets(self) -> None:
        for target in self._ask("/api/v1/targets?state=active")["activeTargets"]:
            host = target["labels"].get("host")
            if target["labels"].get("job") == "node" and host in self.hosts:
                # A scrape that began before we did says nothing of now.
                fresh = _seconds(target["lastScrape"]) > self._began
                known = {"health": target["health"], "error": target["lastError"], "fresh": fresh}
                self.hosts[host]["target"] = known

    def _alerts(self) -> list[str]:
        found = []
        for address in self._alertmanagers:
            question = urllib.parse.urlencode({"filter": 'alertname="{0}"'.format(_ALERT)})
            found += self._get("{0}/api/v2/alerts?{1}".format(address, question))
        return [alert["labels"].get("token", "") for alert in found]

    def _logged(self, host: str) -> bool:
        token = self._awaited[host]["token"]
        path = os.path.join(self._logs, host, "messages")
        if not token or self.hosts[host]["log"] is not None or not os.path.exists(path):
            return False
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            return "proof {0}".format(token).encode() in file.read()

    def _query(self, expression: str) -> list[dict]:
        return self._ask("/api/v1/query?" + urllib.parse.urlencode({"query": expression}))["result"]

    def _ask(self, path: str) -> dict:
        return self._get(self.prometheus + path)["data"]

    def _get(self, url: str) -> dict:
        context = self._tls if url.startswith("https:") else None
        with urllib.request.urlopen(url, timeout=10, context=context) as answer:  # noqa: S310 (an address of this observer)
            return json.load(answer)


def _tls(authority: str) -> ssl.SSLContext | None:
    """Return how to speak TLS with parts of this observer, or None where it has no certificates."""
    if not os.path.exists(authority):
        return None
    context = ssl.create_default_context(cafile=authority)
    context.check_hostname = False  # it is asked at the address that it listens on, which its certificate need not name
    certificate, key = (os.path.join(os.path.dirname(authority), name) for name in ("host.pem", "host.key"))
    if os.path.exists(certificate) and os.path.exists(key):
        context.load_cert_chain(certificate, key)
    return context


def _seconds(stamp: str) -> float:
    """Return a time of Prometheus, which has up to nine digits behind the point, in seconds since the epoch."""
    whole, fraction, zone = re.fullmatch(r"(.{19})(\.[0-9]+)?(Z|[+-].{5})", stamp).groups()
    return datetime.fromisoformat(whole + zone.replace("Z", "+00:00")).timestamp() + float(fraction or 0)


def watch(params: dict) -> dict:
    """Return what has arrived, and what Prometheus lacks."""
    result = {"error": "", "missing_alerts": [], "failing_rules": [], "alertmanagers": [], "hosts": {}}
    try:
        seen = Watch(params)
    except OSError as error:
        return {**result, "error": "{0}: {1}".format(params["authority"], error)}
    try:
        result.update(seen.prepare(params["alerts"]))
        seen.look()
        while seen.waits():
            time.sleep(1)
            seen.look()
        seen.look_at_clocks()
    except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
        result["error"] = "{0}: {1}".format(seen.prometheus, error)
    return {**result, "hosts": seen.hosts}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "hosts": {"type": "dict", "required": True},
            "probes": {"type": "dict", "default": {}},
            "prometheus": {"type": "str", "default": "127.0.0.1:9090"},
            "scheme": {"type": "str", "choices": ["http", "https"]},
            "authority": {"type": "path", "default": "/etc/bedplate/tls/ca.pem"},
            "log_directory": {"type": "path", "default": "/var/log/bedplate/hosts"},
            "alerts": {"type": "list", "elements": "str", "default": []},
            "patience": {"type": "int", "default": 45},
        },
        supports_check_mode=True,
    )
    # Ports that answer nothing take their time, and alerts end by themselves meanwhile.
    with ThreadPoolExecutor(1) as pool:
        probed = pool.submit(open_ports_of, module.params["probes"])
        answer = watch(module.params)
        module.exit_json(changed=False, open_ports=probed.result(), **answer)


if __name__ == "__main__":
    main()
