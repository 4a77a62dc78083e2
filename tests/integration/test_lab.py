"""The lab on this machine, for real: brought up twice, half destroyed, repaired, broken by colleagues, taken down."""

from __future__ import annotations

import ipaddress
import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from lab_fleet import FACTORY, ROOT, LabFleet, here_as_root, podman, require_lab

pytestmark = pytest.mark.lab
SCHEMAS = ROOT / "docs" / "schemas"
NAMES = ["ams1-metal-01", "ash1-cloud-01", "ash1-cloud-02", "fra1-colo-01", "fra1-colo-02", "fra1-obs-01"]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Small]:
    """A lab of two hosts, not made yet, whose folder has a name that needs quoting."""
    require_lab()
    lab = Small(tmp_path / "small lab")
    yield lab
    lab.factory("down")


@pytest.fixture(scope="module")
def ruined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    """A lab of two hosts that tests ruin and repair, one after the other."""
    require_lab()
    lab = Small(tmp_path_factory.mktemp("ruined"))
    yield lab
    lab.factory("down")


class Small:
    """Two hosts made by the factory itself, as molecule does it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def factory(self, *arguments: str) -> dict[str, object]:
        """Run a factory command and return the last event that it wrote."""
        command = [sys.executable, str(FACTORY), "--json", "--folder", str(self.folder), *arguments]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        assert finished.stderr == ""
        event: dict[str, object] = json.loads(finished.stdout.splitlines()[-1])
        assert finished.returncode == (1 if event["event"] == "error" else 0)
        return event

    def up(self) -> dict[str, object]:
        return self.factory("up", "--host=one=debian-12", "--host=two=debian-13")

    def container(self, host: str) -> str:
        fleet = json.loads((self.folder / "fleet.json").read_text())
        return next(row["container"] for row in fleet["hosts"] if row["name"] == host)

    def ssh(self, host: str, command: str) -> str:
        words = ["ssh", "-F", str(self.folder / "ssh_config"), "-o", "BatchMode=yes", host, command]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def matches(document: object, schema: str) -> None:
    expected = json.loads((SCHEMAS / f"{schema}.schema.json").read_text())
    jsonschema.Draft202012Validator(expected, format_checker=jsonschema.FormatChecker()).validate(document)


def test_every_host_is_up_as_the_inventory_says(lab: LabFleet) -> None:
    status = lab.status()
    matches(status, "lab_status")
    assert status["state"] == "up"
    assert [host["name"] for host in status["hosts"]] == NAMES
    snapshot = json.loads((lab.inventory / ".snapshot.json").read_text())["hosts"]
    assert {host["name"]: host["address"] for host in status["hosts"]} == {
        name: record["primary_ip4"] for name, record in snapshot.items()
    }
    assert {host["name"]: host["class"] for host in status["hosts"]} == {n: r["class"] for n, r in snapshot.items()}
    assert ipaddress.IPv4Network(status["subnet"]) != ipaddress.IPv4Network("10.213.77.0/24")


@pytest.mark.parametrize("name", NAMES)
def test_a_host_is_a_whole_machine(lab: LabFleet, name: str) -> None:
    assert lab.ssh(name, "hostname").stdout.strip() == name
    state = lab.ssh(name, "systemctl is-system-running --wait; systemctl list-units --failed --plain --no-legend")
    assert state.stdout.splitlines() == ["running"]
    assert lab.ssh(name, "sudo -n id -u").stdout.strip() == "0"
    release = {"debian-12": "bookworm", "debian-13": "trixie"}[lab.hosts[name].platform]
    assert f"VERSION_CODENAME={release}" in lab.ssh(name, "cat /etc/os-release").stdout
    assert lab.ssh(name, "sudo nft add table inet t && sudo nft list tables").stdout.strip() == "table inet t"
    assert lab.ssh(name, "sudo sysctl -n -w net.ipv4.tcp_syncookies=0").stdout.strip() == "0"


def test_hosts_reach_each_other(lab: LabFleet) -> None:
    address = lab.hosts["fra1-obs-01"].address
    assert "1 received" in lab.ssh("ash1-cloud-01", f"ping -c1 -W30 {address}").stdout


def test_ansible_reaches_every_host_with_host_keys_checked(lab: LabFleet) -> None:
    command = [
        str(Path(sys.executable).parent / "ansible"),
        "-i",
        str(lab.inventory),
        "all",
        "-m",
        "ansible.builtin.ping",
    ]
    patient = {**lab.environment, "ANSIBLE_TIMEOUT": "60"}
    finished = subprocess.run(command, env=patient, capture_output=True, text=True, check=False, cwd=ROOT)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert finished.stdout.count("SUCCESS") == len(NAMES)


@pytest.mark.parametrize("host", ["fra1-colo-01", "fra1-colo-02"])
def test_what_the_roles_install_is_not_downloaded(lab: LabFleet, host: str) -> None:
    lines = (ROOT / "molecule/shared/image/packages.txt").read_text().splitlines()
    packages = [line.split()[0] for line in lines if line and not line.startswith("#")]
    assert "chrony" in packages
    alone = [f"--no-install-recommends {package}" for package in packages]
    assert _downloads(lab, host, [" ".join(packages), *alone]) == []
    assert _downloads(lab, host, ["-o Dir::Cache::Archives=/var/tmp nftables curl --reinstall"]) != []
    said = lab.ssh(host, "sudo DEBIAN_FRONTEND=noninteractive apt-get -y install --no-install-recommends acl").stdout
    assert "Need to get 0 B" in said
    assert lab.ssh(host, "ls /var/cache/apt/archives/acl_*.deb").returncode == 0


def _downloads(lab: LabFleet, host: str, wanted: list[str]) -> list[str]:
    """Return the URLs that apt would fetch, each of `wanted` being a command of its own."""
    apt = "apt-get -o Debug::NoLocking=1 -qq -y --print-uris install"
    said = lab.ssh(host, "; ".join(f"{apt} {words}" for words in wanted)).stdout
    return [line for line in said.splitlines() if line.startswith("'http")]


def test_up_again_changes_nothing(lab: LabFleet) -> None:
    identity = json.loads((lab.home / "lab/fleet.json").read_text())["identity"]
    listing = ["ps", "--filter", f"label=bedplate.lab={identity}", "--format", "{{.ID}} {{.StartedAt}}"]
    before, known = podman(*listing), (lab.home / "lab/known_hosts").stat().st_mtime_ns
    said = lab.bedplate("lab", "up").stdout.splitlines()
    assert [line for line in said if not line.startswith("lab:")] == []
    assert podman(*listing) == before
    assert (lab.home / "lab/known_hosts").stat().st_mtime_ns == known


def test_state_files_are_private(lab: LabFleet) -> None:
    folder = lab.home / "lab"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert {"id_ed25519", "known_hosts", "ssh_config", "fleet.json"} <= {file.name for file in files}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_colleague_leaves_traces(lab: LabFleet) -> None:
    answer = json.loads(lab.bedplate("lab", "break", "fra1-colo-01", "--fault", "cron-added", "-o", "json").stdout)
    matches(answer, "lab_break")
    assert answer["broken"][0]["user"] == "alice"
    assert "find /var/log" in lab.ssh("fra1-colo-01", "cat /etc/cron.d/alice-cleanup").stdout
    lab.ssh("fra1-colo-01", "sudo journalctl --sync")
    journal = lab.ssh("fra1-colo-01", "sudo journalctl --no-pager -t sudo -t sshd -t sshd-session").stdout
    assert "Accepted publickey for alice" in journal
    assert "COMMAND=/usr/bin/tee /etc/cron.d/alice-cleanup" in journal


@pytest.mark.parametrize("fault", ["sshd-drop-in", "journald-edited", "user-added", "sysctl-set", "package-added"])
def test_faults_that_need_nothing_work_on_both_releases_and_again(lab: LabFleet, fault: str) -> None:
    lab.bedplate("lab", "break", "ash1-cloud-01", "ash1-cloud-02", "--fault", fault)
    lab.bedplate("lab", "break", "ash1-cloud-01", "--fault", fault)


def test_a_fault_with_nothing_to_break_says_so(lab: LabFleet) -> None:
    lab.recreate("ams1-metal-01")
    said = lab.bedplate("lab", "break", "ams1-metal-01", "--fault", "exporter-stopped", check=False)
    assert said.returncode == 9
    assert "ams1-metal-01: has no prometheus-node-exporter to break" in said.stderr


def test_a_random_fault_hits_a_random_host(lab: LabFleet) -> None:
    answer = json.loads(lab.bedplate("lab", "break", "-o", "json").stdout)
    matches(answer, "lab_break")
    assert answer["broken"][0]["host"] in NAMES


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (["break", "fra1-colo-1"], "did you mean fra1-colo-01?"),
        (["break", "--fault", "chrony-stoped"], "did you mean chrony-stopped?"),
        (["up", "--recreate", "ams1-meta-01"], "did you mean ams1-metal-01?"),
    ],
)
def test_a_wrong_name_is_answered_with_the_near_one(lab: LabFleet, arguments: list[str], near: str) -> None:
    said = lab.bedplate("lab", *arguments, check=False)
    assert (said.returncode, near in said.stderr) == (2, True), said.stderr


def test_recreate_makes_a_host_pristine(lab: LabFleet) -> None:
    lab.ssh("fra1-obs-01", "sudo touch /etc/changed")
    others = lab.ssh("fra1-colo-02", "cat /proc/sys/kernel/random/boot_id; uptime -s").stdout
    lab.recreate("fra1-obs-01")
    assert lab.ssh("fra1-obs-01", "test -e /etc/changed", check=False).returncode == 1
    assert lab.ssh("fra1-colo-02", "cat /proc/sys/kernel/random/boot_id; uptime -s").stdout == others


def test_a_changed_host_key_is_refused(lab: LabFleet) -> None:
    key = "/etc/ssh/ssh_host_ed25519_key"
    lab.ssh("ams1-metal-01", f"sudo sh -c \"rm {key}* && ssh-keygen -q -t ed25519 -N '' -f {key}\"")
    said = lab.ssh("ams1-metal-01", "true", check=False)
    lab.recreate("ams1-metal-01")
    assert said.returncode == 255
    assert "HOST IDENTIFICATION HAS CHANGED" in said.stderr


def test_a_taken_subnet_names_who_has_it(lab: LabFleet, tmp_path: Path) -> None:
    other = LabFleet(tmp_path / "other")
    said = other.bedplate("lab", "up", "--subnet", lab.status()["subnet"], check=False)
    assert said.returncode == 9
    assert f"of the lab in {lab.home / 'lab'}" in said.stderr
    assert "--subnet 10.213." in said.stderr
    assert other.status()["state"] == "down"


def test_another_subnet_than_the_labs_own_is_refused(lab: LabFleet) -> None:
    said = lab.bedplate("lab", "up", "--subnet", "10.213.254.0/24", check=False)
    assert said.returncode == 9
    assert f"the lab already has the subnet {lab.status()['subnet']}" in said.stderr


RUIN = {
    "a dead host": lambda small: (podman("kill", small.container("one")), podman("wait", small.container("one"))),
    "a missing host": lambda small: podman("rm", "-f", "-t0", small.container("two")),
    "lost login key": lambda small: (small.folder / "id_ed25519").unlink(),
    "lost public key": lambda small: (small.folder / "id_ed25519.pub").unlink(),
    "lost known_hosts": lambda small: (small.folder / "known_hosts").unlink(),
    "lost ssh_config": lambda small: (small.folder / "ssh_config").unlink(),
    "torn fleet.json": lambda small: (small.folder / "fleet.json").write_text('{"schema":'),
    "lost network": lambda small: podman("network", "rm", "-f", f"bedplate-{small.container('one').split('-')[1]}"),
    "sshd stopped": lambda small: podman("exec", small.container("one"), "systemctl", "stop", "ssh"),
    "authorized_keys gone": lambda small: small.ssh("one", "rm ~/.ssh/authorized_keys"),
}


@pytest.mark.parametrize("ruin", RUIN)
def test_a_half_made_lab_is_repaired(ruined: Small, ruin: str) -> None:
    assert ruined.up()["event"] == "result"
    RUIN[ruin](ruined)
    repaired = ruined.up()
    assert repaired["event"] == "result", repaired
    assert repaired["result"]["state"] == "up"  # type: ignore[index]
    assert [ruined.ssh(host, "hostname").strip() for host in ("one", "two")] == ["one", "two"]


def test_a_host_that_left_the_fleet_is_removed(ruined: Small) -> None:
    ruined.up()
    gone = ruined.container("two")
    ruined.factory("up", "--host=one=debian-12")
    assert gone not in podman("ps", "--all", "--format", "{{.Names}}").split()
    assert ruined.ssh("one", "hostname").strip() == "one"


def test_down_leaves_nothing(small: Small) -> None:
    small.up()
    label = f"bedplate.lab={json.loads((small.folder / 'fleet.json').read_text())['identity']}"
    assert podman("ps", "-aq", "--filter", f"label={label}") != ""
    small.factory("down")
    assert podman("ps", "-aq", "--filter", f"label={label}") == ""
    assert podman("network", "ls", "-q", "--filter", f"label={label}") == ""
    assert podman("volume", "ls", "-q", "--filter", f"label={label}") == ""
    assert not small.folder.exists()
    assert small.factory("down")["event"] == "result"


def packet_rules() -> list[str]:
    return [
        line
        for table in ("filter", "nat")
        for line in here_as_root("iptables", "--wait", "--table", table, "--list-rules").splitlines()
    ]


def test_down_leaves_no_packet_rules(small: Small) -> None:
    """Netavark leaves its own where a container ended without podman."""
    small.up()
    subnet, stale = json.loads((small.folder / "fleet.json").read_text())["subnet"], "NETAVARK-A0B1C2D3E4F5"
    nat = ("iptables", "--wait", "--table", "nat")
    here_as_root(*nat, "--new-chain", stale)
    here_as_root(*nat, "--append", stale, "--destination", subnet, "--jump", "ACCEPT")
    here_as_root(*nat, "--append", "POSTROUTING", "--source", subnet, "--jump", stale)
    assert any(subnet in rule for rule in packet_rules())
    small.factory("down")
    assert [rule for rule in packet_rules() if subnet in rule or stale in rule] == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    require_lab()
    (tmp_path / "file").write_text("in the way")
    for arguments in (["up", "--host=one=debian-12"], ["down"]):
        said = Small(tmp_path / "file" / "lab").factory(*arguments)
        assert (said["event"], said["message"]) == ("error", "cannot be used: Not a directory")
        assert str(tmp_path / "file") in str(said["where"])


def test_two_ups_at_once_make_one_lab(small: Small) -> None:
    words = [sys.executable, str(FACTORY), "--json", "--folder", str(small.folder), "up", "--host=one=debian-12"]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum('"text": "made, ' in text for text in said) == 1
