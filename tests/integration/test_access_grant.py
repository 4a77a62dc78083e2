"""The product access_grant: a person gets in, and the hosts end it by themselves, one of them after a reboot."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from integration.products import as_root, order
from lab_fleet import LabFleet

FIRST, SECOND = "ash1-cloud-01", "fra1-colo-01"
BOTH = f"{FIRST},{SECOND}"


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 180) -> None:
    """Fail when something has not come true within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds:g} s for {what}")
        time.sleep(1)


class Person:
    """Somebody with a key of their own."""

    def __init__(self, lab: LabFleet, folder: Path, name: str) -> None:
        self.lab, self.name, self._key = lab, name, folder / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self._key)], check=True)

    @property
    def public(self) -> str:
        """The line that is given to others."""
        return self._key.with_suffix(".pub").read_text(encoding="utf-8").strip()

    def runs(self, host: str, command: str) -> str | None:
        """Return what a command printed on a host, or None where the person does not get in or it fails."""
        options = ["-F", str(self.lab.ssh_config), "-o", "BatchMode=yes", "-o", "ControlPath=none"]
        options += ["-o", "IdentitiesOnly=yes", "-o", f"User={self.name}", "-o", f"IdentityFile={self._key}"]
        # The last of several users and keys does not count, so the lab's own are left out.
        config = self._key.with_suffix(".config")
        own = self.lab.ssh_config.read_text(encoding="utf-8").splitlines()
        config.write_text("\n".join(line for line in own if line.split()[:1] not in (["User"], ["IdentityFile"])))
        options[1] = str(config)
        done = subprocess.run(
            ["ssh", *options, host, command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else None


def _nothing_of_grants(lab: LabFleet, host: str) -> bool:
    """Return whether systemd knows no unit of grants any more, a failed one neither."""
    return as_root(lab, host, "systemctl list-units --all --plain --no-legend 'bedplate-grants*'") == ""


def test_the_hosts_end_a_grant_by_themselves(lab: LabFleet, tmp_path: Path) -> None:
    kim = Person(lab, tmp_path, "kim")
    done = order(
        lab, "access_grant", BOTH, "--reason", "incident", action="grant", account="kim", key=kim.public, sudo="true",
        **{"for": "1m"},
    )  # fmt: skip
    ends = time.time() + 60
    assert (done.code, done.outcomes) == (0, {FIRST: "changed", SECOND: "changed"}), done.hosts
    (row,) = [row for row in done.hosts[FIRST]["values"]["access"] if row["account"] == "kim"]
    assert (row["kind"], row["sudo"], row["reason"]) == ("grant", True, "incident")
    assert {kim.runs(host, "sudo -n id -u") for host in (FIRST, SECOND)} == {"0"}
    # One is off when the time is up.
    lab.ssh(SECOND, "sudo systemctl reboot", check=False)
    gone = lambda host: lab.ssh(host, "id kim", check=False).returncode == 1  # noqa: E731
    wait_for(lambda: gone(FIRST) and gone(SECOND), "the end of the grant")
    assert time.time() >= ends - 2
    for host in (FIRST, SECOND):
        assert kim.runs(host, "true") is None
        left = "ls /etc/ssh/bedplate-grants.d /etc/bedplate/grants; ls -d /etc/sudoers.d/*kim /home/kim || true"
        assert "kim\n" not in as_root(lab, host, left)
        assert '"why": "its time was up"' in as_root(lab, host, "cat /var/lib/bedplate/grants/kim-*.json")
        # Its timer goes with it, and is no failed unit that would keep other products from the host.
        wait_for(partial(_nothing_of_grants, lab, host), "the timer to be gone")


def test_a_grant_is_revoked_and_others_are_left_alone(lab: LabFleet, tmp_path: Path) -> None:
    lee = Person(lab, tmp_path, "lee")
    given = order(lab, "access_grant", FIRST, action="grant", account="lee", key=lee.public)
    assert given.code == 0, given.hosts
    assert lee.runs(FIRST, "sudo -n id -u || echo no sudo") == "no sudo"
    assert order(lab, "access_grant", FIRST, action="revoke", account="lee").outcomes == {FIRST: "changed"}
    assert lee.runs(FIRST, "true") is None
    taken = order(lab, "access_grant", FIRST, action="grant", account="alice", key=lee.public)
    assert taken.code == 5
    assert "no grant has made" in taken.hosts[FIRST]["detail"]
