"""Runs on this machine: what is recorded, and how each end looks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bedplate.errors import EngineError, NotFoundError, RefusedError, UsageError
from bedplate.execution.executor import ExecutionOutcome
from bedplate.launch import LaunchRequest
from bedplate.launch.repeating import repetition_of
from bedplate.runs import Event, HostOutcome, HostResult, Run, RunMode, RunStatus
from integration.execution_project import Project, task


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


class Witness:
    """Remembers what it heard."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.events: list[Event] = []
        self.outcome: ExecutionOutcome | None = None

    def started(self, _run: Run) -> None:
        self.calls.append("started")

    def event(self, event: Event) -> None:
        self.events.append(event)

    def finished(self, outcome: ExecutionOutcome) -> None:
        self.calls.append("finished")
        self.outcome = outcome


TASKS = [
    task("Change", "command", arguments="echo changed", changed_when=True),
    task("Nothing", "command", arguments="echo same", changed_when=False),
    task("Skip", "debug", arguments={"msg": "never"}, when=False),
    task("Ignore", "fail", arguments={"msg": "it is known"}, ignore_errors=True),
    {
        "name": "Rescue",
        "block": [task("Fail", "fail", arguments={"msg": "to be rescued"})],
        "rescue": [task("Saved", "debug", arguments={"msg": "saved"})],
    },
    task("Loop", "debug", arguments={"msg": "{{ item }}"}, loop=["one", "two"]),
]


def test_a_run_is_recorded_as_it_was(project: Project) -> None:
    project.product("all_kinds", TASKS, parameters=[{"name": "count", "type": "integer", "title": "How many"}])
    witness = Witness()
    run = project.run("all_kinds", parameters={"count": "3"}, reason="to see", observers=[witness])
    assert (run.status, run.exit_code, run.error) == (RunStatus.SUCCESSFUL, 0, None)
    assert (run.product, run.mode, run.reason, run.hosts) == ("all_kinds", RunMode.APPLY, "to see", ("h1", "h2"))
    assert run.parameters == {"count": 3}
    assert run.tasks == 7
    assert run.created_at <= run.queued_at <= run.started_at <= run.finished_at  # type: ignore[operator]
    assert len(run.content_digest) == len(run.product_digest) == 64
    expected = {"ok": 5, "changed": 1, "failed": 0, "skipped": 1, "rescued": 1, "ignored": 1}
    assert project.store.host_results(run.id) == [HostResult(host, **expected) for host in ("h1", "h2")]
    assert run.outcomes == {HostOutcome.CHANGED: 2}

    events = project.events(run)
    assert [event.counter for event in events] == list(range(1, len(events) + 1))
    assert events == witness.events
    assert witness.calls == ["started", "finished"]
    assert [e.task for e in events if e.kind == "runner_item_on_ok" and e.host == "h1"] == ["Loop", "Loop"]
    changed = [event for event in events if event.changed]
    assert {(event.host, event.task, event.data["res"]["stdout"]) for event in changed} == {
        ("h1", "Change", "changed"),
        ("h2", "Change", "changed"),
    }
    assert all(event.duration is not None for event in changed)
    assert [event.data.get("rescued") for event in events if event.task == "Fail" and event.host == "h1"] == [True]
    log = project.log(run)
    assert "TASK [Change]" in log
    assert "PLAY RECAP" in log
    assert "\r" not in log


def test_what_is_left_of_a_run_is_private_and_small(project: Project) -> None:
    project.product("quiet", [task("Say", "debug", arguments={"msg": "hello"})])
    run = project.run("quiet")
    assert run.folder is not None
    assert sorted(entry.name for entry in run.folder.iterdir()) == ["artifacts", "hosts", "inventory", "stdout.log"]
    for entry in (run.folder, *run.folder.rglob("*")):
        assert entry.stat().st_mode & 0o077 == 0, entry
    assert not list(Path("/dev/shm").glob(f"*{run.id}*"))


def test_a_playbook_can_leave_artifacts(project: Project) -> None:
    path = "{{ lookup('ansible.builtin.env', 'BEDPLATE_ARTIFACTS') }}/{{ inventory_hostname }}.txt"
    project.product("leaves", [task("Write", "copy", arguments={"dest": path, "content": "x", "mode": "0600"})])
    run = project.run("leaves")
    assert run.folder is not None
    assert sorted(file.name for file in (run.folder / "artifacts").iterdir()) == ["h1.txt", "h2.txt"]


def test_failed_outranks_unreachable(project: Project) -> None:
    gone = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    project.write_inventory({"h1": {}, "h2": gone, "h3": {}})
    project.product("fails", [task("Fail", "fail", arguments={"msg": "no"}, when="inventory_hostname == 'h1'")])
    run = project.run("fails")
    # A skipped task never connects, so another one has to.
    project.product("reach", [task("Reach", "ping"), *_failing_on("h1")])
    run = project.run("reach")
    assert (run.status, run.exit_code, run.error) == (RunStatus.FAILED, 5, "1 of 3 hosts failed")
    outcomes = {result.host: result.outcome for result in project.store.host_results(run.id)}
    assert outcomes == {"h1": HostOutcome.FAILED, "h2": HostOutcome.UNREACHABLE, "h3": HostOutcome.OK}
    again = repetition_of(project.store, run.id, failed_only=True)
    assert (list(again.hosts or ()), again.rerun_of) == (["h1", "h2"], run.id)
    run = project.run("reach", limit="h2,h3")
    assert (run.status, run.exit_code, run.error) == (RunStatus.FAILED, 4, "1 of 2 hosts could not be reached")


def _failing_on(host: str) -> list[dict[str, Any]]:
    return [task("Fail", "fail", arguments={"msg": "no"}, when=f"inventory_hostname == '{host}'")]


def test_a_playbook_that_ansible_cannot_read_is_no_host_s_fault(project: Project) -> None:
    project.product("broken", [task("Nonsense", "no_such_module", arguments={})])
    run = project.run("broken")
    assert (run.status, run.exit_code) == (RunStatus.FAILED, 9)
    assert run.error is not None
    assert "no_such_module" in run.error
    assert "\n" not in run.error
    assert {result.outcome for result in project.store.host_results(run.id)} == {HostOutcome.UNKNOWN}


def test_check_and_diff_reach_ansible(project: Project, tmp_path: Path) -> None:
    target = tmp_path / "target.txt"
    arguments = {"dest": str(target), "content": "new\n", "mode": "0600"}
    project.product("writes", [task("Write", "copy", arguments=arguments)])
    run = project.run("writes", check=True, diff=True, limit="h1")
    assert not target.exists()
    assert (run.mode, run.status, run.diff) == (RunMode.CHECK, RunStatus.SUCCESSFUL, True)
    (event,) = project.events(run, "runner_on_ok")
    assert event.changed
    assert event.data["res"]["diff"][0]["after"] == "new\n"


def test_only_the_run_s_hosts_are_touched_and_known(project: Project) -> None:
    project.product("names", [task("Say", "debug", arguments={"msg": "{{ ansible_play_hosts_all }}"})])
    run = project.run("names", limit="h2")
    assert run.hosts == ("h2",)
    assert {event.host for event in project.events(run, "runner_on_ok")} == {"h2"}


def test_the_frozen_inventory_is_what_ran(project: Project) -> None:
    project.write_inventory({"h1": {"greeting": "before"}})
    project.product("greets", [task("Say", "debug", arguments={"msg": "{{ greeting }}"})])
    prepared = project.prepare("greets")
    project.write_inventory({"h1": {"greeting": "after"}, "h9": {}})
    run = project.launcher.execute(prepared)
    (event,) = project.events(run, "runner_on_ok")
    assert event.data["res"]["msg"] == "before"


@pytest.mark.parametrize(
    ("targets", "limit", "message"),
    [
        ({"max_hosts": 1}, None, "at most 1 hosts at once, not on 2"),
        ({"max_percent": 60}, None, "1 of 2 hosts, not on 2"),
        ({"force_limit": "h1"}, "h2", "only on hosts of 'h1', not on h2"),
    ],
)
def test_guardrails_refuse(project: Project, targets: dict[str, Any], limit: str | None, message: str) -> None:
    project.product("bounded", [], targets=targets)
    with pytest.raises(RefusedError, match=message):
        project.prepare("bounded", limit=limit)
    assert not list(project.settings.runs_folder.glob("*"))


def test_a_forced_limit_cuts_and_says_so(project: Project) -> None:
    project.product("bounded", [], targets={"force_limit": "h1"})
    prepared = project.launcher.prepare(LaunchRequest("bounded", limit="all"))
    assert prepared.run.hosts == ("h1",)
    assert [warning for warning in prepared.warnings if "left out" in warning and "h2" in warning]
    unnamed = project.launcher.prepare(LaunchRequest("bounded"))
    assert not [warning for warning in unnamed.warnings if "left out" in warning]


def test_batches_that_the_playbook_does_not_know_of_refuse_the_product(project: Project) -> None:
    project.product("guarded", [], guardrails={"canary": 1, "max_fail_percent": 5})
    with pytest.raises(RefusedError, match="refused by batches: guarded promises canary, max_fail_percent"):
        project.prepare("guarded")


def test_a_product_past_its_sunset_is_refused(project: Project) -> None:
    project.product("old", [], lifecycle={"stage": "deprecated", "sunset": "2020-01-01", "replaced_by": "new"})
    with pytest.raises(RefusedError, match=r"since 2020-01-01 \(order new"):
        project.prepare("old")


def test_a_limit_that_matches_nothing_says_what_was_near(project: Project) -> None:
    project.write_inventory({"web-01": {}, "web-02": {}})
    project.product("any", [])
    with pytest.raises(NotFoundError, match="web-0"):
        project.prepare("any", limit="wep-01")


@pytest.mark.parametrize("limit", ["", "  "])
def test_an_empty_limit_is_not_the_whole_fleet(project: Project, limit: str) -> None:
    project.product("any", [])
    with pytest.raises(UsageError, match="the limit is empty"):
        project.prepare("any", limit=limit)


def test_a_state_folder_that_cannot_be_written_is_named(project: Project) -> None:
    project.product("any", [])
    prepared = project.launcher.prepare(LaunchRequest("any"))
    project.settings.runs_folder.parent.mkdir(parents=True, exist_ok=True)
    project.settings.runs_folder.write_text("in the way")
    with pytest.raises(EngineError, match=r"runs.*cannot be made"):
        project.launcher.accept(prepared)


def test_estimates_grow_with_experience(project: Project) -> None:
    project.product("any", [task("Say", "debug", arguments={"msg": "x"})])
    assert project.launcher.prepare(LaunchRequest("any")).expected is None
    run = project.run("any")
    assert run.duration is not None
    assert project.launcher.prepare(LaunchRequest("any")).expected == pytest.approx(run.duration.total_seconds())


def test_an_observer_that_fails_loses_no_event(project: Project) -> None:
    class Broken(Witness):
        def event(self, event: Event) -> None:
            raise BrokenPipeError(f"at {event.counter}")

    project.product("any", [task("Say", "debug", arguments={"msg": "x"})])
    prepared = project.prepare("any")
    with pytest.raises(BrokenPipeError, match="at 1"):
        project.launcher.execute(prepared, [Broken()])
    ended = project.store.get(prepared.run.id)
    assert ended.status is RunStatus.SUCCESSFUL
    assert len(project.events(ended, "runner_on_ok")) == 2


def test_the_person_s_ansible_settings_do_not_change_a_run(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ansible.cfg").write_text("[defaults]\nhost_key_checking = False\nstdout_callback = minimal\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANSIBLE_HOST_KEY_CHECKING", "False")
    monkeypatch.setenv("ANSIBLE_STDOUT_CALLBACK", "oneline")
    monkeypatch.setenv("ANSIBLE_INJECT_FACT_VARS", "True")
    monkeypatch.setenv("SOME_TOOL_TOKEN", "0123456789-canary")
    config = "{{ lookup('ansible.builtin.config', 'HOST_KEY_CHECKING') }}"
    token = "{{ lookup('ansible.builtin.env', 'SOME_TOOL_TOKEN') | length }}"
    project.product("config", [task("Say", "debug", arguments={"msg": f"{config} {token}"})])
    run = project.run("config", limit="h1")
    (event,) = project.events(run, "runner_on_ok")
    assert event.data["res"]["msg"] == "True 17"
    assert "PLAY RECAP" in project.log(run)


def test_ten_thousand_events_are_all_there(project: Project) -> None:
    project.write_inventory({"h1": {}})
    loop = task("Many", "debug", arguments={"msg": "{{ item }}"}, loop="{{ range(10000) | list }}")
    project.product("many", [loop])
    run = project.run("many")
    items = project.events(run, "runner_item_on_ok")
    assert [event.data["res"]["msg"] for event in items] == list(range(10000))
    assert json.loads(json.dumps(run.outcomes)) == {"ok": 1}
