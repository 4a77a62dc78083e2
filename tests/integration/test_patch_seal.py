"""What the product patch updates is no drift; what was drift before is, and so is what somebody upgrades by hand."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema
import pytest

from bedplate.runs import RunQuery, RunStatus
from integration.products import as_root, order
from integration.test_drift_corpus import launcher_of
from lab_fleet import ROOT, LabFleet

HOST, NAME = "fra1-colo-01", "sealproof"
PREPARE = """
mkdir -p /srv/sealproof/lists/partial
cat > /etc/apt/apt.conf.d/99sealproof <<'END'
Dir::Etc::sourcelist "/srv/sealproof/sources.list"; Dir::Etc::sourceparts "-"; Dir::State::lists "/srv/sealproof/lists";
END
echo 'deb [trusted=yes] file:/srv/sealproof ./' > /srv/sealproof/sources.list
"""
# Argument: version. A program with SUID, configuration, what each version added, a file that only the first one has.
MAKE = """
root=/tmp/sealproof; version={version}; units=$root/usr/lib/systemd/system; cd /; rm -rf $root
mkdir -p $root/DEBIAN $root/usr/bin $root/usr/libexec $root/etc/logrotate.d $root/etc/cron.d $units/cron.service.d
printf 'Package: sealproof\\nVersion: %s\\nArchitecture: all\\nDescription: x\\n' $version > $root/DEBIAN/control
echo 'Maintainer: x <x@example.com>' >> $root/DEBIAN/control
printf '#!/bin/sh\\necho %s\\n' $version | tee $root/usr/bin/sealproof > $root/usr/libexec/sealproof
chmod 4755 $root/usr/bin/sealproof; chmod 0755 $root/usr/libexec/sealproof
for path in /etc/logrotate.d/sealproof-kept /etc/logrotate.d/sealproof-edited; do
    echo "# $version" > $root$path; echo $path >> $root/DEBIAN/conffiles
done
test $version -gt 1 || touch $root/etc/cron.d/sealproof-first
printf '[Service]\\n# %s\\n' $version > $units/cron.service.d/sealproof.conf
echo '#!/bin/sh' > $root/DEBIAN/postinst; chmod 0755 $root/DEBIAN/postinst
for each in $(seq $version); do
    touch $root/etc/cron.d/sealproof-$each; unit=sealproof-$each.service
    printf '[Service]\\nExecStart=/bin/true\\n[Install]\\nWantedBy=multi-user.target\\n' > $units/$unit
    echo "deb-systemd-helper enable $unit" >> $root/DEBIAN/postinst
done
deb=sealproof_$version.deb; cd /srv/sealproof
dpkg-deb --build --root-owner-group $root $deb > /dev/null; dpkg-deb --field $deb > Packages
sum=$(sha256sum $deb | cut -d ' ' -f 1)
printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n' $deb $(stat -c %s $deb) $sum >> Packages
"""
# A file, one of a package that is not updated, one of a package that is.
DRIFT = """
cp -a /etc/sudoers /usr/bin/chronyc /root/; echo '# mine' >> /etc/sudoers; printf x >> /usr/bin/chronyc
echo '# mine' >> /etc/logrotate.d/sealproof-edited; chmod 0666 /etc/logrotate.d/sealproof-kept
"""
UNDO = """
cp -a /root/sudoers /etc/sudoers; cp -a /root/chronyc /usr/bin/chronyc; rm /root/sudoers /root/chronyc
printf '# 1\\n' > /etc/logrotate.d/sealproof-edited; chmod 0644 /etc/logrotate.d/sealproof-kept
"""
REMOVE = """
dpkg --purge sealproof; rm -rf /srv/sealproof /tmp/sealproof /etc/apt/apt.conf.d/99sealproof
rm -f /etc/systemd/system/multi-user.target.wants/sealproof-*; systemctl daemon-reload
"""


@dataclass(frozen=True)
class Outdated:
    """A host at the baseline with version 1 of a package, sealed; its repository has what a test puts there."""

    lab: LabFleet

    def make(self, version: int) -> None:
        as_root(self.lab, HOST, MAKE.format(version=version))

    def check(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        """Return what a fast check finds, by kind, key and attribute."""
        done = self.lab.bedplate("drift", "check", "-l", HOST, "-o", "json", check=False)
        assert done.returncode in {0, 6}, done.stderr
        document = json.loads(done.stdout)
        assert {one["outcome"] for one in document["hosts"]} <= {"clean", "drifted"}, document["hosts"]
        return {(one["kind"], one["key"], one["attribute"]): one for one in document["open"]}

    def renewals(self) -> list[dict[str, Any]]:
        """Return which runs the host's seal has taken over, if that is as documented."""
        document = json.loads(self.lab.bedplate("drift", "seal", "--show", "-l", HOST, "-o", "json").stdout)
        schema = json.loads((ROOT / "docs" / "schemas" / "drift_seals.schema.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(document)
        (seal,) = document["seals"]
        renewals: list[dict[str, Any]] = seal["renewals"]
        return renewals


def updated(before: str, after: str) -> list[dict[str, str]]:
    return [{"name": NAME, "before": before, "after": after}]


@pytest.fixture(scope="module")
def outdated(baselined: LabFleet) -> Iterator[Outdated]:
    host = Outdated(baselined)
    as_root(baselined, HOST, PREPARE + MAKE.format(version=1) + "apt-get -qq update; apt-get -qq -y install sealproof")
    baselined.bedplate("drift", "seal", "-l", HOST)
    yield host
    as_root(baselined, HOST, REMOVE)


def test_only_what_was_drift_before_is_found_after_a_patch(outdated: Outdated) -> None:
    as_root(outdated.lab, HOST, DRIFT)
    outdated.make(2)
    done = order(outdated.lab, "patch", HOST, which="all", reboot="never")
    assert done.code == 0
    try:
        found = outdated.check()
    finally:
        as_root(outdated.lab, HOST, UNDO)
    assert found.keys() == {
        ("file", "/etc/sudoers", "content"),
        ("file", "/usr/bin/chronyc", "content"),
        ("file", "/etc/logrotate.d/sealproof-edited", "content"),
        ("file", "/etc/logrotate.d/sealproof-kept", "mode"),
    }
    (renewal,) = outdated.renewals()
    assert (renewal["run"], renewal["packages"]) == (done.run["id"], updated("1", "2"))
    assert outdated.check() == {}


def test_a_patch_whose_process_died_before_the_seal_is_taken_over_by_the_next_check(outdated: Outdated) -> None:
    outdated.make(3)
    before = outdated.renewals()
    words = ["run", "patch", "--limit", HOST, "-p", "patch_which=all", "-p", "patch_reboot=never"]
    command = [sys.executable, "-m", "bedplate", *words]
    process = subprocess.Popen(command, env=outdated.lab.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    with launcher_of(outdated.lab) as launcher:
        known = {run.id for run in launcher.store.find(RunQuery(product="patch"))}
        while not (new := [run for run in launcher.store.find(RunQuery(product="patch")) if run.id not in known]) or (
            new[0].status is not RunStatus.SUCCESSFUL
        ):
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        process.kill()
        process.communicate()
    assert outdated.renewals() == before
    assert outdated.check() == {}
    (renewal,) = outdated.renewals()[len(before) :]
    assert (renewal["run"], renewal["packages"]) == (new[0].id, updated("2", "3"))


def test_an_upgrade_by_hand_is_one_finding_with_who_and_when(outdated: Outdated) -> None:
    outdated.make(4)
    outdated.lab.ssh(
        HOST, f"sudo apt-get -qq update; sudo apt-get -qq -y -o Dpkg::Options::=--force-confold install {NAME}"
    )
    found = outdated.check()
    assert found.keys() == {("package", NAME, "version")}
    (one,) = found.values()
    assert (one["before"], one["after"]) == ("3", "4")
    assert (one["cause"], one["by"]["user"], one["by"]["source"]) == ("corrective", "ansible", "apt")
    assert f"install {NAME}" in one["by"]["command"]
    assert one["by"]["time"]
