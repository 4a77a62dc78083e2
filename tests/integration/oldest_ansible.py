"""The oldest ansible-core that the content is for, in an environment that has nothing else."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from lab_fleet import ROOT

# As a control node it knows no later Python.
_LAST_PYTHON = (3, 11)


def oldest_ansible() -> Path:
    """Return the folder of its programs; skip where there is none, but fail in CI, where `make` has made it."""
    folder = ROOT / ".venv-oldest" / "bin"
    if sys.version_info[:2] > _LAST_PYTHON:
        pytest.skip("the oldest ansible-core needs Python 3.11 or older")
    if not (folder / "ansible-playbook").exists():
        reason = "the oldest ansible-core is not there: tools/bootstrap lab tests"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return folder
