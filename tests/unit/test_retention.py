"""Which runs `runs prune` may remove."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bedplate.retention import select_for_pruning
from bedplate.runs import Run, RunMode, RunStatus

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def run(name: str, days_ago: float, status: RunStatus = RunStatus.SUCCESSFUL, product: str = "baseline") -> Run:
    ended = NOW - timedelta(days=days_ago)
    return Run(
        id=name,
        product=product,
        status=status,
        mode=RunMode.APPLY,
        requester="ada",
        created_at=ended - timedelta(minutes=5),
        finished_at=ended if status.ended else None,
    )


def pruned(*runs: Run, days: int = 30, kept: int = 0) -> list[str]:
    selected = select_for_pruning(runs, kept_for=timedelta(days=days), kept_runs=kept, now=NOW)
    return [run.id for run in selected]


def test_old_runs_go_oldest_first() -> None:
    assert pruned(run("new", 1), run("old", 40), run("older", 50)) == ["older", "old"]


def test_the_age_counts_from_the_end_and_the_limit_itself_is_old() -> None:
    assert pruned(run("at", 30), run("before", 29.999)) == ["at"]


def test_a_run_without_an_end_counts_from_its_order() -> None:
    refused = replace(run("refused", 40, RunStatus.REFUSED), finished_at=None)
    assert pruned(refused) == ["refused"]


def test_the_newest_of_each_product_stay() -> None:
    runs = [run("b1", 40), run("b2", 50), run("b3", 60), run("p1", 90, product="patch"), run("p2", 99, product="patch")]
    assert pruned(*runs, kept=1) == ["p2", "b3", "b2"]


def test_what_has_not_ended_is_never_touched() -> None:
    runs = [run(status.value, 400, status) for status in RunStatus]
    assert set(pruned(*runs)) == {status.value for status in RunStatus if status.ended}


_RUNS = st.lists(
    st.builds(
        run,
        name=st.text("abc123", min_size=1, max_size=6),
        days_ago=st.floats(0, 400),
        status=st.sampled_from(RunStatus),
        product=st.sampled_from(["baseline", "patch"]),
    ),
    max_size=30,
    unique_by=lambda run: run.id,
)


@given(_RUNS, st.integers(0, 200), st.integers(0, 10))
def test_every_run_that_goes_is_ended_old_and_beyond_the_kept_number(runs: list[Run], days: int, kept: int) -> None:
    gone = set(pruned(*runs, days=days, kept=kept))
    for one in runs:
        newer = [other for other in runs if other.product == one.product and other.created_at > one.created_at]
        age = NOW - (one.finished_at or one.created_at)
        if one.id in gone:
            assert one.status.ended
            assert age >= timedelta(days=days)
        elif one.status.ended and age >= timedelta(days=days):
            assert len(newer) < kept
    for product in ("baseline", "patch"):
        left = [one for one in runs if one.product == product and one.id not in gone]
        assert len(left) >= min(kept, sum(one.product == product for one in runs))
