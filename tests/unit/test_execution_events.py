"""Events are small, clean and complete."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from bedplate.execution.events import LARGEST, Report, event_of
from bedplate.execution.feed import slim
from bedplate.execution.redaction import Redactor
from bedplate.runs import REDACTED, Event


def _event(kind: str, *, stdout: str = "", secrets: tuple[str, ...] = (), **data: Any) -> Event:
    document = {
        "event": kind,
        "uuid": "u-1",
        "parent_uuid": "t-1",
        "created": "2026-11-22T15:00:00.5+00:00",
        "event_data": data,
        "stdout": stdout,
    }
    return event_of(7, Report(json.dumps(slim(document)).encode()), Redactor(secrets))


def test_an_event_has_its_places() -> None:
    event = _event(
        "runner_on_ok", host="a", play="P", role="r", resolved_role="x.y.r", task="T", task_action="debug",
        resolved_action="ansible.builtin.debug", duration=0.25, task_path="/p.yml:3", ignore_errors=None,
        res={
            "changed": True, "msg": "m", "_ansible_no_log": False, "_ansible_item_label": "one", "invocation": {"x": 1}
        },
        stdout="ok: [a]\r\n",
    )  # fmt: skip
    assert event == Event(
        counter=7, kind="runner_on_ok", created=datetime(2026, 11, 22, 15, 0, 0, 500000, tzinfo=UTC), uuid="u-1",
        parent_uuid="t-1", host="a", play="P", role="x.y.r", task="T", action="ansible.builtin.debug", changed=True,
        duration=0.25, stdout="ok: [a]",
        data={"task_path": "/p.yml:3", "res": {"changed": True, "msg": "m", "item_label": "one"}},
    )  # fmt: skip


def test_secrets_are_taken_out_everywhere_but_of_the_host_s_name() -> None:
    event = _event(
        "runner_on_failed", host="canary", task="Say canary", play="canary", stdout="fatal: canary",
        res={"msg": ["canary"], "canary": 1}, secrets=("canary",),
    )  # fmt: skip
    assert (event.host, event.task, event.play, event.stdout) == (
        "canary", f"Say {REDACTED}", REDACTED, f"fatal: {REDACTED}",
    )  # fmt: skip
    assert event.data["res"] == {"msg": [REDACTED], REDACTED: 1}


def test_what_was_only_printed_is_an_event_too() -> None:
    event = event_of(3, Report(printed="plain text"), Redactor())
    assert (event.counter, event.kind, event.stdout) == (3, "verbose", "plain text")


def test_items_facts_and_diffs_are_not_kept_twice() -> None:
    items = [{"ansible_loop_var": "item", "item": 1}, {"ansible_loop_var": "item", "item": 2}]
    assert _event("runner_on_ok", res={"results": items}).data["res"] == {
        "results": "2 items, each has an event of its own"
    }
    assert _event("runner_on_ok", res={"results": ["a"]}).data["res"] == {"results": ["a"]}
    facts = _event("runner_on_ok", task_action="ansible.builtin.setup", res={"ansible_facts": {"a": 1, "b": 2}})
    assert facts.data["res"] == {"ansible_facts": "2 facts, not kept"}
    kept = _event("runner_on_ok", task_action="ansible.builtin.set_fact", res={"ansible_facts": {"a": 1}})
    assert kept.data["res"] == {"ansible_facts": {"a": 1}}
    assert _event("runner_on_file_diff", diff={"before": "x"}).data == {}
    assert _event("runner_on_ok", res={"diff": {"before": "x"}}).data["res"] == {"diff": {"before": "x"}}


def test_a_large_event_is_cut_and_says_so() -> None:
    event = _event("runner_on_ok", res={"stdout": "x" * 100_000, "rc": 0, "list": ["y" * 5_000] * 30})
    assert event.data["truncated"] is True
    assert len(json.dumps(event.data)) <= LARGEST + 1000
    assert event.data["res"]["rc"] == 0
    assert "characters left out" in event.data["res"]["stdout"]
    assert event.data["res"]["list"].endswith("bytes, not kept")


def test_a_secret_across_the_cut_is_gone_before_it_is_cut() -> None:
    text = "a" * 4_090 + "s3cret-canary" + "b" * 90_000
    event = _event("runner_on_ok", res={"stdout": text}, secrets=("s3cret-canary",))
    assert "s3cret" not in json.dumps(event.data)
