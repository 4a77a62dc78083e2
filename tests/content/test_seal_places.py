"""Where the module `seal` looks, and what it takes for what: on folders of a test's own."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from content.role_content import load_plugin

SEAL = load_plugin("plugins/modules/seal.py")
SYSTEM, KERNEL = SEAL.system, SEAL.kernel
FILES, WATCH = (sys.modules[one.__module__] for one in (SEAL.FileReader, SEAL.Watch))
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="a host is asked as root")


def watched(homes: list[Path], others: list[Path]) -> set[str]:
    """Return what is watched, of these homes and elsewhere."""
    return set(WATCH.Watch(FILES.FileReader(), []).paths(list(map(str, homes)), list(map(str, others))))


def state(path: Path, reader: Any = None) -> dict[str, str]:
    """Return what is said of a file that a role manages."""
    found: dict[str, str] = (reader or FILES.FileReader()).state(str(path), follow=True)
    return found


def accounts(folder: Path, passwd: str, shadow: str = "", group: str = "", gshadow: str = "") -> Any:
    """Return the accounts that these files are about."""
    for name, text in (("passwd", passwd), ("shadow", shadow), ("group", group), ("gshadow", gshadow)):
        (folder / name).write_text(text, encoding="utf-8")
    return SEAL.Accounts(str(folder))


class TestFiles:
    def test_a_folder_that_became_a_link_is_told_of(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "real" / "file").touch()
        assert "folder" not in state(tmp_path / "real" / "file")
        (tmp_path / "real").rename(tmp_path / "elsewhere")
        (tmp_path / "real").symlink_to("elsewhere")
        assert state(tmp_path / "real" / "file")["folder"] == str(tmp_path / "elsewhere")

    def test_of_a_link_the_mode_at_its_end_counts(self, tmp_path: Path) -> None:
        (tmp_path / "end").touch(0o640)
        (tmp_path / "link").symlink_to("end")
        before = state(tmp_path / "link")
        (tmp_path / "end").chmod(0o666)
        assert (before["mode"], state(tmp_path / "link")["mode"]) == ("0640", "0666")

    @as_root
    def test_what_a_folder_gives_to_new_files_counts(self, tmp_path: Path) -> None:
        words = "0200000001000700ffffffff020007000200000004000500ffffffff10000700ffffffff20000500ffffffff"
        try:
            os.setxattr(tmp_path, "system.posix_acl_default", bytes.fromhex(words))
        except OSError:
            pytest.skip("this file system has no ACLs")
        assert "default_acl" in FILES.FileReader().state(str(tmp_path), content=False)

    def test_files_of_root_are_roots_whatever_else_has_its_number(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(FILES.pwd, "getpwuid", lambda _number: ("toor",))
        assert FILES.FileReader().state("/")["owner"] == "root"


class TestAccounts:
    def test_the_first_line_of_a_name_counts_and_a_second_one_is_told_of(self, tmp_path: Path) -> None:
        line = "kim:x:1001:1001::/home/kim:/bin/bash\n"
        assert "lines" not in accounts(tmp_path, line).user("kim")
        found = accounts(tmp_path, "kim:x:0:0::/root:/bin/bash\n" + line).user("kim")
        assert (found["uid"], found["home"], found["lines"]) == ("0", "/root", "2")

    def test_another_group_with_a_number_takes_no_groups_name(self, tmp_path: Path) -> None:
        found = accounts(tmp_path, "kim:x:1001:7::/:/bin/sh\n", group="lp:x:7:\nother:x:7:\n").user("kim")
        assert found["group"] == "lp"

    @pytest.mark.parametrize(
        ("line", "usable"),
        [
            ("a:x:1001:1001::/:", True),  # no shell is /bin/sh
            ("a:x:1001:1001::/:/srv/nologin", True),
            ("a:x:00:1001::/:/usr/sbin/nologin", True),
            ("a:x:1001:1001::/:/usr/sbin/nologin", False),
            ("a:x:4:65534::/bin:/bin/sync", False),
        ],
    )
    def test_who_could_get_in(self, tmp_path: Path, line: str, usable: bool) -> None:
        assert accounts(tmp_path, line + "\n").with_shell() == ["a"] * usable

    def test_when_an_account_expires_counts_and_when_its_password_was_set_does_not(self, tmp_path: Path) -> None:
        passwd = "kim:x:1001:1001::/home/kim:/bin/bash\n"

        def told(shadow: str) -> dict[str, str]:
            found: dict[str, str] = accounts(tmp_path, passwd, shadow).user("kim")
            return found

        sealed = told("kim:!:20000:0:99999:7:::\n")
        assert told("kim:!:20100:0:99999:7:::\n") == sealed
        assert told("kim:!:20000:0:99999:7::21000:\n")["expiry"] != sealed["expiry"]
        assert told("kim:!:20000:0:30:7:::\n")["expiry"] != sealed["expiry"]
        assert told("kim:!:0:0:99999:7:::\n")["expiry"] != sealed["expiry"]


class TestPlaces:
    def test_keys_count_in_every_home_and_start_up_files_where_there_is_a_shell(self, tmp_path: Path) -> None:
        for home in ("person", "service"):
            (tmp_path / home / ".ssh").mkdir(parents=True)
            (tmp_path / home / ".ssh" / "authorized_keys2").touch()
            (tmp_path / home / ".bash_aliases").touch()
        (tmp_path / "person" / ".config" / "systemd" / "user").mkdir(parents=True)
        (tmp_path / "person" / ".config" / "systemd" / "user" / "x.service").touch()
        found = watched([tmp_path / "person"], [tmp_path / "service"])
        assert {path for path in found if path.startswith(str(tmp_path))} == {
            f"{tmp_path}/person/.ssh/authorized_keys2",
            f"{tmp_path}/person/.bash_aliases",
            f"{tmp_path}/person/.config/systemd/user/x.service",
            f"{tmp_path}/service/.ssh/authorized_keys2",
        }

    def test_keys_are_looked_for_where_sshd_does(self, tmp_path: Path) -> None:
        (tmp_path / "sshd_config.d").mkdir()
        lines = f"authorizedkeysfile .ssh/keys {tmp_path}/keys/%u\n# AuthorizedKeysFile {tmp_path}/old/%u\n"
        (tmp_path / "sshd_config.d" / "x.conf").write_text(lines, encoding="utf-8")
        (tmp_path / "sshd_config").write_text('Match User x\n  AuthorizedKeysFile="%h/mine" none\n', encoding="utf-8")
        for name in ("keys/kim", "keys/nobody", "old/kim", "home/.ssh/keys", "home/mine"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        found = WATCH.key_files({"kim": f"{tmp_path}/home"}, str(tmp_path))
        assert found == sorted(f"{tmp_path}/{name}" for name in ("keys/kim", "home/.ssh/keys", "home/mine"))

    def test_a_watched_folder_is_told_of_where_others_may_write_or_it_leads_away(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folders = [tmp_path / name for name in ("closed", "sticky", "open", "link")]
        for folder, mode in zip(folders, (0o755, 0o1733, 0o775), strict=False):
            folder.mkdir()
            folder.chmod(mode)
        folders[3].symlink_to("closed")
        (tmp_path / "closed" / "job").touch()
        monkeypatch.setattr(WATCH, "_FOLDERS", tuple(map(str, folders)))
        found = {path.removeprefix(f"{tmp_path}/") for path in watched([], []) if path.startswith(str(tmp_path))}
        own = {"closed", "sticky"} if os.geteuid() != 0 else set()
        assert found == own | {"closed/job", "open", "link", "link/job"}

    def test_authorities_that_no_package_brought(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(WATCH, "_CERTIFICATES", str(tmp_path))
        (tmp_path / "brought.pem").symlink_to("/usr/share/ca-certificates/mozilla/brought.crt")
        (tmp_path / "0a0b0c0d.0").symlink_to("brought.pem")
        (tmp_path / "mine.pem").touch()
        (tmp_path / "1a1b1c1d.0").symlink_to("/srv/mine.pem")
        assert WATCH._foreign_certificates() == [f"{tmp_path}/1a1b1c1d.0", f"{tmp_path}/mine.pem"]

    def test_units_that_start_at_boot_wherever_that_is_said(self, tmp_path: Path) -> None:
        folders = [tmp_path / "etc", tmp_path / "lib", tmp_path / "user"]
        for folder, unit in zip(folders, ("a.service", "b.timer", "c.service"), strict=True):
            (folder / "x.target.wants").mkdir(parents=True)
            (folder / "x.target.wants" / unit).symlink_to(f"../{unit}")
        found = WATCH.enabled_units(tuple(map(str, folders)))
        assert list(found) == ["a.service", "b.timer", "user/c.service"]
        assert found["b.timer"] == f"{tmp_path}/lib/x.target.wants/b.timer"

    def test_which_program_has_a_name(self, tmp_path: Path) -> None:
        (tmp_path / "editor").symlink_to("/usr/bin/vim.basic")
        (tmp_path / "editor.1.gz").symlink_to("/usr/share/man/man1/vim.1.gz")
        assert WATCH.alternatives(str(tmp_path)) == {f"{tmp_path}/editor": "/usr/bin/vim.basic"}

    def test_files_of_units_where_packages_have_theirs(self, tmp_path: Path) -> None:
        found = ["a.service", "a.service.d/x.conf", "b@.service", "b@.service.d/y.conf", "service.d/all.conf"]
        for name in (*found, "c.service"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).touch()
        told = SYSTEM.brought_files(["a.service", "b@one.service"], str(tmp_path))
        assert told == [f"{tmp_path}/{name}" for name in found]

    def test_programs_with_rights_where_none_is_expected(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        program = tmp_path / "shared" / "program"
        program.parent.mkdir()
        program.touch()
        program.chmod(0o755 | stat.S_ISUID)
        monkeypatch.setattr(WATCH, "_PROGRAM_FOLDERS", ())
        monkeypatch.setattr(WATCH, "_FURTHER_FOLDERS", ((str(tmp_path), 1),))
        assert WATCH.Privileged().found == [str(program)]
        monkeypatch.setattr(WATCH, "_MOST_LOOKED_AT_FURTHER", 0)
        left = WATCH.Privileged()
        assert (left.found, left.crowded, left.complete) == ([], [str(tmp_path)], True)


def test_who_gets_into_a_group_without_being_named_as_a_member(tmp_path: Path) -> None:
    passwd, group = "kim:x:1001:27::/:/bin/sh\nlee:x:1002:5::/:/bin/sh\n", "sudo:x:27:lee\n"
    found = accounts(tmp_path, passwd, group=group, gshadow="sudo:$6$x$y::lee\n").group("sudo")
    assert (found["members"], found["first"], found["password"][:4]) == ("lee", "kim", "set-")
    assert accounts(tmp_path, passwd, group=group, gshadow="sudo:!::lee\n").group("sudo")["password"] == "locked"
    assert "password" not in accounts(tmp_path, passwd, group=group).group("sudo")


@pytest.mark.parametrize(("mode", "open_to_others"), [(0o700, False), (0o755, False), (0o770, True), (0o757, True)])
def test_homes_that_others_may_write_to(tmp_path: Path, mode: int, open_to_others: bool) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh").chmod(mode)
    assert (str(tmp_path / ".ssh") in watched([tmp_path], [])) is open_to_others


def test_programs_of_a_package_that_no_user_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = {"helper": 0o755, "plugin.so": 0o644, "text": 0o644, "x": 0o755}
    paths = [f"/usr/lib/x{tmp_path}/{name}" for name in ("helper", "plugin.so", "text")]
    status = os.lstat
    monkeypatch.setattr(
        os, "lstat", lambda path: os.stat_result([0o100000 | modes[Path(path).name], *status("/")[1:10]])
    )
    (tmp_path / "x.list").write_text("\n".join(["/bin/x", "/usr/share/x", *paths]), encoding="utf-8")
    assert [*SEAL.Packages("/nowhere", str(tmp_path)).programs("x")] == ["/usr/bin/x", *paths[:2]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("lib1.0", "/usr/bin/first"), ("lib1.0:i386", "/usr/bin/second"), ("plain", "/usr/bin/plain"), ("lib1", None)],
)
def test_a_package_is_known_by_its_architecture(tmp_path: Path, name: str, expected: str | None) -> None:
    for file, path in (("lib1.0:amd64", "first"), ("lib1.0:i386", "second"), ("plain", "plain")):
        (tmp_path / f"{file}.list").write_text(f"/bin/{path}\n", encoding="utf-8")
    assert [*SEAL.Packages("/nowhere", str(tmp_path)).programs(name)] == ([expected] if expected else [])


def test_a_file_is_a_packages_only_as_the_package_brought_it(tmp_path: Path) -> None:
    program, setting, link = (tmp_path / name for name in ("program", "setting", "link"))
    for file in (program, setting):
        file.write_text("text", encoding="utf-8")
    digest = hashlib.md5(b"text", usedforsecurity=False).hexdigest()
    (tmp_path / "x.list").write_text(f"{program}\n{link}\n", encoding="utf-8")
    (tmp_path / "x.md5sums").write_text(f"{digest}  {str(program)[1:]}\n", encoding="utf-8")
    status = f"Package: x\nStatus: install ok installed\nVersion: 1\nConffiles:\n {setting} {digest}\n"
    (tmp_path / "status").write_text(status, encoding="utf-8")
    packages = SEAL.Packages(str(tmp_path / "status"), str(tmp_path))
    paths = [str(path) for path in (program, setting, link)]
    assert packages.brought(paths, ["x"]) == dict.fromkeys(paths, "x")
    for file in (program, setting):
        file.write_text("mine", encoding="utf-8")
    assert packages.brought(paths, ["x"]) == {str(link): "x"}
    assert packages.brought([str(setting)], []) == {str(setting): "x"}


RULESET = """\
table inet t {
>set admins {
>>type ipv4_addr
>>elements = { 10.0.0.1, 10.0.0.2,
>>             10.0.0.3 }
>}

>set learnt {
>>type ipv4_addr
>>flags dynamic,timeout
>>timeout 1m
>>elements = { 192.0.2.1 timeout 1m expires 5s }
>}

>chain c {
>>ip saddr @admins accept
>}
}
""".replace(">", "\t")


def test_what_is_put_into_a_set_counts_beside_a_set_that_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    def rules(told: str) -> dict[str, str]:
        monkeypatch.setattr(KERNEL, "output", lambda _arguments: told)
        found: dict[str, str] = KERNEL.tables()["inet t"]
        return found

    sealed = rules(RULESET)
    assert rules(RULESET.replace("192.0.2.1 timeout 1m expires 5s", "192.0.2.7 timeout 1m expires 9s")) == sealed
    assert rules(RULESET.replace("10.0.0.3", "10.0.0.3, 203.0.113.9")) != sealed
