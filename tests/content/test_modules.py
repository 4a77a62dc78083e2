"""The collection's modules: as functions, and as Ansible starts them."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from content.role_content import ROOT, load_plugin

SERVICE = load_plugin("plugins/modules/service_current.py")
SSHD = load_plugin("plugins/modules/sshd_drop_in.py")
PACKAGES = load_plugin("plugins/modules/packages_present.py")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="the files belong to root")


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


def service(**properties: str) -> Any:
    unit = SERVICE.Service.__new__(SERVICE.Service)
    unit.name = "x.service"
    unit.properties = {"ActiveState": "active", "UnitFileState": "enabled", **properties}
    return unit


@pytest.mark.parametrize(
    ("properties", "config", "units", "actions"),
    [
        ({}, [], [], []),
        ({}, ["/etc/x"], [], ["reload"]),
        ({}, [], ["/etc/x.d/a.conf"], ["restart"]),
        ({"ActiveState": "failed"}, ["/etc/x"], [], ["start"]),
        ({"UnitFileState": "disabled"}, [], [], ["enable"]),
        ({"NeedDaemonReload": "yes"}, ["/etc/x"], [], ["daemon-reload", "restart"]),
    ],
)
def test_a_service_is_brought_up_to_its_files(
    properties: dict[str, str], config: list[str], units: list[str], actions: list[str]
) -> None:
    assert SERVICE._plan(service(**properties), {"enabled": True, "apply_by": "reload"}, config, units) == actions


@pytest.mark.parametrize(
    ("properties", "actions"),
    [
        ({}, ["disable", "stop"]),
        ({"ActiveState": "activating", "UnitFileState": "disabled"}, ["stop"]),
        ({"ActiveState": "failed"}, ["disable"]),
        ({"ActiveState": "inactive", "UnitFileState": "", "LoadState": "not-found"}, []),
    ],
)
def test_a_service_that_is_not_to_run_ends(properties: dict[str, str], actions: list[str]) -> None:
    assert SERVICE._ending(service(**properties)) == actions


@pytest.mark.parametrize(
    ("actions", "all_of_them"),
    [
        ([], ["daemon-reload", "restart"]),
        (["reload"], ["daemon-reload", "restart"]),
        (["enable", "start"], ["daemon-reload", "enable", "start"]),
        (["daemon-reload", "restart"], ["daemon-reload", "restart"]),
    ],
)
def test_a_new_drop_in_is_taken_by_a_start(actions: list[str], all_of_them: list[str]) -> None:
    assert SERVICE._with_restart(actions) == all_of_them


def test_the_time_of_a_service_is_read_in_utc() -> None:
    assert service(StateChangeTimestamp="Thu 1970-01-01 00:00:01.500000 UTC").changed_at == 1.5
    assert service(StateChangeTimestamp="").changed_at == 0.0


def test_a_service_that_was_started_while_the_clock_was_ahead_is_older_than_its_configuration() -> None:
    assert service(StateChangeTimestamp="Mon 2999-01-07 00:00:00.000000 UTC").changed_at == 0.0


def test_files_count_by_their_time_and_folders_by_what_is_in_them(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "d" / "new"
    new.parent.mkdir()
    for path, written in ((old, 100), (new, 300), (new.parent, 100)):
        path.touch(exist_ok=True)
        os.utime(path, (written, written))
    missing = str(tmp_path / "missing")
    assert SERVICE.newer_than([str(old), str(new.parent), missing], 200.0) == [str(new)]
    os.utime(new.parent, (250, 250))
    assert SERVICE.newer_than([str(new.parent)], 200.0) == [str(new.parent), str(new)]


def test_what_was_written_while_the_clock_was_ahead_is_newer_only_once(tmp_path: Path) -> None:
    past, ahead = tmp_path / "past", tmp_path / "ahead"
    for file, written in ((past, 100.0), (ahead, 9000.0)):
        file.touch()
        os.utime(file, (written, written))
    paths = [str(past), str(ahead), str(tmp_path / "missing")]
    assert SERVICE.newer_than(paths, 200.0) == [str(ahead)]
    assert SERVICE.dated_now(paths, 150.0) == [str(ahead)]
    assert SERVICE.newer_than(paths, 200.0) == []
    assert past.stat().st_mtime == 100.0


@pytest.mark.parametrize(
    ("patterns", "peer", "listed"),
    [
        (["ops"], "", True),
        (["o*"], "", True),
        (["dev"], "", False),
        (["ops@10.0.0.*"], "10.0.0.7", True),
        (["ops@10.0.0.*"], "10.1.0.7", False),
        (["ops@10.0.0.*"], "", True),
    ],
)
def test_lists_of_sshd(patterns: list[str], peer: str, listed: bool) -> None:
    assert SSHD.user_listed(patterns, "ops", peer) is listed


def test_the_folder_of_keys_is_found_for_an_account() -> None:
    root = pwd.getpwnam("root")
    values = {"authorizedkeysfile": [".ssh/authorized_keys", "/etc/ssh/keys/%u", "%h/k"]}
    assert SSHD.key_files(values, root) == [
        f"{root.pw_dir}/.ssh/authorized_keys",
        "/etc/ssh/keys/root",
        f"{root.pw_dir}/k",
    ]


@as_root
def test_a_folder_holds_exactly_its_files(tmp_path: Path) -> None:
    folder, outside = tmp_path / "keys", tmp_path / "outside"
    outside.write_text("untouched", encoding="utf-8")
    wanted = {"alice": "a\n", "bob": "b\n"}
    assert start("folder_files", path=str(folder), files=wanted, _ansible_check_mode=True)["changed"] is True
    assert not folder.exists()
    assert start("folder_files", path=str(folder), files=wanted)["written"] == ["alice", "bob"]
    assert start("folder_files", path=str(folder), files=wanted)["changed"] is False
    (folder / "mallory").write_text("m", encoding="utf-8")
    (folder / "alice").unlink()
    (folder / "alice").symlink_to(outside)
    (folder / "bob").chmod(0o666)
    answer = start("folder_files", path=str(folder), files=wanted)
    assert (answer["written"], answer["removed"]) == (["alice", "bob"], ["mallory"])
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} == wanted
    assert not (folder / "alice").is_symlink()
    assert outside.read_text(encoding="utf-8") == "untouched"


@as_root
def test_a_folder_refuses_names_that_lead_out_of_it(tmp_path: Path) -> None:
    answer = start("folder_files", path=str(tmp_path / "keys"), files={"../x": ""})
    assert answer["failed"] is True
    assert "no file name" in answer["msg"]


@as_root
def test_a_folder_stays_as_it_is_when_a_file_is_refused(tmp_path: Path) -> None:
    folder, check = tmp_path / "rules", "sh -c 'grep -q right $0 || { echo $0 is wrong; exit 1; }' %s"
    old = {"a": "right", "b": "right"}
    assert start("folder_files", path=str(folder), files=old, validate=check)["changed"] is True
    answer = start("folder_files", path=str(folder), files={"a": "right too", "c": "no"}, validate=check)
    assert answer["msg"] == "c was refused, and nothing was changed: c is wrong"
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} == old


@as_root
def test_files_of_a_role_are_written_together(tmp_path: Path) -> None:
    own, other = tmp_path / "new" / "own", tmp_path / "other"
    other.write_text("old", encoding="utf-8")
    files = [{"path": str(own), "content": "a\n", "mode": "0600"}, {"path": str(other), "content": "b\n"}]
    assert start("host_files", files=files, _ansible_check_mode=True)["changed"] is True
    assert not own.parent.exists()
    assert start("host_files", files=files)["written"] == [str(own), str(other)]
    assert start("host_files", files=files)["changed"] is False
    assert own.stat().st_mode & 0o777 == 0o600
    own.chmod(0o666)
    assert start("host_files", files=files)["written"] == [str(own)]


@as_root
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"check": ["grep", "-q", "right", "%s"]}, "would be wrong, so nothing was changed"),
        ({"path": "/proc/no-folder/file"}, "cannot be written"),
    ],
)
def test_files_of_a_role_are_written_together_or_not_at_all(tmp_path: Path, wrong: dict[str, Any], says: str) -> None:
    first = {"path": str(tmp_path / "first"), "content": "a\n"}
    answer = start("host_files", files=[first, {"path": str(tmp_path / "second"), "content": "b\n", **wrong}])
    assert says in answer["msg"]
    assert list(tmp_path.iterdir()) == []


@as_root
def test_folders_of_a_role_are_made_whatever_the_umask(tmp_path: Path) -> None:
    spool, above = tmp_path / "above" / "spool", tmp_path / "above"
    folders = [{"path": str(spool), "mode": "2750", "group": "adm"}]
    before = os.umask(0o077)
    try:
        assert start("host_files", folders=folders, _ansible_check_mode=True)["made"] == [str(spool)]
        assert not above.exists()
        assert start("host_files", folders=folders)["made"] == [str(spool)]
    finally:
        os.umask(before)
    assert [path.stat().st_mode & 0o7777 for path in (above, spool)] == [0o755, 0o2750]
    assert start("host_files", folders=folders)["changed"] is False
    spool.chmod(0o777)
    assert start("host_files", folders=folders)["made"] == [str(spool)]


@as_root
def test_a_file_of_a_group_that_there_is_not_is_refused(tmp_path: Path) -> None:
    files = [{"path": str(tmp_path / "x"), "content": "", "group": "no-such-group"}]
    assert start("host_files", files=files)["msg"] == (
        f"there is no group no-such-group, to which {tmp_path / 'x'} is to belong"
    )
    assert start("host_files", files=files, _ansible_check_mode=True)["written"] == [str(tmp_path / "x")]


def test_what_dpkg_says_is_installed() -> None:
    printed = "chrony amd64 installed\nnftables amd64 config-files\nlibc6 i386 not-installed\n"
    assert PACKAGES.installed(printed) == {"chrony", "chrony:amd64"}


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="asks dpkg")
def test_packages_that_are_missing_are_named() -> None:
    answer = start("packages_present", name=["dpkg", "no-such-package"])
    assert (answer["changed"], answer["missing"]) == (False, ["no-such-package"])
    assert start("packages_present", name=["dpkg"])["missing"] == []
