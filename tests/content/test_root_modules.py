"""The modules of the roles hardening and auditing: as functions, and as Ansible starts them."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.role_content import ROOT, load_plugin

FILES = load_plugin("plugins/modules/root_files.py")
MOUNTS = load_plugin("plugins/modules/mount_options.py")
SYSCTL = load_plugin("plugins/modules/sysctl_values.py")
AUDIT = load_plugin("plugins/modules/audit_rules.py")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="the files belong to root")
KEYS = st.from_regex(r"[A-Z][A-Z_]{0,8}", fullmatch=True)
VALUES = st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True)


def start(module: str, **arguments: Any) -> dict[str, Any]:
    """Run a module the way Ansible does on a host, and return its answer."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "plugins" / "modules" / f"{module}.py")],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
        env={**os.environ, "PYTHONPATH": str(ROOT / "collections"), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@given(st.dictionaries(KEYS, VALUES), st.dictionaries(KEYS, VALUES), st.sampled_from([" ", "\t", "=", " = "]))
def test_settings_are_put_in_place_and_stay(before: dict[str, str], wanted: dict[str, str], separator: str) -> None:
    text = "# a comment\n" + "".join(f"{key}{separator}{value}\n" for key, value in before.items())
    after = FILES.with_settings(text, wanted, separator)
    lines = after.splitlines()
    assert lines[0] == "# a comment"
    assert {*lines[1:]} == {f"{key}{separator}{value}" for key, value in {**before, **wanted}.items()}
    assert len(lines) == 1 + len({**before, **wanted})
    assert FILES.with_settings(after, wanted, separator) == after


def test_a_setting_that_is_there_twice_is_there_once_afterwards() -> None:
    text = "UMASK\t022\n#UMASK 077\nUMASKS 1\n UMASK 002\n"
    assert FILES.with_settings(text, {"UMASK": "027"}, "\t") == "UMASK\t027\n#UMASK 077\nUMASKS 1\n"


@as_root
def test_files_get_content_and_modes_in_one_go(tmp_path: Path) -> None:
    fixed, edited, gone, folder = tmp_path / "d" / "fixed", tmp_path / "edited", tmp_path / "gone", tmp_path / "cron.d"
    edited.write_text("# kept\nKEY old\n")
    gone.touch()
    folder.mkdir(mode=0o755)
    files = [
        {"path": str(fixed), "content": "new\n", "mode": "0440"},
        {"path": str(edited), "settings": {"KEY": "new"}},
        {"path": str(gone), "content": "", "state": "absent"},
        {"path": str(tmp_path / "cron.*"), "mode": "0700"},
        {"path": str(tmp_path / "left"), "content": "", "needs": str(tmp_path / "nothing")},
        {"path": str(tmp_path / "untouched"), "content": "", "state": "untouched"},
    ]
    planned = start("root_files", files=files, _ansible_check_mode=True)
    assert (planned["changed"], gone.exists(), fixed.exists()) == (True, True, False)
    done = start("root_files", files=files)
    assert (done["written"], done["removed"]) == ([str(fixed), str(edited)], [str(gone)])
    assert (fixed.read_text(), edited.read_text(), gone.exists()) == ("new\n", "# kept\nKEY new\n", False)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (fixed, edited, folder)] == [0o440, 0o644, 0o700]
    assert not (tmp_path / "left").exists()
    assert not (tmp_path / "untouched").exists()
    assert start("root_files", files=files)["changed"] is False


@as_root
def test_one_file_that_is_not_valid_keeps_all_as_they_are(tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    files = [
        {"path": str(good), "content": "new\n"},
        {"path": str(bad), "content": "new\n", "validate": ["sh", "-c", 'echo "$0: line 1" >&2; exit 1', "%s"]},
    ]
    answer = start("root_files", files=files)
    assert answer["msg"] == f"{bad} would not be valid, nothing was changed: {bad}: line 1"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"path": "/x", "content": "", "settings": {}}, "/x has both content and settings; give one"),
        ({"path": "/x", "content": "", "mode": "rw"}, "/x: 'rw' is no mode; write it as 0644"),
        ({"path": "/etc", "content": ""}, "/etc is a folder and no file"),
    ],
)
def test_entries_without_a_meaning_are_refused(entry: dict[str, Any], says: str) -> None:
    assert start("root_files", files=[entry])["msg"] == says


def test_names_of_kernel_settings() -> None:
    assert SYSCTL.path_of("net.ipv4.conf.eth0/100.rp_filter") == "/proc/sys/net/ipv4/conf/eth0.100/rp_filter"
    assert SYSCTL.near("net.ipv4.tcp_syncookie") == "net.ipv4.tcp_syncookies"
    assert SYSCTL.near("no.such.thing") == ""


def test_a_kernel_setting_that_there_is_not_is_refused_or_left_out() -> None:
    answer = start("sysctl_values", values={"net.ipv4.tcp_syncookie": 1})
    assert "there is no kernel setting net.ipv4.tcp_syncookie, did you mean net.ipv4.tcp_syncookies?" in answer["msg"]
    answer = start("sysctl_values", values={"kernel.no_such": 1}, may_lack=["kernel.no_such"])
    assert (answer["changed"], answer["lacking"]) == (False, ["kernel.no_such"])


def test_interfaces_get_what_the_kernel_looks_for_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SYSCTL, "_ROOT", str(tmp_path))
    for interface in ("all", "default", "eth0", "eth0.100"):
        folder = tmp_path / "net" / "ipv4" / "conf" / interface
        folder.mkdir(parents=True)
        for leaf in ("accept_redirects", "rp_filter", "log_martians"):
            (folder / leaf).write_text("1\n", encoding="ascii")
    wanted = {
        "net.ipv4.conf.all.accept_redirects": "0",
        "net.ipv6.conf.all.accept_redirects": "0",
        "net.ipv4.conf.all.log_martians": "1",
        "net.ipv4.conf.all.rp_filter": "1",
        "net.ipv4.conf.eth0.rp_filter": "2",
    }
    assert SYSCTL.with_interfaces(wanted) == {
        **wanted,
        "net.ipv4.conf.eth0.accept_redirects": "0",
        "net.ipv4.conf.eth0/100.accept_redirects": "0",
        "net.ipv4.conf.eth0/100.rp_filter": "1",
    }


def test_the_uppermost_mount_counts() -> None:
    text = (
        "22 1 0:2 / /mnt/a\\040b rw,relatime - ext4 /dev/sda1 rw\n"
        "23 1 0:2 / /tmp rw,nodev - tmpfs tmpfs rw\n24 1 0:2 / /tmp rw,nosuid - tmpfs tmpfs rw\n"
    )
    assert MOUNTS.mounted(text) == {"/mnt/a b": ["rw", "relatime"], "/tmp": ["rw", "nosuid"]}


def test_fstab_gets_options_and_loses_their_opposites() -> None:
    text = "# /tmp is fast\nUUID=1 /\text4 errors=remount-ro 0 1\ntmpfs  /tmp\ttmpfs  exec,size=1g 0 0\n"
    after, found = MOUNTS.fstab_with(text, {"/tmp": ["nodev", "noexec"], "/home": ["nodev"]})
    assert found == {"/tmp"}
    assert after == text.replace("exec,size=1g", "size=1g,nodev,noexec")
    assert MOUNTS.fstab_with(after, {"/tmp": ["nodev", "noexec"]})[0] == after


def test_the_last_options_of_a_unit_count() -> None:
    assert MOUNTS.unit_options("[Mount]\nOptions=a\nOptions=mode=1777,nodev\n") == ["mode=1777", "nodev"]
    assert MOUNTS.unit_options("[Mount]\n") == []


def test_rules_of_watches_and_system_calls() -> None:
    watch = {"path": "/etc/sudoers.d", "access": "wa", "key": "scope"}
    assert AUDIT.watch_rule(watch, True) == "-a always,exit -F dir=/etc/sudoers.d -F perm=wa -F key=scope"
    rule = {"calls": ["execve", "rename"], "fields": ["euid!=uid", "exit=-EPERM"], "users": True, "key": "k"}
    assert AUDIT.call_rules(rule, {"b64": {"execve", "rename"}, "b32": {"execve"}, "b16": set()}) == [
        "-a always,exit -F arch=b64 -S execve,rename -C euid!=uid -F exit=-EPERM -F auid>=1000 -F auid!=unset -F key=k",
        "-a always,exit -F arch=b32 -S execve -C euid!=uid -F exit=-EPERM -F auid>=1000 -F auid!=unset -F key=k",
    ]
