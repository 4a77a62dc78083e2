"""What goes wrong on a host while it is checked, and what changes on it by itself: never a false finding."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from bedplate.drift.managed import Resource
from bedplate.drift.observation import UPDATE_KIND, CheckOutcome, Confidence, HostCheck
from bedplate.drift.seal import Managed, Seal, request_for
from bedplate.execution.digest import content_digest
from bedplate.launch import Launcher
from bedplate.launch.capturing import capture
from bedplate.launch.sealing import fast_check, intents, seal_key
from integration.test_drift_corpus import as_root, launcher_of
from lab_fleet import LabFleet, podman

HOST = "ash1-cloud-02"
RESOURCES = [Resource("file", "/etc/motd", "made_up", "Say it"), Resource("package", "proof", "made_up", "Install it")]
# A package in two versions; the newer one is in an archive of its own, from which unattended upgrades may come.
PREPARE = r"""
set -eu
echo hello > /etc/motd
DEBIAN_FRONTEND=noninteractive apt-get -q -y install unattended-upgrades > /dev/null
mkdir -p /srv/archive && cd /srv/archive
for version in 1.0 2.0; do
  mkdir -p $version/DEBIAN $version/usr/bin
  printf 'Package: proof\nVersion: %s\nArchitecture: all\nMaintainer: x <x@example.com>\nDescription: x\n' $version \
    > $version/DEBIAN/control
  printf '#!/bin/sh\necho %s\n' $version > $version/usr/bin/proof && chmod 0755 $version/usr/bin/proof
  dpkg-deb --build $version proof_$version.deb > /dev/null
done
file=proof_2.0.deb
{ cat 2.0/DEBIAN/control; echo "Filename: ./$file"; echo "Size: $(stat -c %s $file)"
  echo "SHA256: $(sha256sum $file | cut -d' ' -f1)"; } > Packages
printf 'Origin: proof\nLabel: proof\nSuite: proof\nSHA256:\n %s %s Packages\n' \
  "$(sha256sum Packages | cut -d' ' -f1)" "$(stat -c %s Packages)" > Release
echo 'deb [trusted=yes] file:/srv/archive ./' > /etc/apt/sources.list.d/proof.list
printf 'Unattended-Upgrade::Origins-Pattern { "origin=proof"; };\n' > /etc/apt/apt.conf.d/99proof
dpkg -i proof_1.0.deb > /dev/null
"""
UPGRADE = "apt-get -q update > /dev/null 2>&1; unattended-upgrade -v > /dev/null 2>&1; proof"
FULL = """
for folder in /tmp /var/tmp /home/ansible/.ansible; do
  mkdir -p $folder; mount -t tmpfs -o size=64k tmpfs $folder; cat /dev/zero > $folder/full 2>/dev/null
done; true
"""
EMPTY = "umount /tmp /var/tmp /home/ansible/.ansible"
# Whoever asks for Python says so, and waits for what comes.
SLOW = """
mv /usr/bin/python3 /usr/bin/python3.real
printf '#!/bin/sh\\ntouch /run/asked\\nsleep 600\\n' > /usr/bin/python3; chmod 0755 /usr/bin/python3
"""
FAST = "mv /usr/bin/python3.real /usr/bin/python3"
# Podman mounts this in a container anew, without the options that a role gave it.
BY_PODMAN = {("mount", "/tmp", "options")}


@dataclass(frozen=True)
class Host:
    """A host that was sealed as it was."""

    lab: LabFleet
    launcher: Launcher
    seal: str

    def check(self) -> HostCheck:
        (check,) = fast_check(self.launcher, [HOST], {HOST: self.seal}).checks
        return check

    def run(self, script: str) -> str:
        return as_root(self.lab, HOST, script)


@pytest.fixture(scope="module")
def host(lab: LabFleet) -> Iterator[Host]:
    lab.recreate(HOST)
    try:
        as_root(lab, HOST, PREPARE)
        with launcher_of(lab) as launcher:
            looked = capture(launcher, [HOST], [request_for(RESOURCES)]).of(HOST)
            meant = intents(launcher.adapter, [HOST], content_digest(launcher.content))[HOST]
            seal = Seal(HOST, datetime.now(UTC), meant, looked, Managed(RESOURCES))
            yield Host(lab, launcher, seal.to_text(seal_key(launcher.settings.home)))
    finally:
        lab.recreate(HOST)


def test_a_full_disk_is_no_obstacle(host: Host) -> None:
    host.run(FULL)
    try:
        check = host.check()
    finally:
        host.run(EMPTY)
    found = {one.identity[1:] for one in check.observations}
    assert check.outcome is not CheckOutcome.UNKNOWN, check.reason
    assert {identity for identity in found if identity[0] != "mount"} == set()


def test_a_sudo_that_asks_for_a_password_is_said_and_keeps_nobody_waiting(host: Host) -> None:
    host.run("echo 'ansible ALL=(ALL) PASSWD: ALL' > /etc/sudoers.d/zz-asks; chmod 0440 /etc/sudoers.d/zz-asks")
    try:
        check = host.check()
    finally:
        host.run("rm /etc/sudoers.d/zz-asks")
    assert (check.outcome, check.observations) == (CheckOutcome.UNKNOWN, ())
    assert "password" in (check.reason or "")


def test_a_reboot_in_mid_check_makes_it_unknown_and_the_next_check_finds_nothing(host: Host) -> None:
    container = host.lab.hosts[HOST].container
    names = host.run("cat /etc/hosts")
    host.run(SLOW)
    found: list[HostCheck] = []
    checking = threading.Thread(target=lambda: found.append(host.check()))
    checking.start()
    deadline = time.monotonic() + 60
    while "asked" not in host.run("ls /run") and time.monotonic() < deadline:
        time.sleep(0.5)
    podman("restart", "--time", "2", container)
    checking.join()
    assert found[0].outcome is CheckOutcome.UNKNOWN
    assert found[0].reason
    host.run(FAST)
    host.lab.bedplate("lab", "up")
    host.run(f"cat > /etc/hosts <<'END'\n{names}END")
    check = host.check()
    assert {one.identity[1:] for one in check.observations} <= BY_PODMAN, check
    assert check.outcome is not CheckOutcome.UNKNOWN, check.reason


def test_an_unattended_upgrade_is_expected_and_nobodys(host: Host) -> None:
    assert host.run("proof") == "1.0\n"
    assert host.run(UPGRADE) == "2.0\n"
    check = host.check()
    left = [one for one in check.observations if one.identity[1:] not in BY_PODMAN]
    assert [(one.kind, one.key, one.before, one.after) for one in left] == [(UPDATE_KIND, "proof", "1.0", "2.0")]
    (update,) = left
    assert update.by is not None
    assert (update.by.user, update.by.source, update.by.confidence) == (None, "apt", Confidence.CERTAIN)
    assert "unattended-upgrade" in (update.by.command or "")
    assert check.outcome is (CheckOutcome.CLEAN if len(check.observations) == 1 else CheckOutcome.DRIFTED)


def test_the_same_by_hand_is_drift_and_somebodys(host: Host) -> None:
    host.lab.ssh(
        HOST, "sudo dpkg -i /srv/archive/proof_1.0.deb > /dev/null && sudo apt-get -q -y remove proof > /dev/null"
    )
    check = host.check()
    (gone,) = [one for one in check.observations if one.identity[1:3] == ("package", "proof")]
    assert (gone.attribute, check.outcome) == ("presence", CheckOutcome.DRIFTED)
    assert gone.by is not None
    assert (gone.by.user, gone.by.command) == ("ansible", "apt-get -q -y remove proof")
