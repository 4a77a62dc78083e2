"""Seals that take over what a tracked run's tasks wrote, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

from bedplate.drift.capture import Capture, Identity
from bedplate.drift.comparison import compare
from bedplate.drift.following import followed, following_request, written
from bedplate.drift.managed import Resource
from bedplate.drift.seal import Intent, Managed, Seal

FILE = {"presence": "present", "type": "file", "mode": "0644", "owner": "root", "group": "root", "content": "a" * 64}
NEW = {**FILE, "content": "b" * 64}
RULES = {"presence": "present", "rules": "c" * 64}
RESOURCES = [Resource("file", "/x"), Resource("file", "/y"), Resource("firewall", "inet bedplate")]
KEY = b"k" * 32


def capture(x: dict[str, str], y: dict[str, str], rules: dict[str, str]) -> Capture:
    states = {"file": {"/x": x, "/y": y}, "firewall": {"inet bedplate": rules}}
    return Capture(Identity("m1", "s1"), states=states, watched={"firewall": {"inet bedplate": rules}})


def sealed() -> Seal:
    return Seal("h", datetime.now(UTC), Intent("c", "v", "f"), capture(FILE, FILE, RULES), Managed(RESOURCES), "r0")


def test_what_was_written_is_taken_over_and_what_was_not_stays_drift() -> None:
    now = capture(NEW, NEW, {**RULES, "rules": "d" * 64})
    new = followed(sealed(), now, written(sealed(), [RESOURCES[0], RESOURCES[2]]), Intent("c", "v", "g"))
    assert {seen.identity[1:] for seen in compare(new, now).observations} == {("file", "/y", "content")}
    assert new.capture.watched == now.watched
    assert (new.intent, new.run, new.taken_at > sealed().taken_at) == (Intent("c", "v", "g"), "r0", False)


def test_only_what_a_task_says_all_of_counts_and_what_the_seal_tells_of() -> None:
    seal = sealed()
    others = [Resource("meta", "/x"), Resource("unit", "x.service"), Resource("package", "x"), Resource("file", "/new")]
    assert written(seal, others) == []
    wanted = following_request(written(seal, [*others, RESOURCES[0]]))
    assert wanted == {"resources": {"file": {"/x": ""}}, "text": "none", "watch": False}


def test_what_a_host_did_not_tell_stays_as_it_was_sealed() -> None:
    seal = sealed()
    assert followed(seal, Capture(Identity("m1", "s1")), RESOURCES, seal.intent).digest == seal.digest


def test_a_seal_keeps_what_its_observer_was_told_of_the_fleet() -> None:
    seal = sealed()
    assert Seal.from_text(seal.to_text(KEY), "h", KEY).intent == seal.intent
    moved = seal.intent.difference(Intent("c", "v", "g"))
    assert moved == "since the seal, what the inventory says of the fleet changed"
