"""Tasks that install and remove packages go to a host only when it cannot be known that all is as it should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from content.playing import played

KNOWN = ["chrony", "sudo", "dpkg"]


@pytest.mark.parametrize(
    ("wanted", "asked"),
    [(["chrony", "sudo"], False), ([], False), (["chrony", "nftables"], True), ("chrony", True)],
)
def test_what_was_seen_in_this_run_is_not_asked_again(tmp_path: Path, wanted: object, asked: bool) -> None:
    said = _played(tmp_path, {"bedplate.datacenter.packages_present": {"name": wanted}})
    assert ("unreachable=1" in said) is asked, said


@pytest.mark.parametrize(("unwanted", "asked"), [(["nis", "talk"], False), ([], False), (["nis", "sudo"], True)])
def test_a_host_without_what_is_not_to_be_there_is_left_alone(tmp_path: Path, unwanted: object, asked: bool) -> None:
    said = _played(tmp_path, {"bedplate.datacenter.packages_absent": {"name": unwanted, "installed": KNOWN}})
    assert ("unreachable=1" in said) is asked, said
    assert ("ok=1" in said) is not asked, said


def _played(tmp_path: Path, task: dict[str, object]) -> str:
    """Run one task on a host that does not answer, and return what was printed."""
    play = {"hosts": "all", "gather_facts": False, "vars": {"__packages_known": KNOWN}, "tasks": [task]}
    (tmp_path / "hosts").write_text("web1 ansible_host=127.0.0.1 ansible_port=9 ansible_user=nobody\n")
    return played(tmp_path, play, "hosts").stdout
