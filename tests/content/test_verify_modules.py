"""The modules of the proof, as Ansible starts them: on this machine, and beside a Prometheus that tells what we say."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from content.role_content import ROOT, load_plugin

HOST = load_plugin("plugins/modules/verify_host.py")
PROBING = load_plugin("plugins/module_utils/probing.py")
on_systemd = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("systemctl") is None, reason="a host has systemd and is asked as root"
)


def start(module: str, **arguments: Any) -> dict[str, Any]:
    """Run a module the way Ansible does on a host, and return its answer."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "plugins" / "modules" / f"{module}.py")],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
        env={**os.environ, "PYTHONPATH": str(ROOT / "collections"), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


class TestHost:
    @pytest.mark.parametrize(
        ("kernel", "address", "port"),
        [
            ("0100007F:0050", "127.0.0.1", 80),
            ("00000000000000000000000001000000:0016", "::1", 22),
            ("0000000000000000FFFF00000100007F:0016", "127.0.0.1", 22),
        ],
    )
    @pytest.mark.skipif(sys.byteorder == "big", reason="the kernel's tables have the machine's order")
    def test_the_kernels_addresses_are_read(self, kernel: str, address: str, port: int) -> None:
        found, number = HOST._endpoint(kernel)
        assert (str(found), number, found.is_loopback) == (address, port, True)

    def test_keys_are_read_without_options_and_comments(self, tmp_path: Path) -> None:
        file = tmp_path / "keys"
        file.write_text('# none\n\nfrom="192.0.2.1" ssh-ed25519 AAAA a b\nssh-rsa BBBB\nrubbish\n', encoding="utf-8")
        assert HOST._keys(str(file)) == ["ssh-ed25519 AAAA", "ssh-rsa BBBB"]
        assert HOST._keys(str(tmp_path / "missing")) == []

    def test_other_sources_of_keys_are_read_from_what_sshd_says(self) -> None:
        said = (
            "port 22\nauthorizedkeysfile .ssh/authorized_keys /etc/keys/%u\nauthorizedkeyscommand /usr/bin/lookup %u\n"
            "authorizedkeyscommanduser nobody\ntrustedusercakeys none\n"
        )
        assert HOST.sources_of_keys(said) == (
            [".ssh/authorized_keys", "/etc/keys/%u"], ["AuthorizedKeysCommand /usr/bin/lookup %u"],
        )  # fmt: skip
        assert HOST.sources_of_keys("") == ([".ssh/authorized_keys", ".ssh/authorized_keys2"], [])

    def test_the_metric_is_shown_and_taken_away(self, tmp_path: Path) -> None:
        token = HOST.new_token()
        assert HOST.begin(str(tmp_path), 60, token) == ""
        (file,) = tmp_path.iterdir()
        name, value = file.read_text(encoding="ascii").split()
        assert name == f'bedplate_verify_alert{{token="{token}"}}'
        assert int(value) > datetime.now(UTC).timestamp()
        assert file.stat().st_mode & 0o777 == 0o644
        HOST.end(str(tmp_path), token)
        assert list(tmp_path.iterdir()) == []

    def test_two_proofs_at_once_do_not_take_each_others_metric(self, tmp_path: Path) -> None:
        first, second = HOST.new_token(), HOST.new_token()
        for token in (first, second):
            HOST.begin(str(tmp_path), 60, token)
        HOST.end(str(tmp_path), first)
        (file,) = tmp_path.iterdir()
        assert second in file.read_text(encoding="ascii")

    def test_what_a_proof_left_that_was_killed_goes_with_the_next(self, tmp_path: Path) -> None:
        HOST.begin(str(tmp_path), -1, HOST.new_token())
        token = HOST.new_token()
        HOST.begin(str(tmp_path), 60, token)
        (file,) = tmp_path.iterdir()
        assert token in file.name

    def test_a_metric_that_cannot_be_written_is_said(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(HOST.os, "fchmod", full)
        assert HOST.begin(str(tmp_path), 60, HOST.new_token()) == "No space left on device"
        assert list(tmp_path.iterdir()) == []

    @on_systemd
    def test_a_check_writes_nothing_and_finds_what_listens(self, tmp_path: Path) -> None:
        with socket.create_server(("0.0.0.0", 0)) as outside, socket.create_server(("127.0.0.1", 0)) as inside:  # noqa: S104
            answer = start("verify_host", textfile_directory=str(tmp_path), _ansible_check_mode=True)
            ports = {each["port"] for each in answer["listening"]}
            assert outside.getsockname()[1] in ports
            assert inside.getsockname()[1] not in ports
        assert answer["token"] == ""
        assert list(tmp_path.iterdir()) == []
        assert "root" in {account["name"] for account in answer["accounts"]}


_LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


class Fleet:
    """What a Prometheus, and an Alertmanager at the same address, say of two hosts."""

    def __init__(self) -> None:
        self.address, self.scheme = "", "http"
        self.looks = 0
        self.metrics_with, self.alert_with, self.scraped_with = 2, 3, 1
        self.alertmanagers_after = 0
        self.rules = [{"name": "HostDown", "type": "alerting", "health": "ok"}]
        self.healths = {"a": "up", "b": "up"}

    def answer(self, path: str, question: dict[str, list[str]]) -> Any:
        """Return what is asked for; metrics come with the second look, alerts with the third or a later one."""
        if path == "/api/v1/rules":
            return {"groups": [{"rules": self.rules}]}
        if path == "/api/v1/alertmanagers":
            self.alertmanagers_after -= 1
            if self.alertmanagers_after >= 0:
                return {"activeAlertmanagers": []}
            return {"activeAlertmanagers": [{"url": f"{self.scheme}://{self.address}/api/v2/alerts"}]}
        if path == "/api/v1/targets":
            self.looks += 1
            return {"activeTargets": [self._target(host) for host in self.healths]}
        if path == "/api/v2/alerts":
            return [{"labels": {"token": f"token-{host}"}} for host in self.healths if self.looks >= self.alert_with]
        name, value = ("host", "0.5") if "timestamp" in question["query"][0] else ("token", "1")
        labels = [
            host if name == "host" else f"token-{host}" for host in self.healths if self.looks >= self.metrics_with
        ]
        return {"result": [{"metric": {name: label}, "value": [0, value]} for label in labels]}

    def _target(self, host: str) -> dict[str, Any]:
        scraped = datetime.now(UTC) if self.looks >= self.scraped_with else _LONG_AGO
        return {
            "labels": {"job": "node", "host": host},
            "health": self.healths[host],
            "lastError": "" if self.healths[host] == "up" else "refused",
            "lastScrape": scraped.strftime("%Y-%m-%dT%H:%M:%S.999999999Z"),
        }


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    with serving(Fleet()) as said:
        yield said


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a folder of a host: a certificate of its own for 127.0.0.1, which it trusts; return certificate and key."""
    folder.mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=host", "-keyout", folder / "host.key", "-out", folder / "host.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    shutil.copy(folder / "host.pem", folder / "ca.pem")
    return folder / "host.pem", folder / "host.key"


@contextmanager
def serving(said: Fleet, pair: tuple[Path, Path] | None = None) -> Iterator[Fleet]:
    """Serve what is said; with a certificate and its key over TLS, to those who show one."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            found = said.answer(url.path, parse_qs(url.query))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(found if url.path.startswith("/api/v2") else {"data": found}).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if pair is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(pair[0]))
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(*pair)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        said.scheme = "https"
    said.address = f"127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield said
    finally:
        server.shutdown()
        server.server_close()


def watch(fleet: Fleet, logs: Path, **more: Any) -> dict[str, Any]:
    hosts = {host: {"token": f"token-{host}", "logs": True} for host in ("a", "b")}
    for host in hosts:
        (logs / host).mkdir(parents=True)
        (logs / host / "messages").write_text(f"bedplate-verify: proof token-{host}\n", encoding="utf-8")
    arguments = {"hosts": hosts, "prometheus": fleet.address, "authority": str(logs / "none"), "alerts": ["HostDown"]}
    return start("verify_observer", log_directory=str(logs), **{**arguments, **more})


class TestObserver:
    def test_it_waits_until_all_has_come(self, fleet: Fleet, tmp_path: Path) -> None:
        answer = watch(fleet, tmp_path)
        assert (answer["error"], answer["missing_alerts"], answer["failing_rules"]) == ("", [], [])
        for seen in answer["hosts"].values():
            assert seen["target"] == {"health": "up", "error": "", "fresh": True}
            assert None not in (seen["metrics"], seen["log"], seen["alert"])
            assert seen["clock"] == 0.5
        assert fleet.looks == 3

    def test_it_does_not_wait_for_what_cannot_come(self, fleet: Fleet, tmp_path: Path) -> None:
        fleet.healths = {"a": "down"}
        answer = watch(fleet, tmp_path)
        assert answer["hosts"]["a"]["target"]["error"] == "refused"
        assert answer["hosts"]["b"]["target"] is None
        assert answer["hosts"]["b"]["log"] is not None
        assert fleet.looks == 1

    def test_it_gives_up_on_a_line_that_does_not_come(self, fleet: Fleet, tmp_path: Path) -> None:
        hosts = {"c": {"token": "token-c", "logs": True}}
        answer = watch(fleet, tmp_path, hosts=hosts, patience=1)
        assert answer["hosts"]["c"]["log"] is None

    def test_an_alert_has_its_own_time_from_its_metric_on(self, fleet: Fleet, tmp_path: Path) -> None:
        fleet.alert_with = 5
        answer = watch(fleet, tmp_path, patience=3)
        assert {host: seen["alert"] is not None for host, seen in answer["hosts"].items()} == {"a": True, "b": True}

    def test_it_waits_for_a_scrape_when_all_else_is_there_already(self, fleet: Fleet, tmp_path: Path) -> None:
        fleet.metrics_with, fleet.alert_with, fleet.scraped_with = 1, 1, 2
        answer = watch(fleet, tmp_path)
        assert [seen["target"]["fresh"] for seen in answer["hosts"].values()] == [True, True]

    def test_a_prometheus_that_has_just_started_may_find_its_alertmanager(self, fleet: Fleet, tmp_path: Path) -> None:
        fleet.alertmanagers_after = 2
        answer = watch(fleet, tmp_path)
        assert answer["alertmanagers"] == [f"http://{fleet.address}"]
        assert [seen["alert"] is not None for seen in answer["hosts"].values()] == [True, True]

    def test_a_prometheus_without_an_alertmanager_is_told_of(self, fleet: Fleet, tmp_path: Path) -> None:
        fleet.alertmanagers_after = 1000
        answer = watch(fleet, tmp_path, patience=1)
        assert (answer["error"], answer["alertmanagers"]) == ("", [])

    def test_it_gives_up_on_an_alert_that_does_not_come(self, fleet: Fleet, tmp_path: Path) -> None:
        fleet.alert_with = 1000
        answer = watch(fleet, tmp_path, patience=1)
        assert [seen["alert"] for seen in answer["hosts"].values()] == [None, None]

    def test_rules_that_are_missing_or_fail_are_named(self, fleet: Fleet, tmp_path: Path) -> None:
        fleet.rules = [{"name": "Other", "type": "alerting", "health": "err"}]
        answer = watch(fleet, tmp_path)
        assert (answer["missing_alerts"], answer["failing_rules"]) == (["HostDown"], ["Other"])

    def test_an_observer_without_prometheus_is_one_sentence(self, fleet: Fleet, tmp_path: Path) -> None:
        answer = watch(fleet, tmp_path, prometheus="127.0.0.1:1")
        assert answer["error"].startswith("http://127.0.0.1:1: ")
        assert "refused" in answer["error"]

    def test_it_asks_an_alertmanager_that_wants_a_certificate(self, tmp_path: Path) -> None:
        """As observers do whose observer_alert_listen_address is open to others."""
        pair = certificate(tmp_path / "tls")
        with serving(Fleet(), pair) as fleet:
            answer = watch(fleet, tmp_path / "logs", authority=str(tmp_path / "tls" / "ca.pem"), scheme="https")
        assert answer["error"] == ""
        assert all(seen["alert"] is not None for seen in answer["hosts"].values())

    def test_it_asks_without_tls_where_the_observer_has_it_off(self, fleet: Fleet, tmp_path: Path) -> None:
        certificate(tmp_path / "tls")
        answer = watch(fleet, tmp_path / "logs", authority=str(tmp_path / "tls" / "ca.pem"), scheme="http")
        assert answer["error"] == ""

    def test_ports_of_many_hosts_do_not_wait_for_each_other(self) -> None:
        """Behind firewalls that drop, each port takes its whole patience: here all wait at one barrier."""
        probes = {f"host{number}": {"address": f"192.0.2.{number}", "ports": [1, 2]} for number in range(1, 21)}
        together = threading.Barrier(40, timeout=30)

        def attempt(*_: object) -> bool:
            together.wait()
            return True

        assert PROBING.open_ports_of(probes, attempt=attempt) == {host: [1, 2] for host in probes}

    def test_ports_are_tried(self, fleet: Fleet, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            probes = {"a": {"address": "127.0.0.1", "ports": [port, 1]}}
            assert watch(fleet, tmp_path, probes=probes)["open_ports"] == {"a": [port]}


WEB = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ansible_become": False}
GHOST = {"ansible_host": "127.0.0.1", "ansible_port": 1}


def play(
    tmp_path: Path, groups: dict[str, Any], *arguments: str
) -> tuple[int, dict[str, dict[str, dict[str, str]]], str]:
    """Run the playbook in check mode; return its exit code, the checks by host, and what it printed."""
    inventory, artifacts = tmp_path / "hosts.yml", tmp_path / "artifacts"
    inventory.write_text(json.dumps(groups), encoding="utf-8")
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "-i", inventory, "--check", *arguments,
         ROOT / "playbooks" / "verify.yml"],
        env={
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
            "ANSIBLE_HOME": str(tmp_path / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
            "BEDPLATE_ARTIFACTS": str(artifacts),
        },
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert (artifacts / "verify.json").is_file(), said
    assert (artifacts / "verify.xml").is_file()
    hosts = json.loads((artifacts / "verify.json").read_text(encoding="utf-8"))["hosts"]
    checks = {host["host"]: {check["check"]: check for check in host["checks"]} for host in hosts}
    return done.returncode, checks, said


@on_systemd
def test_an_observer_out_of_reach_fails_its_hosts_and_not_the_proof(tmp_path: Path) -> None:
    groups = {"all": {"hosts": {"web": WEB}}, "role_observer": {"hosts": {"ghost": GHOST}}}
    code, found, said = play(tmp_path, groups, "--limit", "web")
    assert code == 2, said
    checks = found["web"]
    assert checks["metrics"]["status"] == "failed"
    assert "ghost cannot tell: " in checks["metrics"]["detail"]
    assert "onnect" in checks["metrics"]["detail"]
    assert (checks["alert"]["status"], checks["logs"]["status"]) == ("blocked", "skipped")
    assert checks["clock"]["status"] != "passed"


UNREACHABLE = 4


@on_systemd
def test_hosts_of_which_none_can_be_reached_have_a_report_too(tmp_path: Path) -> None:
    code, found, said = play(tmp_path, {"all": {"hosts": {"gone": GHOST, "gone-too": GHOST}}})
    assert code == UNREACHABLE, said
    for host in ("gone", "gone-too"):
        assert found[host]["reach"]["status"] == "failed"
        assert found[host]["reach"]["detail"].startswith("the host could not be reached: ")
        assert {check["status"] for name, check in found[host].items() if name != "reach"} == {"blocked"}


@on_systemd
def test_a_host_of_which_the_inventory_is_wrong_is_not_told_to_be_out_of_reach(tmp_path: Path) -> None:
    code, found, said = play(tmp_path, {"all": {"hosts": {"web": {**WEB, "verify_skip": ["luck"]}}}})
    assert code == 2, said
    assert found["web"]["reach"]["detail"].startswith("the inventory does not say what is right for it: ")
    assert "verify_skip of web: luck is no check" in found["web"]["reach"]["detail"]


@on_systemd
def test_no_observer_waits_for_another(tmp_path: Path) -> None:
    """Each of two begins to answer when both were asked: one behind the other, the first would wait in vain."""
    asked = threading.Barrier(2)

    class Waiting(Fleet):
        def answer(self, path: str, question: dict[str, list[str]]) -> Any:
            if path == "/api/v1/rules":
                with suppress(threading.BrokenBarrierError):
                    asked.wait(timeout=60)
            return super().answer(path, question)

    left, right = Waiting(), Waiting()
    left.healths, right.healths = {"left": "up"}, {"right": "up"}
    with serving(left), serving(right):
        wanted = {"verify_skip": ["logs", "clock", "accounts", "ports", "alert"], "observer_rules": {}}
        hosts = {
            name: {**WEB, **wanted, "bedplate_site": name, "observer_web_tls": False,
                   "observer_listen_port": int(said.address.partition(":")[2])}
            for name, said in (("left", left), ("right", right))
        }  # fmt: skip
        groups = {"all": {"hosts": hosts}, "role_observer": {"hosts": dict.fromkeys(hosts)}}
        code, found, said_by_all = play(tmp_path, groups)
    assert not asked.broken, "one observer was asked only when the other had answered"
    assert {host: checks["metrics"]["status"] for host, checks in found.items()} == dict.fromkeys(hosts, "passed")
    assert code == 0, said_by_all
