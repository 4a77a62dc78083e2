"""Programs that a host did not read, since they have the mark that they were sealed with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.drift.capture import Capture, CaptureError, Identity, Programs, capture_of
from bedplate.drift.comparison import compare
from bedplate.drift.managed import Resource
from bedplate.drift.observation import CheckOutcome
from bedplate.drift.renewal import renewal_request, renewed
from bedplate.drift.seal import Intent, Managed, Seal
from bedplate.drift.updates import PackageUpdate, Updates

KEY = b"k" * 32
NOW = datetime(2026, 11, 26, tzinfo=UTC)
FILE = {"presence": "present", "type": "file", "mode": "0755", "owner": "root", "group": "root", "content": "a" * 64}
OTHER = {**FILE, "content": "b" * 64}
DAYS = [date(2026, 11, 26) + timedelta(days=day) for day in range(16)]
names = st.text("abcdef", min_size=1, max_size=6)


def version(text: str) -> dict[str, str]:
    return {"presence": "present", "version": text, "selection": "install"}


def capture(programs: Mapping[str, tuple[str, Mapping[str, Any]]], files: Any = None, **more: Any) -> Capture:
    """Return what a host says of the programs of packages, by package: mark and states."""
    document = {
        "schema": 2,
        "identity": {"machine_id": "m1", "serial": ""},
        "states": {"package": {name: version(more.pop(name, "1")) for name in ("a", "b")}},
        "watched": {"file": {"/etc/cron.d/x": FILE, **(files or {})}},
        "programs": {name: list(told) for name, told in programs.items()},
        **more,
    }
    return capture_of(document)


def sealed(before: Capture) -> Seal:
    return Seal("h", NOW, Intent(), before, Managed([Resource("package", "a"), Resource("package", "b")]), "r0")


def found(seal: Seal, now: Capture) -> set[tuple[str, str, str]]:
    return {seen.identity[1:] for seen in compare(seal, now).observations}


BEFORE = capture({"a": ("m1", {"/usr/bin/a": FILE, "/usr/bin/aa": FILE}), "b": ("m2", {"/usr/bin/b": FILE})})
SEAL = sealed(BEFORE)


def test_what_was_not_read_is_as_it_was_sealed() -> None:
    assert found(SEAL, capture({}, unread=["a", "b"])) == set()
    assert found(SEAL, capture({"b": ("m3", {"/usr/bin/b": FILE})}, unread=["a"])) == set()
    changed = capture({"b": ("m3", {"/usr/bin/b": OTHER})}, unread=["a"])
    assert found(SEAL, changed) == {("file", "/usr/bin/b", "content")}


def test_what_is_neither_read_nor_named_is_gone() -> None:
    assert found(SEAL, capture({}, unread=["b"])) == {("file", f"/usr/bin/{name}", "presence") for name in ("a", "aa")}


def test_what_was_read_as_something_else_counts_and_no_file_beside_the_programs_is_left_out() -> None:
    assert found(SEAL, capture({}, {"/usr/bin/a": OTHER}, unread=["a", "b"])) == {("file", "/usr/bin/a", "content")}
    gone = capture({}, unread=["a", "b"])
    gone = replace(gone, watched={"file": {}})
    assert found(SEAL, gone) == {("file", "/etc/cron.d/x", "presence")}
    assert found(SEAL, capture({}, unread=["a", "b", "c"])) == set()


def test_where_all_files_were_left_out_nothing_is_said_of_programs() -> None:
    cut = replace(capture({}), watched={}, truncated=("watched file",))
    check = compare(SEAL, cut)
    assert (check.outcome, check.observations) == (CheckOutcome.CLEAN, ())
    assert "left out: watched file" in (check.reason or "")


@given(st.dictionaries(names, st.tuples(names, st.sets(names))))
def test_programs_survive_being_written_and_are_told_to_the_host(packages: Any) -> None:
    programs = {
        name: (mark, {f"/usr/bin/{name}-{each}": FILE for each in files}) for name, (mark, files) in packages.items()
    }
    before = capture(programs)
    seal = sealed(before)
    again = Seal.from_text(seal.to_text(KEY), "h", KEY)
    assert again.capture == before
    assert again.digest == seal.digest
    assert {name: mark for name, (mark, _) in _asked(again, None).items()} == dict.fromkeys(programs, "")
    assert {name: mark for name, (mark, _) in _asked(again, DAYS[0]).items()} == {
        name: mark for name, (mark, _) in programs.items()
    }


def _asked(seal: Seal, today: date | None) -> dict[str, list[str]]:
    marks: dict[str, list[str]] = seal.request(today).get("marks", {})
    return marks


@given(st.sets(names, min_size=1, max_size=40), names)
def test_each_program_is_read_once_in_sixteen_days(programs: set[str], host: str) -> None:
    files = {f"/usr/bin/{name}": FILE for name in programs}
    seal = replace(sealed(capture({"a": ("m", files)})), host=host)
    turns = [path for day in DAYS for path in seal.request(day)["turns"]]
    assert sorted(turns) == sorted(files)
    assert seal.request()["turns"] == {}


def test_a_program_that_was_read_in_its_turn_counts() -> None:
    assert found(SEAL, capture({}, {"/usr/bin/a": FILE}, unread=["a", "b"])) == set()
    assert found(SEAL, capture({}, {"/usr/bin/a": OTHER}, unread=["a", "b"])) == {("file", "/usr/bin/a", "content")}


def test_digests_of_programs_are_apart_from_those_of_other_files() -> None:
    one = SEAL.request(DAYS[0])
    changed = {"/usr/bin/a": OTHER, "/usr/bin/aa": FILE}
    other = sealed(capture({"a": ("m9", changed), "b": ("m2", {"/usr/bin/b": FILE})}))
    two = other.request(DAYS[0])
    assert one["sealed"] == two["sealed"]
    assert one["marks"]["a"][1] != two["marks"]["a"][1]
    assert one["marks"]["b"] == two["marks"]["b"]


def test_a_seal_from_before_there_were_marks_has_all_programs_read() -> None:
    document = Capture(Identity("m1"), states=BEFORE.states, watched=BEFORE.watched).document()
    old = capture_of({**document, "schema": 1})
    seal = Seal.from_text(sealed(old).to_text(KEY), "h", KEY)
    assert "marks" not in seal.request(DAYS[0])
    assert found(seal, BEFORE) == set()
    assert found(seal, capture({"a": ("m1", {"/usr/bin/a": OTHER, "/usr/bin/aa": FILE}), "b": ("", {})})) == {
        ("file", "/usr/bin/a", "content"),
        ("file", "/usr/bin/b", "presence"),
    }


@pytest.mark.parametrize("programs", [{"a": 3}, {"a": ["m"]}, {"a": ["m", 3]}, {"a": ["m", ["/usr/bin/a"]]}])
def test_what_is_no_list_of_programs_is_refused(programs: Any) -> None:
    document = {"schema": 1, "identity": {}, "watched": {"file": {}}, "programs": programs}
    with pytest.raises(CaptureError, match="programs"):
        capture_of(document)


def update(name: str) -> Updates:
    return Updates("r1", NOW, (PackageUpdate(name, "1", "2"),), 100, 200)


def now(programs: Mapping[str, Any], brought: list[str]) -> Capture:
    """Return what a host says after an update of a, of which it brought these files."""
    told = {"a": ("m7", programs), "b": ("m8", {"/usr/bin/b": OTHER})}
    return capture(told, a="2", brought={"file": {path: ["a", "all"] for path in brought}})


def test_after_a_patch_marks_are_new_of_what_was_taken_over_and_of_nothing_else() -> None:
    assert renewal_request(SEAL, [update("a")])["marks"] == {}
    files = {"/usr/bin/a": OTHER, "/usr/bin/new": OTHER}
    seal = renewed(SEAL, now(files, ["/usr/bin/a", "/usr/bin/new"]), [update("a")])
    assert seal.capture.programs["b"] == BEFORE.programs["b"]
    left = Programs("", ("/usr/bin/a", "/usr/bin/aa", "/usr/bin/new"))
    assert seal.capture.programs["a"] == left, "a program is gone, and nobody says that the package has it no more"
    gone = replace(update("a"), gone=("/usr/bin/aa",))
    seal = renewed(SEAL, now(files, ["/usr/bin/a", "/usr/bin/new"]), [gone])
    assert seal.capture.programs["a"] == Programs("m7", ("/usr/bin/a", "/usr/bin/new"))
    later = capture({}, a="2", unread=["a", "b"])
    assert found(seal, later) == set()
    assert found(seal, replace(later, unread=("b",))) == {
        ("file", "/usr/bin/a", "presence"),
        ("file", "/usr/bin/new", "presence"),
    }


def test_a_program_that_somebody_changed_meanwhile_leaves_its_package_without_a_mark() -> None:
    files = {"/usr/bin/a": OTHER, "/usr/bin/aa": OTHER}
    seal = renewed(SEAL, now(files, ["/usr/bin/a"]), [update("a")])
    assert seal.capture.programs["a"] == Programs("", ("/usr/bin/a", "/usr/bin/aa"))
    assert found(seal, now(files, [])) >= {("file", "/usr/bin/aa", "content")}
