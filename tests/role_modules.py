"""Which modules the baseline uses."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_ACTION = re.compile(r"^\s+(?:- )?((?:ansible\.builtin|bedplate\.datacenter)\.[a-z_]+):", re.MULTILINE)


def modules_of_the_baseline() -> set[str]:
    """Return the full names of all modules that a task of a role, or of the baseline itself, calls."""
    files = [*ROOT.glob("roles/*/tasks/**/*.yml"), ROOT / "playbooks" / "baseline.yml"]
    return {name for file in files for name in _ACTION.findall(file.read_text(encoding="utf-8"))}
