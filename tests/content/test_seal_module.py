"""What the module `seal` says of odd files, and that it stays small: as Ansible starts it on a host."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from content.role_content import ROOT, load_plugin

FILES = load_plugin("plugins/module_utils/seal_files.py")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="a host is asked as root")


def look(resources: dict[str, Any], **arguments: Any) -> dict[str, Any]:
    """Run the module the way Ansible does on a host, and return what it took down."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "plugins" / "modules" / "seal.py")],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": {"resources": resources, "watch": False, **arguments}}),
        env={**os.environ, "PYTHONPATH": str(ROOT / "collections"), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    answer = json.loads(done.stdout)
    assert answer["changed"] is False
    taken: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(answer["capture"])))
    return taken


def state(path: Path | str) -> dict[str, str]:
    """Return what the module's reader of files says of one."""
    found: dict[str, str] = FILES.FileReader().state(str(path), follow=True)
    return found


def texts(file: Path, known: str | None, text: str) -> dict[str, str]:
    """Return the texts that are kept of a file."""
    reader = FILES.FileReader(text)
    reader.state(str(file), known=known)
    kept: dict[str, str] = reader.texts
    return kept


def test_a_file_is_its_content_mode_and_owner(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("text", encoding="utf-8")
    file.chmod(0o4640)
    found = state(file)
    assert found["content"] == hashlib.sha256(b"text").hexdigest()
    assert (found["type"], found["mode"], found["presence"]) == ("file", "4640", "present")


def test_a_link_is_where_it_leads_and_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "end").write_text("text", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "end")
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    found = state(tmp_path / "link")
    assert (found["target"], found["content"]) == (str(tmp_path / "end"), hashlib.sha256(b"text").hexdigest())
    assert state(tmp_path / "broken")["target"] == str(tmp_path / "nowhere")


def test_pipes_and_sockets_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert state(tmp_path / "pipe")["type"] == "fifo"
    assert "content" not in state(tmp_path / "pipe")
    assert state("/dev/zero")["device"] == "1:5"


def test_of_a_huge_file_only_the_ends_are_read(tmp_path: Path) -> None:
    file = tmp_path / "sparse"
    with file.open("wb") as stream:
        stream.truncate(1 << 40)
    reader = FILES.FileReader()
    before = reader.state(str(file))
    assert before["content"].startswith("ends-")
    assert "only its ends were read" in reader.notes[0]
    with file.open("r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        stream.write(b"x")
    after = state(file)
    assert after["content"] != before["content"]
    assert state(file) == after
    times = file.stat()
    with file.open("r+b") as stream:
        stream.seek(1 << 30)
        stream.write(b"x")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert state(file)["content"] != after["content"]


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    taken = look({"file": {f"{tmp_path}/loop/x": None, f"{tmp_path}/absent": None, "a\0b": None}})
    assert taken["states"]["file"][f"{tmp_path}/absent"] == {"presence": "absent"}
    assert taken["states"]["file"]["a\0b"] == {}
    assert any("cannot be read" in note for note in taken["notes"])


def test_names_are_text_whatever_they_are(tmp_path: Path) -> None:
    for name in (b"new\nline", b"in\xffvalid", b"back\\x41"):
        Path(os.fsdecode(bytes(tmp_path) + b"/" + name)).touch()
    found = look({"folder": {str(tmp_path): None}}, watch=True)["watched"]["file"]
    names = sorted(path.rpartition("/")[2] for path in found if path.startswith(str(tmp_path)))
    assert names == ["back\\\\x41", "in\\xffvalid", "new\\x0aline"]


def test_a_folder_with_far_too_many_files_is_named_and_not_judged(tmp_path: Path) -> None:
    for number in range(2001):
        (tmp_path / str(number)).touch()
    taken = look({"folder": {str(tmp_path): None}}, watch=True)
    assert taken["overfull"] == {str(tmp_path): "more than 2000"}
    assert not [path for path in taken["watched"]["file"] if path.startswith(str(tmp_path))]


def test_a_file_that_changes_while_it_is_read_is_no_drift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "log"
    file.write_text("line\n", encoding="utf-8")
    digest = FILES._digest
    times = 0

    def slowly(*arguments: Any) -> Any:
        nonlocal times
        times += 1
        if times <= writes:
            with file.open("a", encoding="utf-8") as stream:
                stream.write("more\n")
        return digest(*arguments)

    monkeypatch.setattr(FILES, "_digest", slowly)
    writes = 1
    assert FILES.FileReader().state(str(file))["content"] == hashlib.sha256(b"line\nmore\n").hexdigest()
    times, writes = 0, 9
    reader = FILES.FileReader()
    assert "content" not in reader.state(str(file))
    assert reader.notes == [f"{file} changed while it was read"]


def test_what_is_read_in_all_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FILES, "BUDGET", 5)
    (tmp_path / "one").write_text("1234", encoding="utf-8")
    reader = FILES.FileReader()
    assert "content" in reader.state(str(tmp_path / "one"))
    assert "content" not in reader.state(str(tmp_path / "one"))
    assert "too much to read" in reader.notes[0]


@pytest.mark.parametrize(
    ("name", "content", "mode", "told"),
    [
        ("motd", "welcome\n", 0o644, True),
        ("motd", "welcome\n", 0o640, False),
        ("host.key", "welcome\n", 0o644, False),
        ("db.conf", "password = hunter2\n", 0o644, False),
        ("x.conf", "-----BEGIN PRIVATE KEY-----\n", 0o644, False),
        ("binary", "a\0b", 0o644, False),
        ("large", "x" * 20_000, 0o644, False),
    ],
)
def test_only_small_open_texts_leave_a_host(tmp_path: Path, name: str, content: str, mode: int, told: bool) -> None:
    file = tmp_path.parent / f"{tmp_path.name[-1]}-{name}"
    file.write_text(content, encoding="utf-8")
    file.chmod(mode)
    kept = texts(file, "", "all")
    assert (str(file) in kept) is told
    if told:
        assert zlib.decompress(base64.b64decode(kept[str(file)])).decode() == content
        digest = hashlib.sha256(content.encode()).hexdigest()
        assert texts(file, digest[:16], "changed") == {}
        assert texts(file, "0" * 16, "changed") == kept
        assert texts(file, None, "all") == {}


def test_what_is_too_long_is_left_out_and_named(tmp_path: Path) -> None:
    taken = look({"file": {f"{tmp_path}/{number}": None for number in range(500)}}, limit=1000)
    assert taken["truncated"] == ["states file"]
    assert "file" not in taken["states"]


@as_root
@pytest.mark.parametrize("kind", ["meta", "file"])
def test_the_content_counts_in_places_that_are_watched_even_if_a_role_sets_the_mode_only(kind: str) -> None:
    found = look({kind: {"/etc/profile": None}}, watch=True)
    assert "content" in found["states"]["file"]["/etc/profile"]
    assert "/etc/profile" not in found["watched"]["file"]


def test_the_content_of_what_a_pattern_names_counts_in_places_that_are_watched(tmp_path: Path) -> None:
    (tmp_path / "one.rules").write_text("text", encoding="utf-8")
    resources = {"pattern": {f"{tmp_path}/*.rules": None}}
    assert "content" not in look(resources)["states"]["file"][f"{tmp_path}/one.rules"]
    found = look({**resources, "folder": {str(tmp_path): None}}, watch=True)
    assert "content" in found["states"]["file"][f"{tmp_path}/one.rules"]


def test_a_pattern_that_names_too_many_files_is_told_of(tmp_path: Path) -> None:
    for number in range(2001):
        (tmp_path / str(number)).touch()
    assert look({"pattern": {f"{tmp_path}/*": None}})["overfull"] == {str(tmp_path): "more than 2000"}


@as_root
def test_a_whole_look_at_a_host_leaves_nothing_and_stays_small(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / str(number)).write_text(str(number), encoding="utf-8")
    before = set(os.listdir("/tmp"))  # noqa: PTH208
    taken = look({"file": {f"{tmp_path}/{number}": None for number in range(300)}}, watch=True)
    assert set(os.listdir("/tmp")) <= before  # noqa: PTH208
    assert {"package", "user", "socket", "suid", "file"} <= taken["watched"].keys()
    assert taken["identity"]["machine_id"]
    assert taken["truncated"] == []


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="asks dpkg")
def test_packages_are_those_that_dpkg_names() -> None:
    told = subprocess.run(
        ["dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Package} ${Version}\\n"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    installed = {line[3:].split()[0]: line.split()[-1] for line in told.splitlines() if line.startswith(("ii", "hi"))}
    taken = look({"package": dict.fromkeys(installed) | {"no-such-package": None}})["states"]["package"]
    assert taken.pop("no-such-package") == {"presence": "absent"}
    assert {name: found["version"] for name, found in taken.items()} == installed
