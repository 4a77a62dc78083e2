"""A command of Bedplate, called in this process."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from bedplate.main import main


class Result(NamedTuple):
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


class ContentCommand:
    """One group of commands, on content of its own.

    Args:
        group: the words that every call begins with.
        root: where the content is.
    """

    def __init__(self, group: str, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._group = group
        self._capsys = capsys

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def __call__(self, *words: str) -> Result:
        with pytest.raises(SystemExit) as stop:
            main([self._group, *words])
        out, err = self._capsys.readouterr()
        return Result(int(stop.value.code or 0), out, err)
