"""The product patch: packages of a repository of the test's own, a bad one of which breaks the first host only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration.products import as_root, order
from lab_fleet import LabFleet

FIRST, SECOND = "ash1-cloud-01", "fra1-colo-01"
BOTH = f"{FIRST},{SECOND}"
# apt reads this repository and no other.
PREPARE = """
mkdir -p /srv/proof
echo 'Dir::Etc::sourcelist "/srv/proof/sources.list"; Dir::Etc::sourceparts "-";' > /etc/apt/apt.conf.d/99proof
echo 'Dir::State::lists "/srv/proof/lists";' >> /etc/apt/apt.conf.d/99proof
mkdir -p /srv/proof/lists/partial
echo 'deb [trusted=yes] file:/srv/proof ./' > /srv/proof/sources.list
"""
# Arguments: version, and what the package does when it is configured.
MAKE = """
mkdir -p /tmp/proof/DEBIAN
printf 'Package: proof\\nVersion: %s\\nArchitecture: all\\nDescription: x\\n' {version} > /tmp/proof/DEBIAN/control
echo 'Maintainer: x <x@example.com>' >> /tmp/proof/DEBIAN/control
printf '#!/bin/sh\\n%s\\n' '{configure}' > /tmp/proof/DEBIAN/postinst
chmod 0755 /tmp/proof/DEBIAN/postinst
dpkg-deb --build /tmp/proof /srv/proof/proof_{version}.deb > /dev/null
cd /srv/proof
: > Packages
for deb in *.deb; do
    dpkg-deb --field $deb >> Packages
    sum=$(sha256sum $deb | cut -d " " -f 1)
    printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n\\n' $deb $(stat -c %s $deb) $sum >> Packages
done
rm -r /tmp/proof
"""
BREAK = "systemd-run --unit=proof-broken --quiet false; sleep 1"
REMOVE = (
    "rm -rf /srv/proof /etc/apt/apt.conf.d/99proof /run/reboot-required; dpkg --purge proof; systemctl reset-failed"
)


@pytest.fixture(scope="module")
def outdated(lab: LabFleet) -> Iterator[LabFleet]:
    """Two hosts with version 1 of a package whose version 2 is in their repository."""
    for host in (FIRST, SECOND):
        as_root(lab, host, PREPARE + MAKE.format(version=1, configure="true"))
        as_root(lab, host, "dpkg --install /srv/proof/proof_1.deb")
        as_root(lab, host, MAKE.format(version=2, configure="touch /run/reboot-required"))
    yield lab
    for host in (FIRST, SECOND):
        as_root(lab, host, REMOVE)


def test_hosts_are_updated_and_rebooted_where_that_is_needed(outdated: LabFleet) -> None:
    done = order(outdated, "patch", BOTH, which="all", patience="2m")
    assert (done.code, done.outcomes) == (0, {FIRST: "changed", SECOND: "changed"}), done.hosts
    for host in (FIRST, SECOND):
        values = done.hosts[host]["values"]
        assert values["packages"] == [{"name": "proof", "before": "1", "after": "2"}]
        assert values["reboot_reasons"] == ["the system asks for it"]
        assert values["boot_after"] != values["boot_before"]


def test_a_bad_batch_is_the_last(outdated: LabFleet) -> None:
    for host in (FIRST, SECOND):
        as_root(outdated, host, MAKE.format(version=3, configure=BREAK))
    nothing = order(outdated, "patch", BOTH, which="security")
    assert nothing.outcomes == {FIRST: "unchanged", SECOND: "unchanged"}
    done = order(outdated, "patch", BOTH, which="all", patience="10s")
    assert (done.code, done.outcomes) == (5, {FIRST: "failed", SECOND: "not_started"})
    assert "stays drained: failed: proof-broken.service" in done.hosts[FIRST]["detail"]
    assert done.hosts[FIRST]["values"]["packages"] == [{"name": "proof", "before": "2", "after": "3"}]
    assert as_root(outdated, SECOND, "dpkg-query -W -f '${Version}' proof") == "2"
