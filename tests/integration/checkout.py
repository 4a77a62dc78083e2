"""A checkout as AWX has it: links are kept, the command line is not there."""

from __future__ import annotations

import shutil
from pathlib import Path

from lab_fleet import ROOT

_PARTS = ("ansible.cfg", "galaxy.yml", "inventories", "meta", "playbooks", "plugins", "roles", "collections")


def check_out(folder: Path) -> Path:
    """Copy what AWX needs of this project, and return the folder."""
    folder.mkdir(parents=True)
    for name in _PARTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)
    return folder
