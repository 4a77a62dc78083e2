"""Which modules the roles and playbooks of this collection use."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_ACTION = re.compile(r"^\s+(?:- )?((?:ansible\.builtin|bedplate\.datacenter)\.[a-z_]+):", re.MULTILINE)


def modules_of_the_content() -> set[str]:
    """Return the full names of all modules that a task of a role or a playbook calls."""
    files = [*ROOT.glob("roles/*/tasks/*.yml"), *ROOT.glob("playbooks/*.yml")]
    return {name for file in files for name in _ACTION.findall(file.read_text(encoding="utf-8"))}
