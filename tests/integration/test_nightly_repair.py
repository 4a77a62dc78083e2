"""`bedplate nightly --remediate`: what its policy repairs, what it leaves, and what stops it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from integration.execution_project import BEDPLATE, ROOT, Project, task, wait_for

ROLES = ("first", "second")
CHOICES = {"name": "repair_roles", "type": "choices", "title": "Roles", "required": True, "choices": [*ROLES]}


class Fleet:
    """A project whose hosts are this machine, at a baseline of two roles with a file each; nights repair both.

    A role fails where there is a file `jam`, and a repair waits while there is a file `wait`.
    """

    def __init__(self, folder: Path, hosts: int) -> None:
        self.project = Project(folder, hosts)
        self.files = folder / "files"
        self.files.mkdir()
        for file in ("playbooks/drift_check.yml", "playbooks/products/drift_check.yml"):
            (self.project.root / file).symlink_to(ROOT / file)
        for role in ROLES:
            self.write_role(role, "one")
        roles = [{"role": f"bedplate.datacenter.{role}"} for role in ROLES]
        self.project.product("baseline", [], play={"roles": roles})
        waiting = {"path": str(folder / "wait"), "state": "absent", "timeout": 120, "sleep": 1}
        apply = {"name": "bedplate.datacenter.{{ item }}"}
        self.project.product(
            "repair",
            [
                task("Wait", "wait_for", arguments=waiting, run_once=True),
                task("Apply", "include_role", arguments=apply, loop="{{ repair_roles }}"),
            ],
            parameters=[CHOICES],
        )
        self.git("init", "-q")
        self.commit()
        self.environment = {
            **self.project.environment,
            "BEDPLATE_DRIFT_ESCALATE_PERCENT": "100",
            "BEDPLATE_DRIFT_REPAIR_ROLES": ",".join(ROLES),
            "BEDPLATE_DRIFT_REPAIR_PERCENT": "100",
        }

    def write_role(self, role: str, text: str) -> None:
        jam = {"that": f"not ('{self.project.folder}/jam' is file)"}
        file = {"dest": f"{self.files}/{{{{ inventory_hostname }}}}-{role}", "content": f"{text}\n", "mode": "0644"}
        tasks = [task("Jam", "assert", arguments=jam), task("Write it", "copy", arguments=file)]
        folder = self.project.root / "roles" / role / "tasks"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "main.yml").write_text(json.dumps(tasks), encoding="utf-8")

    def git(self, *words: str) -> None:
        who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        subprocess.run(["git", "-C", str(self.project.root), *who, *words], check=True, capture_output=True)

    def commit(self) -> None:
        self.git("add", "playbooks", "roles")
        self.git("commit", "-q", "-m", "roles")

    def spoil(self, *names: str) -> None:
        for name in names:
            (self.files / name).write_text("spoilt\n", encoding="utf-8")

    def spoilt(self) -> set[str]:
        return {file.name for file in self.files.iterdir() if file.read_text(encoding="utf-8") == "spoilt\n"}

    def start(self, **environment: str) -> subprocess.Popen[str]:
        command = [BEDPLATE, "-i", str(self.project.inventory), "nightly", "--remediate", "-o", "json"]
        return subprocess.Popen(
            command, env={**self.environment, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def night(self, *codes: int, **environment: str) -> dict[str, Any]:
        process = self.start(**environment)
        out, err = process.communicate(timeout=300)
        assert process.returncode in codes, err
        document: dict[str, Any] = json.loads(out)
        schema = json.loads((ROOT / "docs" / "schemas" / "nightly.schema.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(document)
        return document

    def repairs(self) -> list[tuple[str, list[str], list[str]]]:
        """Return status, hosts and roles of the repairs, oldest first."""
        runs = self.project.document("runs", "list")[::-1]
        shown = [self.project.document("runs", "show", run["id"]) for run in runs if run["product"] == "repair"]
        return [(run["status"], sorted(run["hosts"]), run["parameters"]["repair_roles"]) for run in shown]


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    fleet = Fleet(tmp_path, hosts=3)
    assert fleet.project.bedplate("run", "baseline").returncode == 0
    return fleet


def mended(night: dict[str, Any]) -> set[str]:
    return {Path(one["key"]).name for one in night["repair"]["mended"]}


def test_what_hosts_moved_away_from_is_repaired_and_what_the_intent_moved_is_left(fleet: Fleet) -> None:
    fleet.write_role("second", "two")
    fleet.commit()
    fleet.spoil("h1-first", "h3-first")
    night = fleet.night(6)
    assert night["repair"]["stopped"] is None
    assert mended(night) == {"h1-first", "h3-first"}
    assert fleet.repairs() == [("successful", ["h1"], ["first"]), ("successful", ["h3"], ["first"])]
    assert fleet.spoilt() == set()
    assert (fleet.files / "h1-second").read_text(encoding="utf-8") == "one\n"
    openly = {(one["host"], one["cause"]) for one in fleet.project.document("drift", "list", "--role", "second")}
    assert openly == {("h1", "intentional"), ("h2", "intentional"), ("h3", "intentional")}


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ({"BEDPLATE_DRIFT_REPAIR_HOSTS": "1"}, "2 of 3 hosts would be repaired, more than 1"),
        ({"BEDPLATE_DRIFT_REPAIR_WINDOW": "never"}, "the window is closed: never"),
    ],
)
def test_caps_and_windows_stop_it_before_it_begins(fleet: Fleet, policy: dict[str, str], says: str) -> None:
    fleet.spoil("h1-first", "h2-second")
    night = fleet.night(6, **policy)
    assert night["repair"] == {"runs": [], "mended": [], "stopped": says}
    assert fleet.spoilt() == {"h1-first", "h2-second"}


def test_a_canary_that_fails_stops_it(fleet: Fleet) -> None:
    fleet.spoil("h1-first", "h2-first", "h3-first")
    (fleet.project.folder / "jam").touch()
    night = fleet.night(5)
    assert "did not end well" in night["repair"]["stopped"]
    assert fleet.repairs() == [("failed", ["h1"], ["first"])]
    assert fleet.spoilt() == {"h1-first", "h2-first", "h3-first"}


def test_killed_while_it_repairs_it_goes_on_with_one_more_canary(fleet: Fleet) -> None:
    fleet.spoil("h1-first", "h2-first")
    waiting = fleet.project.folder / "wait"
    waiting.touch()
    killed = fleet.start()
    wait_for(lambda: [run for run in fleet.project.document("runs", "list") if run["status"] == "running"
                      and run["product"] == "repair"], "the repair to begin")  # fmt: skip
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    waiting.unlink()
    night = fleet.night(0, 6)
    assert night["resumed"]
    assert mended(night) == {"h1-first", "h2-first"}
    assert fleet.spoilt() == set()
    statuses = [(status, hosts) for status, hosts, _ in fleet.repairs()]
    assert statuses == [("expired", ["h1"]), ("successful", ["h1"]), ("successful", ["h2"])]


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ({"BEDPLATE_DRIFT_REPAIR_ROLES": ""}, "drift.repair_roles: no role may be repaired"),
        ({"BEDPLATE_DRIFT_REPAIR_ROLES": "third"}, "drift.repair_roles: third is none that can be (first, second)"),
        ({"BEDPLATE_DRIFT_REPAIR_WINDOW": "soon"}, "drift.repair_window: 'soon' is no window"),
    ],
)
def test_a_policy_that_cannot_be_kept_is_said_before_anything_starts(
    fleet: Fleet, policy: dict[str, str], says: str
) -> None:
    process = fleet.start(**policy)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert says in err
