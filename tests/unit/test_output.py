"""Where tables end: at the terminal's width, or where COLUMNS says; in a pipe nothing is cut."""

from __future__ import annotations

import pytest

from bedplate.commands.output import console


@pytest.mark.parametrize(("columns", "whole"), [(None, True), ("80", False)])
def test_a_line_in_a_pipe_is_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: str | None, *, whole: bool
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns:
        monkeypatch.setenv("COLUMNS", columns)
    console().print("word " * 30)
    assert (len(capsys.readouterr().out.splitlines()) == 1) is whole
