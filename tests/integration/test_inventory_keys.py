"""Host keys: enrolled on purpose, compared, rotated; and doctor's view of the same hosts."""

from __future__ import annotations

import base64
import hashlib
import io
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest
import yaml

from integration.command_line import Said, bedplate
from integration.ssh_servers import closed_port, make_key, openssh_server, other_server, ssh_server


class Site:
    """An inventory of hosts on this machine, and the keys that their servers have."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.known_hosts = folder / "known" / "hosts"
        self._capsys = capsys

    def write(self, **ports: int) -> None:
        hosts = {name: {"ansible_host": "127.0.0.1", "ansible_port": port} for name, port in ports.items()}
        variables = {"ansible_ssh_common_args": f"-o UserKnownHostsFile={self.known_hosts}"}
        document = {"all": {"hosts": hosts, "vars": variables}}
        (self.folder / "hosts.yml").write_text(yaml.safe_dump(document), encoding="utf-8")

    def __call__(self, *arguments: str) -> Said:
        return bedplate(self._capsys, "-i", self.folder / "hosts.yml", *arguments)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, paramiko.PKey]:
    folder = tmp_path_factory.mktemp("keys")
    kinds = {"first": "ed25519", "second": "ed25519", "ecdsa": "ecdsa"}
    return {name: make_key(folder / name, kind) for name, kind in kinds.items()}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Site]:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return Site(tmp_path, capsys)


def _only(said: Said, schema: str = "host_keys") -> dict[str, Any]:
    (host,) = said.document(schema)["hosts"]
    return host


class TestKeys:
    def test_new_keys_are_shown_first_and_written_only_on_purpose(self, site: Site, keys: Any) -> None:
        with ssh_server([keys["first"], keys["ecdsa"]]) as port:
            site.write(web1=port)
            looked = site("inventory", "keys", "scan", "-o", "json")
            assert {key["state"] for key in _only(looked)["keys"]} == {"new"}
            assert not site.known_hosts.exists()
            written = site("inventory", "keys", "scan", "--yes", "-o", "json")
            assert (written.code, written.document("host_keys")["written"]) == (0, True)
        assert site.known_hosts.stat().st_mode & 0o777 == 0o600
        assert site.known_hosts.parent.stat().st_mode & 0o777 == 0o700
        shown = subprocess.run(["ssh-keygen", "-l", "-f", site.known_hosts], capture_output=True, text=True, check=True)
        for key in _only(looked)["keys"]:
            assert key["fingerprint"] in shown.stdout
        found = subprocess.run(
            ["ssh-keygen", "-F", f"[127.0.0.1]:{port}", "-f", site.known_hosts], capture_output=True, check=True
        )
        assert b"ssh-ed25519" in found.stdout

    def test_a_host_that_takes_only_exchanges_that_paramiko_has_not(self, site: Site, tmp_path: Path) -> None:
        key = make_key(tmp_path / "host")
        with openssh_server(tmp_path / "host", KexAlgorithms="sntrup761x25519-sha512@openssh.com") as port:
            site.write(web1=port)
            host = _only(site("inventory", "keys", "scan", "-o", "json"))
        digest = base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
        assert [key["fingerprint"] for key in host["keys"]] == [f"SHA256:{digest}"]

    def test_a_second_scan_has_nothing_to_write(self, site: Site, keys: Any) -> None:
        with ssh_server([keys["first"]]) as port:
            site.write(web1=port)
            site("inventory", "keys", "scan", "--yes")
            before = site.known_hosts.read_text()
            again = site("inventory", "keys", "scan", "--yes", "-o", "json")
        assert (again.code, again.document("host_keys")["written"]) == (0, False)
        assert [key["state"] for key in _only(again)["keys"]] == ["known"]
        assert site.known_hosts.read_text() == before
        listed = site("inventory", "keys", "list", "-o", "json")
        assert [key["type"] for key in _only(listed)["keys"]] == ["ssh-ed25519"]

    @pytest.mark.parametrize(("answer", "code"), [("", 8), ("n\n", 8), ("y\n", 0)])
    def test_it_asks(self, site: Site, keys: Any, monkeypatch: pytest.MonkeyPatch, answer: str, code: int) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        with ssh_server([keys["first"]]) as port:
            site.write(web1=port)
            said = site("inventory", "keys", "scan")
        assert said.code == code
        assert site.known_hosts.exists() == (code == 0)

    def test_a_changed_key_is_refused_and_can_be_rotated(self, site: Site, keys: Any) -> None:
        kept = "other.example.com ssh-ed25519 " + keys["ecdsa"].get_base64()
        with ssh_server([keys["first"]]) as port:
            site.known_hosts.parent.mkdir()
            name = f"[127.0.0.1]:{port}"
            site.known_hosts.write_text(
                f"# kept\n{kept}\n{name},alias.example.com ssh-ed25519 {keys['second'].get_base64()}\n"
            )
            site.write(web1=port)
            refused = site("inventory", "keys", "scan", "--yes", "-o", "json")
            assert refused.code == 3
            assert {key["state"] for key in _only(refused)["keys"]} == {"replaced", "changed"}
            assert keys["first"].get_base64() not in site.known_hosts.read_text()
            assert site("inventory", "keys", "rotate", "web1", "-o", "json").code == 2
            assert site("inventory", "keys", "rotate", "web1", "--yes").code == 0
        lines = site.known_hosts.read_text().splitlines()
        assert lines == [
            "# kept",
            kept,
            f"alias.example.com ssh-ed25519 {keys['second'].get_base64()}",
            f"{name} ssh-ed25519 {keys['first'].get_base64()}",
        ]

    def test_hashed_names_are_found(self, site: Site, keys: Any) -> None:
        with ssh_server([keys["first"]]) as port:
            site.write(web1=port)
            site("inventory", "keys", "scan", "--yes")
            subprocess.run(["ssh-keygen", "-H", "-f", site.known_hosts], check=True, capture_output=True)
            assert "127.0.0.1" not in site.known_hosts.read_text()
            again = site("inventory", "keys", "scan", "-o", "json")
        assert [key["state"] for key in _only(again)["keys"]] == ["known"]

    def test_hosts_that_do_not_answer_are_named(self, site: Site, keys: Any) -> None:
        with ssh_server([keys["first"]]) as port:
            site.write(web1=port, gone=closed_port())
            said = site("inventory", "keys", "scan", "--yes", "-o", "json")
        assert said.code == 4
        errors = {host["host"]: host["error"] for host in said.document("host_keys")["hosts"]}
        assert errors == {"web1": None, "gone": "Connection refused"}
        assert keys["first"].get_base64() in site.known_hosts.read_text()

    def test_an_unreachable_host_keeps_its_keys_on_rotate(self, site: Site, keys: Any) -> None:
        port = closed_port()
        site.write(gone=port)
        site.known_hosts.parent.mkdir()
        line = f"[127.0.0.1]:{port} ssh-ed25519 {keys['second'].get_base64()}\n"
        site.known_hosts.write_text(line)
        assert site("inventory", "keys", "rotate", "gone", "--yes").code == 4
        assert site.known_hosts.read_text() == line

    def test_the_inventory_is_told_of_a_file_that_ssh_does_not_read(
        self, site: Site, keys: Any, tmp_path: Path
    ) -> None:
        other = tmp_path / "elsewhere"
        with ssh_server([keys["first"]]) as port:
            site.write(web1=port)
            said = site("inventory", "keys", "scan", "--yes", "--known-hosts", str(other))
        assert "runs do not look there" in said.out
        assert keys["first"].get_base64() in other.read_text()


class TestDoctor:
    def test_a_host_with_its_known_key_is_good(self, site: Site, keys: Any) -> None:
        with ssh_server([keys["first"], keys["ecdsa"]]) as port:
            site.write(web1=port)
            site("inventory", "keys", "scan", "--yes")
            said = site("doctor", "-o", "json")
        document = said.document("doctor")
        assert (said.code, document["ok"]) == (0, True), document
        host = _only(said, "doctor")
        assert (host["reach"], host["key"]) == ("ssh", "match")
        assert host["banner"].startswith("SSH-2.0-")
        assert {check["name"] for check in document["checks"]} >= {
            "python",
            "ansible-core",
            "ssh",
            "store",
            "inventory",
        }

    @pytest.mark.parametrize(("known", "trust"), [(None, "unknown"), ("second", "changed")])
    def test_a_key_that_is_not_the_known_one(self, site: Site, keys: Any, known: str | None, trust: str) -> None:
        with ssh_server([keys["first"]]) as port:
            site.write(web1=port)
            if known:
                site.known_hosts.parent.mkdir()
                site.known_hosts.write_text(f"[127.0.0.1]:{port} ssh-ed25519 {keys[known].get_base64()}\n")
            said = site("doctor", "-o", "json")
            shown = site("doctor")
        host = _only(said, "doctor")
        assert (said.code, host["reach"], host["key"]) == (4, "ssh", trust)
        assert "bedplate inventory keys" in host["hint"]
        assert host["hint"] in shown.out

    def test_a_closed_port_and_one_that_is_no_ssh(self, site: Site) -> None:
        with other_server(b"HTTP/1.0 400 Bad Request\r\n\r\n") as web:
            site.write(closed=closed_port(), web=web)
            said = site("doctor", "--timeout", "3", "-o", "json")
        reach = {host["host"]: host["reach"] for host in said.document("doctor")["hosts"]}
        assert (said.code, reach) == (4, {"closed": "no_tcp", "web": "no_ssh"})

    def test_limit_and_no_hosts(self, site: Site) -> None:
        site.write(one=closed_port(), two=closed_port())
        limited = site("doctor", "--limit", "two", "-o", "json").document("doctor")
        assert [host["host"] for host in limited["hosts"]] == ["two"]
        local = site("doctor", "--no-hosts", "-o", "json")
        assert (local.code, local.document("doctor")["hosts"]) == (0, [])

    def test_an_unusable_inventory(self, site: Site) -> None:
        (site.folder / "hosts.yml").write_text("all: [broken\n")
        said = site("doctor", "-o", "json")
        failed = [check for check in said.document("doctor")["checks"] if check["state"] == "failed"]
        assert (said.code, [check["name"] for check in failed]) == (7, ["inventory"])
        assert failed[0]["hint"]

    def test_bad_settings(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BEDPLATE_EXECUTION_FORKS", "many")
        said = site("doctor", "-o", "json")
        assert said.code == 2
        assert any("FORKS" in check["detail"] for check in said.document("doctor")["checks"])

    def test_a_store_that_does_not_answer(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        site.write(one=closed_port())
        monkeypatch.setenv("BEDPLATE_STORE_URL", f"postgresql://x@127.0.0.1:{closed_port()}/x")
        said = site("doctor", "--no-hosts", "-o", "json")
        store = next(check for check in said.document("doctor")["checks"] if check["name"] == "store")
        assert (said.code, store["state"]) == (9, "failed")
