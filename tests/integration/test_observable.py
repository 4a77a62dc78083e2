"""A fleet at the baseline can be observed: metrics of every host, and every line that a host logs."""

from __future__ import annotations

import json
import re
import secrets
import shlex
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from lab_fleet import ROOT, LabFleet

OBSERVER = "fra1-obs-01"
RECEIVER = "bedplate-receiver.service"
PATIENCE = 90  # seconds until what must come counts as not coming


@dataclass(frozen=True)
class Fleet:
    """The hosts of a lab at the baseline, and how to reach them."""

    lab: LabFleet
    addresses: dict[str, str]

    def shell(self, host: str, command: str) -> str:
        """Run a command as root on a host; return what it printed, and fail the test if it failed."""
        return self.lab.ssh(host, f"sudo sh -c {shlex.quote(command)}").stdout

    def everywhere(self, command: Callable[[str], str]) -> dict[str, str]:
        """Run on each host, at once, what `command` says for it."""
        with ThreadPoolExecutor(len(self.addresses)) as pool:
            return dict(
                zip(self.addresses, pool.map(lambda host: self.shell(host, command(host)), self.addresses), strict=True)
            )

    def play(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the baseline's playbook with further arguments."""
        return subprocess.run(
            ["ansible-playbook", "-i", self.lab.inventory, ROOT / "playbooks" / "baseline.yml", *arguments],
            check=False,
            cwd=ROOT,
            env={**self.lab.environment, "ANSIBLE_NOCOLOR": "1"},
            capture_output=True,
            text=True,
            timeout=1800,
        )

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Ask the observer's Prometheus."""
        question = urllib.parse.urlencode({"query": expression})
        url = f"http://{self.addresses[OBSERVER]}:9090/api/v1/query?{question}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
            return found

    def received(self, host: str, token: str) -> list[str]:
        """Return what `logger --tag proof` said with `token` on a host, as the receiver has it."""
        found = self.shell(OBSERVER, f"grep 'proof.*: {token}' /var/log/bedplate/hosts/{host}/messages || true")
        # Others tell of the token too, such as sudo of the command that logged it.
        return re.findall(rf" proof(?:\[[0-9]+\])?: ({token}.*)$", found, re.MULTILINE)


def eventually(value: Callable[[], object], expected: object) -> None:
    """Wait until `value` is as expected; fail with both if it never is."""
    deadline = time.monotonic() + PATIENCE
    while (seen := value()) != expected and time.monotonic() < deadline:
        time.sleep(1)
    assert seen == expected


@pytest.fixture(scope="module")
def fleet(lab: LabFleet) -> Fleet:
    fleet = Fleet(lab, {name: host.address for name, host in lab.hosts.items()})
    done = fleet.play()
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return fleet


def test_prometheus_sees_every_host_up_with_its_place(fleet: Fleet) -> None:
    # Debian's own configuration ran for a moment: its series has no host, and is remembered for five minutes.
    ours = 'up{job="node",host!=""}'

    def seen() -> dict[str, str]:
        return {found["metric"]["host"]: found["value"][1] for found in fleet.query(ours)}

    eventually(seen, dict.fromkeys(fleet.addresses, "1"))
    labels = {found["metric"]["host"]: found["metric"] for found in fleet.query(ours)}
    assert labels["ash1-cloud-02"].items() >= {
        "site": "ash1", "region": "amer", "class": "cloud", "role": "server", "tenant": "data",
    }.items()  # fmt: skip


def test_the_receiver_holds_a_line_from_each_host_once(fleet: Fleet) -> None:
    token = secrets.token_hex(16)
    fleet.everywhere(lambda host: f"logger --tag proof {token} {host}")
    for host in fleet.addresses:
        eventually(lambda host=host: fleet.received(host, token), [f"{token} {host}"])


def test_nothing_is_lost_while_the_receiver_is_away(fleet: Fleet) -> None:
    token = secrets.token_hex(16)
    fleet.shell(OBSERVER, f"systemctl stop {RECEIVER}")
    try:
        fleet.everywhere(lambda _host: f'seq --format "{token} %03.0f" 0 499 | logger --tag proof')
        assert all(not fleet.received(host, token) for host in fleet.addresses)
    finally:
        fleet.shell(OBSERVER, f"systemctl start {RECEIVER}")
    wanted = {f"{token} {number:03}" for number in range(500)}
    for host in fleet.addresses:
        # Some may come twice; none may be missing.
        eventually(lambda host=host: wanted - set(fleet.received(host, token)), set())


def test_messages_wait_on_disk_when_rsyslog_stops_too(fleet: Fleet) -> None:
    token, host = secrets.token_hex(16), "fra1-colo-01"
    fleet.shell(host, "systemctl stop rsyslog syslog.socket")
    fleet.shell(host, f'seq --format "{token} %03.0f" 0 99 | logger --tag proof && systemctl start rsyslog')
    eventually(lambda: len(set(fleet.received(host, token))), 100)


@pytest.mark.parametrize(
    ("what", "arguments"),
    [
        ("a fault in the settings", ["--extra-vars", json.dumps({"logging_config_extra": 'action(type="nosuch")'})]),
        ("a fault in a fragment", ["--extra-vars", json.dumps({"logging_retry_interval": 7})]),
    ],
)
def test_a_bad_configuration_is_refused_and_the_old_one_runs_on(fleet: Fleet, what: str, arguments: list[str]) -> None:
    host, fragment = "ams1-metal-01", "/etc/rsyslog.d/90-fault.conf"
    look = "sha256sum /etc/rsyslog.conf; systemctl show --property=MainPID,ActiveState rsyslog"
    before = fleet.shell(host, look)
    assert "ActiveState=active" in before
    try:
        if "fragment" in what:
            fleet.shell(host, f"echo 'input(type=\"nosuch\")' > {fragment}")
        done = fleet.play("--limit", host, "--tags", "logging", *arguments)
        assert done.returncode == 2
        assert "failed to validate" in done.stdout
        assert "nosuch" in done.stdout
        assert fleet.shell(host, look) == before
    finally:
        fleet.shell(host, f"rm -f {fragment}")
