"""Rules: what each says of an order, and that all are asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.guardrails import Bound, Limits, Order, Outcome, Person, Verdict, judge, refusal_text, refusals, waits
from bedplate.guardrails.approvals import Approval, Decision, order_digest
from bedplate.guardrails.batches import cut
from bedplate.guardrails.calendars import Freeze
from bedplate.guardrails.consent import may_decide
from bedplate.guardrails.locks import Holder
from bedplate.guardrails.questions import PolicyDecision
from bedplate.guardrails.registry import RULES
from bedplate.guardrails.windows import parse_window
from bedplate.teams import Team, Teams

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
LIMITS = Limits("patch", "team platform, #platform")
ADA = Person("ada", "ada", frozenset({"web"}), listed=True)
ORDER = Order(LIMITS, ADA, ("a", "b", "c"), 10, NOW, shared_store=True)
FROZEN = Freeze("Year end", NOW, NOW + timedelta(hours=1), "#change")


def order(limits: dict[str, Any] | None = None, **fields: Any) -> Order:
    return replace(ORDER, limits=replace(LIMITS, **(limits or {})), **fields)


def said(asked: Order, rule: str) -> Verdict:
    return next(verdict for verdict in judge(asked) if verdict.rule == rule)


def approval(person: str = "bob", **fields: Any) -> Approval:
    values: dict[str, Any] = {"decision": Decision.APPROVE, "at": NOW, "digest": "", **fields}
    return Approval("run", person, **values)


REFUSED: list[tuple[str, Order, str]] = [
    ("offered", order({"sunset": date(2026, 11, 24), "replaced_by": "new"}), "since 2026-11-24"),
    ("identity", order(person=replace(ADA, login="eve", trusted=False)), "access.user says ada, .* says eve"),
    ("access", order({"run": ("dba",)}), "for dba to run; ada is in web"),
    ("access", order({"run": ("dba",)}, person=replace(ADA, teams=frozenset())), "ada is in no team"),
    ("access", order({"view": ("dba",), "run": ("web",)}), "for dba to see"),
    ("policy", order(policy=PolicyDecision(False, ("a.cedar#hours",))), "forbidden by a.cedar#hours"),
    ("policy", order(policy=PolicyDecision(False)), "no policy permits it"),
    ("policy", order(policy=PolicyDecision(False, (), ("a.cedar#1: oops",))), "oops"),
    ("host_class", order(bounds=[Bound("host_class", "hosts of class colo", ("x",), none_left=True)]), "not on x"),
    ("forced_limit", order(bounds=[Bound("forced_limit", "hosts of 'web'", ("x",), none_left=True)]), "not on x"),
    ("host_cap", order({"max_hosts": 2}), "at most 2 hosts at once, not on 3"),
    ("host_percent", order({"max_percent": 29.9}), "2 of 10 hosts, not on 3"),
    ("freeze", order(freezes={"company": FROZEN}), "frozen by 'Year end' until 2026-11-25 13:00 UTC"),
    ("freeze", order(calendar_faults={"company": "cannot be read"}), "the calendar company cannot be read"),
    ("window", order({"window": parse_window("01:00-02:00")}), "opens at 2026-11-26 01:00 UTC"),
    ("window", order({"window_field": "mw"}, windows={"a": "always", "b": "12:00-13:00"}), "mw: c"),
    ("window", order({"window_field": "mw"}, windows=dict.fromkeys("abc", "at night")), "is wrong: 'at night' is no"),
    ("window", order({"window_field": "mw"}, windows=dict.fromkeys("abc", "never")), "never opens: a, b, c"),
    ("host_lock", order(holders={"a": Holder("r1", "patch", "bob")}), "a is being changed by patch of bob, run r1"),
    ("concurrency", order({"concurrency": 1}, running=("r1",)), "at most 1 runs of patch at once; there are r1"),
    ("dry_run_first", order({"dry_run_first": timedelta(hours=2)}), "in the last 2 h"),
    (
        "dry_run_first",
        order({"dry_run_first": timedelta(hours=2)}, checked_at=NOW - timedelta(hours=2, seconds=1)),
        "no successful check",
    ),
    ("batches", order({"batches": ("canary",)}, unread=("canary",)), "promises canary"),
    ("engine", order(engine="awx", unkept=("canary",)), "by canary, which AWX does not do"),
    ("engine", order(engine="awx", left_out=("x", "y")), "all hosts of its forced limit, also on x, y"),
    ("engine", order(engine="awx", hosts=["h" * 60] * 2000), "names of 2000 hosts are too long"),
    ("approval", order({"approvers": 1}, shared_store=False), "nobody else can reach this store"),
    ("approval", order({"approvers": 1}, person=replace(ADA, listed=False)), "no teams file says who may agree"),
]
FINE: list[tuple[str, Order]] = [
    ("offered", order({"sunset": date(2026, 11, 25)})),
    ("access", order({"run": ("dba", "web")})),
    ("access", order({"run": ("all",)}, person=replace(ADA, teams=frozenset()))),
    ("policy", order(policy=PolicyDecision(True, ("a.cedar#1",)))),
    ("host_class", order(bounds=[Bound("host_class", "hosts of class colo", ("x",))])),
    ("host_cap", order({"max_hosts": 3})),
    ("host_percent", order({"max_percent": 30})),
    ("host_percent", order({"max_percent": 18.4}, hosts=["h"] * 69, fleet=375)),  # by floats it were 68.99…
    ("freeze", order(freezes={"company": None})),
    ("window", order({"window": parse_window("12:00-13:00")})),
    ("window", order({"window_field": "mw"}, windows=dict.fromkeys("abc", "12:00-13:00 UTC"))),
    ("host_lock", order()),
    ("concurrency", order({"concurrency": 1})),
    ("dry_run_first", order({"dry_run_first": timedelta(hours=2)}, checked_at=NOW - timedelta(hours=2))),
    ("batches", order({"batches": ("canary",)})),
    ("engine", order(engine="awx", unkept=("canary",), check=True)),
    ("engine", order(engine="awx")),
    ("approval", order({"approvers": 1}, approvals=[approval()])),
]
CHANGES = ("freeze", "window", "host_lock", "concurrency", "dry_run_first", "approval")


@pytest.mark.parametrize(("rule", "asked", "sentence"), REFUSED, ids=[f"{r[0]}: {r[2]}" for r in REFUSED])
def test_what_is_refused(rule: str, asked: Order, sentence: str) -> None:
    verdict = said(asked, rule)
    assert verdict.outcome is Outcome.REFUSED
    assert __import__("re").search(sentence, verdict.sentence), verdict.sentence
    assert verdict.help, "whoever is refused is told who can help"


TEAMS = Teams({"dba": Team("dba", frozenset({"bob"}), "#dba")})
HELPERS: list[tuple[str, Order, str]] = [
    ("access", order({"run": ("dba",)}), "ask dba (#dba) to order it, or team platform, #platform, to let you"),
    ("host_lock", order(holders={"a": Holder("r1", "patch", "bob")}), "bedplate runs wait r1, or ask bob (dba, #dba)"),
    ("policy", order(policy=PolicyDecision(False, ("a.cedar#1",), (), ("#security",))), "ask #security"),
    ("policy", order(policy=PolicyDecision(False), keeper="#rules"), "ask #rules"),
    (
        "freeze",
        order(calendar_faults={"c": "is away"}, keeper="#rules"),
        "what cannot be read cannot be kept to; ask #rules",
    ),
    ("approval", order({"approvers": 1, "approve": ("dba",)}), "ask dba (#dba): bedplate runs approve RUN"),
]


@pytest.mark.parametrize(("rule", "asked", "helper"), HELPERS, ids=[f"{case[0]}: {case[2]}" for case in HELPERS])
def test_who_can_help(rule: str, asked: Order, helper: str) -> None:
    assert said(replace(asked, teams=TEAMS), rule).help == helper


@pytest.mark.parametrize(("rule", "asked"), FINE, ids=[rule for rule, _ in FINE])
def test_what_is_fine(rule: str, asked: Order) -> None:
    assert said(asked, rule).outcome is Outcome.OK


@pytest.mark.parametrize(
    ("rule", "asked"),
    [
        (rule, asked)
        for rule, asked, _ in REFUSED
        if rule in {"freeze", "window", "host_lock", "dry_run_first", "approval"}
    ],
)
def test_a_check_changes_nothing_and_so_may_run(rule: str, asked: Order) -> None:
    assert said(replace(asked, check=True), rule).outcome is Outcome.NOT_APPLICABLE


def test_a_product_that_only_reads_needs_no_lock() -> None:
    asked = order({"exclusive": False}, holders={"a": Holder("r1", "patch", "bob")})
    assert said(asked, "host_lock").outcome is Outcome.NOT_APPLICABLE


def test_without_limits_nothing_is_refused() -> None:
    verdicts = judge(ORDER)
    assert len(verdicts) == len(RULES) == len({verdict.rule for verdict in verdicts})
    assert not refusals(verdicts)
    assert not waits(verdicts)


def test_all_refusals_are_told_at_once() -> None:
    asked = order({"max_hosts": 1, "run": ("dba",)}, freezes={"company": FROZEN})
    text = refusal_text(judge(asked))
    assert text.startswith("refused by 3 guardrails\n")
    assert [line.split(":")[0].strip() for line in text.splitlines()[1:]] == ["access", "host_cap", "freeze"]
    assert "#change" in text
    assert refusal_text([said(asked, "access")]).startswith("refused by access: patch is for dba")


class TestApproval:
    ASKED = order({"approvers": 2, "approval_expires": timedelta(hours=1), "approve": ("ops",)}, digest="now")

    @pytest.mark.parametrize(
        ("approvals", "counted"),
        [
            ([], 0),
            ([approval("bob", digest="now"), approval("eve", digest="now")], 2),
            ([approval("bob", digest="now"), approval("ada", digest="now")], 1),
            ([approval("bob", digest="now"), approval("eve", digest="before")], 1),
            ([approval("bob", digest="now"), approval("eve", digest="now", at=NOW - timedelta(hours=1))], 1),
            ([approval("bob", digest="now"), approval("eve", digest="now", decision=Decision.REJECT)], 1),
        ],
        ids=["none", "two", "own", "changed since", "expired", "rejected"],
    )
    def test_which_ones_count(self, approvals: list[Approval], counted: int) -> None:
        verdict = said(replace(self.ASKED, approvals=approvals), "approval")
        if counted == 2:
            assert verdict.outcome is Outcome.OK
        else:
            assert verdict.outcome is Outcome.PENDING
            assert verdict.sentence.startswith(f"{counted} of 2 approvals by others, of ops")

    def test_why_one_does_not_count_is_said(self) -> None:
        old = approval("bob", digest="now", at=NOW - timedelta(days=1))
        verdict = said(replace(self.ASKED, approvals=[old, approval("eve", digest="x")]), "approval")
        assert "that of bob expired; that of eve was for other content" in verdict.sentence

    def test_something_that_is_refused_does_not_wait(self) -> None:
        verdicts = judge(replace(self.ASKED, limits=replace(self.ASKED.limits, max_hosts=1)))
        assert not waits(verdicts)
        assert waits(judge(self.ASKED))

    @pytest.mark.parametrize(
        ("person", "refused"),
        [
            (Person("bob", "bob", frozenset({"ops"}), listed=True), []),
            (Person("ada", "ada", frozenset({"ops"}), listed=True), ["own_order"]),
            (Person("bob", "ada", frozenset({"ops"}), listed=True, trusted=False), ["own_order", "identity"]),
            (Person("zoe", "zoe", frozenset({"web"}), listed=True), ["approver_team"]),
            (Person("zoe", "zoe", frozenset(), listed=True), ["approver_team"]),
        ],
        ids=["of the team", "own order", "under another name", "of another team", "of no team"],
    )
    def test_who_may_say_yes(self, person: Person, refused: list[str]) -> None:
        limits = replace(LIMITS, approve=("ops",))
        assert [verdict.rule for verdict in refusals(may_decide(limits, "ada", person))] == refused

    def test_where_no_team_is_named_somebody_of_any_team_may(self) -> None:
        zoe = Person("zoe", "zoe", frozenset({"web"}), listed=True)
        assert not refusals(may_decide(LIMITS, "ada", zoe))
        assert refusals(may_decide(LIMITS, "ada", replace(zoe, teams=frozenset())))

    def test_a_digest_stands_for_content_parameters_and_hosts(self) -> None:
        base = order_digest("p", "c", {"x": 1}, ["a", "b"])
        assert base == order_digest("p", "c", {"x": 1}, ["b", "a"])
        others = [("q", "c", {"x": 1}, "ab"), ("p", "d", {"x": 1}, "ab"), ("p", "c", {"x": "1"}, "ab"),
                  ("p", "c", {"x": 1}, "a")]  # fmt: skip
        assert base not in {
            order_digest(product, content, given, list(hosts)) for product, content, given, hosts in others
        }


HOSTS = st.lists(st.text("abc", min_size=1, max_size=3), unique=True)


class TestBatches:
    @given(
        HOSTS,
        st.none() | st.integers(1, 4),
        st.none() | st.dictionaries(st.text("abc", max_size=3), st.sampled_from("xyz")),
    )
    def test_no_host_is_lost_and_no_batch_has_two_domains(
        self, hosts: list[str], canary: int | None, domains: dict[str, str | None] | None
    ) -> None:
        batches = cut(hosts, canary=canary, domains=domains)
        flat = [host for batch in batches for host in batch]
        assert sorted(flat) == sorted(hosts)
        assert all(batches)
        if domains is not None:
            for batch in batches:
                assert len(batch) == 1 or len({domains.get(host) for host in batch}) == 1
                assert len(batch) == 1 or all(domains.get(host) for host in batch)
        if canary and len(hosts) > canary:
            assert canary in {sum(map(len, batches[:count])) for count in range(1, len(batches))}

    def test_racks_one_after_the_other_a_canary_first(self) -> None:
        domains = {"a": "r1", "b": "r2", "c": "r1", "d": "r2", "e": None}
        assert cut(list("abcde"), canary=1, domains=domains) == [["a"], ["c"], ["b", "d"], ["e"]]
        assert cut(list("abc"), canary=1) == [["a"], ["b", "c"]]
