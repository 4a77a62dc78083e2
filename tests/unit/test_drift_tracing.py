"""Who did it: what a host's logs say of one change, and what they do not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.drift.evidence import Act, Evidence, evidence_of
from bedplate.drift.observation import By, Confidence
from bedplate.drift.telling import who
from bedplate.drift.tracing import trace
from bedplate.drift.watching import ABSENT, Change

NOW = 1_764_100_000
FILE = {"presence": "present", "type": "file", "content": "a"}


def sudo(command: str, at: int = NOW, user: str = "alice", folder: str = "/home/alice") -> Act:
    return Act(at, "sudo", user, command, folder)


def apt(command: str, *names: str, at: int = NOW, user: str | None = "alice") -> Act:
    return Act(at, "apt", user, command, "", names)


def traced(change: Change, attribute: str, *acts: Act, **more: Any) -> By | None:
    return trace(Evidence(acts=acts, since=NOW - 86400, **more), change, attribute)


def file(path: str, attribute: str, *acts: Act, written: int = NOW, touched: int | None = None) -> By | None:
    times = (written, written if touched is None else touched)
    return traced(Change("file", path, FILE, {**FILE, "content": "b"}), attribute, *acts, touched={path: times})


def unit(*acts: Act, attribute: str = "state") -> By | None:
    before, after = {"presence": "present", attribute: "a"}, {"presence": "present", attribute: "b"}
    return traced(Change("unit", "chrony.service", before, after), attribute, *acts)


def package(*acts: Act, attribute: str = "presence") -> By | None:
    return traced(Change("package", "curl", ABSENT, {"presence": "present"}), attribute, *acts)


class TestFiles:
    @pytest.mark.parametrize(
        "command",
        [
            "/usr/bin/tee -a /etc/chrony/chrony.conf",
            "/usr/bin/sed -i s/a/b/ /etc/chrony/chrony.conf",
            "/bin/sh -c echo x >> /etc/chrony/chrony.conf",
            "/bin/sh -c 'echo x > /etc/chrony/chrony.conf'",
            "/usr/bin/cp /root/chrony.conf /etc/chrony/chrony.conf",
            "/usr/bin/install -m 0644 chrony.conf /etc/chrony",
            "/usr/bin/mv /tmp/chrony.conf /etc/chrony/",
            "/usr/bin/dd of=/etc/chrony/chrony.conf",
            "/usr/bin/vim ../../etc/chrony/chrony.conf",
            "sudoedit /etc/chrony/chrony.conf",
        ],
    )
    def test_a_command_that_names_it_at_the_time(self, command: str) -> None:
        found = file("/etc/chrony/chrony.conf", "content", sudo(command))
        assert found is not None
        assert (found.user, found.command, found.source) == ("alice", command, "sudo")
        assert found.confidence is Confidence.LIKELY

    @pytest.mark.parametrize(
        "command",
        [
            "/usr/bin/cat /etc/chrony/chrony.conf",
            "/usr/bin/chmod 0600 /etc/chrony/chrony.conf",
            "/usr/bin/cp /etc/chrony/chrony.conf /root/before",
            "/usr/bin/tee /etc/chrony/other.conf",
            "/usr/bin/systemctl restart chrony",
            "/usr/sbin/sysctl -p /etc/chrony/chrony.conf",
            "/bin/bash",
            "/usr/bin/systemctl cat /etc/chrony/chrony.conf",
        ],
    )
    def test_one_that_did_not_write_it(self, command: str) -> None:
        assert file("/etc/chrony/chrony.conf", "content", sudo(command)) is None

    def test_only_what_was_run_before_and_shortly_so(self) -> None:
        tee, vim = "/usr/bin/tee /etc/motd", "/usr/bin/vim /etc/motd"
        assert file("/etc/motd", "content", sudo(tee, NOW + 60)) is None
        assert file("/etc/motd", "content", sudo(tee, NOW - 600)) is None
        assert file("/etc/motd", "content", sudo(vim, NOW - 600)) is not None

    def test_of_several_it_was_the_last_one(self) -> None:
        found = file("/etc/motd", "content", sudo("/usr/bin/tee /etc/motd"), sudo("/usr/bin/tee /etc/motd", user="bob"))
        assert found is not None
        assert file("/etc/motd", "content", sudo("/usr/bin/vi /etc/motd", NOW - 99), sudo("/usr/bin/tee /etc/motd"))
        later = [sudo("/usr/bin/vi /etc/motd", NOW - 99, "bob"), sudo("/usr/bin/tee /etc/motd", NOW - 1, "kim")]
        last = file("/etc/motd", "content", *later)
        assert last is not None
        assert last.user == "kim"

    def test_its_mode_has_a_time_of_its_own(self) -> None:
        acts = sudo("/usr/bin/tee /etc/motd", NOW - 900, "bob"), sudo("/usr/bin/chmod 666 /etc/motd", user="kim")
        assert (file("/etc/motd", "content", *acts, written=NOW - 899, touched=NOW) or By()).user == "bob"
        assert (file("/etc/motd", "mode", *acts, written=NOW - 899, touched=NOW) or By()).user == "kim"

    def test_one_that_is_gone(self) -> None:
        change = Change("file", "/etc/cron.d/x", FILE, ABSENT)
        for command in ("/usr/bin/rm -rf /etc/cron.d", "/usr/bin/rm /etc/cron.d/x", "/bin/sh -c rm /etc/cron.d/*"):
            assert traced(change, "presence", sudo(command)) is not None
        assert traced(change, "presence", sudo("/usr/bin/rm /etc/cron.d/y")) is None

    def test_the_audit_says_who_logged_in_and_is_certain(self) -> None:
        seen = Act(NOW, "audit", "kim", "tee /etc/motd", "/root", ("/etc/motd",))
        found = file("/etc/motd", "content", sudo("/usr/bin/vi /etc/motd", NOW - 9), seen)
        assert found is not None
        assert (found.user, found.source, found.confidence) == ("kim", "audit", Confidence.CERTAIN)

    def test_files_that_come_with_something_else(self) -> None:
        user, edit = "/usr/sbin/useradd -m carol", "/usr/bin/systemctl edit chrony"
        assert file("/home/carol/.bashrc", "presence", sudo(user)) is not None
        assert file("/home/dave/.bashrc", "presence", sudo(user)) is None
        assert file("/etc/systemd/system/chrony.service.d/override.conf", "presence", sudo(edit)) is not None
        link = Change("file", "/etc/systemd/system/chronyd.service", {**FILE, "target": "/lib/chrony.service"}, ABSENT)
        assert traced(link, "presence", sudo("/usr/bin/systemctl disable chrony")) is not None
        assert traced(link, "presence", sudo("/usr/bin/systemctl disable cron")) is None
        brought = Change("file", "/usr/bin/curl", ABSENT, {**FILE, "package": "curl"})
        assert traced(brought, "presence", apt("apt-get install curl", "curl")) is not None


class TestUnits:
    def test_a_command_that_names_it(self) -> None:
        for command in ("/usr/bin/systemctl disable --now chrony", "/bin/sh -c systemctl stop chrony.service"):
            assert unit(sudo(command)) is not None
        assert unit(sudo("/usr/bin/systemctl disable --now chrony"), attribute="enabled") is not None
        assert unit(sudo("/usr/bin/systemctl stop cron")) is None
        assert unit(sudo("/usr/bin/systemctl status chrony")) is None
        assert unit(sudo("/usr/bin/systemctl reload chrony")) is None
        assert unit(sudo("/usr/bin/systemctl disable chrony")) is None
        assert unit(sudo("/usr/bin/systemctl stop chrony"), attribute="enabled") is None

    def test_the_journal_says_when_it_stopped(self) -> None:
        stop = sudo("/usr/bin/systemctl stop chrony", NOW - 5000)
        stopped = Act(NOW, "systemd", None, "Stopped chrony.service - chrony.", "", ("chrony.service",))
        assert unit(stop, stopped) is None
        assert unit(sudo("/usr/bin/systemctl stop chrony", NOW - 1), stopped) is not None

    def test_one_that_failed_by_itself_is_nobodys(self) -> None:
        failed = Act(NOW, "failure", None, "chrony.service: Failed with result 'signal'.", "", ("chrony.service",))
        found = unit(failed)
        assert found is not None
        assert (found.user, found.source) == (None, "systemd")
        killed = unit(sudo("/usr/bin/pkill -9 chrony"), failed)
        assert killed is not None
        assert killed.user == "alice"


class TestPackages:
    def test_apt_says_who_asked_for_it(self) -> None:
        found = package(apt("apt-get -y install curl", "libcurl4", "curl"))
        assert found is not None
        assert (found.user, found.confidence, found.source) == ("alice", Confidence.CERTAIN, "apt")
        assert package(apt("apt-get -y install vim", "vim")) is None

    def test_what_apt_did_by_itself_is_nobodys_though_somebody_did_so_before(self) -> None:
        by_hand = apt("apt install curl", "curl", at=NOW - 60)
        found = package(by_hand, apt("/usr/bin/unattended-upgrade", "curl", user=None))
        assert found is not None
        assert (found.user, found.command) == (None, "/usr/bin/unattended-upgrade")

    def test_dpkg_says_when_and_sudo_who(self) -> None:
        done = Act(NOW, "dpkg", None, "install curl:amd64 <none> 8.1", "", ("curl",))
        assert (package(done) or By("?")).user is None
        found = package(sudo("/usr/bin/dpkg -i curl", NOW - 1), done)
        assert found is not None
        assert (found.user, found.source) == ("alice", "sudo")

    def test_one_that_was_held(self) -> None:
        hold = sudo("/usr/bin/apt-mark hold curl")
        assert package(hold, attribute="selection") is not None
        assert package(apt("apt install curl", "curl"), attribute="selection") is None


class TestOthers:
    @pytest.mark.parametrize(
        ("kind", "key", "command"),
        [
            ("sysctl", "net.ipv4.tcp_syncookies", "/usr/sbin/sysctl -w net.ipv4.tcp_syncookies=0"),
            ("sysctl", "net.ipv4.tcp_syncookies", "/usr/sbin/sysctl -q -p /etc/sysctl.d/60-bob.conf"),
            ("sysctl", "net.ipv4.tcp_syncookies", "/usr/bin/tee /proc/sys/net/ipv4/tcp_syncookies"),
            ("user", "carol", "/usr/sbin/useradd --create-home carol"),
            ("group", "sudo", "/usr/sbin/usermod -aG sudo carol"),
            ("module", "dummy", "/usr/sbin/modprobe dummy"),
            ("mount", "/tmp", "/usr/bin/mount -o remount,exec /tmp"),
            ("firewall", "inet bedplate", "/usr/sbin/nft delete table inet bedplate"),
            ("firewall", "inet bedplate", "/usr/sbin/nft flush ruleset"),
            ("host", "timezone", "/usr/bin/timedatectl set-timezone UTC"),
        ],
    )
    def test_a_command_that_names_it(self, kind: str, key: str, command: str) -> None:
        change = Change(kind, key, {"value": "1"}, {"value": "0"})
        origins = {"net.ipv4.tcp_syncookies": ("/etc/sysctl.d/60-bob.conf",)}
        found = traced(change, "value", sudo(command), origins=origins)
        assert found is not None
        assert found.confidence is Confidence.LIKELY

    @pytest.mark.parametrize(
        ("kind", "key", "command"),
        [
            ("sysctl", "net.ipv4.tcp_syncookies", "/usr/sbin/sysctl -n net.ipv4.tcp_syncookies"),
            ("user", "carol", "/usr/bin/less carol"),
            ("firewall", "inet bedplate", "/usr/sbin/nft list ruleset"),
            ("user", "carol", "/usr/sbin/useradd dave"),
        ],
    )
    def test_one_that_did_nothing_to_it(self, kind: str, key: str, command: str) -> None:
        assert traced(Change(kind, key, {"value": "1"}, {"value": "0"}), "value", sudo(command)) is None

    def test_a_setting_for_the_next_boot_is_written_into_its_file(self) -> None:
        change = Change("sysctl", "vm.swappiness", {"configured": "1"}, {"configured": "0"})
        origins = {"vm.swappiness": ("/etc/sysctl.d/x.conf",)}
        for command, known in (("tee /etc/sysctl.d/x.conf", True), ("sysctl -w vm.swappiness=1", False)):
            assert (traced(change, "configured", sudo(command), origins=origins) is not None) is known

    def test_a_socket_is_the_programs_that_was_told_so(self) -> None:
        change = Change("socket", "tcp *:8080", ABSENT, {"presence": "present", "program": "python3"})
        assert traced(change, "presence", sudo("/usr/bin/python3 -m http.server 8080")) is not None
        assert traced(change, "presence", sudo("/usr/bin/python3 -m http.server 8081")) is None

    def test_commands_without_names_say_something_only_if_they_are_one_persons(self) -> None:
        change = Change("firewall", "inet bedplate", {"rules": "a"}, {"rules": "b"})
        load = sudo("/usr/sbin/nft -f /root/rules")
        found = traced(change, "rules", load)
        assert found is not None
        assert found.confidence is Confidence.POSSIBLE
        assert traced(change, "rules", load, sudo("/usr/sbin/nft -f /root/more", user="bob")) is None
        assert traced(change, "rules", load, cut=True) is None


texts = st.text(max_size=12)
acts = st.builds(
    Act,
    st.integers(NOW - 100, NOW + 100),
    st.sampled_from(["sudo", "apt", "dpkg", "systemd", "failure", "exec", "audit", "odd", ""]),
    st.none() | texts,
    texts | st.sampled_from(["/usr/bin/tee /x/y", "sh -c 'rm /x/*'", "sysctl -p", "apt install y"]),
    texts,
    st.lists(texts | st.just("/x/y"), max_size=3).map(tuple),
)


@given(
    st.lists(acts, max_size=6),
    st.sampled_from(["file", "unit", "package", "sysctl", "user", "socket", "mount", "firewall", "odd"]),
    texts | st.just("/x/y"),
    st.sampled_from(["content", "presence", "state", "value", "mode"]),
)
def test_whatever_logs_say_nobody_is_named_who_is_not_in_them(
    found: list[Act], kind: str, key: str, attribute: str
) -> None:
    by = trace(Evidence(acts=tuple(found), since=NOW), Change(kind, key, {"a": "1"}, {"a": "2"}), attribute)
    if by is not None:
        assert by.time is not None
        assert by.confidence is not None
        assert any((act.user, act.command, act.at) == (by.user, by.command, by.time.timestamp()) for act in found)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(["acts", "touched", "origins", "since", "cut", "at", "user", "command", "names"])


@given(json_values | st.dictionaries(names, json_values | st.lists(st.dictionaries(names, json_values)), max_size=5))
def test_whatever_a_host_answers_is_evidence_or_nothing(document: Any) -> None:
    evidence = evidence_of(json.loads(json.dumps(document)))
    assert all(0 <= act.at < 1 << 33 for act in evidence.acts)
    assert trace(evidence, Change("unit", "a", {"state": "1"}, {"state": "2"}), "state") is None or evidence.acts


def test_it_is_told_in_one_line() -> None:
    by = file("/etc/motd", "content", sudo("/usr/bin/tee /etc/motd \x1b[2J" + "x" * 999))
    assert who(by, 20) == "alice: /usr/bin/tee /etc/mo… (2025-11-25 19:46:40 UTC, sudo, likely)"
    assert who(None) == "unknown"
