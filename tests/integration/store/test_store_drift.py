"""Findings, checks and waivers, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bedplate.drift import CheckOutcome, Observation, RoleCoverage, Severity
from bedplate.drift.check import CheckRecord, DriftCheck, FindingCounts, HostState
from bedplate.drift.finding import (
    Cause,
    CheckKind,
    Finding,
    FindingEvent,
    FindingQuery,
    FindingState,
    Since,
    Transition,
)
from bedplate.drift.night import Message, Night, NightPhase
from bedplate.drift.observation import By, Confidence
from bedplate.drift.repository import DriftRepository
from bedplate.drift.waivers import Scope, Waiver
from bedplate.errors import NotFoundError
from bedplate.store import open_drift
from integration.store.places import Place

AT = datetime(2026, 11, 25, 3, 4, 5, 678901, tzinfo=UTC)
CHECK = DriftCheck(
    "c1",
    "baseline",
    CheckKind.FULL,
    "kim",
    AT - timedelta(minutes=3),
    AT,
    "site_fra1",
    "d1",
    "abc",
    {CheckOutcome.DRIFTED: 1, CheckOutcome.UNKNOWN: 2},
    FindingCounts(1, 2, 3, 4, 5),
    90,
    10,
)
STATE = HostState(
    "a",
    "baseline",
    "c1",
    CheckOutcome.DRIFTED,
    AT,
    AT,
    None,
    "fra1",
    "netops",
    (RoleCoverage("access", 9, ("Do it", "Say it")),),
)
FINDING = Finding(
    observed=Observation(
        "a", "file", "/etc/motd", "content", "x", "y\udcff", "access", "Write it", Severity.HIGH, "-x\n+y"
    ),
    product="baseline",
    check=CheckKind.FULL,
    state=FindingState.NEW,
    cause=Cause.CORRECTIVE,
    first_seen=AT,
    opened_at=AT,
    last_seen=AT,
    since=Since(None, AT),
    by=By("kim", "vi /etc/motd", "sudo: kim: vi /etc/motd", AT, "sudo", Confidence.LIKELY),
    owner="netops",
)


def finding(key: str, host: str = "a", severity: Severity = Severity.LOW, **fields: object) -> Finding:
    observed = replace(FINDING.observed, host=host, key=key, severity=severity)
    return replace(FINDING, observed=observed, **fields)  # type: ignore[arg-type]


@pytest.fixture
def drift(place: Place) -> Iterator[DriftRepository]:
    repository = open_drift(place.settings)
    try:
        yield repository
    finally:
        repository.close()


def test_what_a_check_came_to_is_kept(drift: DriftRepository) -> None:
    event = FindingEvent(FINDING.id, AT, Transition.OPENED, "c1", "y")
    assert drift.record(CheckRecord(CHECK, [STATE], [FINDING], events=[event]))
    assert drift.checks() == [CHECK]
    assert drift.host_states("baseline") == [STATE]
    assert drift.host_states("metal") == []
    assert drift.get(FINDING.id[:6]) == FINDING
    assert drift.history(FINDING.id) == [event]
    assert list(drift.known(["a", "b"])) == [FINDING]
    assert list(drift.known(["b"])) == []


def test_a_check_is_kept_once(drift: DriftRepository) -> None:
    drift.record(CheckRecord(CHECK, [STATE], [FINDING]))
    again = CheckRecord(replace(CHECK, judged=1), [], [replace(FINDING, times_seen=9)], seen=[FINDING.id])
    assert not drift.record(again)
    assert drift.checks() == [CHECK]
    assert drift.get(FINDING.id) == FINDING


def test_what_was_only_seen_again_is_counted(drift: DriftRepository) -> None:
    drift.record(CheckRecord(CHECK, [STATE], [FINDING]))
    later = AT + timedelta(days=1)
    state = replace(STATE, check="c2", checked_at=later, outcome=CheckOutcome.UNKNOWN, reason="gone")
    drift.record(CheckRecord(replace(CHECK, id="c2", finished_at=later), [state], seen=[FINDING.id]))
    assert drift.get(FINDING.id) == replace(FINDING, times_seen=2, last_seen=later, state=FindingState.OPEN)
    assert drift.host_states("baseline", ["a"]) == [state]
    assert drift.host_states("baseline", ["b"]) == []


def test_findings_are_listed_by_severity_and_age(drift: DriftRepository) -> None:
    young = finding("/1", severity=Severity.CRITICAL)
    old = finding("/2", severity=Severity.CRITICAL, opened_at=AT - timedelta(days=1))
    low = finding("/3", host="b")
    gone = finding("/4", state=FindingState.RESOLVED, resolved_at=AT)
    drift.record(CheckRecord(CHECK, [], [low, gone, young, old]))
    openly = tuple(state for state in FindingState if state.is_open)
    assert drift.find(FindingQuery(states=openly)) == [old, young, low]
    assert drift.find(FindingQuery(states=openly, limit=1)) == [old]
    assert drift.find(FindingQuery(hosts=["b"])) == [low]
    assert drift.find(FindingQuery(severities=[Severity.LOW], kind="file", role="access")) == [gone, low]
    assert drift.find(FindingQuery(owner="nobody")) == []
    assert drift.find(FindingQuery(product="metal")) == []


def test_the_newest_check_comes_first(drift: DriftRepository) -> None:
    newer = replace(CHECK, id="c2", started_at=AT + timedelta(days=1), product="metal")
    for check in (CHECK, newer):
        drift.record(CheckRecord(check))
    assert drift.checks() == [newer, CHECK]
    assert drift.checks(limit=1) == [newer]
    assert drift.checks("baseline") == [CHECK]


def test_a_finding_that_is_not_there_or_named_too_shortly(drift: DriftRepository) -> None:
    found = [finding(f"/{number}") for number in range(40)]
    drift.record(CheckRecord(CHECK, [], found))
    with pytest.raises(NotFoundError, match="no finding zz"):
        drift.get("zz")
    with pytest.raises(NotFoundError, match="no finding"):
        drift.get("")
    letter = next(one for one in "0123456789abcdef" if sum(f.id.startswith(one) for f in found) > 1)
    with pytest.raises(NotFoundError, match=f"several findings begin with {letter}"):
        drift.get(letter)


def test_waivers(drift: DriftRepository) -> None:
    waiver = Waiver(Scope.parse("file:/etc/motd@group:site_fra1"), "said so", "kim", "kim", AT, date(2026, 12, 1))
    endless = Waiver(Scope.parse("user:*@all"), "always", "lee", "kim", AT)
    drift.put_waiver(waiver)
    drift.put_waiver(endless)
    drift.put_waiver(replace(waiver, reason="said again"))
    assert drift.waivers() == [replace(waiver, reason="said again"), endless]
    drift.remove_waiver(waiver.id)
    assert drift.waivers() == [endless]
    with pytest.raises(NotFoundError, match="no waiver file:/etc/motd@group:site_fra1"):
        drift.remove_waiver(waiver.id)


def test_what_was_told_is_told_again_only_when_it_was_opened_anew(drift: DriftRepository) -> None:
    other = finding("/2", product="metal")
    gone = finding("/3", state=FindingState.RESOLVED, resolved_at=AT)
    drift.record(CheckRecord(CHECK, [], [FINDING, other, gone]))
    assert drift.untold("baseline") == [FINDING]
    drift.set_told([FINDING.id], AT)
    assert drift.untold("baseline") == []
    drift.record(CheckRecord(replace(CHECK, id="c2"), [], [replace(FINDING, times_seen=2)], seen=[]))
    assert drift.untold("baseline") == [], "another look changes nothing about that"
    back = replace(FINDING, state=FindingState.REOPENED, opened_at=AT + timedelta(days=1))
    drift.record(CheckRecord(replace(CHECK, id="c3"), [], [back]))
    assert drift.untold("baseline") == [back]
    drift.set_told([FINDING.id], AT + timedelta(days=2))
    drift.set_told([FINDING.id], None)
    assert drift.untold("baseline") == [back]


def test_what_was_over_long_ago_is_forgotten_and_what_is_open_is_not(drift: DriftRepository) -> None:
    gone = finding("/3", state=FindingState.RESOLVED, resolved_at=AT)
    events = [FindingEvent(one.id, AT, Transition.OPENED, "c1") for one in (FINDING, gone)]
    drift.record(CheckRecord(CHECK, [STATE], [FINDING, gone], events=events))
    drift.put_night(Night("n1", "baseline", "/inventory", NightPhase.DONE, AT))
    drift.forget(AT - timedelta(days=1))
    assert len(drift.find(FindingQuery())) == 2
    drift.forget(AT + timedelta(days=1))
    assert drift.find(FindingQuery()) == [FINDING]
    assert (drift.history(FINDING.id), drift.history(gone.id)) == (events[:1], [])
    assert (drift.checks(), drift.nights("baseline", "/inventory")) == ([], [])
    assert drift.host_states("baseline") == [STATE]


def test_nights(drift: DriftRepository) -> None:
    night = Night("n1", "baseline", "/inventory", NightPhase.STARTED, AT)
    done = replace(
        night, id="n2", started_at=AT + timedelta(days=1), phase=NightPhase.DONE, fleet={"a": "colo", "b": None},
        message=Message.SENT, run_id="r1", finished_at=AT,
    )  # fmt: skip
    for one in (night, done, replace(night, phase=NightPhase.GATED)):
        drift.put_night(one)
    assert drift.nights("baseline", "/inventory") == [done, replace(night, phase=NightPhase.GATED)]
    assert drift.nights("baseline", "/inventory", 1) == [done]
    assert drift.nights("baseline", "/other") == drift.nights("metal", "/inventory") == []


def test_the_lock_of_nights_has_one_holder(drift: DriftRepository, place: Place) -> None:
    other = open_drift(place.settings)
    with drift.night_lock() as held, other.night_lock() as second:
        assert (held, second) == (True, False)
    with other.night_lock() as later:
        assert later
    other.close()


def test_many_hosts_with_nothing_new_write_little(drift: DriftRepository, place: Place) -> None:
    states = [replace(STATE, host=f"host-{number}") for number in range(500)]
    drift.record(CheckRecord(CHECK, states))
    if place.server is not None:
        return  # the size of a server's log is not ours to read
    before = (place.settings.home / "bedplate.db-wal").stat().st_size
    drift.record(CheckRecord(replace(CHECK, id="c2"), states))
    written = (place.settings.home / "bedplate.db-wal").stat().st_size - before
    assert written < 4096 * len(states)
