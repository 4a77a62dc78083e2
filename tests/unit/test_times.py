"""Times on the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
import pytest

from bedplate.commands.times import Length, Moment


@pytest.mark.parametrize(
    "text", ["999999w", "9" * 12 + "d", "9" * 5000 + "s", "0001-01-01T00:00:00+14:00", "2026-02-30"]
)
def test_a_moment_that_there_is_not(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no moment; write 2h, 3d"):
        Moment().convert(text, None, None)


@pytest.mark.parametrize("text", ["5300w", "9" * 12 + "d", "9" * 5000 + "s"])
def test_a_length_that_leads_nowhere(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is too long; at most 36500 d"):
        Length().convert(text, None, None)


def test_a_century_is_told() -> None:
    assert Length().convert("36500d", None, None) == timedelta(days=36_500)
    assert Moment().convert("36500d", None, None) < datetime.now(UTC) - timedelta(days=36_499)
