"""The mark of the baseline keeps its time until the baseline is another one."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from content.role_content import load_plugin

keep_or_renew = load_plugin("plugins/filter/baseline.py").keep_or_renew
WANTED = {
    "schema": 1,
    "baseline": "baseline",
    "version": "1.0.0",
    "digest": "d1",
    "roles": ["access"],
    "applied_at": "2026-02-02T00:00:00Z",
    "commit": "c2",
    "run": "r2",
}
EARLIER = {**WANTED, "applied_at": "2026-01-01T00:00:00Z", "commit": "c1", "run": "r1"}


def on_host(mark: object) -> str:
    return base64.b64encode(json.dumps(mark).encode()).decode()


def test_the_same_baseline_keeps_its_mark() -> None:
    assert keep_or_renew(WANTED, on_host(EARLIER)) == EARLIER


@pytest.mark.parametrize(
    "change",
    [{"digest": "d0"}, {"roles": []}, {"version": "0.9"}, {"baseline": "x"}, {"schema": 0}, {"more": 1}],
    ids=str,
)
def test_another_baseline_renews_it(change: dict[str, Any]) -> None:
    assert keep_or_renew(WANTED, on_host({**EARLIER, **change})) == WANTED


@pytest.mark.parametrize("content", ["", on_host([]), on_host({}), "!!", base64.b64encode(b"{\xff").decode()])
def test_a_damaged_or_missing_mark_is_renewed(content: str) -> None:
    assert keep_or_renew(WANTED, content) == WANTED
