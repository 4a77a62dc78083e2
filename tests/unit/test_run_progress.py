"""What a run tells while it goes on."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from bedplate.commands.run_progress import PlainProgress, Tally
from bedplate.runs import Event


def event(kind: str, **data: Any) -> Event:
    return Event(1, kind, datetime.now(UTC), host="a", task="Ask", data={"res": {"msg": "no route"}, **data})


@pytest.mark.parametrize("kind", ["runner_on_failed", "runner_on_unreachable"])
@pytest.mark.parametrize("forgiven", ["", "ignore_errors", "ignore_unreachable", "rescued"])
def test_only_what_counts_is_told_as_a_failure(kind: str, forgiven: str) -> None:
    found = event(kind, **({forgiven: True} if forgiven else {}))
    out, tally = io.StringIO(), Tally()
    PlainProgress(Console(file=out)).event(found)
    tally.add(found)
    assert ("no route" in out.getvalue()) is (forgiven == "")
    assert tally.hosts_lost == (set() if forgiven else {"a"})
