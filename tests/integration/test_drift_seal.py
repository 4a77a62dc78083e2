"""`bedplate drift seal` and the fast check, on hosts that are this machine: which is in use, so that only what is in
the project's folder counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bedplate.drift import Observation
from bedplate.drift.check import CheckRecord, DriftCheck
from bedplate.drift.finding import Cause, CheckKind, Finding, FindingState, Since
from bedplate.runs import RunQuery
from bedplate.store import open_drift, open_seals
from integration.command_line import Said, bedplate
from integration.execution_project import ROOT, Project, task, wait_for

Command = Callable[..., Said]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A product that writes one file a host and does something that nobody can seal."""
    project = Project(tmp_path, hosts=2)
    for file in ("playbooks/drift_check.yml", "playbooks/products/drift_check.yml"):
        (project.root / file).symlink_to(ROOT / file)
    (tmp_path / "files").mkdir()
    write_hosts(project, "h1", "h2")
    arguments = {"dest": "{{ file }}", "content": "one\ntwo\n", "mode": "0644"}
    project.product(
        "baseline",
        [task("Write it", "copy", arguments=arguments), task("Do it", "command", arguments="/bin/true")],
    )
    return project


def write_hosts(project: Project, *hosts: str, **more: Any) -> None:
    files = project.folder / "files"
    project.write_inventory({host: {"file": str(files / host), **more} for host in hosts})


@pytest.fixture
def said(project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs `bedplate` on the project in this process."""
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)
    return lambda *words: bedplate(capsys, "-i", project.inventory, *words)


def checked(said: Command, *options: str) -> tuple[dict[str, Any], Said]:
    answer = said("drift", "check", "-o", "json", *options)
    document: dict[str, Any] = answer.document("drift_check")
    return document, answer


def mine(project: Project, document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what is open in the project's folder, by host and attribute."""
    folder = str(project.folder / "files")
    return {(one["host"], one["attribute"]): one for one in document["open"] if one["key"].startswith(folder)}


def hosts_of(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {host["host"]: host for host in document["hosts"]}


def test_a_converge_seals_and_a_fast_check_sees_what_moved_since(project: Project, said: Command) -> None:
    ran = said("run", "baseline")
    assert ran.code == 0
    assert "Sealing what run" in ran.err
    assert "Sealed: 2 new, 0 unchanged" in ran.err

    clean, answer = checked(said)
    assert answer.code in {0, 6}, answer.err
    assert clean["kind"] == "fast"
    assert mine(project, clean) == {}
    assert hosts_of(clean)["h1"]["roles"] == [
        {
            "role": "(play)",
            "percent": 50.0,
            "judged": 1,
            "unverifiable": ["Do it: no row says what ansible.builtin.command manages"],
        }
    ]

    file = project.folder / "files" / "h1"
    file.write_text("one\nthree\n", encoding="utf-8")
    broken, answer = checked(said, "-l", "h1")
    assert answer.code == 6
    found = mine(project, broken)
    assert found.keys() == {("h1", "content")}
    content = found["h1", "content"]
    assert content["diff"].splitlines()[2:] == ["@@ -1,2 +1,2 @@", " one", "-two", "+three"]
    assert (content["cause"], content["check"], content["task"]) == ("corrective", "fast", "Write it")

    full, answer = checked(said, "--full", "-l", "h1")
    assert answer.code == 6
    (same,) = full["open"]
    assert (same["id"], same["times_seen"], same["check"]) == (content["id"], 2, "full")

    file.write_text("one\ntwo\n", encoding="utf-8")
    repaired, _ = checked(said, "-l", "h1")
    assert mine(project, repaired) == {}
    assert repaired["findings"]["resolved"] >= 1


def test_a_stale_host_goes_to_the_full_check_as_far_as_the_share_allows(project: Project, said: Command) -> None:
    assert said("run", "baseline").code == 0
    (project.folder / "files" / "h2").write_text("other\n", encoding="utf-8")
    write_hosts(project, "h1", "h2", wanted="something else")
    none, answer = checked(said, "--escalate", "0")
    assert answer.code == 0
    assert none["outcomes"] == {"clean": 0, "drifted": 0, "stale": 2, "unknown": 0}
    assert hosts_of(none)["h1"]["reason"] == (
        "since the seal, what the inventory says of it changed; more hosts are stale than may be sent to the full check"
    )
    first, _ = checked(said)
    assert first["outcomes"]["stale"] == 1, "one in ten, and one at least"
    second, answer = checked(said)
    assert hosts_of(second)["h2"]["outcome"] == "drifted", "the one that was not judged for longest"
    every, answer = checked(said, "--escalate", "100")
    assert answer.code == 6
    assert (every["kind"], every["outcomes"]) == ("fast", {"clean": 1, "drifted": 1, "stale": 0, "unknown": 0})
    assert mine(project, every)["h2", "content"]["check"] == "full"


def test_hosts_without_a_trusted_seal_are_unknown_and_say_what_helps(
    project: Project, said: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEDPLATE_DRIFT_SEAL_AFTER", "")
    ran = said("run", "baseline")
    assert (ran.code, "Seal" in ran.err) == (0, False)
    unknown, answer = checked(said)
    assert answer.code == 5
    assert unknown["outcomes"]["unknown"] == 2
    assert hosts_of(unknown)["h1"]["reason"] == "there is no seal of it: bedplate drift seal takes one"
    assert "bedplate drift seal" in said("drift", "check").out

    taken = said("drift", "seal", "-l", "h1", "-o", "json")
    assert taken.code == 0, taken.err
    document = taken.document("drift_seal")
    assert (document["sealed"], document["unchanged"], document["failures"]) == (["h1"], [], [])
    half, answer = checked(said)
    assert answer.code == 5
    assert {host: one["outcome"] == "unknown" for host, one in hosts_of(half).items()} == {"h1": False, "h2": True}

    (project.home / "seal.key").write_bytes(b"k" * 32)
    forged, answer = checked(said, "-l", "h1")
    assert answer.code == 5
    assert hosts_of(forged)["h1"]["reason"].startswith("its seal is not as it was signed")


def test_what_is_said_of_sealing(project: Project, said: Command) -> None:
    nothing = said("drift", "seal")
    assert nothing.code == 2
    assert "no run brought these hosts to baseline (bedplate run baseline)" in nothing.err
    assert said("run", "baseline", "--check").code == 0
    (check,) = project.store.find(RunQuery(product="baseline"))
    assert "brought no host to a state: it was a check" in said("drift", "seal", check.id).err
    assert said("run", "baseline", "-l", "h1").code == 0
    write_hosts(project, "h1", "h2")
    one = said("drift", "seal")
    assert one.code == 5
    assert "no run brought it to baseline" in one.out
    assert "a run has its product already" in said("drift", "seal", check.id, "--product", "baseline").err


def test_a_failure_to_seal_is_a_warning_and_no_failure_of_the_run(project: Project, said: Command) -> None:
    (project.root / "playbooks" / "products" / "drift_check.yml").unlink()
    ran = said("run", "baseline", "-o", "json")
    assert ran.code == 0
    assert json.loads(ran.out)["status"] == "successful"
    assert "bedplate: not sealed: " in ran.err
    assert project.bedplate("run", "baseline", "--detach").returncode == 0


def test_what_no_role_repairs_is_not_sealed_by_itself(project: Project, said: Command) -> None:
    assert said("run", "baseline").code == 0
    (run,) = project.store.find(RunQuery(product="baseline"))
    at = run.finished_at or run.created_at
    extra = Observation("h1", "file", "/etc/cron.d/extra", "presence", "absent", "file")
    finding = Finding(
        extra, "baseline", CheckKind.FAST, FindingState.NEW, Cause.CORRECTIVE, at, at, at, Since(None, at)
    )  # fmt: skip
    update = Observation("h2", "update", "curl", "version", "8.1", "8.2")
    expected = replace(finding, observed=update, cause=Cause.EXPECTED)
    drift = open_drift(project.settings)
    drift.record(CheckRecord(DriftCheck("c1", "baseline", CheckKind.FAST, "kim", at, at), changed=[finding, expected]))
    drift.close()
    again = said("run", "baseline")
    assert again.code == 0
    assert "not sealed: h1: 1 finding that no role repairs: bedplate drift list --host h1" in again.err
    assert "not sealed: h2" not in again.err
    assert said("drift", "seal", "-l", "h1").code == 0


def test_a_detached_run_is_sealed_too(project: Project, said: Command) -> None:
    started = said("run", "baseline", "--detach", "-o", "json")
    run_id = json.loads(started.out)["id"]
    assert said("runs", "wait", run_id).code == 0
    seals = open_seals(project.settings)
    wait_for(lambda: seals.sealed("baseline") == {"h1", "h2"}, "the seals of a detached run")
    seals.close()


def test_a_host_that_is_not_as_netbox_says(project: Project, said: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def records(document: dict[str, Any]) -> dict[str, tuple[str | None, str]]:
        return {one["key"]: (one["before"], one["cause"]) for one in document["open"] if one["kind"] == "record"}

    named = {"type": "device", "id": 1, "url": "https://netbox.example.com/dcim/devices/1/"}
    write_hosts(project, "h1", bedplate_netbox=named, bedplate_platform="windows-95")
    assert said("run", "baseline").code == 0
    found, answer = checked(said)
    assert answer.code == 6
    assert records(found) == {"platform": ("windows-95", "unknown")}
    assert hosts_of(found)["h1"]["outcome"] == "drifted"
    (coverage,) = [role for role in hosts_of(found)["h1"]["roles"] if role["role"] == "(NetBox)"]
    assert any(gap.startswith("interfaces: ") for gap in coverage["unverifiable"])

    monkeypatch.setenv("BEDPLATE_DRIFT_RECORD", "false")
    write_hosts(project, "h1", bedplate_netbox=named)
    assert records(checked(said)[0]) == {}
    assert [one["kind"] for one in json.loads(said("drift", "list", "--kind", "record", "-o", "json").out)] == [
        "record"
    ]
    monkeypatch.delenv("BEDPLATE_DRIFT_RECORD")
    assert checked(said, "--escalate", "100")[0]["findings"]["resolved"] == 1
    assert json.loads(said("drift", "list", "--kind", "record", "-o", "json").out) == []
    assert "only a fast check compares hosts with NetBox" in said("drift", "check", "--full", "--journal").err
    assert "needs NETBOX_URL and NETBOX_TOKEN" in said("drift", "check", "--journal").err


def test_where_the_inventory_moved_and_the_host_did_not_it_is_intentional(project: Project, said: Command) -> None:
    assert said("run", "baseline").code == 0
    old, new = (project.folder / "files" / name for name in ("h1", "other"))
    project.write_inventory({"h1": {"file": str(new)}, "h2": {"file": str(project.folder / "files" / "h2")}})
    moved, _ = checked(said, "-l", "h1", "--escalate", "100")
    (found,) = [one for one in moved["open"] if one["key"] == str(new)]
    assert (found["check"], found["cause"], found["by"]) == ("full", "intentional", None)
    assert old.exists()
