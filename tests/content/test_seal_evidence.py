"""What the logs of a host tell of who did something: text that real hosts wrote, and text that nobody would."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.drift.capture import Capture, Identity
from bedplate.drift.evidence import evidence_of
from bedplate.drift.seal import Seal
from bedplate.drift.tracing import trace
from bedplate.drift.watching import Change
from content.role_content import ROOT
from content.test_seal_module import look

from ansible_collections.bedplate.datacenter.plugins.module_utils import (  # isort: skip
    seal_audit,
    seal_evidence,
    seal_logs,
)

RECORDED = ROOT / "tests" / "fixtures" / "evidence"


def recorded(name: str) -> str:
    return (RECORDED / name).read_text(encoding="utf-8")


def journal(message: Any, **fields: Any) -> str:
    entry = {
        "__REALTIME_TIMESTAMP": "1764100000000000",
        "_COMM": "sudo",
        "_CAP_EFFECTIVE": "a82435fb",
        "MESSAGE": message,
    }
    return json.dumps({**entry, **fields})


class TestJournal:
    def test_what_people_ran_and_what_stopped(self) -> None:
        acts = list(seal_logs.from_journal(recorded("journal.json")))
        ran = {(act["user"], act["command"]) for act in acts if act["source"] == "sudo"}
        assert ("alice", "/usr/bin/systemctl disable --now chrony") in ran
        assert ("bob", "/usr/bin/tee /etc/ssh/sshd_config.d/00-bob.conf") in ran
        assert {act["folder"] for act in acts if act["user"] == "bob"} == {"/home/bob"}
        assert {"chrony.service"} < {act["names"][0] for act in acts if act["source"] == "systemd"}
        assert "BECOME-SUCCESS" not in str(acts)

    @pytest.mark.parametrize(
        "message",
        [
            "bob : 1 incorrect password attempt ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
            "bob : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
            "bob : a password is required ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
            "bob : PWD=/ ; USER=root ; COMMAND=list",
            "pam_unix(sudo:session): session opened for user root(uid=0) by bob(uid=1001)",
            None,
            7,
        ],
    )
    def test_what_was_refused_was_not_done(self, message: object) -> None:
        assert list(seal_logs.from_journal(journal(message))) == []

    def test_a_program_that_only_says_that_it_is_sudo_is_not_believed(self) -> None:
        line = "bob : PWD=/ ; USER=root ; COMMAND=/bin/ls"
        assert len(list(seal_logs.from_journal(journal(line)))) == 1
        assert list(seal_logs.from_journal(journal(line, _EXE="/home/eve/sudo"))) == []
        assert list(seal_logs.from_journal(journal(line, _CAP_EFFECTIVE="0"))) == []
        assert list(seal_logs.from_journal(journal(line, _COMM="logger"))) == []

    def test_a_long_command_is_put_together(self) -> None:
        lines = [journal("bob : PWD=/ ; USER=root ; COMMAND=/bin/echo a"), journal("bob : (command continued) b")]
        assert [act["command"] for act in seal_logs.from_journal("\n".join(lines))] == ["/bin/echo ab"]

    def test_bytes_that_are_no_text(self) -> None:
        message = list(b"bob : PWD=/ ; USER=root ; COMMAND=/bin/rm \xff")
        (act,) = seal_logs.from_journal(journal(message))
        assert act["command"] == "/bin/rm \ufffd"

    @given(st.text() | st.lists(st.dictionaries(st.text(), st.text() | st.integers())).map(json.dumps))
    def test_whatever_it_says_nothing_fails(self, text: str) -> None:
        assert all(isinstance(act["at"], int) for act in seal_logs.from_journal(text))
        assert isinstance(list(seal_logs.from_journal(journal(text))), list)


class TestPackages:
    def test_apt_names_packages_and_who_asked(self) -> None:
        acts = list(seal_logs.from_history(recorded("history.log")))
        removed = next(act for act in acts if act["command"].endswith(" remove rsyslog"))
        assert (removed["user"], removed["source"]) == ("bob", "apt")
        assert removed["names"] == ["rsyslog", "rsyslog-relp"]
        installed = next(act for act in acts if "curl" in act["names"])
        assert installed["user"] == "alice"
        assert "libcurl4" in " ".join(installed["names"])
        assert installed["until"] >= installed["at"]

    def test_updates_by_themselves_are_nobodys(self) -> None:
        text = (
            "Start-Date: 2026-11-25  06:12:07\nCommandline: /usr/bin/unattended-upgrade\n"
            "Upgrade: openssl:amd64 (3.0.14-1, 3.0.15-1)\nEnd-Date: 2026-11-25  06:12:09\n"
        )
        (act,) = seal_logs.from_history(text)
        assert (act["user"], act["names"]) == (None, ["openssl"])

    def test_dpkg_says_what_and_when(self) -> None:
        acts = list(seal_logs.from_dpkg(recorded("dpkg.log")))
        assert any(act["command"].startswith("remove rsyslog:amd64 ") for act in acts)
        assert {act["user"] for act in acts} == {None}
        assert not any("status" in act["command"].split()[0] for act in acts)

    @given(st.text(alphabet=string.printable))
    def test_whatever_they_say_nothing_fails(self, text: str) -> None:
        assert all(act["names"] for act in seal_logs.from_history(f"Start-Date: {text}\nInstall: {text}\n\n{text}"))
        assert list(seal_logs.from_dpkg(f"2026-99-99 00:00:00 install {text}:amd64 x\n{text}")) is not None


class TestAudit:
    def test_who_logged_in_ran_and_wrote_what(self) -> None:
        acts = list(seal_audit.from_audit(recorded("audit.log")))
        wrote = [act for act in acts if act["source"] == "audit"]
        assert any("/etc/ssh/sshd_config.d/00-bob.conf" in act["names"] for act in wrote)
        assert any(act["command"].startswith("tee ") for act in wrote)
        ran = [act["command"] for act in acts if act["source"] == "exec"]
        assert any("tee /etc/ssh/sshd_config.d/00-bob.conf" in command for command in ran)

    def test_only_from_a_moment_on(self) -> None:
        acts = list(seal_audit.from_audit(recorded("audit.log")))
        last = max(act["at"] for act in acts)
        assert {act["at"] for act in seal_audit.from_audit(recorded("audit.log"), last)} == {last}

    def test_what_failed_and_what_no_person_did(self) -> None:
        head = "type={} msg=audit(1764100000.123:7): "
        path = head.format("PATH") + 'item=1 name="x" nametype=CREATE'
        folder = head.format("CWD") + 'cwd="/etc"'
        call = head.format("SYSCALL") + 'success={} auid=4294967295 comm="cron" exe="/usr/sbin/cron" key="cron"'
        assert list(seal_audit.from_audit("\n".join([call.format("no"), folder, path]))) == []
        (act,) = seal_audit.from_audit("\n".join([call.format("yes"), folder, path]))
        assert (act["user"], act["names"], act["command"]) == (None, ["/etc/x"], "/usr/sbin/cron")

    @given(st.text(), st.sampled_from(["SYSCALL", "PATH", "EXECVE", "CWD", "PROCTITLE"]))
    def test_whatever_it_says_nothing_fails(self, text: str, kind: str) -> None:
        call = "type=SYSCALL msg=audit(1.1:1): success=yes auid=1000"
        assert list(seal_audit.from_audit(f"{call}\ntype={kind} msg=audit(1.1:1): name={text} cwd={text}")) is not None


class TestSecrets:
    @pytest.mark.parametrize(
        "command",
        [
            "/usr/bin/curl -u kim:{} https://example.com",
            "/usr/bin/curl https://kim:{}@example.com/x",
            "/usr/bin/curl -H Authorization: Bearer {} https://example.com",
            "/usr/bin/mysql -p{} -e select",
            "/usr/bin/tool --db-password={} --verbose",
            "/usr/bin/tool --token {}",
            "/usr/bin/tool --token '{} and more'",
            "/usr/bin/env DB_PASSWORD={} tool",
            "/bin/sh -c echo kim:{} | chpasswd",
            "/usr/sbin/usermod -p {} kim",
            "/usr/bin/sshpass -p {} ssh host",
            "/usr/bin/snmpget -v2c --community {} host",
            "/usr/bin/tool -----BEGIN OPENSSH PRIVATE KEY----- {}",
            "/usr/bin/openssl enc -passin pass:{}",
        ],
    )
    def test_they_are_taken_out_of_commands(self, command: str) -> None:
        clean = seal_evidence.without_secrets(command.format("s3cr3tW0rd"))
        assert "s3cr3t" not in clean
        assert clean.split()[0] == command.split(maxsplit=1)[0]

    @pytest.mark.parametrize(
        "text",
        ["$6$salt$abcdefghijk", "ghp_0123456789abcdefghijklmnopqrstuvwxyzABCD", "0123456789abcdef" * 4],
    )
    def test_and_so_is_what_looks_like_one(self, text: str) -> None:
        assert text not in seal_evidence.without_secrets(f"/usr/bin/tool {text}")

    @pytest.mark.parametrize(
        "command",
        [
            "/usr/bin/systemctl disable --now chrony",
            "/usr/bin/tee -a /etc/chrony/chrony.conf",
            "/usr/sbin/useradd --create-home --shell /bin/bash carol",
            "/usr/bin/passwd carol",
            "/usr/bin/vim /etc/ssh/sshd_config.d/00-a-file-with-a-name-that-is-longer-than-others-1.conf",
            "/usr/sbin/sysctl -w net.ipv4.tcp_syncookies=0",
            "/usr/bin/apt-get -q -y install curl",
        ],
    )
    def test_the_rest_stays(self, command: str) -> None:
        assert seal_evidence.without_secrets(command) == command

    @given(st.text(max_size=20000))
    def test_what_is_long_is_cut(self, text: str) -> None:
        act = seal_logs.act(1, "sudo", "kim", text * 50, folder=text, names=[text] * 500)
        short = seal_evidence.limited(act)
        assert len(short["command"]) <= 400
        assert len(short["names"]) <= 100


def logs(folder: Path) -> str:
    """Make a folder of logs as hosts have them."""
    for name, file in (("apt", "history.log"), ("audit", "audit.log"), (".", "dpkg.log")):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / file).write_text(recorded(file), encoding="utf-8")
    return str(folder)


def test_the_newest_are_kept_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal_evidence, "output", lambda _command: recorded("journal.json"))
    found = seal_evidence.gather(0, logs(tmp_path))
    times = [act["at"] for act in found["acts"]]
    assert times == sorted(times)
    assert {act["source"] for act in found["acts"]} >= {"sudo", "systemd", "apt", "exec", "audit"}
    assert all(act["source"] != "dpkg" for act in found["acts"] if "curl" in act["names"]), "apt tells of it"
    assert "until" not in str(found["acts"])
    monkeypatch.setattr(seal_evidence, "MOST_ACTS", 3)
    few = seal_evidence.gather(0, str(tmp_path))
    assert (few["acts"], few["cut"]) == (found["acts"][-3:], True)
    assert seal_evidence.gather(times[-1] + 1, str(tmp_path))["acts"] == []


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        (("file", "/etc/chrony/chrony.conf", "content"), ("bob", "/usr/bin/tee -a /etc/chrony/chrony.conf")),
        (("unit", "chrony.service", "enabled"), ("alice", "/usr/bin/systemctl disable --now chrony")),
        (("package", "rsyslog", "presence"), ("bob", "apt-get -q -y remove rsyslog")),
        (("user", "carol", "presence"), ("alice", "/usr/sbin/useradd --create-home --shell /bin/bash carol")),
        (("sysctl", "net.ipv4.tcp_syncookies", "value"), ("bob", "/usr/sbin/sysctl -q -p /etc/sysctl.d/60-bob.conf")),
        (("file", "/etc/sysctl.d/60-bob.conf", "presence"), ("bob", "/usr/bin/tee /etc/sysctl.d/60-bob.conf")),
        (("unit", "ssh.service", "state"), (None, "")),
    ],
)
def test_what_colleagues_did_is_traced_to_them(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    identity: tuple[str, str, str],
    expected: tuple[str | None, str],
) -> None:
    monkeypatch.setattr(seal_evidence, "output", lambda _command: recorded("journal.json"))
    origins = {"net.ipv4.tcp_syncookies": ["/etc/sysctl.d/60-bob.conf"]}
    evidence = evidence_of({**seal_evidence.gather(0, logs(tmp_path)), "origins": origins})
    states = {"presence": "present", "enabled": "enabled"}, {"presence": "absent", "enabled": "disabled"}
    kind, key, attribute = identity
    by = trace(evidence, Change(kind, key, *states), attribute)
    assert ((by.user, by.command) if by else (None, "")) == expected


def test_a_host_without_logs_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal_evidence, "output", lambda _command: None)
    assert seal_evidence.gather(0, str(tmp_path)) == {"since": 0, "acts": [], "cut": False}


def test_logs_are_asked_only_where_something_differs(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("one\n", encoding="utf-8")
    first = look({"file": {str(file): ""}})
    assert first["evidence"] == {}
    states = {"file": first["states"]["file"]}
    request = Seal("h", *[None] * 2, Capture(Identity(), states=states)).request()  # type: ignore[arg-type]
    again = look({"file": {str(file): ""}}, sealed=request["sealed"], since=0)
    assert again["evidence"] == {}
    file.write_text("two\n", encoding="utf-8")
    now = int(file.stat().st_mtime)
    changed = look({"file": {str(file): ""}}, sealed=request["sealed"], since=now - 5)
    assert changed["evidence"]["touched"] == {str(file): [now, int(file.stat().st_ctime)]}
    assert evidence_of(changed["evidence"]).touched == {str(file): (now, now)}
