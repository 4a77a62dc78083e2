"""Full checks by mitogen's strategy: they see the same, and whom they talk to is checked as ever."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from bedplate.runs import HostResult, RunQuery
from integration.execution_project import Project, task
from integration.ssh_servers import make_key, ssh_server

pytest.importorskip("ansible_mitogen", reason="mitogen is an extra")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, hosts=2)


def checked(project: Project, strategy: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, list[HostResult]]:
    """Return what a full check of a product says, and what its run counted."""
    monkeypatch.setenv("BEDPLATE_EXECUTION_STRATEGY", strategy)
    document = project.document("drift", "check", "--full", "baseline")
    (run, *_) = project.store.find(RunQuery(product="baseline"))
    return document, project.store.host_results(run.id)


def test_findings_and_coverage_are_the_same(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    # Mitogen splits an interpreter's path at blanks, and a clone may lie in a folder with one.
    python = {"ansible_python_interpreter": os.path.realpath(sys.executable)}
    project.write_inventory({"h1": python, "h2": python})
    file = project.folder / "file"
    file.write_text("one\n", encoding="utf-8")
    managed = {"files": [{"path": str(project.folder / "own"), "content": "x\n"}]}
    project.product(
        "baseline",
        [
            task("Write it", "copy", arguments={"dest": str(file), "content": "two\n", "mode": "0600"}),
            task("Write ours", "bedplate.datacenter.host_files", arguments=managed),
            task("Do it", "command", arguments={"argv": ["true"]}),
            task("Look", "command", arguments={"argv": ["true"]}, changed_when=False, check_mode=False),
        ],
    )
    linear, counted = checked(project, "linear", monkeypatch)
    mitogen, counted_by_mitogen = checked(project, "mitogen", monkeypatch)
    assert {(one["host"], one["key"], one["attribute"]) for one in linear["open"]} >= {
        ("h1", str(file), "content"),
        ("h2", str(project.folder / "own"), "presence"),
    }
    assert [_without_times(one) for one in mitogen["open"]] == [_without_times(one) for one in linear["open"]]
    assert mitogen["coverage"] == linear["coverage"]
    assert counted_by_mitogen == counted


def _without_times(finding: dict[str, Any]) -> list[Any]:
    return [finding[key] for key in ("id", "before", "after", "diff", "severity", "cause")]


def test_a_host_key_that_changed_is_refused_whatever_the_inventory_says(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = tmp_path / "known_hosts"
    ours, other = make_key(tmp_path / "ours"), make_key(tmp_path / "other")
    project.product("reach", [task("Reach", "ping")])
    monkeypatch.setenv("BEDPLATE_EXECUTION_STRATEGY", "mitogen")
    with ssh_server([ours]) as port:
        over_ssh = {
            "ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": port,
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={known} -o IdentitiesOnly=yes",
            "ansible_host_key_checking": False, "ansible_ssh_host_key_checking": False,
        }  # fmt: skip
        project.write_inventory({"h1": over_ssh})
        said = {}
        for key in (other, ours):
            known.write_text(f"[127.0.0.1]:{port} {key.get_name()} {key.get_base64()}\n", encoding="utf-8")
            assert project.bedplate("run", "reach", "--check").returncode == 4
            (run, *_) = project.store.find(RunQuery())
            (event,) = project.events(run, "runner_on_unreachable")
            said[key] = event.data["res"]["msg"].lower()
    assert "host key" in said[other]
    assert "host key" not in said[ours], "nobody can log in there, and that is all that is wrong"
