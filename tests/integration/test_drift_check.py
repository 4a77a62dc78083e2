"""`bedplate drift` on hosts that are this machine: what a full check finds, remembers, and says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from integration.command_line import Said, bedplate
from integration.execution_project import Project, task

Command = Callable[..., Said]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A product that writes one file a host, makes a folder, and has a task that check mode cannot judge."""
    project = Project(tmp_path, hosts=2)
    files = tmp_path / "files"
    files.mkdir()
    project.write_inventory({"h1": {"file": str(files / "h1")}, "h2": {"file": str(files / "h2")}})
    project.product(
        "baseline",
        [
            task("Write it", "copy", arguments={"dest": "{{ file }}", "content": "one\ntwo\n", "mode": "0644"}),
            task(
                "Make folders",
                "file",
                arguments={"path": "{{ file }}.{{ item }}", "state": "directory", "mode": "0750"},
                loop=["a", "b"],
            ),
            task("Restart it", "command", arguments="/bin/true", changed_when=False),
            task("Look", "command", arguments="/bin/true", changed_when=False, check_mode=False),
        ],
    )
    return project


@pytest.fixture
def said(project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs `bedplate` on the project in this process."""
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)
    return lambda *words: bedplate(capsys, "-i", project.inventory, *words)


def check(said: Command, code: int) -> dict[str, Any]:
    answer = said("drift", "check", "--full", "-o", "json")
    assert answer.code == code, answer.err
    document: dict[str, Any] = answer.document("drift_check")
    return document


def test_a_host_that_is_as_agreed_is_clean_and_one_that_moved_is_not(project: Project, said: Command) -> None:
    assert said("run", "baseline").code == 0
    clean = check(said, 0)
    assert clean["outcomes"] == {"clean": 2, "drifted": 0, "stale": 0, "unknown": 0}
    assert clean["coverage"] == {"percent": 75.0, "judged": 6, "unverifiable": 2}
    assert [role["unverifiable"] for host in clean["hosts"] for role in host["roles"]] == [["Restart it"]] * 2

    file = project.folder / "files" / "h1"
    file.write_text("one\nthree\n", encoding="utf-8")
    file.with_name("h1.b").chmod(0o777)
    broken = check(said, 6)
    assert broken["outcomes"] == {"clean": 1, "drifted": 1, "stale": 0, "unknown": 0}
    assert broken["findings"]["new"] == 2
    found = {(one["key"], one["attribute"]): one for one in broken["open"]}
    assert set(found) == {(str(file), "content"), (f"{file}.b", "mode")}
    content = found[str(file), "content"]
    assert content["diff"].splitlines()[2:] == ["@@ -1,2 +1,2 @@", " one", "-two", "+three"]
    assert (content["cause"], content["state"], content["task"]) == ("corrective", "new", "Write it")
    assert content["since"]["not_before"] == clean["finished_at"]
    mode = found[f"{file}.b", "mode"]
    assert (mode["before"], mode["after"], mode["owner"]) == ("0750", "0777", "tests")

    assert json.loads(said("drift", "list", "-o", "json").out) == broken["open"]
    shown = said("drift", "show", content["id"][:10], "-o", "json").document("finding")
    assert [step["transition"] for step in shown["history"]] == ["opened"]

    assert said("drift", "waive", mode["id"], "--reason", "for now", "--until", "1d").code == 0
    file.write_text("one\ntwo\n", encoding="utf-8")
    accepted = check(said, 0)
    assert accepted["findings"] == {"new": 0, "reopened": 0, "resolved": 1, "staying": 0, "waived": 1}
    assert json.loads(said("drift", "list", "-o", "json").out) == []
    listed = said("drift", "list", "--waived", "-o", "json")
    (row,) = [replace(listed, out=json.dumps(row)).document("finding") for row in json.loads(listed.out)]
    assert (row["waiver"]["reason"], row["waiver"]["owner"]) == ("for now", row["waiver"]["created_by"])
    waivers = said("drift", "waivers", "-o", "json")
    assert [replace(waivers, out=json.dumps(one)).document("waiver") for one in json.loads(waivers.out)]
    assert said("drift", "unwaive", mode["id"]).code == 0
    assert len(json.loads(said("drift", "list", "-o", "json").out)) == 1
    trend = said("drift", "trend", "-o", "json")
    checks = [replace(trend, out=json.dumps(one)).document("drift_check") for one in json.loads(trend.out)]
    assert [one["findings"]["new"] for one in checks] == [0, 2, 0]
    said("drift", "report", "json").document("drift_report")


def test_a_host_that_nobody_can_reach_is_unknown_and_keeps_its_findings(project: Project, said: Command) -> None:
    here = {name: {"file": str(project.folder / "files" / name)} for name in ("h1", "h2")}
    first = check(said, 6)
    assert {one["host"] for one in first["open"]} == {"h1", "h2"}
    away = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    project.write_inventory({**here, "h2": {**here["h2"], **away}})
    lost = check(said, 4)
    assert lost["outcomes"] == {"clean": 0, "drifted": 1, "stale": 0, "unknown": 1}
    (unknown,) = [host for host in lost["hosts"] if host["outcome"] == "unknown"]
    assert unknown["host"] == "h2"
    assert unknown["reason"].startswith("could not be reached: ")
    assert unknown["judged_at"] == first["finished_at"]
    still = json.loads(said("drift", "list", "--host", "h2", "-o", "json").out)
    assert {one["state"] for one in still} == {"new"}
    assert {one["cause"] for one in still} == {"unknown"}, "no run ever brought these hosts to anything"


def test_a_host_on_which_a_task_fails_is_unknown(project: Project, said: Command) -> None:
    project.product("baseline", [task("Stop", "assert", arguments={"that": ["inventory_hostname != 'h1'"]})])
    failed = check(said, 5)
    by_host = {host["host"]: host for host in failed["hosts"]}
    assert (by_host["h1"]["outcome"], by_host["h2"]["outcome"]) == ("unknown", "unknown")
    assert by_host["h1"]["reason"] == "Stop: failed: Assertion failed"
    assert by_host["h2"]["reason"] == "nothing was done to it"


def test_what_people_see(project: Project, said: Command) -> None:
    del project
    shown = said("drift", "check", "--full")
    assert shown.code == 6
    assert "Restart it" in shown.out
    assert "drifted" in shown.out
    listed = said("drift", "list").out
    assert "file " in listed
    assert "presence" in listed
    identity = json.loads(said("drift", "list", "-o", "json").out)[0]["id"]
    assert "managed by" in said("drift", "show", identity).out
    assert said("drift", "show", "zz").code == 2
    assert "RESOLVED" in said("drift", "trend").out
    assert "No waivers." in said("drift", "waivers").out


def test_what_is_wrong_is_said_before_anything_starts(project: Project, said: Command) -> None:
    assert "say on which hosts" in said("drift", "waive", "file:/etc/motd", "--reason", "x").err
    assert "names no resource" in said("drift", "waive", "file:", "--reason", "x", "--everywhere").err
    assert "is no day" in said("drift", "waive", "file:/x", "--everywhere", "--reason", "x", "--until", "soon").err
    project.home.mkdir(mode=0o700, exist_ok=True)
    (project.home / "waivers.yml").write_text("file:/x@all: {owner: kim}\n", encoding="utf-8")
    refused = said("drift", "check", "--full")
    assert refused.code == 2
    assert "waivers.yml: file:/x@all: justification is missing" in refused.err
    assert json.loads(said("runs", "list", "-o", "json").out) == []
    assert "baseline was never checked" in said("drift", "report", "html").err
