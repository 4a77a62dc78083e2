"""The run store with 10,000 runs and 5 million events: each question against a budget of half a second."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from bedplate.settings import load_settings

from .big_store import fill, measure_questions
from .figures import Figure

BUDGET = 0.5
# Answers that go over everything: reported, without a limit.
_WHOLE = ("all runs", "add_events", "events(host=) of the biggest")


def measure() -> list[Figure]:
    """Return a figure for each question. The store is kept in BEDPLATE_BENCH_STORE where that is set."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(os.environ.get("BEDPLATE_BENCH_STORE") or folder)
        settings = load_settings({"BEDPLATE_HOME": str(home)}, Path(folder))
        if not (home / "bedplate.db").exists():
            fill(settings)
        times = measure_questions(settings)
    return [_figure(question, seconds) for question, seconds in times.items()]


def _figure(question: str, seconds: float) -> Figure:
    limit = None if any(word in question for word in _WHOLE) else 1.0
    name = f"store of 5 million events: {question} / budget"
    return Figure(name, "s", round(seconds, 4), BUDGET, round(seconds / BUDGET, 4), limit, 5)
