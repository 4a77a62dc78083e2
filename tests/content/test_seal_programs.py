"""Programs of packages: unread where their mark is as it was sealed, and read whole in each other case."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.drift.capture import capture_of
from bedplate.drift.comparison import compare
from bedplate.drift.managed import Resource
from bedplate.drift.seal import Managed, Seal, request_for
from content.role_content import load_plugin
from content.test_seal_module import look

SEAL = load_plugin("plugins/modules/seal.py")
PROGRAMS = sys.modules[SEAL.Programs.__module__]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="a host is asked as root")
OLD = time.time_ns() - 10**12

FIELDS = ("st_mode", "st_ino", "st_dev", "st_uid", "st_gid", "st_size", "st_mtime_ns", "st_ctime_ns")
statuses = st.builds(
    lambda *values: dict(zip(FIELDS, values, strict=True)),
    st.sampled_from([0o100755, 0o104755, 0o100644]), st.integers(1, 1 << 64), st.just(os.lstat("/usr").st_dev),
    *(st.integers(0, 1 << 16) for _ in range(3)), *(st.integers(0, OLD) for _ in range(2)),
)  # fmt: skip


def status_of(fields: dict[str, int]) -> Any:
    return SimpleNamespace(**fields, st_ctime=fields["st_ctime_ns"] / 10**9)


def mark_of(programs: dict[str, dict[str, int] | None]) -> str:
    """Return the mark of programs of which a file system tells this."""
    mark: str = PROGRAMS.mark_of({path: fields and status_of(fields) for path, fields in programs.items()})
    return mark


@given(st.dictionaries(st.text(min_size=1), st.none() | statuses, min_size=1), st.data())
def test_a_mark_is_another_one_whatever_the_file_system_tells_of_one_program(
    programs: dict[str, dict[str, int] | None], data: st.DataObject
) -> None:
    before = mark_of(programs)
    assert before
    assert mark_of({**programs}) == before
    path = data.draw(st.sampled_from(sorted(programs)))
    changed = programs[path]
    if changed is None:
        changed = data.draw(statuses)
    else:
        name = data.draw(st.sampled_from(FIELDS))
        changed = {**changed, name: changed[name] + (-1 if name == "st_ctime_ns" else 1)}
    assert mark_of({**programs, path: changed}) != before
    assert mark_of({each: fields for each, fields in programs.items() if each != path}) != before
    assert mark_of({**programs, f"{path}x" * 9: None}) != before


@given(statuses, st.integers(-(10**18), 10**9))
def test_a_program_that_changed_a_moment_ago_gives_no_mark(fields: dict[str, int], before: int) -> None:
    assert mark_of({"/x": {**fields, "st_ctime_ns": time.time_ns() - before}}) == ""


@dataclass
class Host:
    """A made-up host with one package, whose programs are older than a moment."""

    folder: Path
    opened: list[str]

    def __post_init__(self) -> None:
        (self.folder / "usr").mkdir()
        for name in ("one", "two"):
            (self.folder / "usr" / name).write_text(name, encoding="utf-8")
        (self.folder / "usr" / "link").symlink_to("one")

    def path(self, name: str) -> str:
        return str(self.folder / "usr" / name)

    def look(self, sealed: dict[str, list[str]] | None = None, turns: dict[str, str] | None = None) -> Any:
        """Return the programs as the module looks at them."""
        self.opened.clear()
        packages = SEAL.Packages("/nowhere", "/nowhere")
        packages.programs = lambda _name, _known: {
            path: os.lstat(path) if os.path.lexists(path) else None for path in map(self.path, ("one", "two", "link"))
        }
        programs = PROGRAMS.Programs(packages, SEAL.FileReader(), sealed or {}, turns or {}, ())
        programs.look(["x"], [], {})
        return programs

    def sealed(self) -> dict[str, list[str]]:
        """Return how the package is sealed."""
        mark, states = self.look().found["x"]
        assert mark
        # The clock of a file system stands still for some milliseconds.
        time.sleep(0.05)
        return {"x": [mark, SEAL.mark(states)]}


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host on which a moment passes at once: what a test does to it is as old as what was there."""
    host = Host(tmp_path, [])
    monkeypatch.setattr(PROGRAMS, "_FRESH", -60)
    really = os.open

    def counted(path: Any, *arguments: Any, **more: Any) -> int:
        host.opened.append(str(path))
        return really(path, *arguments, **more)

    monkeypatch.setattr(os, "open", counted)
    return host


def test_programs_with_the_mark_that_was_sealed_are_not_opened(host: Host) -> None:
    sealed = host.sealed()
    assert {host.path("one"), host.path("two")} <= {*host.opened}
    again = host.look(sealed)
    assert (again.unread, again.found, host.opened) == (["x"], {}, [])
    assert again.are_as_sealed()


def in_place(host: Host) -> None:
    times = Path(host.path("one")).stat()
    with open(host.path("one"), "r+b") as file:  # noqa: PTH123 (the same file)
        file.write(b"ONE")
    os.utime(host.path("one"), ns=(times.st_atime_ns, times.st_mtime_ns))


def renamed(host: Host) -> None:
    times = Path(host.path("one")).stat()
    Path(host.path("new")).write_text("ONE", encoding="utf-8")
    os.utime(host.path("new"), ns=(times.st_atime_ns, times.st_mtime_ns))
    Path(host.path("new")).rename(host.path("one"))


def turned(host: Host) -> None:
    Path(host.path("link")).unlink()
    Path(host.path("link")).symlink_to("two")


@pytest.mark.parametrize(
    ("change", "attribute"),
    [
        (in_place, "content"),
        (renamed, "content"),
        (turned, "target"),
        (lambda host: Path(host.path("one")).chmod(0o4755), "mode"),
        (lambda host: Path(host.path("one")).unlink(), "presence"),
    ],
    ids=["in place", "renamed", "turned", "mode", "gone"],
)
def test_what_was_changed_is_read_with_all_of_its_package(
    host: Host, change: Callable[[Host], None], attribute: str
) -> None:
    sealed, before = host.sealed(), host.look().found["x"][1]
    change(host)
    now = host.look(sealed)
    assert now.unread == []
    after = now.found["x"][1]
    assert after.keys() == before.keys()
    assert [path for path in after if after[path].get(attribute) != before[path].get(attribute)]
    assert not now.are_as_sealed()


def test_what_was_only_touched_is_read_and_is_as_it_was_sealed(host: Host) -> None:
    sealed = host.sealed()
    Path(host.path("one")).touch()
    now = host.look(sealed)
    assert now.unread == []
    assert now.are_as_sealed()


def test_a_program_that_has_its_turn_is_read_whatever_the_mark_says(host: Host) -> None:
    sealed, state = host.sealed(), host.look().found["x"][1][host.path("one")]
    state.pop("package")
    now = host.look(sealed, {host.path("one"): SEAL.mark(state), "/nowhere": ""})
    assert (now.unread, now.taken, host.opened) == (["x"], {host.path("one"): state}, [host.path("one")])
    assert now.are_as_sealed()
    assert not host.look(sealed, {host.path("one"): "another"}).are_as_sealed()
    Path(host.path("two")).touch()
    assert host.look(sealed, {host.path("one"): SEAL.mark(state)}).taken == {}, "all of them are read"


def test_a_mark_that_is_withheld_has_programs_read(host: Host) -> None:
    sealed = host.sealed()
    now = host.look({"x": ["", sealed["x"][1]]})
    assert (now.unread, now.are_as_sealed()) == ([], True)
    assert now.found["x"][0] == sealed["x"][0]


def test_files_are_compared_without_the_programs_of_the_seal(host: Host) -> None:
    other = {"/etc/x": {"presence": "present"}}
    beside = {**other, host.path("one"): {"presence": "present"}}
    sealed = host.sealed()
    assert host.look(sealed).besides_sealed(beside) == other
    assert host.look({"x": ["", ""]}).besides_sealed(beside) == other
    old = host.look().besides_sealed(other)
    assert old.keys() == {*other, *map(host.path, ("one", "two", "link"))}


@as_root
@pytest.mark.skipif(not Path("/var/lib/dpkg/info/coreutils.list").exists(), reason="asks dpkg")
def test_a_whole_look_leaves_out_what_the_control_node_knows() -> None:
    resources = [Resource("package", "coreutils"), Resource("package", "dpkg")]
    first = look(request_for(resources)["resources"], watch=True)
    assert {"/usr/bin/ls", "/usr/bin/dpkg"} <= capture_of(first).watched["file"].keys()
    seal = Seal("h", *[None] * 2, capture_of(first), Managed(resources))  # type: ignore[arg-type]
    read_whole = look(seal.request()["resources"], watch=True, marks=seal.request()["marks"])
    assert (read_whole["unread"], read_whole["programs"].keys()) == ([], {"coreutils", "dpkg"})
    programs = {path for one in seal.capture.programs.values() for path in one.paths}
    asked = seal.request(date(2026, 11, 26))
    again = look(**{**asked, "watch": True})
    assert (again["unread"], again["programs"]) == (["coreutils", "dpkg"], {})
    assert 0 < len(asked["turns"]) < len(programs) / 4
    assert asked["turns"].keys() == again["watched"]["file"].keys() & programs
    for answer in (read_whole, again):
        found = compare(seal, capture_of(answer))
        assert not [seen for seen in found.observations if seen.key in programs]
