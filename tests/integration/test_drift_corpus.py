"""Ways to drift on a host of the lab: sealed once, changed in all of them, looked at in one round trip."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

import pytest

from bedplate.commands.context import App
from bedplate.drift.capture import Capture
from bedplate.drift.comparison import compare
from bedplate.drift.observation import CheckOutcome, HostCheck
from bedplate.drift.seal import Intent, Managed, Seal, request_for, texts_of
from bedplate.launch import Launcher
from bedplate.launch.capturing import capture
from bedplate.launch.sealing import fast_check, take_seals
from bedplate.runs import RunQuery
from integration.drift_corpus.ground import PACKAGES, Ground, managed, prepared
from integration.drift_corpus.way import UNABLE, Identity, Way
from integration.drift_corpus.ways import ways
from lab_fleet import LabFleet, podman

HOST, BASELINED = "ash1-cloud-02", "fra1-colo-02"
GROUND = Ground(int(time.time()))
WAYS = ways(GROUND)
# What the lab's containers cannot do: an immutable file needs a capability that they do not have.
FEWEST = len(WAYS) - 2


@contextmanager
def launcher_of(lab: LabFleet) -> Iterator[Launcher]:
    """Give what `bedplate` would execute runs with on this lab; its inventory reads the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("BEDPLATE_")]:
            patch.delenv(name)
        patch.setenv("BEDPLATE_HOME", str(lab.home))
        app = App(str(lab.inventory))
        assert app.settings.home == lab.home
        yield app.launcher


def as_root(lab: LabFleet, host: str, script: str, name: str = "script") -> str:
    """Run a shell script on a host and return what it printed."""
    container = lab.hosts[host].container
    file = lab.home / name
    file.write_text(script, encoding="utf-8")
    podman("cp", str(file), f"{container}:/run/{name}")
    return podman("exec", container, "sh", f"/run/{name}")


@dataclass(frozen=True)
class Drifted:
    """One host before and after."""

    untouched: HostCheck
    unread: set[str]
    check: HostCheck
    codes: dict[str, int]

    @property
    def found(self) -> set[Identity]:
        return {seen.identity[1:] for seen in self.check.observations}

    @property
    def applied(self) -> list[Way]:
        return [way for way in WAYS if self.codes[way.name] == 0]


def changes() -> str:
    """Return one script that goes all ways, one after another, and says how each ended."""
    parts = []
    for number, way in enumerate(WAYS):
        parts.append(f"cat > /run/way-{number} <<'END OF WAY'\n{way.script}\nEND OF WAY")
        parts.append(f"timeout 60 sh /run/way-{number} > /dev/null 2>&1; echo $? {number}")
    return "\n".join(parts)


@pytest.fixture(scope="module")
def drifted(lab: LabFleet) -> Iterator[Drifted]:
    """A host that went all ways since it was sealed; it is made anew in the end."""
    lab.recreate(HOST)
    try:
        with launcher_of(lab) as launcher:
            yield _drifted(lab, launcher)
    finally:
        lab.recreate(HOST)


def _drifted(lab: LabFleet, launcher: Launcher) -> Drifted:
    def look(request: dict[str, Any]) -> Capture:
        return capture(launcher, [HOST], [request]).of(HOST)

    as_root(lab, HOST, prepared(GROUND))
    resources = managed(GROUND)
    first = look(request_for(resources))
    seal = Seal(HOST, datetime.now(UTC), Intent(), first, Managed(resources))
    asked = {**seal.request(datetime.now(UTC).date()), "turns": {}}
    assert all(mark for mark, _ in asked["marks"].values())
    now = look(asked)
    untouched, unread = compare(seal, now), {*now.unread}
    lines = as_root(lab, HOST, changes(), "ways").splitlines()
    codes = {WAYS[int(number)].name: int(code) for code, number in map(str.split, lines)}
    return Drifted(untouched, unread, compare(seal, look(asked), texts=texts_of(first)), codes)


def test_a_host_that_nobody_touched_is_clean(drifted: Drifted) -> None:
    assert (drifted.untouched.outcome, drifted.untouched.observations) == (CheckOutcome.CLEAN, ())


def test_of_a_host_that_nobody_touched_no_program_is_read(drifted: Drifted) -> None:
    assert drifted.unread == {GROUND.package(name) for name in PACKAGES}


def test_the_changes_had_their_effects(drifted: Drifted) -> None:
    assert set(drifted.codes.values()) <= {0, UNABLE}
    assert len(drifted.applied) >= FEWEST, [name for name, code in drifted.codes.items() if code]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name.replace(GROUND.token, "…"))
def test_each_way_is_found(drifted: Drifted, way: Way) -> None:
    if way not in drifted.applied:
        pytest.skip("this host cannot drift so")
    assert way.found in drifted.found


def test_nothing_else_is_found(drifted: Drifted) -> None:
    expected = {way.found for way in drifted.applied}
    also = [identity for way in drifted.applied for identity in way.also]
    extra = {
        identity
        for identity in drifted.found - expected
        if not any(all(map(fnmatchcase, identity, pattern)) for pattern in also)
    }
    assert extra == set()


def test_findings_say_whose_it_is_and_show_the_text(drifted: Drifted) -> None:
    seen = {observation.identity[1:]: observation for observation in drifted.check.observations}
    appended = seen["file", GROUND.file("appended"), "content"]
    assert (appended.role, appended.task) == ("made_up", "Manage file")
    assert f"+{GROUND.token}" in (appended.diff or "")


@dataclass(frozen=True)
class Baselined:
    """A host at the baseline, with its seal."""

    lab: LabFleet
    launcher: Launcher
    seals: dict[str, str]
    texts: dict[str, bytes]

    def check(self, **changed: Any) -> HostCheck:
        seals = {**self.seals, **changed.pop("seals", {})}
        (check,) = fast_check(self.launcher, [BASELINED], seals, texts=lambda _digests: self.texts, **changed).checks
        return check


@pytest.fixture(scope="module")
def host(baselined: LabFleet) -> Iterator[Baselined]:
    """A host that the product baseline has just been applied to, sealed from that run."""
    with launcher_of(baselined) as launcher:
        (run,) = launcher.store.find(RunQuery(product="baseline", limit=1))
        taken = take_seals(launcher, run.id, [BASELINED])
        assert taken.failures == {}
        yield Baselined(baselined, launcher, dict(taken.seals), dict(taken.texts))


def test_a_host_at_the_baseline_is_clean_and_all_of_it_is_judged(host: Baselined) -> None:
    check = host.check()
    assert (check.outcome, check.observations) == (CheckOutcome.CLEAN, ())
    roles = {role.role: role for role in check.coverage}
    assert {"packages", "access", "time_sync", "logging", "metrics", "firewall", "site_identity"} <= roles.keys()
    assert sum(role.judged for role in check.coverage) > 80
    gaps = {role: coverage.unverifiable for role, coverage in roles.items() if coverage.unverifiable}
    # A host without hardware of its own; and commands that a first run has to give, which a later one has not.
    assert gaps.keys() <= {"(NetBox)", "hardening"}, gaps
    assert all(gap.endswith("what ansible.builtin.command manages") for gap in gaps.get("hardening", ())), gaps


BANNED = """
mkdir -p /run/banned/DEBIAN
printf '%s\n' 'Package: talkd' 'Version: 1' 'Architecture: all' 'Maintainer: x <x@example.com>' 'Description: none' \
    > /run/banned/DEBIAN/control
dpkg-deb --build /run/banned /run/banned.deb && dpkg --install /run/banned.deb
"""


def test_a_package_that_is_not_to_be_there_is_the_roles_that_bans_it(host: Baselined) -> None:
    as_root(host.lab, BASELINED, BANNED)
    try:
        check = host.check()
    finally:
        as_root(host.lab, BASELINED, "dpkg --purge talkd; rm -r /run/banned /run/banned.deb")
    (seen,) = check.observations
    assert (seen.identity[1:], seen.role) == (("package", "talkd", "presence"), "packages")
    assert (seen.task, seen.before) == ("Remove what is banned", "absent")


WEEK = """
for timer in $(systemctl list-units --type=timer --all --plain --no-legend | cut -d ' ' -f 1); do
    service=$(systemctl show -p Unit --value "$timer")
    case $service in apt-*) ;; *) timeout 60 systemctl start "$service" || true ;; esac
done
for period in hourly daily weekly monthly; do
    test ! -d /etc/cron.$period || timeout 60 run-parts /etc/cron.$period || true
done
systemctl is-active systemd-tmpfiles-clean.timer
"""


def test_what_a_host_does_by_itself_in_a_week_is_no_drift(host: Baselined) -> None:
    """All that timers and cron start, but for apt's own: what those install is told of as updates."""
    assert as_root(host.lab, BASELINED, WEEK).endswith("active\n")
    check = host.check()
    assert (check.outcome, check.observations) == (CheckOutcome.CLEAN, ())


def test_a_boot_and_a_rotation_of_logs_are_no_drift(host: Baselined) -> None:
    as_root(host.lab, BASELINED, "logrotate --force /etc/logrotate.conf 2>/dev/null; true")
    container, names = host.lab.hosts[BASELINED].container, as_root(host.lab, BASELINED, "cat /etc/hosts")
    podman("restart", container)
    host.lab.bedplate("lab", "up")
    # Podman writes this file of a container anew at each start.
    as_root(host.lab, BASELINED, f"cat > /etc/hosts <<'END'\n{names}END")
    found = {seen.identity[1:] for seen in host.check().observations}
    # Podman, and not the host's systemd, mounts this in a container: the role's options are gone, and that is told.
    assert found <= {("mount", "/tmp", "options")}


def test_a_change_to_a_managed_file_is_the_roles(host: Baselined) -> None:
    path = "/etc/chrony/chrony.conf"
    as_root(host.lab, BASELINED, f"cp -p {path} /run/old && echo '# mine' >> {path}")
    try:
        check = host.check()
    finally:
        as_root(host.lab, BASELINED, f"cp -p /run/old {path}")
    assert [seen.kind for seen in check.observations if seen.kind == "file"] == ["file"], check
    (seen,) = [seen for seen in check.observations if seen.kind == "file"]
    assert (seen.identity[1:], seen.role) == (("file", path, "content"), "time_sync")
    assert "+# mine" in (seen.diff or "")


def test_a_seal_that_was_changed_is_not_believed(host: Baselined) -> None:
    text = host.seals[BASELINED]
    check = host.check(seals={BASELINED: text[:-9] + "AAAAAAAA="})
    assert check.outcome is CheckOutcome.UNKNOWN
    assert "not as it was signed" in (check.reason or "")


def test_a_host_that_is_down_is_unknown(host: Baselined) -> None:
    container = host.lab.hosts[BASELINED].container
    podman("stop", "--time", "2", container)
    try:
        check = host.check()
    finally:
        host.lab.bedplate("lab", "up")
    assert check.outcome is CheckOutcome.UNKNOWN
    assert "could not be reached" in (check.reason or "")
