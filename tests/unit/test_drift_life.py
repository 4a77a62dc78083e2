"""The life of findings, whatever checks see in whatever order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bedplate.drift import CheckOutcome, HostCheck, Observation, RoleCoverage
from bedplate.drift.check import DriftCheck
from bedplate.drift.finding import (
    Cause,
    CheckKind,
    Finding,
    FindingState,
    HostFacts,
    Identity,
    Intent,
    Transition,
    finding_id,
)
from bedplate.drift.lifecycle import Background, HostLife, MovedContent, Step
from bedplate.drift.observation import UPDATE_KIND, By, Staleness

START = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
CHECK = DriftCheck("c1", "baseline", CheckKind.FULL, "kim", START, content_digest="d1")
MOTD = Observation("a", "file", "/etc/motd", "content", "x", "y", role="access", task="Write it")
COMMIT, RECORDED = By("dana", "0123 Say more", source="git"), By("lee", "update of device a", source="netbox")
STRAYED = replace(MOTD, by=By("eve", "tee /etc/motd"))
SEALED = frozenset({("file", "/etc/motd")})
MOVED = MovedContent(frozenset({"access"}), changes={"access": COMMIT})
JUDGED = (CheckOutcome.CLEAN, CheckOutcome.DRIFTED)


def seen(*observations: Observation, outcome: CheckOutcome | None = None, lacking: tuple[str, ...] = ()) -> HostCheck:
    outcome = outcome or (CheckOutcome.DRIFTED if observations else CheckOutcome.CLEAN)
    return HostCheck("a", outcome, observations, coverage=(RoleCoverage("access", 3, lacking),))


def life(known: list[Finding], host: HostCheck, background: Background | None = None, **check: object) -> list[Step]:
    applied = HostLife(replace(CHECK, **check), START, host, background or Background())  # type: ignore[arg-type]
    return list(applied.steps({finding.identity: finding for finding in known}))


def opened(observation: Observation = MOTD, **check: object) -> Finding:
    (step,) = life([], seen(observation), **check)
    return step.finding


class TestSteps:
    def test_what_was_never_seen_is_new(self) -> None:
        (step,) = life([], seen(MOTD), Background(HostFacts("netops")))
        assert step.transition is Transition.OPENED
        assert (step.finding.state, step.finding.times_seen, step.finding.owner) == (FindingState.NEW, 1, "netops")

    def test_what_is_seen_again_is_open_and_told_only_once(self) -> None:
        (step,) = life([opened()], seen(MOTD))
        assert step.finding.state is FindingState.OPEN
        assert (step.transition, step.only_seen, step.finding.times_seen) == (None, True, 2)

    def test_another_value_is_a_change_of_the_same_finding(self) -> None:
        (step,) = life([opened()], seen(replace(MOTD, after="z")))
        assert (step.transition, step.only_seen) == (Transition.CHANGED, False)
        assert step.finding.observed.after == "z"

    def test_who_did_it_stays_known_until_the_value_is_another(self) -> None:
        known = opened(STRAYED)
        assert known.by == STRAYED.by
        (same,) = life([known], seen(MOTD))
        assert (same.finding.by, same.only_seen) == (STRAYED.by, True)
        (moved,) = life([known], seen(replace(MOTD, after="z")))
        assert moved.finding.by is None
        (learned,) = life([opened(MOTD)], seen(STRAYED))
        assert learned.finding.by == STRAYED.by

    def test_what_is_gone_is_resolved_and_what_comes_back_is_reopened(self) -> None:
        (gone,) = life([opened()], seen())
        assert gone.transition is Transition.RESOLVED
        (back,) = life([gone.finding], seen(MOTD))
        assert (back.transition, back.finding.state) == (Transition.REOPENED, FindingState.REOPENED)
        assert back.finding.since.not_before == gone.finding.resolved_at

    def test_a_resolved_finding_stays_as_it_is(self) -> None:
        (gone,) = life([opened()], seen())
        assert life([gone.finding], seen()) == []


class TestWhatACheckCannotSayNothingIsResolvedBy:
    @pytest.mark.parametrize("outcome", [CheckOutcome.UNKNOWN, CheckOutcome.STALE])
    def test_a_host_that_was_not_judged(self, outcome: CheckOutcome) -> None:
        assert life([opened()], seen(outcome=outcome)) == []

    @pytest.mark.parametrize("name", ["Write it", "/etc/motd", "file:/etc/motd"])
    def test_what_could_not_be_verified(self, name: str) -> None:
        assert life([opened()], seen(lacking=(name,))) == []

    def test_a_task_of_the_same_name_in_another_role_is_another_task(self) -> None:
        host = HostCheck("a", CheckOutcome.CLEAN, coverage=(RoleCoverage("logging", 1, ("Write it",)),))
        assert [step.transition for step in life([opened()], host)] == [Transition.RESOLVED]

    def test_another_product(self) -> None:
        assert life([opened()], seen(), product="metal") == []

    def test_a_full_check_about_what_nobody_manages(self) -> None:
        socket = opened(Observation("a", "socket", "tcp:4444", "presence"), kind=CheckKind.FAST)
        assert life([socket], seen()) == []
        assert len(life([socket], seen(), kind=CheckKind.FAST)) == 1

    @pytest.mark.parametrize(
        "observation",
        [
            replace(MOTD, key="/etc/cron.d/extra", attribute="presence", before="absent"),
            replace(MOTD, attribute="attributes"),
            replace(MOTD, kind="unit", key="ssh.service", attribute="configuration"),
            replace(MOTD, kind="package", key="chrony", attribute="version"),
        ],
    )
    def test_a_full_check_about_what_only_a_fast_one_sees(self, observation: Observation) -> None:
        fast = opened(observation, kind=CheckKind.FAST)
        assert life([fast], seen()) == []
        assert len(life([fast], seen(), kind=CheckKind.FAST)) == 1
        assert len(life([opened(observation)], seen())) == 1, "a full check saw it"

    def test_a_full_check_resolves_what_both_see(self) -> None:
        assert len(life([opened(kind=CheckKind.FAST)], seen())) == 1

    def test_a_fast_check_about_a_task_that_could_not_be_sealed(self) -> None:
        lacking = ("Write it: no row says what it manages",)
        assert life([opened()], seen(lacking=lacking), kind=CheckKind.FAST) == []

    def test_a_fast_check_about_a_task_without_a_resource(self) -> None:
        task = opened(Observation("a", "task", "access: Do it", "state", role="access"))
        assert life([task], seen(), kind=CheckKind.FAST) == []
        assert len(life([task], seen())) == 1


class TestCauses:
    def cause(self, **background: object) -> Cause:
        (step,) = life([], seen(MOTD), Background(**background))  # type: ignore[arg-type]
        return step.finding.cause

    def test_nobody_knows_where_no_run_brought_the_host(self) -> None:
        assert self.cause() is Cause.UNKNOWN

    def test_the_host_moved_where_the_intent_did_not(self) -> None:
        assert self.cause(intent=Intent("d1")) is Cause.CORRECTIVE

    def test_an_update_by_itself_was_to_be_expected(self) -> None:
        update = Observation("a", UPDATE_KIND, "curl", "version", "8.1", "8.2")
        (step,) = life([], seen(update), Background(intent=Intent("d1")), kind=CheckKind.FAST)
        assert step.finding.cause is Cause.EXPECTED

    def test_the_intent_moved_where_the_role_did(self) -> None:
        intent = Intent("d0", "abc")
        assert self.cause(intent=intent, moved=MovedContent(frozenset({"access"}))) is Cause.INTENTIONAL
        assert self.cause(intent=intent, moved=MovedContent(frozenset({"logging"}))) is Cause.CORRECTIVE
        assert self.cause(intent=intent, moved=MovedContent(frozenset({"logging"}), common=True)) is Cause.UNKNOWN
        assert self.cause(intent=intent) is Cause.UNKNOWN

    def test_of_an_intent_that_moved_the_commit_is_named(self) -> None:
        commit = By("dana", "0123 Say something else", source="git")
        moved = MovedContent(frozenset({"access"}), changes={"access": commit})
        (step,) = life([], seen(MOTD), Background(intent=Intent("d0", "abc"), moved=moved))
        assert (step.finding.cause, step.finding.by) == (Cause.INTENTIONAL, commit)

    @pytest.mark.parametrize(
        ("stale", "moved", "expected"),
        [
            (Staleness(False, True, (STRAYED,), SEALED), None, (Cause.CORRECTIVE, STRAYED.by)),
            (Staleness(True, False, (STRAYED,), SEALED), MOVED, (Cause.CORRECTIVE, STRAYED.by)),
            (Staleness(False, True, (), SEALED), None, (Cause.INTENTIONAL, RECORDED)),
            (Staleness(True, True, (), SEALED), MOVED, (Cause.INTENTIONAL, COMMIT)),
            (Staleness(True, False, (), SEALED), MovedContent(common=True), (Cause.INTENTIONAL, None)),
            (Staleness(True, False, (), SEALED), MovedContent(frozenset({"logging"})), (Cause.UNKNOWN, None)),
            (Staleness(False, True), None, (Cause.INTENTIONAL, RECORDED)),
            (Staleness(False, True, unsealed=frozenset({"Write it"})), None, (Cause.UNKNOWN, None)),
            (Staleness(True, False, unsealed=frozenset({"Write it"})), None, (Cause.CORRECTIVE, None)),
        ],
    )
    def test_where_the_host_is_as_it_was_sealed_what_is_agreed_moved(
        self, stale: Staleness, moved: MovedContent | None, expected: tuple[Cause, By | None]
    ) -> None:
        background = Background(intent=Intent("d1", "abc"), moved=moved, recorded=RECORDED)
        (step,) = life([], replace(seen(MOTD), stale=stale), background)
        assert (step.finding.cause, step.finding.by) == expected

    def test_it_happened_after_the_host_was_last_known_to_be_right(self) -> None:
        earlier, later = START - timedelta(days=2), START - timedelta(days=1)
        background = Background(judged_at=earlier, intent=Intent("d1", brought_at=later))
        (step,) = life([], seen(MOTD), background)
        assert (step.finding.since.not_before, step.finding.since.not_after) == (later, START)


def test_the_id_is_the_same_whichever_check_saw_it() -> None:
    assert opened().id == opened(replace(MOTD, role=None, after="q"), kind=CheckKind.FAST).id
    assert finding_id(("a", "b", "c", "d")) != finding_id(("a", "b", "cd", ""))


KEYS = st.sampled_from(["/etc/a", "/etc/b", "/etc/c"])
SETS = st.dictionaries(KEYS, st.sampled_from(["1", "2"]))


class Lives(RuleBasedStateMachine):
    """One host, checked again and again, beside a model that only remembers what was last seen."""

    @initialize()
    def begin(self) -> None:
        self.at = START
        self.known: dict[Identity, Finding] = {}
        self.open: dict[str, str] = {}
        self.ever: set[str] = set()
        self.counts: dict[str, int] = {}

    def _check(self, drifted: dict[str, str], outcome: CheckOutcome | None, lacking: set[str]) -> None:
        self.at += timedelta(days=1)
        observations = [
            Observation("a", "file", key, "content", "0", value, role="access", task=f"Write {key}")
            for key, value in drifted.items()
        ]
        host = seen(*observations, outcome=outcome, lacking=tuple(f"Write {key}" for key in sorted(lacking)))
        for step in HostLife(CHECK, self.at, host, Background()).steps(dict(self.known)):
            before = self.known.get(step.finding.identity)
            self._agrees(step, before)
            self.known[step.finding.identity] = step.finding

    def _agrees(self, step: Step, before: Finding | None) -> None:
        was_open = before is not None and before.state.is_open
        expected = {
            Transition.OPENED: before is None,
            Transition.REOPENED: before is not None and not was_open,
            Transition.RESOLVED: was_open,
            Transition.CHANGED: was_open,
            None: was_open,
        }
        assert expected[step.transition]

    @rule(drifted=SETS, lacking=st.sets(KEYS))
    def judged(self, drifted: dict[str, str], lacking: set[str]) -> None:
        lacking -= drifted.keys()
        self._check(drifted, None, lacking)
        self._model(drifted, {key for key in self.open if key not in lacking})

    @rule(drifted=SETS)
    def broken_off(self, drifted: dict[str, str]) -> None:
        self._check(drifted, CheckOutcome.UNKNOWN, set())
        self._model(drifted, set())

    def _model(self, drifted: dict[str, str], may_go: set[str]) -> None:
        self.open = {key: value for key, value in self.open.items() if key not in may_go or key in drifted}
        for key in drifted:
            self.counts[key] = self.counts.get(key, 0) + 1 if key in self.open else 1
        self.open |= drifted
        self.ever |= drifted.keys()

    @invariant()
    def as_the_model(self) -> None:
        if not hasattr(self, "known"):
            return
        found = {f.observed.key: f.observed.after for f in self.known.values() if f.state.is_open}
        assert found == self.open
        assert {f.observed.key for f in self.known.values()} == self.ever
        for finding in self.known.values():
            assert finding.first_seen <= finding.opened_at <= finding.last_seen <= self.at
            assert finding.times_seen == self.counts[finding.observed.key]
            assert (finding.resolved_at is None) == finding.state.is_open
            if finding.times_seen > 1 and finding.state.is_open:
                assert finding.state is FindingState.OPEN


TestLives = Lives.TestCase
