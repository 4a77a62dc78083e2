"""Where tables end: at the terminal's width, or where COLUMNS says; in a pipe nothing is cut."""

from __future__ import annotations

import pytest
from rich.table import Table
from rich.text import Text

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


@pytest.mark.parametrize("terminal", [False, True])
def test_what_people_wrote_does_not_command_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, terminal: bool
) -> None:
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm")
    table = Table("A", box=None)
    table.add_row(Text("a\x1b]0;title\x07b\u202ec\x9bd\re", style="red"))
    screen = console()
    screen.print(table)
    screen.print("f\x1b[2Jg\th\n", markup=False)
    out = capsys.readouterr().out
    for command in ("\x1b]", "\x07", "\u202e", "\x9b", "\r", "\x1b[2J"):
        assert command not in out
    assert ("\x1b[31m" in out) is terminal
    assert "a\ufffd]0;title" in out
