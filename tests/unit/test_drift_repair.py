"""What a night may repair by itself: which roles on which hosts, how many at most, and in which order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.drift import Observation
from bedplate.drift.finding import Cause, CheckKind, Finding, FindingState, Since
from bedplate.drift.observation import UPDATE_KIND
from bedplate.drift.repair import RepairPolicy, steps

AT = datetime(2026, 11, 25, 3, tzinfo=UTC)
POLICY = RepairPolicy(frozenset({"time_sync", "logging"}), 3, 50.0)


def finding(host: str, role: str | None = "time_sync", cause: Cause = Cause.CORRECTIVE, key: str = "/a") -> Finding:
    seen = Observation(host, "file", key, "content", role=role)
    return Finding(seen, "baseline", CheckKind.FAST, FindingState.NEW, cause, AT, AT, AT, Since(None, AT))


def test_only_what_moved_by_itself_and_only_in_chosen_roles_is_repaired() -> None:
    found = [finding("a"), finding("b", "access"), finding("c", None), finding("d"), finding("a", "logging")]
    assert POLICY.plan(found, set(), AT) == {"a": {"time_sync", "logging"}, "d": {"time_sync"}}


@pytest.mark.parametrize("cause", [Cause.INTENTIONAL, Cause.UNKNOWN, Cause.EXPECTED])
def test_a_role_with_something_else_is_left_alone_on_that_host(cause: Cause) -> None:
    found = [finding("a"), finding("a", cause=cause, key="/b"), finding("a", "logging"), finding("b")]
    assert POLICY.plan(found, set(), AT) == {"a": {"logging"}, "b": {"time_sync"}}


def test_what_somebody_accepted_is_not_set_back() -> None:
    accepted = finding("a", key="/accepted")
    assert POLICY.plan([finding("a"), accepted], {accepted.id}, AT) == {}


@pytest.mark.parametrize(
    ("kind", "attribute"), [(UPDATE_KIND, "version"), ("package", "version"), ("package", "selection")]
)
def test_what_this_check_did_not_see_is_not_repaired_and_versions_never_are(kind: str, attribute: str) -> None:
    old = replace(finding("a"), last_seen=AT - timedelta(days=1))
    version = replace(finding("b"), observed=replace(finding("b").observed, kind=kind, attribute=attribute))
    assert POLICY.plan([old, version], set(), AT) == {}


def test_a_package_that_is_gone_is_installed_again() -> None:
    gone = replace(finding("b"), observed=Observation("b", "package", "chrony", "presence", role="time_sync"))
    assert POLICY.plan([gone], set(), AT) == {"b": {"time_sync"}}


@pytest.mark.parametrize(
    ("hosts", "checked", "says"),
    [
        (3, 100, None),
        (4, 100, "4 of 100 hosts would be repaired, more than 3"),
        (1, 1, None),
        (2, 2, "2 of 2 hosts would be repaired, more than 1"),
    ],
)
def test_a_fleet_that_moved_is_left_alone(hosts: int, checked: int, says: str | None) -> None:
    assert POLICY.objection(hosts, checked) == says


@given(
    st.dictionaries(
        st.text("abcdef", min_size=1), st.frozensets(st.sampled_from(["x", "y", "z"]), min_size=1), max_size=12
    ),
    st.booleans(),
)
def test_every_host_is_repaired_once_with_its_roles_and_a_canary_goes_alone(
    plan: dict[str, frozenset[str]], canary: bool
) -> None:
    done = steps(plan, canary=canary)
    assert sorted(host for hosts, _ in done for host in hosts) == sorted(plan)
    assert all(plan[host] == roles for hosts, roles in done for host in hosts)
    assert all(hosts for hosts, _ in done)
    if canary and plan:
        assert len(done[0][0]) == 1
