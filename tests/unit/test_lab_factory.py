"""The host factory's rules, without a container."""

from __future__ import annotations

import importlib
import io
import ipaddress
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bedplate.commands.factory import _ERRORS
from bedplate.errors import LabError, NotFoundError, UsageError
from lab_fleet import FACTORY, ROOT


@pytest.fixture(scope="module", autouse=True)
def _importable() -> Any:
    sys.path.insert(0, str(FACTORY.parent))
    yield
    sys.path.remove(str(FACTORY.parent))


def factory(module: str) -> Any:
    return importlib.import_module(f"factory.{module}")


def snapshot(tmp_path: Path, hosts: object) -> Path:
    file = tmp_path / ".snapshot.json"
    file.write_text(json.dumps({"schema": 1, "hosts": hosts}))
    return file


def test_the_labs_own_fleet_is_readable() -> None:
    fleet = factory("fleet")
    specs = fleet.read_fleet(ROOT / "inventories/lab/.snapshot.json")
    assert len(specs) == 6
    assert {spec.platform for spec in specs} == {"debian-12", "debian-13"}
    assert {spec.host_class for spec in specs} == {"bare_metal", "colo", "cloud"}
    assert fleet.network_of(specs) == ipaddress.IPv4Network("10.213.77.0/24")


@pytest.mark.parametrize(
    ("hosts", "where", "message"),
    [
        ({}, None, "has no hosts"),
        ({"a": {"platform": "debian-12"}}, "a", "primary_ip4"),
        ({"a": {"platform": "debian-11", "primary_ip4": "10.0.0.1"}}, "a", "no image for platform 'debian-11'"),
        ({"a": {"platform": None, "primary_ip4": "10.0.0.1"}}, "a", "no image for platform None"),
        ([], None, "has no hosts"),
    ],
)
def test_a_fleet_that_cannot_be_made_is_named(tmp_path: Path, hosts: object, where: str | None, message: str) -> None:
    file = snapshot(tmp_path, hosts)
    with pytest.raises(factory("errors").UsageError, match=message) as caught:
        factory("fleet").read_fleet(file)
    assert caught.value.where == (where or str(file))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_what_is_no_snapshot_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "s.json"
    file.write_text(text)
    with pytest.raises(factory("errors").UsageError, match="is not a snapshot"):
        factory("fleet").read_fleet(file)


def test_hosts_in_two_networks_are_refused() -> None:
    fleet = factory("fleet")
    specs = [fleet.HostSpec("a", "debian-12", "10.0.0.5"), fleet.HostSpec("b", "debian-12", "10.0.1.5")]
    with pytest.raises(factory("errors").UsageError, match="several networks"):
        fleet.network_of(specs)


def test_hosts_keep_their_number_in_another_subnet() -> None:
    fleet = factory("fleet")
    specs = [fleet.HostSpec("a", "debian-12", "10.0.0.5", "colo"), fleet.HostSpec("b", "debian-13")]
    placed = fleet.place(specs, ipaddress.IPv4Network("10.9.8.0/24"))
    assert [spec.address for spec in placed] == ["10.9.8.5", "10.9.8.12"]
    assert placed[0].host_class == "colo"


def test_hosts_stay_the_machines_that_they_were_made_as() -> None:
    fleet = factory("fleet")
    iron, box = fleet.HostSpec("iron", "debian-12", "10.0.0.5", "bare_metal"), fleet.HostSpec("box", "debian-12")
    assert [spec.machine for spec in fleet.with_metal([iron, box], asked=False, before=[])] == ["container"] * 2
    asked = fleet.with_metal([iron, box], asked=True, before=[])
    assert [spec.machine for spec in asked] == ["metal", "container"]
    assert fleet.with_metal([iron, box], asked=False, before=asked) == asked
    assert fleet.place(asked, ipaddress.IPv4Network("10.9.8.0/24"))[0].machine == "metal"
    with pytest.raises(factory("errors").UsageError, match="no host of class bare_metal"):
        fleet.with_metal([box], asked=True, before=[])


def test_a_host_named_by_hand_may_be_metal() -> None:
    fleet = factory("fleet")
    (iron,) = fleet.parse_hosts(["iron=debian-12/metal"])
    assert (iron.platform, iron.machine) == ("debian-12", "metal")
    with pytest.raises(factory("errors").UsageError, match="no kind of machine 'steel'"):
        fleet.parse_hosts(["iron=debian-12/steel"])


def test_the_same_files_make_the_same_seed() -> None:
    metal = factory("metal")
    files = {"etc/hostname": ("iron\n", 0o644, 0), "home/alice/.ssh/authorized_keys": ("key\n", 0o600, 1001)}
    seed = metal.seed(files)
    assert metal.seed(dict(reversed(files.items()))) == seed
    with tarfile.open(fileobj=io.BytesIO(seed)) as archive:
        rows = {entry.name: (entry.mode, entry.uid, entry.isdir()) for entry in archive}
    assert rows == {
        "etc/hostname": (0o644, 0, False),
        "home/alice/.ssh": (0o700, 1001, True),
        "home/alice/.ssh/authorized_keys": (0o600, 1001, False),
    }


def test_a_name_server_on_loopback_is_not_a_guests() -> None:
    text = "# x\nnameserver 127.0.0.53\nnameserver 192.0.2.1\nsearch example.com\nnameserver ::1\n"
    assert factory("metal").name_servers(text) == "nameserver 192.0.2.1\nsearch example.com\n"


def test_an_inventory_moves_to_another_subnet(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "group_vars").mkdir(parents=True)
    (source / ".snapshot.json").write_text('{"a": "10.0.0.5", "b": "10.0.0.254", "c": "10.0.1.5", "v": "1.10.0.0.5"}')
    (source / "group_vars/all.yml").write_text("servers: [10.0.0.7]\nversion: 999.1.2.3\n")
    old, new = ipaddress.IPv4Network("10.0.0.0/24"), ipaddress.IPv4Network("10.9.8.0/24")
    target = tmp_path / "target"
    factory("inventory").copy_inventory(source, target, old, new)
    moved = json.loads((target / ".snapshot.json").read_text())
    assert moved == {"a": "10.9.8.5", "b": "10.9.8.254", "c": "10.0.1.5", "v": "1.10.0.0.5"}
    assert (target / "group_vars/all.yml").read_text() == "servers: [10.9.8.7]\nversion: 999.1.2.3\n"


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("deb http://deb.debian.org/debian bookworm main\n", ["http://deb.debian.org/debian"]),
        ("deb [signed-by=/k.gpg] https://mirror.example/debian/ trixie main", ["https://mirror.example/debian/"]),
        ("Types: deb\nURIs: http://m.example/debian\nSuites: trixie\n", ["http://m.example/debian"]),
        ("# deb http://old.example/debian bookworm main\n", []),
        ("deb http://security.debian.org/debian-security bookworm-security main\n", []),
        ("deb http://archive.ubuntu.com/ubuntu noble main\n", []),
    ],
)
def test_the_mirror_of_this_machine_is_found(text: str, urls: list[str]) -> None:
    assert factory("image")._debian_urls(text) == urls


def test_the_mirror_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDPLATE_LAB_MIRROR", "http://mirror.example/debian/")
    assert factory("image").mirror() == "http://mirror.example/debian"


def test_a_changed_recipe_is_another_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = factory("image")
    monkeypatch.setattr(image, "RECIPE", tmp_path)
    (tmp_path / "packages.txt").write_text("chrony\n")
    before = image.image_name("debian-12")
    assert image.image_name("debian-12") == before
    (tmp_path / "packages.txt").write_text("chrony\nrsyslog\n")
    assert image.image_name("debian-12") != before
    assert before.startswith("localhost/bedplate-lab:debian-12-")


def test_the_register_of_faults_is_sound() -> None:
    faults = factory("faults").read_faults()
    assert len(faults) >= 6
    assert {fault.user for fault in faults} == set(factory("keys").COLLEAGUES)
    assert all(fault.summary and fault.commands for fault in faults)
    assert all(any("sudo" in command for command in fault.commands) for fault in faults)


def test_paths_with_spaces_reach_ssh_whole(tmp_path: Path) -> None:
    folder = tmp_path / 'a "b" 100%'
    folder.mkdir()
    keys = factory("keys").Keyring(folder)
    keys.write_ssh_config([("one", "192.0.2.1")])
    said = subprocess.run(["ssh", "-G", "-F", str(keys.ssh_config), "one"], capture_output=True, text=True, check=True)
    assert f"userknownhostsfile {folder}/known_hosts" in said.stdout.replace('\\"', '"').replace("%%", "%")


def test_recorded_host_keys_are_read_back(tmp_path: Path) -> None:
    keys = factory("keys").Keyring(tmp_path)
    keys.write_known_hosts({"192.0.2.1": ("one", "ssh-ed25519 AAAA")})
    assert keys.known_hosts.read_text() == "one,192.0.2.1 ssh-ed25519 AAAA\n"
    assert keys.known_hosts.stat().st_mode & 0o777 == 0o600


def test_a_lock_is_waited_for_and_leaves_no_file(tmp_path: Path) -> None:
    file = tmp_path / "gone" / "lock"
    script = (
        f"import sys; sys.path.insert(0, {str(FACTORY.parent)!r})\n"
        "from pathlib import Path; from factory.locks import locked\n"
        f"with locked(Path({str(file)!r})): print('held', flush=True)"
    )
    with factory("locks").locked(file):
        waiting = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.communicate(timeout=1)
    assert waiting.communicate(timeout=240)[0] == "held\n"
    assert not file.exists()


@pytest.mark.parametrize("text", ["10.0.0.0/8", "8.8.8.0/24", "10.0.0.5/24", "x", "10.1.2.0/25"])
def test_a_subnet_that_will_not_do_is_refused(text: str) -> None:
    with pytest.raises(factory("errors").UsageError):
        factory("arguments")._subnet(text)


def bedplate(tmp_path: Path, *arguments: str, path: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "BEDPLATE_HOME": str(tmp_path / "home"), "PATH": path}
    command = [sys.executable, "-m", "bedplate", "lab", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [["up"], ["status"], ["down"]])
def test_podman_missing_says_what_to_install(tmp_path: Path, arguments: list[str]) -> None:
    said = bedplate(tmp_path, *arguments)
    assert said.returncode == 9
    assert "podman is not installed" in said.stderr
    assert "apt-get install podman runc" in said.stderr
    assert not (tmp_path / "home").exists()


def test_a_lab_that_is_down_cannot_be_broken(tmp_path: Path) -> None:
    said = bedplate(tmp_path, "break", "fra1-colo-01")
    assert (said.returncode, "the lab is down" in said.stderr) == (9, True)


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    command = [sys.executable, str(FACTORY), "--folder", str(tmp_path / "file" / "lab"), "status"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (1, "")
    assert said.stdout == f"error: {tmp_path}/file/lab/fleet.json: cannot be used: Not a directory\n"


def test_faults_are_listed_as_the_schema_says(tmp_path: Path) -> None:
    said = bedplate(tmp_path, "break", "--list", "-o", "json")
    schema = json.loads((ROOT / "docs/schemas/lab_faults.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(json.loads(said.stdout))


def test_the_factorys_errors_are_bedplates_own() -> None:
    errors = factory("errors")
    kinds = {kind.kind: _ERRORS[kind.kind] for kind in (errors.FactoryError, errors.UsageError, errors.NotFoundError)}
    assert kinds == {"lab": LabError, "usage": UsageError, "not_found": NotFoundError}
