"""Seals that take over what a tracked run updated, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.drift.capture import Capture, Identity, capture_of
from bedplate.drift.comparison import compare
from bedplate.drift.managed import Resource
from bedplate.drift.renewal import renewal_request, renewed
from bedplate.drift.seal import Intent, Managed, Seal
from bedplate.drift.updates import PackageUpdate, Renewal, Updates, updates_in
from bedplate.runs import Event

KEY = b"k" * 32
NOW = datetime(2026, 11, 26, tzinfo=UTC)
FILE = {"presence": "present", "type": "file", "mode": "0644", "owner": "root", "group": "root", "content": "a" * 64}
NEW = {**FILE, "content": "b" * 64}
ABSENT = {"presence": "absent"}
States = dict[str, dict[str, dict[str, str]]]


def package(version: str, selection: str = "install") -> dict[str, str]:
    return {"presence": "present", "version": version, "selection": selection}


def updates(*packages: tuple[str, str, str], run: str = "r1", gone: tuple[str, ...] = ()) -> Updates:
    return Updates(run, NOW, tuple(PackageUpdate(*one) for one in packages), 100, 200, gone)


def capture(states: States | None = None, watched: States | None = None, **more: Any) -> Capture:
    return Capture(Identity("m1", "s1"), states=states or {}, watched=watched or {}, **more)


def sealed(before: Capture, *resources: Resource) -> Seal:
    return Seal("h", NOW - timedelta(days=1), Intent(), before, Managed(resources), "r0")


def left(seal: Seal, now: Capture, *done: Updates) -> set[tuple[str, str, str]]:
    """Return what a check finds after the seal was renewed."""
    return {seen.identity[1:] for seen in compare(renewed(seal, now, done), now).observations}


SUDO = updates(("sudo", "1", "2"))


def of_sudo(**files: str) -> dict[str, dict[str, list[str]]]:
    """Return what a host says that an update of sudo brought: extents by path."""
    return {"file": {f"/{path.replace('_', '/')}": ["sudo", extent] for path, extent in files.items()}}


def test_what_was_updated_is_taken_over_and_named() -> None:
    before = capture({"package": {"sudo": package("1")}}, {"file": {"/usr/bin/sudo": FILE}, "suid": {"/bin/x": FILE}})
    now = capture(
        {"package": {"sudo": package("2")}},
        {"file": {"/usr/bin/sudo": {**NEW, "mode": "0755"}, "/etc/new": NEW}, "suid": {"/bin/x": NEW}},
        brought=of_sudo(usr_bin_sudo="all", etc_new="content", bin_x="all"),
    )
    seal = sealed(before)
    assert left(seal, now, SUDO) == set()
    again = renewed(seal, now, [SUDO])
    assert again.renewals == (Renewal("r1", NOW, SUDO.packages),)
    assert (again.run, again.taken_at, again.intent, again.managed) == (
        seal.run,
        seal.taken_at,
        seal.intent,
        seal.managed,
    )
    assert again.digest != seal.digest
    assert Seal.from_text(again.to_text(KEY), "h", KEY) == replace(
        again, managed=Managed([], []), capture=capture_of(again.capture.document())
    )


@pytest.mark.parametrize(
    ("before", "after", "extent", "found"),
    [
        (FILE, {**NEW, "mode": "0666"}, "content", {"mode"}),
        (FILE, {**NEW, "owner": "bob"}, "content", {"owner"}),
        (FILE, {**NEW, "mode": "0755"}, "all", set()),
        (FILE, NEW, None, {"content"}),
        (FILE, ABSENT, None, {"presence"}),
        (ABSENT, NEW, None, {"presence"}),
        (FILE, {"presence": "present", "type": "link", "target": "/x"}, "content", {"type"}),
    ],
)
def test_of_a_file_only_what_the_package_brought_is_taken_over(
    before: dict[str, str], after: dict[str, str], extent: str | None, found: set[str]
) -> None:
    path = "/etc/sudo.conf"
    one, other = (capture({"package": {"sudo": package(v)}}, {"file": {path: state} if state != ABSENT else {}})
                  for v, state in (("1", before), ("2", after)))  # fmt: skip
    now = replace(other, brought={"file": {path: ["sudo", extent]}} if extent else {})
    assert {name for _, _, name in left(sealed(one), now, SUDO)} == found


def test_what_a_role_writes_stays_as_the_role_wrote_it() -> None:
    paths = {"/etc/a": "file", "/etc/b": "meta", "/etc/d/c": "folder", "/etc/p/d": "pattern"}
    states, others = dict.fromkeys(paths, FILE), {path: {**NEW, "mode": "0600"} for path in paths}
    resources = [Resource(kind, path.removesuffix("/c"), "r") for path, kind in paths.items()]
    before = capture({"package": {"sudo": package("1")}, "file": states})
    brought = {"file": {path: ["sudo", "all"] for path in paths}}
    now = capture({"package": {"sudo": package("2")}, "file": others}, brought=brought)
    assert left(sealed(before, *resources), now, SUDO) == {
        *(("file", path, "mode") for path in paths),
        *(("file", path, "content") for path in ("/etc/a", "/etc/d/c")),
    }


def test_packages_that_the_run_did_not_leave_so_are_found() -> None:
    before = capture(watched={"package": {name: package("1") for name in ("a", "b", "c", "held")}})
    versions = {"a": package("3"), "b": package("2"), "c": package("2"), "held": package("2", "hold"),
                "mine": package("2"), "new": package("2", "hold")}  # fmt: skip
    now = capture(watched={"package": versions})
    done = updates(("a", "1", "2"), ("c", "1", "2"), ("held", "1", "2"), ("mine", "1", "2"), ("new", "", "2"))
    assert left(sealed(before), now, done) == {
        ("package", "a", "version"),
        ("package", "b", "version"),
        ("package", "held", "selection"),
        ("package", "mine", "presence"),
        ("package", "new", "selection"),
    }


def test_files_of_a_package_that_was_not_taken_over_are_found() -> None:
    before = capture(watched={"package": {}, "file": {"/etc/cron.d/x": FILE}})
    now = capture(
        watched={"package": {"mine": package("2")}, "file": {"/etc/cron.d/x": NEW}},
        brought={"file": {"/etc/cron.d/x": ["mine", "all"]}},
    )
    found = left(sealed(before), now, updates(("mine", "1", "2")))
    assert found == {("package", "mine", "presence"), ("file", "/etc/cron.d/x", "content")}


def test_a_package_that_a_role_bans_is_found_though_an_update_brought_it() -> None:
    before, now = capture({"package": {"talkd": ABSENT}}), capture({"package": {"talkd": package("1")}})
    assert left(sealed(before), now, updates(("talkd", "", "1"))) == {("package", "talkd", "presence")}


def test_the_last_of_several_runs_counts_and_all_are_named() -> None:
    before = capture({"package": {"sudo": package("1")}})
    now = capture({"package": {"sudo": package("3")}})
    done = (updates(("sudo", "1", "2")), updates(("sudo", "2", "3"), run="r2"))
    assert left(sealed(before), now, *done) == set()
    assert [one.run for one in renewed(sealed(before), now, done).renewals] == ["r1", "r2"]
    assert renewal_request(sealed(before), done)["updated"] == {"sudo": ["3", 100, 200]}


def test_names_with_the_hosts_own_architecture_mean_the_same() -> None:
    before, now = (capture({"package": {"libc6": package(v), "libc6:i386": package(v)}}) for v in ("1", "2"))
    assert left(sealed(before), now, updates(("libc6:amd64", "1", "2"), ("libc6:i386", "1", "2"))) == set()


def test_files_that_a_package_has_no_more() -> None:
    lost = ("/lib/systemd/system/a.service", "/etc/cron.d/x", "/etc/cron.d/kept", "/etc/cron.d/roles")
    paths = ["/usr" + lost[0], *lost[1:], "/etc/cron.d/others"]
    before = capture({"package": {"sudo": package("1")}}, {"file": dict.fromkeys(paths, FILE)})
    now = capture({"package": {"sudo": package("2")}}, {"file": {"/etc/cron.d/kept": FILE}})
    seal = sealed(before, Resource("file", "/etc/cron.d/roles", "r"))
    assert left(seal, now, updates(("sudo", "1", "2"), gone=lost)) == {
        ("file", "/etc/cron.d/roles", "presence"),
        ("file", "/etc/cron.d/others", "presence"),
    }


def test_a_program_that_gives_no_more_rights() -> None:
    before = capture({"package": {"sudo": package("1")}}, {"suid": {"/bin/x": FILE, "/bin/y": FILE}})
    now = capture({"package": {"sudo": package("2")}}, {"suid": {}}, brought=of_sudo(bin_x="all"))
    assert left(sealed(before), now, SUDO) == {("suid", "/bin/y", "presence")}
    assert renewal_request(sealed(before), [SUDO])["programs"] == ["/bin/x", "/bin/y"]


def test_units_that_came_with_an_update_and_those_that_did_not() -> None:
    enabled = {"enabled": "enabled"}
    before = capture({"package": {"sudo": package("1")}}, {"unit": {"old.timer": enabled}})
    units = {"new.timer": enabled, "mine.timer": enabled}
    now = capture(
        {"package": {"sudo": package("2")}}, {"unit": units}, brought={"unit": {"new.timer": ["sudo", "all"]}}
    )
    assert left(sealed(before), now, SUDO) == {("unit", "mine.timer", "enabled"), ("unit", "old.timer", "enabled")}


def test_a_units_configuration_that_a_package_ships_in_etc() -> None:
    def unit(*files: str) -> dict[str, str]:
        return {"presence": "present", "state": "active", "configuration": " ".join(files)}

    path = "/etc/systemd/system/a.service.d/x.conf"
    before = capture(
        {"package": {"sudo": package("1")}, "unit": {name: unit(f"{path}=1") for name in "ab"}}, {"file": {path: FILE}}
    )
    units = {"a": unit(f"{path}=2"), "b": {**unit(f"{path}=2", "/etc/mine=1"), "state": "failed"}}
    now = capture(
        {"package": {"sudo": package("2")}, "unit": units}, {"file": {path: NEW}},
        brought={"file": {path: ["sudo", "content"]}},
    )  # fmt: skip
    assert left(sealed(before), now, SUDO) == {("unit", "b", "configuration"), ("unit", "b", "state")}


names = st.text("abc/", min_size=1, max_size=3)
attributes = st.fixed_dictionaries(
    {"presence": st.just("present"), "type": st.sampled_from(["file", "link"]), "mode": st.sampled_from("12")},
    optional={"content": st.sampled_from("12")},
)
kinds = st.sampled_from(["file", "suid", "unit", "user", "sysctl"])
captures = st.dictionaries(kinds, st.dictionaries(names, attributes, max_size=4), max_size=4)
packages = st.dictionaries(st.sampled_from("pqrs"), st.sampled_from("123").map(package), max_size=4)
brought = st.dictionaries(names, st.tuples(st.sampled_from("pqrs"), st.sampled_from(["content", "all"])), max_size=5)
runs = st.lists(st.tuples(st.sampled_from("pqrs"), st.sampled_from(["", "1", "2"]), st.sampled_from("123")), max_size=3)
managed = st.lists(st.tuples(st.sampled_from(["file", "meta", "folder", "pattern"]), names), max_size=2)


@given(*(captures,) * 4, packages, packages, brought, runs, st.lists(names, max_size=3), managed)
def test_nothing_is_taken_over_but_what_the_runs_packages_brought(  # noqa: PLR0917
    one: States,
    two: States,
    three: States,
    four: States,
    had: Any,
    has: Any,
    came: Any,
    run: Any,
    gone: Any,
    roles: Any,
) -> None:
    before, now = (
        capture(one, {**two, "package": had}),
        capture(three, {**four, "package": has}, brought={"file": came, "unit": came}),
    )
    seal = sealed(before, *(Resource(kind, key, "r") for kind, key in roles))
    done = updates(*run, gone=tuple(gone))
    again = renewed(seal, now, [done])
    mine = {name for name, _, version in run if has.get(name, {}).get("version") == version}
    touched = {path for path, (name, _) in came.items() if name in mine}
    for part in ("states", "watched"):
        was, became = getattr(before, part), getattr(again.capture, part)
        assert was.keys() == became.keys()
        for kind, key in {(each, key) for states in (was, became) for each in states for key in states[each]}:
            old, new = was[kind].get(key), became[kind].get(key)
            if old == new:
                continue
            if kind == "package":
                assert key in mine
                continue
            assert kind in {"file", "suid", "unit"}
            assert key in touched or key in gone
            assert ("file", key) not in roles
            # What it says now is what the host says, or nothing where the host has nothing.
            there = getattr(now, part).get(kind, {}).get(key)
            assert new is None if there is None else set(new.items()) <= set(there.items()) | set((old or {}).items())


@given(captures, captures, packages, packages)
def test_without_an_update_a_check_finds_the_same(one: States, two: States, had: Any, has: Any) -> None:
    seal, now = sealed(capture(one, {"package": had})), capture(two, {"package": has})
    assert compare(renewed(seal, now, []), now) == compare(seal, now)


def test_what_events_say_of_updates() -> None:
    rows = [{"name": "sudo", "before": "1", "after": "2"}]
    installed = {"start": 5, "end": 9, "gone": ["/x"]}

    def event(host: str, **result: Any) -> Event:
        kind = result.pop("kind", "runner_on_ok")
        action = result.pop("action", "bedplate.datacenter.host_change")
        return Event(1, kind, NOW, host=host, action=action, data={"res": result})

    events = [
        event("a", packages=rows, installed=installed),
        event("failed", kind="runner_on_failed", packages=rows, installed=installed),
        event("other", action="ansible.builtin.apt", packages=rows, installed=installed),
        event("old", packages=rows),
        event("cut", packages="70000 bytes, not kept", installed=installed),
        event("odd", packages=[{"name": "x"}], installed=installed),
        event("none", packages=[], installed=installed),
    ]
    assert updates_in(events, "r1", NOW) == {"a": Updates("r1", NOW, (PackageUpdate("sudo", "1", "2"),), 5, 9, ("/x",))}
