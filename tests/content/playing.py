"""Ansible itself, on a play that a test wrote."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from content.role_content import ROOT


def played(folder: Path, play: dict[str, Any], inventory: str) -> subprocess.CompletedProcess[str]:
    """Run a play in a folder, which takes all that Ansible writes; what it answers of hosts is JSON.

    Args:
        inventory: the name of a file in the folder.
    """
    (folder / "play.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")
    return subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", inventory, "play.yml"],
        cwd=folder,
        env={
            **os.environ,
            "ANSIBLE_HOME": str(folder / "home"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            "ANSIBLE_NOCOLOR": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
