"""The modules of the proof, as Ansible starts them: on this machine, and beside a Prometheus that tells what we say."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from content.role_content import ROOT, load_plugin

HOST = load_plugin("plugins/modules/verify_host.py")
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

    def test_the_metric_is_shown_and_taken_away(self, tmp_path: Path) -> None:
        token = HOST.begin(str(tmp_path), 60)
        (file,) = tmp_path.iterdir()
        name, value = file.read_text(encoding="ascii").split()
        assert name == f'bedplate_verify_alert{{token="{token}"}}'
        assert int(value) > datetime.now(UTC).timestamp()
        assert file.stat().st_mode & 0o777 == 0o644
        HOST.end(str(tmp_path))
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
        self.address = ""
        self.looks = 0
        self.metrics_with, self.alert_with, self.scraped_with = 2, 3, 1
        self.rules = [{"name": "HostDown", "type": "alerting", "health": "ok"}]
        self.healths = {"a": "up", "b": "up"}

    def answer(self, path: str, question: dict[str, list[str]]) -> Any:
        """Return what is asked for; metrics come with the second look, alerts with the third or a later one."""
        if path == "/api/v1/rules":
            return {"groups": [{"rules": self.rules}]}
        if path == "/api/v1/alertmanagers":
            return {"activeAlertmanagers": [{"url": f"http://{self.address}/api/v2/alerts"}]}
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
    said = Fleet()

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
    said.address = f"127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield said
    server.shutdown()
    server.server_close()


def watch(fleet: Fleet, logs: Path, **more: Any) -> dict[str, Any]:
    hosts = {host: {"token": f"token-{host}", "logs": True} for host in ("a", "b")}
    for host in hosts:
        (logs / host).mkdir()
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

    def test_ports_are_tried(self, fleet: Fleet, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            probes = {"a": {"address": "127.0.0.1", "ports": [port, 1]}}
            assert watch(fleet, tmp_path, probes=probes)["open_ports"] == {"a": [port]}


@on_systemd
def test_an_observer_out_of_reach_fails_its_hosts_and_not_the_proof(tmp_path: Path) -> None:
    inventory, artifacts = tmp_path / "hosts.yml", tmp_path / "artifacts"
    web = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ansible_become": False}
    ghost = {"ansible_host": "127.0.0.1", "ansible_port": 1}
    groups = {"all": {"hosts": {"web": web}}, "role_observer": {"hosts": {"ghost": ghost}}}
    inventory.write_text(json.dumps(groups), encoding="utf-8")
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "-i", inventory, "--check", "--limit", "web",
         ROOT / "playbooks" / "verify.yml"],
        env={
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
            "ANSIBLE_HOME": str(tmp_path / "ansible"),
            "BEDPLATE_ARTIFACTS": str(artifacts),
        },
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stdout + done.stderr
    (host,) = json.loads((artifacts / "verify.json").read_text(encoding="utf-8"))["hosts"]
    checks = {check["check"]: check for check in host["checks"]}
    assert checks["metrics"]["status"] == "failed"
    assert "ghost cannot tell: " in checks["metrics"]["detail"]
    assert "onnect" in checks["metrics"]["detail"]
    assert (checks["alert"]["status"], checks["logs"]["status"]) == ("blocked", "skipped")
    assert (artifacts / "verify.xml").is_file()
