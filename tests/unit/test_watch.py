"""What is looked for while a run goes on: whether it may still change things."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bedplate.execution.surroundings import hold_file
from bedplate.guardrails import Limits, Order, Person
from bedplate.launch.watch import Watch
from bedplate.settings import GuardrailSettings, Settings

ORDER = Order(Limits("patch", "#platform"), Person("ada", "ada"), ("a",), 1, datetime.now(UTC))
FREEZE = "freezes: [{name: Year end, from: 2020-01-01, to: 9999-12-31}]"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, guardrails=GuardrailSettings(calendars=str(tmp_path), freeze=("company",)))


def said(folder: Path) -> str:
    """Wait until a run is held, and return why."""
    for _ in range(500):
        if hold_file(folder).is_file() and (text := hold_file(folder).read_text(encoding="utf-8")):
            return text
        time.sleep(0.02)
    return "nothing"


@pytest.mark.parametrize(
    ("calendar", "why"), [(FREEZE, "frozen by 'Year end'"), ("freezes: [", "is wrong: is neither")]
)
def test_a_freeze_or_a_calendar_that_broke_holds_the_run(
    tmp_path: Path, settings: Settings, calendar: str, why: str
) -> None:
    file = tmp_path / "company.yml"
    file.write_text("freezes: []", encoding="utf-8")
    with Watch(settings, ORDER, (), tmp_path, interval=0.01):
        assert not hold_file(tmp_path).exists()
        (tmp_path / "new").write_text(calendar, encoding="utf-8")
        (tmp_path / "new").replace(file)  # in one step: a file that is half written is a fault, too
        assert why in said(tmp_path)


def test_what_could_not_be_said_is_said_later(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "company.yml").write_text(FREEZE, encoding="utf-8")
    folder = tmp_path / "run"
    with Watch(settings, ORDER, (), folder, interval=0.01):
        time.sleep(0.1)  # it looked in vain some times
        folder.mkdir()
        assert "frozen" in said(folder)


def test_a_check_is_never_held(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "company.yml").write_text(FREEZE, encoding="utf-8")
    with Watch(settings, replace(ORDER, check=True), (), tmp_path, interval=0.01) as watch:
        assert watch._thread is None
    assert not hold_file(tmp_path).exists()
