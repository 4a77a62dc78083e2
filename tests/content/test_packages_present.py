"""The task that installs packages goes to a host only when it cannot be known that all is there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from content.role_content import ROOT


@pytest.mark.parametrize(
    ("wanted", "asked"),
    [(["chrony", "sudo"], False), ([], False), (["chrony", "nftables"], True), ("chrony", True)],
)
def test_what_was_seen_in_this_run_is_not_asked_again(tmp_path: Path, wanted: object, asked: bool) -> None:
    play = {
        "hosts": "all",
        "gather_facts": False,
        "vars": {"__packages_known": ["chrony", "sudo", "dpkg"]},
        "tasks": [{"bedplate.datacenter.packages_present": {"name": wanted}}],
    }
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")
    (tmp_path / "hosts").write_text("web1 ansible_host=127.0.0.1 ansible_port=9 ansible_user=nobody\n")
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts", "play.yml"],
        cwd=tmp_path,
        env={
            **os.environ,
            "ANSIBLE_HOME": str(tmp_path / "home"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ("unreachable=1" in done.stdout) is asked, done.stdout
