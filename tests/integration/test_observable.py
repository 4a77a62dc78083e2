"""A fleet at the baseline can be observed: metrics of every host, and every line that a host logs."""

from __future__ import annotations

import json
import re
import secrets
import shlex
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

import dashboards
from lab_fleet import FACTORY, ROOT, LabFleet, podman, require_lab

OBSERVER = "fra1-obs-01"
SECOND = "ash1-obs-01"  # not in the lab's own inventory
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

    @property
    def watched(self) -> dict[str, list[str]]:
        """The hosts that each observer watches."""
        second = [host for host in self.addresses if host.startswith("ash1-")]
        return {SECOND: second, OBSERVER: [host for host in self.addresses if host not in second]}

    def query(self, expression: str, observer: str = OBSERVER) -> list[dict[str, Any]]:
        """Ask an observer's Prometheus."""
        question = urllib.parse.urlencode({"query": expression})
        url = f"https://{self.addresses[observer]}:9090/api/v1/query?{question}"
        with urllib.request.urlopen(url, timeout=10, context=self.trust) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
            return found

    @cached_property
    def authority(self) -> str:
        """The certificate of the fleet's authority."""
        return self.shell(OBSERVER, "cat /etc/bedplate/tls/ca.pem")

    @cached_property
    def trust(self) -> ssl.SSLContext:
        """Trust in the fleet's authority, and no certificate to show."""
        return ssl.create_default_context(cadata=self.authority)

    @contextmanager
    def connection(self, address: str, port: int, via: str) -> Iterator[socket.socket]:
        """Connect to a port of a host as another host: the firewall lets in nobody else."""
        ours, theirs = socket.socketpair()
        words = ["ssh", "-F", str(self.lab.ssh_config), "-o", "BatchMode=yes", "-W", f"{address}:{port}", via]
        with ours, subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL) as process:
            theirs.close()
            ours.settimeout(30)
            try:
                yield ours
            finally:
                process.kill()

    def received(self, host: str, token: str) -> list[str]:
        """Return what `logger --tag proof` said with `token` on a host, as its receiver has it."""
        receiver = next(observer for observer, hosts in self.watched.items() if host in hosts)
        found = self.shell(receiver, f"grep 'proof.*: {token}' /var/log/bedplate/hosts/{host}/messages || true")
        # Others tell of the token too, such as sudo of the command that logged it.
        return re.findall(rf" proof(?:\[[0-9]+\])?: ({token}.*)$", found, re.MULTILINE)


def eventually(value: Callable[[], object], expected: object) -> None:
    """Wait until `value` is as expected; fail with both if it never is."""
    deadline = time.monotonic() + PATIENCE
    while (seen := value()) != expected and time.monotonic() < deadline:
        time.sleep(1)
    assert seen == expected


def up(fleet: Fleet, expression: str, observer: str) -> dict[str, str]:
    """Return the values of a series by host."""
    return {found["metric"]["host"]: found["value"][1] for found in fleet.query(expression, observer)}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabFleet]:
    """The lab's fleet with an observer more."""
    require_lab()
    folder = tmp_path_factory.mktemp("two-observers")
    source, lab = folder / "inventory", LabFleet(folder / "home")
    shutil.copytree(ROOT / "inventories" / "lab", source)
    snapshot = json.loads((source / ".snapshot.json").read_text(encoding="utf-8"))
    place = {
        name: snapshot["hosts"]["ash1-cloud-02"][name] for name in ("class", "region", "site_group", "site", "cluster")
    }
    more = {"name": SECOND, "id": 40, "platform": "debian-12", "primary_ip4": "10.213.77.42"}
    snapshot["hosts"][SECOND] = {**snapshot["hosts"][OBSERVER], "rack": None, "position": None, **place, **more}
    (source / ".snapshot.json").write_text(json.dumps(snapshot), encoding="utf-8")
    command = [sys.executable, FACTORY, "--folder", lab.home / "lab", "up", "--inventory", source, "--subnet", "auto"]
    try:
        subprocess.run(command, check=True, timeout=1800)
        yield lab
    finally:
        lab.bedplate("lab", "down", check=False)


@pytest.fixture(scope="module")
def fleet(lab: LabFleet) -> Fleet:
    fleet = Fleet(lab, {name: host.address for name, host in lab.hosts.items()})
    done = fleet.play()
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return fleet


def test_prometheus_sees_every_host_up_with_its_place(fleet: Fleet) -> None:
    for observer, hosts in fleet.watched.items():
        eventually(lambda observer=observer: up(fleet, 'up{job="node"}', observer), dict.fromkeys(hosts, "1"))
    labels = {found["metric"]["host"]: found["metric"] for found in fleet.query('up{job="node"}', SECOND)}
    assert labels["ash1-cloud-02"].items() >= {
        "site": "ash1", "region": "amer", "class": "cloud", "role": "server", "tenant": "data",
    }.items()  # fmt: skip


@pytest.mark.parametrize("observer", [OBSERVER, SECOND])
def test_every_part_of_an_observer_answers_and_every_probe_succeeds(fleet: Fleet, observer: str) -> None:
    parts = {"prometheus", "alertmanager", "blackbox", "federate", "node", "probe"}

    def seen() -> set[str]:
        return {found["metric"]["job"] for found in fleet.query("min by (job) (up) == 1", observer)}

    eventually(seen, parts)
    probes = {(host, probe) for host in fleet.watched[observer] for probe in ("ssh", "icmp", "metrics")}

    def succeeded() -> set[tuple[str, str]]:
        found = [each["metric"] for each in fleet.query("probe_success == 1", observer)]
        return {(metric["host"], metric["probe"]) for metric in found}

    eventually(succeeded, probes)


@pytest.mark.parametrize("observer", [OBSERVER, SECOND])
def test_the_fleets_dashboard_counts_each_host_once_at_any_observer(fleet: Fleet, observer: str) -> None:
    panels = {query.panel: query.filled(site=".+") for query in dashboards.queries() if query.dashboard == "fleet"}

    def shown(panel: str) -> list[str]:
        return [found["value"][1] for found in fleet.query(panels[panel], observer)]

    eventually(lambda: shown("Hosts"), [str(len(fleet.addresses))])
    eventually(lambda: shown("Hosts down"), ["0"])


def test_each_observer_shows_the_whole_fleet_and_the_loss_of_one_hides_nothing_of_the_other(fleet: Fleet) -> None:
    def everywhere(observer: str) -> dict[str, str]:
        return up(fleet, 'up{job="node"} or global:up{job="node"}', observer)

    for observer in fleet.watched:
        eventually(lambda observer=observer: everywhere(observer), dict.fromkeys(fleet.addresses, "1"))
        # What was handed on does not come back.
        assert fleet.query(f'global:up{{observer="{observer}"}}', observer) == []
    fleet.shell(SECOND, "systemctl stop prometheus")
    try:
        peer = 'up{job="federate"}'
        eventually(lambda: [found["value"][1] for found in fleet.query(peer)], ["0"])
        assert up(fleet, 'up{job="node"}', OBSERVER) == dict.fromkeys(fleet.watched[OBSERVER], "1")
    finally:
        fleet.shell(SECOND, "systemctl start prometheus")
    eventually(lambda: everywhere(OBSERVER), dict.fromkeys(fleet.addresses, "1"))


@pytest.mark.parametrize(
    ("host", "port", "via"),
    [("fra1-colo-01", 9100, OBSERVER), (OBSERVER, 2514, "fra1-colo-01"), (SECOND, 2514, "ash1-cloud-01")],
)
def test_a_client_without_a_certificate_is_refused(fleet: Fleet, host: str, port: int, via: str) -> None:
    """Of the exporter and the receivers, although it comes from where the firewall lets in."""
    address = fleet.addresses[host]
    with (
        fleet.connection(address, port, via) as plain,
        fleet.trust.wrap_socket(plain, server_hostname=address) as connection,
    ):
        # With TLS 1.3 the client's handshake is over before the server has looked for its certificate.
        assert connection.version() == "TLSv1.3"
        with pytest.raises((ssl.SSLError, ConnectionError)):
            _ask(connection)


def _ask(connection: ssl.SSLSocket) -> None:
    connection.sendall(b"1 open 45 relp_version=0\nrelp_software=x\ncommands=syslog\n")
    if not connection.recv(1):
        raise ConnectionError("closed without an answer")


@pytest.mark.parametrize(("port", "via"), [(9090, SECOND), (9100, SECOND), (2514, "fra1-colo-01")])
def test_a_weak_cipher_is_refused(fleet: Fleet, port: int, via: str) -> None:
    address = fleet.addresses[OBSERVER]
    context = ssl.create_default_context(cadata=fleet.authority)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with fleet.connection(address, port, via) as plain:  # the port is reached, and speaks TLS
        fleet.trust.wrap_socket(plain, server_hostname=address).close()
    context.set_ciphers("ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES256-SHA:AES256-SHA")
    with fleet.connection(address, port, via) as plain, pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(plain, server_hostname=address)


def test_an_authority_that_has_expired_is_one_clear_sentence(fleet: Fleet) -> None:
    folder = "/etc/bedplate/ca"
    key = load_pem_private_key(fleet.shell(SECOND, f"cat {folder}/ca.key").encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Bedplate CA")])
    now, day = datetime.now(UTC), timedelta(days=1)
    ended = x509.CertificateBuilder(name, name, key.public_key(), 1, now - 9 * day, now - day).sign(key, SHA256())
    fleet.shell(
        SECOND,
        f"cp -a {folder}/ca.pem {folder}/kept && echo '{ended.public_bytes(Encoding.PEM).decode()}' > {folder}/ca.pem",
    )
    try:
        done = fleet.play("--limit", "fra1-colo-01,fra1-colo-02", "--tags", "metrics")
        assert done.returncode == 2
        said = " ".join(done.stdout.split())
        sentence = f"the certificate authority {folder}/ca.pem expired on {now - day:%Y-%m-%d}"
        # To each host, and not only to the one that asked for all.
        for host in ("fra1-colo-01", "fra1-colo-02"):
            assert re.search(rf"fatal: \[{host}\]: FAILED! => [^[]{{0,400}}{sentence}", said), said
        assert "does not answer" not in said
    finally:
        fleet.shell(SECOND, f"mv {folder}/kept {folder}/ca.pem")


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        ({}, 0, ""),
        ({"certificates_names_extra": ["DNS:more"]}, 2, "and nowhere, where the authority may be, does not answer"),
    ],
)
def test_a_host_goes_on_while_the_authority_is_away(fleet: Fleet, more: dict[str, Any], code: int, said: str) -> None:
    settings = json.dumps({"certificates_authority_hosts": ["nowhere"], **more})
    done = fleet.play("--limit", "fra1-colo-01", "--tags", "metrics", "--extra-vars", settings)
    assert done.returncode == code, done.stdout[-4000:]
    assert "Look at the host's certificate" in done.stdout
    assert said in " ".join(done.stdout.split())


def test_the_receiver_holds_a_line_from_each_host_once(fleet: Fleet) -> None:
    token = secrets.token_hex(16)
    fleet.everywhere(lambda host: f"logger --tag proof {token} {host}")
    for host in fleet.addresses:
        eventually(lambda host=host: fleet.received(host, token), [f"{token} {host}"])


def test_nothing_is_lost_while_the_receiver_is_away(fleet: Fleet) -> None:
    token = secrets.token_hex(16)
    for observer in fleet.watched:
        fleet.shell(observer, f"systemctl stop {RECEIVER}")
    try:
        fleet.everywhere(lambda _host: f'seq --format "{token} %03.0f" 0 499 | logger --tag proof')
        assert all(not fleet.received(host, token) for host in fleet.addresses)
    finally:
        for observer in fleet.watched:
            fleet.shell(observer, f"systemctl start {RECEIVER}")
    wanted = {f"{token} {number:03}" for number in range(500)}
    for host in fleet.addresses:
        # Some may come twice; none may be missing.
        eventually(lambda host=host: wanted - set(fleet.received(host, token)), set())


def test_nothing_is_lost_while_a_whole_observer_is_down(fleet: Fleet) -> None:
    token, host, container = secrets.token_hex(16), "ash1-cloud-01", fleet.lab.hosts[SECOND].container
    podman("stop", "--time", "5", container)
    try:
        fleet.shell(host, f'seq --format "{token} %03.0f" 0 299 | logger --tag proof')
    finally:
        podman("start", container)
    eventually(lambda: fleet.lab.ssh(SECOND, "true", check=False).returncode, 0)
    eventually(lambda: len(set(fleet.received(host, token))), 300)


def test_nothing_is_lost_while_an_observers_certificate_is_not_accepted(fleet: Fleet) -> None:
    token, host, tls = secrets.token_hex(16), "ash1-cloud-01", "/etc/bedplate/tls"
    complaint = "journalctl --quiet --unit bedplate-log-tunnel --since -2min --grep 'certificate' || true"
    fleet.shell(
        SECOND,
        f"mkdir /tmp/own && cp -p {tls}/host.* /tmp/own && openssl req -x509 -newkey rsa:2048 -nodes -days 1"
        f" -subj /CN={SECOND} -keyout /tmp/other.key -out /tmp/other.pem 2>/dev/null && cd {tls}"
        f" && cat /tmp/other.key > host.key && cat /tmp/other.pem > host.pem && systemctl restart {RECEIVER}",
    )
    try:
        fleet.shell(host, f'seq --format "{token} %03.0f" 0 9 | logger --tag proof')
        eventually(lambda: bool(fleet.shell(host, complaint).strip()), True)
        fleet.shell(host, f'seq --format "{token} %03.0f" 10 299 | logger --tag proof')
        assert not fleet.received(host, token)
    finally:
        fleet.shell(SECOND, f"cp -p /tmp/own/* {tls} && rm -r /tmp/own /tmp/other.* && systemctl restart {RECEIVER}")
    eventually(lambda: len(set(fleet.received(host, token))), 300)


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
        assert "would be wrong" in done.stdout
        assert "nosuch" in done.stdout
        assert fleet.shell(host, look) == before
    finally:
        fleet.shell(host, f"rm -f {fragment}")
