"""Batches never span two failure domains, and a bad one is the last; what became of hosts is told as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.role_content import load_plugin

host_report = load_plugin("plugins/plugin_utils/host_report.py")
rolling = load_plugin("plugins/plugin_utils/rolling.py")

RACKS = {
    "a1": ["region_de", "site_fra1", "rack_a"],
    "a2": ["region_de", "site_fra1", "rack_a"],
    "b1": ["region_de", "site_fra1", "rack_b"],
    "c1": ["region_us", "site_ash1", "cluster_c"],
    "c2": ["region_us", "site_ash1", "cluster_c"],
    "d1": ["region_us", "site_ash1"],
}
DOMAINS = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=4),
    st.tuples(st.sampled_from(["site_x", "site_y"]), st.sampled_from(["rack_1", "rack_2", "cluster_3"])).map(
        lambda pair: [pair[0], f"{pair[1]}_{pair[0]}"]
    ),
    min_size=1,
)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"by": "rack"}, [["c1", "c2"], ["a1", "a2"], ["b1"], ["d1"]]),
        ({"by": "rack", "canary": 1}, [["c1"], ["c2"], ["a1", "a2"], ["b1"], ["d1"]]),
        ({"by": "site", "size": 2}, [["c1", "c2"], ["d1"], ["a1", "a2"], ["b1"]]),
        ({"by": "region", "size": 9}, [["a1", "a2", "b1"], ["c1", "c2", "d1"]]),
        ({"by": "none", "size": 9, "canary": 2}, [["a1", "a2"], ["b1", "c1", "c2", "d1"]]),
    ],
)
def test_batches(options: dict[str, object], expected: list[list[str]]) -> None:
    assert rolling.batches(list(RACKS), RACKS, **options) == expected  # type: ignore[arg-type]


def test_hosts_of_no_known_domain_are_alone() -> None:
    assert rolling.batches(["x", "y"], {}, by="site") == [["x"], ["y"]]


@given(DOMAINS, st.sampled_from(["site", "rack"]), st.integers(0, 3), st.integers(1, 4))
def test_no_batch_spans_two_domains_and_nobody_is_lost(
    domains: dict[str, list[str]], by: str, canary: int, size: int
) -> None:
    plan = rolling.batches(list(domains), domains, by, canary, size)
    assert sorted(host for batch in plan for host in batch) == sorted(domains)
    level = 0 if by == "site" else 1
    assert all(len({domains[host][level] for host in batch}) == 1 for batch in plan)
    assert all(0 < len(batch) <= max(size, canary) for batch in plan)
    assert not canary or len(plan[0]) <= canary


@pytest.mark.parametrize("options", [{"by": "planet"}, {"size": 0}, {"canary": -1}])
def test_plans_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"is no failure domain|at least one host"):
        rolling.batches(["x"], {}, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("failed", "limit", "says"),
    [
        ({}, 0, ""),
        ({"a": False}, 0, ""),
        ({"a": True}, 0, "stopped behind batch 1 of 2: 1 of 1 hosts failed (a)"),
        ({"a": False, "b": True}, 25, "stopped behind batch 2 of 2: 1 of 2 hosts failed (b)"),
        ({"a": False, "b": True}, 50, ""),
        ({"a": True, "b": True}, 100, ""),
    ],
)
def test_a_batch_that_is_worse_than_the_limit_is_the_last(failed: dict[str, bool], limit: float, says: str) -> None:
    assert rolling.stop_reason([["a"], ["b", "c"]], failed, limit) == says


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        (None, "not_started"),
        ({"unreachable": True, "failed": True}, "unreachable"),
        ({"failed": True, "changed": True}, "failed"),
        ({"skipped": True, "changed": False}, "skipped"),
        ({"changed": True}, "changed"),
        ({"changed": False}, "unchanged"),
    ],
)
def test_what_became_of_a_host(result: dict[str, object] | None, outcome: str) -> None:
    assert host_report.outcome(result) == outcome
    assert rolling.has_failed(result) == (outcome in {"failed", "unreachable"})


def test_a_report_is_a_table_with_its_rows() -> None:
    results = {
        "web2": {"failed": True, "msg": "not\nwell", "packages": []},
        "web1": {"changed": True, "packages": [{"name": "bash", "before": "1", "after": "2"}], "rebooted": True},
    }
    document = host_report.report("patch", results, ["packages", "rebooted"], "apply", "2026-11-25T12:00:00Z")
    assert host_report.table(document, ["packages", "rebooted"], "packages") == [
        "HOST  OUTCOME  PACKAGES  REBOOTED  DETAIL",
        "web1  changed  1         yes",
        "web2  failed                       not well",
        "HOST  NAME  BEFORE  AFTER",
        "web1  bash  1       2",
    ]
    assert host_report.failures(document) == {"web1": "", "web2": "not well"}


@pytest.mark.parametrize(
    ("asked", "limits", "expected"),
    [
        (("none", 0), {}, ("none", 0)),
        (("none", 0), {"serial_by": "site", "canary": 1}, ("site", 1)),
        (("rack", 3), {"serial_by": "site", "canary": 1}, ("rack", 1)),
        (("rack", 1), {"serial_by": "region", "canary": 5}, ("rack", 1)),
        (("site", 2), {"serial_by": "cluster"}, ("rack", 2)),
        (("planet", 0), {"serial_by": "site"}, ("planet", 0)),
    ],
)
def test_what_is_asked_is_made_as_careful_as_the_guardrails(
    asked: tuple[str, int], limits: dict[str, object], expected: tuple[str, int]
) -> None:
    assert rolling.careful(*asked, limits) == expected


def test_batches_stay_within_what_the_guardrails_cut() -> None:
    parts = rolling.parts_of(["b1", "a1", "a2", "c1", "gone"], [1, 2, 2])
    plan = rolling.batches(list(RACKS), RACKS, "none", 1, 9, parts)
    assert plan == [["b1"], ["a1", "a2"], ["c1"], ["c2", "d1"]], "the canary first; whom nobody cut comes last"
    assert rolling.batches(list(RACKS), RACKS, "rack", 2, 1, parts)[:3] == [["b1"], ["a1"], ["a2"]]
