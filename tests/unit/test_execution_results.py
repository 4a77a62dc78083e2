"""Host results are counted from events, and put right at the end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bedplate.execution.executor import RunEnd
from bedplate.execution.outcome import Ending, outcome_of
from bedplate.execution.results import HostTally
from bedplate.runs import Event, HostOutcome, HostResult, RunStatus

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def _event(kind: str, host: str | None = "a", *, changed: bool = False, **data: Any) -> Event:
    return Event(1, kind, NOW, host=host, changed=changed, data=data)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (_event("runner_on_ok"), HostResult("a", ok=1)),
        (_event("runner_on_ok", changed=True), HostResult("a", ok=1, changed=1)),
        (_event("runner_on_failed"), HostResult("a", failed=1)),
        (_event("runner_on_failed", changed=True), HostResult("a", failed=1)),
        (_event("runner_on_failed", ignore_errors=True), HostResult("a", ok=1, ignored=1)),
        (_event("runner_on_failed", rescued=True), HostResult("a", rescued=1)),
        (_event("runner_on_unreachable"), HostResult("a", unreachable=1)),
        (_event("runner_on_unreachable", ignore_unreachable=True), HostResult("a", ok=1, ignored=1)),
        (_event("runner_on_skipped"), HostResult("a", skipped=1)),
        (_event("runner_item_on_ok", changed=True), HostResult("a")),
        (_event("runner_retry"), HostResult("a")),
        (_event("runner_on_file_diff"), HostResult("a")),
    ],
)
def test_each_event_counts_once(event: Event, expected: HostResult) -> None:
    tally = HostTally(["a"])
    tally.add(event)
    assert tally.results == [expected]


def test_ansible_s_own_count_puts_ours_right() -> None:
    tally = HostTally(["a", "b", "c"])
    tally.add(_event("runner_on_failed"))
    tally.add(_event("playbook_on_stats", None, processed={"a": 1, "b": 1}, rescued={"a": 1}, ok={"a": 3, "b": 2}))
    assert tally.complete
    assert tally.results == [HostResult("a", ok=3, rescued=1), HostResult("b", ok=2), HostResult("c")]
    assert tally.results[2].outcome is HostOutcome.UNKNOWN


def test_only_what_changed_is_told_again() -> None:
    tally = HostTally(["a", "b"])
    assert [result.host for result in tally.take_touched()] == ["a", "b"]
    tally.add(_event("runner_on_ok", "b"))
    tally.add(_event("runner_on_ok", "new"))
    assert [result.host for result in tally.take_touched()] == ["b", "new"]
    assert tally.take_touched() == []


def _tally(*events: Event, complete: bool = True) -> HostTally:
    tally = HostTally(["a", "b"])
    for event in events:
        tally.add(event)
    tally.complete = complete
    return tally


@pytest.mark.parametrize(
    ("ending", "tally", "end"),
    [
        (Ending(0), _tally(_event("runner_on_ok")), RunEnd.DONE),
        (Ending(0), _tally(_event("runner_on_ok"), complete=False), RunEnd.DONE),
        (Ending(2), _tally(_event("runner_on_failed"), _event("runner_on_unreachable", "b")), RunEnd.FAILED),
        (Ending(4), _tally(_event("runner_on_unreachable")), RunEnd.UNREACHABLE),
        (Ending(2), _tally(), RunEnd.FAILED),
        (Ending(4, ["[ERROR]: no such role"]), _tally(complete=False), RunEnd.BROKEN),
        (Ending(None), _tally(), RunEnd.BROKEN),
        (Ending(None, killed=True), _tally(), RunEnd.CANCELED),
        (Ending(0, killed=True), _tally(), RunEnd.DONE),
        (Ending(2, stopped="Task 2"), _tally(_event("runner_on_failed")), RunEnd.CANCELED),
        (Ending(None, fault="no terminal"), _tally(), RunEnd.BROKEN),
    ],
)
def test_the_end_is_a_person_s_word_then_a_fault_then_the_hosts(ending: Ending, tally: HostTally, end: RunEnd) -> None:
    assert outcome_of(ending, tally).end is end


def test_an_error_is_one_line() -> None:
    lines = ["noise", "[ERROR]: the role 'x' was not found in", "  /a:/b", "", "Origin: /p.yml:3"]
    outcome = outcome_of(Ending(1, lines), _tally(complete=False))
    assert outcome.error == "the role 'x' was not found in /a:/b"
    assert outcome.status is RunStatus.FAILED
