"""Seals: what is found when a host moved away from one, and what is no finding."""

from __future__ import annotations

import base64
import copy
import hashlib
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.drift.capture import Capture, CaptureError, Identity, capture_of, packed, read_capture
from bedplate.drift.comparison import Policy, compare
from bedplate.drift.managed import Resource
from bedplate.drift.managing import managed_by
from bedplate.drift.observation import CheckOutcome, Severity
from bedplate.drift.seal import Intent, Managed, Seal, SealError, Unsealed, request_for, texts_of
from bedplate.runs import Event

KEY = b"k" * 32
NOW = datetime(2026, 11, 25, tzinfo=UTC)
INTENT = Intent("c", "v")
FILE = {"presence": "present", "type": "file", "mode": "0644", "owner": "root", "group": "root", "content": "a" * 64}
ABSENT = {"presence": "absent"}


def capture(states: Any = None, watched: Any = None, **more: Any) -> Capture:
    return Capture(
        Identity("m1", "s1"), boot_id=more.pop("boot_id", "b1"), states=states or {}, watched=watched or {}, **more
    )


def sealed(before: Capture, *resources: Resource) -> Seal:
    return Seal("h", NOW, INTENT, before, Managed(resources), "run")


def found(before: Capture, after: Capture, *resources: Resource, **options: Any) -> dict[tuple[str, str, str], Any]:
    check = compare(sealed(before, *resources), after, INTENT, **options)
    return {observation.identity[1:]: observation for observation in check.observations}


names = st.text(min_size=1, max_size=8)
states = st.dictionaries(names, st.text(max_size=8), max_size=4).map(lambda state: {"presence": "present", **state})
captures = st.dictionaries(
    st.sampled_from(["file", "unit", "package", "user", "odd"]), st.dictionaries(names, states, max_size=5)
)


@given(captures, captures)
def test_what_did_not_change_is_clean_and_survives_being_written(one: Any, other: Any) -> None:
    before = capture(one, other)
    seal = sealed(before)
    again = Seal.from_text(seal.to_text(KEY), "h", KEY)
    assert again == Seal("h", NOW, INTENT, capture_of(before.document()), Managed([], []), "run")
    check = compare(again, capture(copy.deepcopy(one), copy.deepcopy(other)), INTENT)
    assert (check.outcome, check.observations) == (CheckOutcome.CLEAN, ())


@given(captures, st.data())
def test_every_value_that_changes_is_found_under_its_name(one: Any, data: st.DataObject) -> None:
    places = [(kind, key, name) for kind, keys in one.items() for key, state in keys.items() for name in state]
    places = [place for place in places if place[2] not in {"presence", "package", "program", "type"}]
    if not places:
        return
    kind, key, name = data.draw(st.sampled_from(places))
    other = copy.deepcopy(one)
    other[kind][key][name] += "x"
    assert found(capture(one), capture(other)).keys() == {(kind, key, name)}


@given(captures, captures)
def test_comparing_never_fails_and_names_each_thing_once(one: Any, other: Any) -> None:
    check = compare(sealed(capture(one, other)), capture(other, one), INTENT)
    identities = [observation.identity for observation in check.observations]
    assert len(identities) == len(set(identities))
    assert (check.outcome is CheckOutcome.DRIFTED) is bool(identities)


@pytest.mark.parametrize(
    ("before", "after", "identities"),
    [
        (FILE, {**FILE, "mode": "0666", "owner": "x"}, {"mode", "owner"}),
        (FILE, {**FILE, "folder": "/srv/elsewhere", "acl": "b"}, {"folder", "acl"}),
        ({**FILE, "default_acl": "b"}, FILE, {"default_acl"}),
        (FILE, ABSENT, {"presence"}),
        (ABSENT, FILE, {"presence"}),
        (FILE, {"presence": "present", "type": "link", "target": "/x"}, {"type"}),
        (FILE, {key: value for key, value in FILE.items() if key != "content"}, set()),
        (FILE, {}, set()),
        (FILE, {**FILE, "capabilities": "x"}, {"capabilities"}),
        ({**FILE, "acl": "x"}, FILE, {"acl"}),
    ],
)
def test_how_a_file_differs(before: dict[str, str], after: dict[str, str], identities: set[str]) -> None:
    names = found(capture({"file": {"/x": before}}), capture({"file": {"/x": after}}))
    assert {name for _, _, name in names} == identities


def test_whose_it_is() -> None:
    resource = Resource("file", "/x", "logging", "Write it")
    (seen,) = found(capture({"file": {"/x": FILE}}), capture({"file": {"/x": ABSENT}}), resource).values()
    assert (seen.role, seen.task, seen.after) == ("logging", "Write it", "absent")


def test_a_file_in_a_folder_that_a_role_keeps_is_that_roles() -> None:
    after = capture(watched={"file": {"/f/extra": FILE}})
    (seen,) = found(capture(watched={"file": {}}), after, Resource("folder", "/f", "access", "Keep it")).values()
    assert (seen.role, seen.key, seen.attribute) == ("access", "/f/extra", "presence")


def test_what_came_or_went_of_what_a_pattern_names_is_found() -> None:
    pattern = Resource("pattern", "/etc/audit/rules.d/*", "auditing", "Set modes")
    before, after = ({"file": {f"/etc/audit/rules.d/{name}": FILE}} for name in ("old", "new"))
    changes = found(capture(before), capture(after), pattern)
    assert changes.keys() == {("file", f"/etc/audit/rules.d/{name}", "presence") for name in ("old", "new")}
    assert {one.role for one in changes.values()} == {"auditing"}
    assert found(capture(before), capture({})) == {}
    crowded = found(capture(before), capture({"file": {}}, overfull={"/etc/audit/rules.d": "more than 2000"}), pattern)
    assert crowded.keys() == {("file", "/etc/audit/rules.d", "entries")}


def test_the_file_of_a_unit_is_looked_at_only_while_it_starts_at_boot() -> None:
    folder = "/usr/lib/systemd/system"
    files = {f"{folder}/{name}": FILE for name in ("a.timer", "a.timer.d/x.conf", "b@.service")}
    enabled = {"file": files, "unit": {key: {"enabled": "enabled"} for key in ("a.timer", "b@one.service")}}
    for before, after in ((enabled, {"file": {}, "unit": {}}), ({"file": {}, "unit": {}}, enabled)):
        changes = found(capture(watched=before), capture(watched=after))
        assert changes.keys() == {("unit", "a.timer", "enabled"), ("unit", "b@one.service", "enabled")}
    changes = found(capture(watched=enabled), capture(watched={**enabled, "file": {}}))
    assert changes.keys() == {("file", path, "presence") for path in files}


def test_what_a_full_check_names_otherwise_is_named_so_and_once() -> None:
    named = ("certificate", "/tls", "content")
    resources = [Resource("file", f"/tls/{name}", "certificates", "Keep", named) for name in ("a", "b")]
    before = capture({"file": {"/tls/a": FILE, "/tls/b": FILE}})
    after = capture({"file": {"/tls/a": {**FILE, "mode": "0600"}, "/tls/b": ABSENT}})
    ((identity, seen),) = found(before, after, *resources).items()
    assert identity == named
    assert "/tls/a: mode 0600" in seen.after
    assert "/tls/b: presence absent" in seen.after


def test_an_account_is_told_of_as_a_whole_where_a_task_manages_it() -> None:
    state = {"presence": "present", "uid": "5", "shell": "/bin/bash", "groups": ""}
    before, after = (
        capture({"user": {"bob": state}}),
        capture({"user": {"bob": {**state, "shell": "/bin/sh", "groups": "adm"}}}),
    )
    (seen,) = found(before, after, Resource("user", "bob", "access", "Make")).values()
    assert (seen.attribute, seen.before, seen.after) == (
        "account",
        "groups none, shell /bin/bash",
        "groups adm, shell /bin/sh",
    )


def test_another_root_is_critical() -> None:
    after = capture(watched={"user": {"x": {"presence": "present", "uid": "0"}}})
    (seen,) = found(capture(watched={"user": {}}), after).values()
    assert seen.severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("before", "after", "boot_id", "count"),
    [
        ({"module": {"a": {"presence": "present", "tree": "own"}}}, {"module": {}}, "b1", 0),
        ({"module": {}}, {"module": {"a": {"presence": "present", "tree": "own"}}}, "b1", 1),
        ({"module": {}}, {"module": {"a": {"presence": "present", "tree": "own"}}}, "b2", 0),
        ({"module": {}}, {"module": {"a": {"presence": "present", "tree": "foreign"}}}, "b2", 1),
        ({"mount": {"/x": {"presence": "present", "configured": ""}}}, {"mount": {}}, "b2", 0),
        ({"mount": {"/x": {"presence": "present", "configured": ""}}}, {"mount": {}}, "b1", 1),
        ({"mount": {"/x": {"presence": "present", "configured": "yes"}}}, {"mount": {}}, "b2", 1),
        ({"socket": {"tcp *:22": {"presence": "present"}}}, {"socket": {}}, "b1", 0),
        ({"socket": {}}, {"socket": {"tcp *:40000": {"presence": "present", "program": "x"}}}, "b1", 1),
        (
            {"socket": {"tcp *:40000": {"presence": "present", "program": "rpc.statd"}}},
            {"socket": {"tcp *:40001": {"presence": "present", "program": "rpc.statd"}}},
            "b2",
            0,
        ),
        ({"unit": {"x.timer": {"enabled": "enabled"}}}, {"unit": {}}, "b1", 1),
        ({"unit": {"x.timer": {"enabled": "enabled"}}}, {"unit": {}}, "b2", 1),
        ({"unit": {"x.timer": {"enabled": "enabled-runtime"}}}, {"unit": {}}, "b1", 1),
        ({"unit": {"x.timer": {"enabled": "enabled-runtime"}}}, {"unit": {}}, "b2", 0),
        ({"file": {"/run/sysctl.d/x": FILE}}, {"file": {}}, "b1", 1),
        ({"file": {"/run/sysctl.d/x": FILE}}, {"file": {}}, "b2", 0),
        ({"file": {}}, {"file": {"/run/sysctl.d/x": FILE}}, "b2", 1),
        ({"file": {"/var/spool/cron/atjobs/a1": FILE}}, {"file": {}}, "b1", 0),
        ({"file": {}}, {"file": {"/var/spool/cron/atjobs/a1": FILE}}, "b1", 1),
    ],
)
def test_what_comes_and_goes_by_itself(before: Any, after: Any, boot_id: str, count: int) -> None:
    assert len(found(capture(watched=before), capture(watched=after, boot_id=boot_id))) == count


def _package(version: str) -> dict[str, str]:
    return {"presence": "present", "version": version, "selection": "install"}


def test_unattended_updates_are_their_own_kind_and_no_drift() -> None:
    program = {**FILE, "package": "sudo"}
    before = capture(
        {"package": {"sudo": _package("1")}}, {"suid": {"/usr/bin/sudo": program}, "package": {"old": _package("1")}}
    )
    after = capture(
        {"package": {"sudo": _package("2")}},
        {"suid": {"/usr/bin/sudo": {**program, "content": "b" * 64}}, "package": {"new": _package("1")}},
        updates={"sudo": "2", "new": "1", "old": "removed"},
    )
    check = compare(sealed(before), after, INTENT)
    assert check.outcome is CheckOutcome.CLEAN
    assert {seen.identity[1:3] for seen in check.observations} == {
        ("update", "sudo"),
        ("update", "new"),
        ("update", "old"),
    }
    strict = compare(sealed(before), after, INTENT, policy=Policy(unattended_updates=False))
    assert strict.outcome is CheckOutcome.DRIFTED
    assert {seen.kind for seen in strict.observations} == {"package", "suid"}


def test_what_was_changed_after_an_unattended_update_is_found() -> None:
    """The host names the package only of files that are as the package brought them."""
    path = "/etc/sudoers"
    before = capture({"package": {"sudo": _package("1")}}, {"file": {path: {**FILE, "package": "sudo"}}})
    states = {"package": {"sudo": _package("2")}}
    after = capture(states, {"file": {path: {**FILE, "content": "b" * 64}}}, updates={"sudo": "2"})
    assert found(before, after).keys() == {("update", "sudo", "version"), ("file", path, "content")}


def test_an_upgrade_by_hand_is_drift() -> None:
    before, after = (
        capture({"package": {"sudo": _package("1")}}),
        capture({"package": {"sudo": _package("3")}}, updates={"sudo": "2"}),
    )
    assert found(before, after).keys() == {("package", "sudo", "version")}


@pytest.mark.parametrize(
    ("now", "left"),
    [
        ({}, {("package", "sudo", "presence")}),
        ({"sudo": _package("2")}, {("package", "sudo", "version"), ("file", "/usr/bin/sudo", "content")}),
        ({"sudo": _package("1")}, {("file", path, "content") for path in ("/usr/bin/sudo", "/usr/libexec/sudo/x.so")}),
    ],
)
def test_what_came_or_went_with_a_package_is_not_told_of_file_by_file(now: Any, left: set[Any]) -> None:
    files = {path: {**FILE, "package": "sudo"} for path in ("/usr/bin/sudo", "/usr/libexec/sudo/x.so")}
    others = {path: {**state, "content": "b" * 64} for path, state in files.items()} if now else {}
    gone = dict.fromkeys(files, ABSENT)
    before = capture({"package": {"sudo": _package("1")}}, {"file": files})
    after = capture({"package": now or {"sudo": ABSENT}}, {"file": others or gone})
    assert found(before, after).keys() == left


def test_an_upgrade_by_hand_is_one_finding_where_all_is_as_the_package_brought_it() -> None:
    def host(version: str, content: str, **more: Any) -> Capture:
        files = {
            path: {**FILE, "content": content * 64, "package": "sudo"} for path in ("/usr/bin/sudo", "/etc/pam.d/sudo")
        }
        watched = {"file": files, "suid": {"/usr/bin/su": files["/usr/bin/sudo"]}}
        return capture({"package": {"sudo": _package(version)}}, watched, **more)

    before, after = host("1", "a"), host("2", "b", verified=("sudo",))
    after.watched["file"]["/etc/cron.d/sudo"] = {**FILE, "package": "sudo"}  # type: ignore[index]
    after.watched["suid"]["/usr/bin/more"] = {**FILE, "package": "sudo"}  # type: ignore[index]
    one, new = ("package", "sudo", "version"), ("suid", "/usr/bin/more", "presence")
    assert found(before, after).keys() == {one, new}
    after.watched["file"]["/etc/pam.d/sudo"] |= {"mode": "0666"}  # type: ignore[index, operator]
    changes = found(before, after).keys()
    assert changes == {one, new, ("file", "/etc/pam.d/sudo", "mode"), ("file", "/etc/pam.d/sudo", "content")}


def test_a_new_package_is_one_finding_but_for_its_settings_and_rights() -> None:
    paths = ("/usr/lib/tmpfiles.d/x.conf", "/etc/cron.d/x", "/usr/bin/x")
    files = {path: {**FILE, "package": "x"} for path in paths[:2]}
    watched = {"package": {"x": _package("1")}, "file": files, "suid": {paths[2]: {**FILE, "package": "x"}}}
    before = capture(watched={"package": {}, "file": {}, "suid": {}})
    assert found(before, capture(watched=watched, verified=("x",))).keys() == {
        ("package", "x", "presence"),
        ("file", paths[1], "presence"),
        ("suid", paths[2], "presence"),
    }


def test_who_may_use_what_an_unattended_update_brought_is_told_of() -> None:
    states = {
        "sudo": {**FILE, "package": "sudo"},
        "other": {**FILE, "content": "b" * 64, "mode": "0666", "package": "sudo"},
    }
    before = capture({"package": {"sudo": _package("1")}}, {"file": {"/etc/sudo.conf": states["sudo"]}})
    after = capture(
        {"package": {"sudo": _package("2")}}, {"file": {"/etc/sudo.conf": states["other"]}}, updates={"sudo": "2"}
    )
    assert ("file", "/etc/sudo.conf", "mode") in found(before, after)


def test_what_nobody_wants_to_hear_of_is_left_out() -> None:
    before, after = capture(watched={"file": {}}), capture(watched={"file": {"/etc/cron.d/ours": FILE}})
    assert found(before, after, policy=Policy(ignored=("file:/etc/cron.d/*",))) == {}


def test_a_folder_that_became_too_full_is_told_of_and_its_files_are_not() -> None:
    before = capture(watched={"file": {"/d/a": FILE}})
    after = capture(watched={"file": {}}, overfull={"/d": "more than 2000"})
    (seen,) = found(before, after).values()
    assert (seen.key, seen.attribute, seen.before, seen.after) == ("/d", "entries", "1", "more than 2000")


def test_programs_in_a_folder_that_is_too_crowded_are_not_judged() -> None:
    before = capture(watched={"suid": {"/tmp/d/x": FILE, "/usr/bin/x": FILE}})
    assert found(before, capture(watched={"suid": {}}, crowded=("/tmp",))).keys() == {
        ("suid", "/usr/bin/x", "presence")
    }


def test_another_machine_is_unknown_and_no_drift() -> None:
    seal = sealed(capture({"file": {"/x": FILE}}))
    for identity in (Identity("m2", "s1"), Identity("m1", "s2")):
        check = compare(seal, Capture(identity), INTENT)
        assert (check.outcome, check.observations) == (CheckOutcome.UNKNOWN, ())
        assert "another machine" in (check.reason or "")
    assert compare(seal, Capture(Identity("m1", "")), INTENT).outcome is CheckOutcome.CLEAN


@pytest.mark.parametrize("now", [Intent("x", "v"), Intent("c", "x")])
def test_an_intent_that_moved_makes_a_host_stale(now: Intent) -> None:
    check = compare(sealed(capture()), capture(), now)
    assert check.outcome is CheckOutcome.STALE
    assert "changed" in (check.reason or "")


def test_a_text_that_changed_is_shown() -> None:
    def text(content: str) -> tuple[dict[str, str], str]:
        digest = hashlib.sha256(content.encode()).hexdigest()
        return {**FILE, "content": digest}, base64.b64encode(zlib.compress(content.encode())).decode()

    (old, old_text), (new, new_text) = text("one\ntwo\n"), text("one\nthree\n")
    before = capture({"file": {"/x": old}}, texts={"/x": old_text})
    after = capture({"file": {"/x": new}}, texts={"/x": new_text})
    (seen,) = found(before, after, texts=texts_of(before)).values()
    assert "-two\n+three" in seen.diff
    assert found(before, after)["file", "/x", "content"].diff is None


def test_a_text_that_is_not_what_it_says_is_not_kept() -> None:
    assert texts_of(capture({"file": {"/x": FILE}}, texts={"/x": base64.b64encode(zlib.compress(b"x")).decode()})) == {}


def test_coverage_counts_what_could_be_judged_and_names_the_rest() -> None:
    before = capture({"file": {"/x": FILE, "/y": FILE}, "unit": {"a.service": {"state": "active"}}})
    after = capture({"file": {"/x": FILE, "/y": {}}}, truncated=("states unit",))
    resources = [Resource("file", "/x", "r"), Resource("file", "/y", "r"), Resource("unit", "a.service", "s")]
    seal = Seal("h", NOW, INTENT, before, Managed(resources, [Unsealed("s", "Do it", "no row")]))
    check = compare(seal, after, INTENT)
    assert {(role.role, role.judged, role.unverifiable) for role in check.coverage} == {
        ("r", 1, ("file:/y",)),
        ("s", 0, ("unit:a.service", "Do it: no row")),
    }
    assert "left out: states unit" in (check.reason or "")


def test_a_seal_says_the_same_whenever_and_after_whichever_run_it_was_taken() -> None:
    before = capture({"file": {"/x": FILE}}, taken_at=1)
    seal = sealed(before, Resource("file", "/x", "r"))
    later = Seal("h", NOW + timedelta(days=1), INTENT, replace(before, taken_at=2, updates={"curl": "8"}), seal.managed)
    assert seal.digest == later.digest
    others = [
        replace(seal, intent=Intent("c", "w")),
        replace(seal, managed=Managed()),
        replace(seal, capture=capture({"file": {"/x": ABSENT}})),
        replace(seal, host="i"),
    ]
    assert len({seal.digest, *(other.digest for other in others)}) == 5


def test_a_seal_that_was_changed_or_is_anothers_is_not_trusted() -> None:
    text = sealed(capture({"file": {"/x": FILE}})).to_text(KEY)
    other = Seal("h", NOW, INTENT, capture({"file": {"/x": ABSENT}})).to_text(b"o" * 32)
    for wrong in ("", text[:-4], text[:64] + other[64:], other, "x" + text[1:]):
        with pytest.raises(SealError, match="not as it was signed"):
            Seal.from_text(wrong, "h", KEY)
    with pytest.raises(SealError):
        Seal.from_text(text, "another", KEY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!",
        base64.b64encode(b"x").decode(),
        packed({}),
        packed({"schema": 9}),
        packed({"schema": 1, "identity": {}, "states": 3}),
    ],
)
def test_what_is_no_capture_is_refused(text: str) -> None:
    with pytest.raises(CaptureError):
        read_capture(text)


def test_a_check_asks_for_what_was_sealed() -> None:
    resources = [Resource("file", "/x"), Resource("file", "/gone"), Resource("unit", "a.service")]
    assert request_for(resources)["resources"] == {"file": {"/x": "", "/gone": ""}, "unit": {"a.service": None}}
    before = capture({"file": {"/x": FILE, "/gone": ABSENT}}, {"socket": {"tcp *:22": {"presence": "present"}}})
    assert sealed(before, *resources).request() == {
        "resources": {"file": {"/x": "a" * 16, "/gone": None}, "unit": {"a.service": None}},
        "text": "changed",
        "sockets": ["tcp *:22"],
        "sealed": {"states file": "9b80d29e3da3c1ef"},
        "since": 0,
    }


def test_events_say_what_tasks_manage() -> None:
    def event(counter: int, task: str, **data: Any) -> Event:
        return Event(counter, "runner_on_ok", NOW, host="h", role="bedplate.datacenter.logging", task=task, data=data)

    events = [
        event(1, "One", manages=[["file", "/x"], ["file", "/tls/a", "certificate", "/tls", "content"]]),
        event(2, "Two", manages=[["file", "/x"]]),
        event(3, "Three", unsealed="no row"),
        event(4, "Four"),
    ]
    found = managed_by(events)["h"]
    assert found.resources == (
        Resource("file", "/x", "logging", "Two"),
        Resource("file", "/tls/a", "logging", "One", ("certificate", "/tls", "content")),
    )
    assert found.unsealed == (Unsealed("logging", "Three", "no row"),)
