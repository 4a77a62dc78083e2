"""The command line in this process: its exit code and what it said."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bedplate.main import main

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    def document(self, schema: str) -> Any:
        """Return standard output as JSON; fail if it is not as the schema says."""
        document = json.loads(self.out)
        expected = json.loads((SCHEMAS / f"{schema}.schema.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator(expected, format_checker=jsonschema.FormatChecker()).validate(document)
        return document


def bedplate(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Said:
    """Run `bedplate` with these arguments."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    assert isinstance(stop.value.code, int)
    return Said(stop.value.code, *capsys.readouterr())
