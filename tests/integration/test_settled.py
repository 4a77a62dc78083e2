"""Hosts that a look finds as they were sealed are left alone by the next run; everything else is run as ever."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bedplate.drift.capture import Capture, Identity
from bedplate.drift.managed import Resource
from bedplate.drift.seal import Intent, Managed, Seal
from bedplate.execution.digest import digest_is_whole
from bedplate.execution.executor import StopControl
from bedplate.execution.inventory import InventoryAdapter
from bedplate.launch.request import PreparedRun
from bedplate.launch.sealing import intents
from bedplate.launch.settling import Settling, is_as_sealed
from bedplate.launch.templating import looks_elsewhere
from bedplate.runs import EventQuery, HostOutcome, HostResult, Run, RunQuery, RunStatus
from integration.command_line import Said, bedplate
from integration.execution_project import Project, task

Command = Callable[..., Said]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A product that writes one file a host; looks see that and nothing else of this machine, which is in use."""
    project = Project(tmp_path, hosts=2)
    project.product(
        "drift_check",
        [task("Look", "bedplate.datacenter.seal", arguments={"watch": False})],
        guardrails={"exclusive": False},
    )
    (tmp_path / "files").mkdir()
    write_hosts(project)
    write_product(project)
    return project


def write_hosts(project: Project, **more: Any) -> None:
    files = project.folder / "files"
    project.write_inventory({host: {"file": str(files / host), **more} for host in ("h1", "h2")})


def write_product(project: Project, *more: Any) -> None:
    arguments = {"dest": "{{ file }}", "content": "one\n", "mode": "0644"}
    project.product("baseline", [task("Write it", "copy", arguments=arguments), *more])


@pytest.fixture
def said(project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs `bedplate` on the project in this process."""
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)
    return lambda *words: bedplate(capsys, "-i", project.inventory, *words)


def ran(project: Project, said: Command, *options: str) -> dict[str, HostOutcome]:
    """Run the product and return what became of each host."""
    answer = said("run", "baseline", "-o", "json", *options)
    assert answer.code == 0, answer.err
    run = json.loads(answer.out)["id"]
    return {one.host: one.outcome for one in project.store.host_results(run)}


def runs_of(project: Project, product: str) -> list[Run]:
    return project.store.find(RunQuery(product=product))


BOTH_OK = {"h1": HostOutcome.OK, "h2": HostOutcome.OK}
BOTH_SKIPPED = {"h1": HostOutcome.SKIPPED, "h2": HostOutcome.SKIPPED}


def test_a_host_that_is_as_it_was_sealed_is_left_alone(project: Project, said: Command) -> None:
    assert ran(project, said) == {"h1": HostOutcome.CHANGED, "h2": HostOutcome.CHANGED}
    again = said("run", "baseline")
    assert again.code == 0
    assert "Nothing to do on 2 of 2 hosts: they are as they were sealed" in again.err
    assert "Sealing" not in again.err
    run, first = runs_of(project, "baseline")
    assert (run.status, run.tasks, dict(run.outcomes)) == (RunStatus.SUCCESSFUL, 0, {HostOutcome.SKIPPED: 2})
    events = list(project.store.events(run.id, EventQuery()))
    assert [(event.counter, event.host, event.kind) for event in events] == [
        (1, "h1", "runner_on_skipped"),
        (2, "h2", "runner_on_skipped"),
    ]
    assert f"as it was sealed after run {first.id}" in events[0].stdout
    assert said("runs", "logs", run.id).out == "".join(f"{event.stdout}\n" for event in events)
    assert runs_of(project, "drift_check")[0].reason == f"whether run {run.id} has anything to do"
    assert ran(project, said, "-l", "h2") == {"h2": HostOutcome.SKIPPED}, "what was left alone twice is no worse"


def test_what_drifted_is_brought_back_and_the_rest_is_left_alone(project: Project, said: Command) -> None:
    ran(project, said)
    file = project.folder / "files" / "h2"
    file.write_text("two\n", encoding="utf-8")
    assert ran(project, said) == {"h1": HostOutcome.SKIPPED, "h2": HostOutcome.CHANGED}
    assert file.read_text(encoding="utf-8") == "one\n"
    events = list(project.store.events(runs_of(project, "baseline")[0].id, EventQuery()))
    counters = [event.counter for event in events]
    assert (counters[0], counters) == (1, sorted(set(counters)))
    assert {event.host for event in events} == {None, "h1", "h2"}
    assert len([event for event in events if event.host == "h1"]) == 1
    log = said("runs", "logs", runs_of(project, "baseline")[0].id).out
    assert log.index("skipping: [h1] => as it was sealed") < log.index("changed: [h2]")
    assert ran(project, said) == BOTH_SKIPPED


def test_who_wants_it_all_gets_it_all(project: Project, said: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    ran(project, said)
    assert ran(project, said, "--no-look") == BOTH_OK
    assert ran(project, said, "--check") == BOTH_OK
    monkeypatch.setenv("BEDPLATE_DRIFT_SETTLED_HOURS", "0")
    assert ran(project, said) == BOTH_OK
    monkeypatch.setenv("BEDPLATE_DRIFT_SETTLED_HOURS", "0.000001")
    assert ran(project, said) == BOTH_OK, "the last run is too long ago"
    monkeypatch.delenv("BEDPLATE_DRIFT_SETTLED_HOURS")
    assert ran(project, said) == BOTH_SKIPPED


@pytest.mark.parametrize("what", ["variables", "content", "elsewhere"])
def test_where_something_else_may_be_meant_nobody_looks(project: Project, said: Command, what: str) -> None:
    if what == "elsewhere":
        write_hosts(project, key="{{ lookup('ansible.builtin.file', inventory_dir ~ '/key.pub', errors='ignore') }}")
    ran(project, said)
    looks = len(runs_of(project, "drift_check"))
    if what == "variables":
        write_hosts(project, more="x")
    elif what == "content":
        (project.root / "roles" / "new").mkdir()
        (project.root / "roles" / "new" / "file").write_text("x", encoding="utf-8")
    assert ran(project, said) == BOTH_OK
    assert len(runs_of(project, "drift_check")) == looks + 1, "only to seal"


def test_what_nobody_can_seal_is_run_again(project: Project, said: Command) -> None:
    write_product(project, task("Do it", "command", arguments="/bin/true"))
    ran(project, said)
    assert ran(project, said) == {"h1": HostOutcome.CHANGED, "h2": HostOutcome.CHANGED}


def test_a_task_says_itself_what_nobody_could_tell(project: Project, said: Command) -> None:
    secret = project.folder / "files" / "secret"
    hidden = task("Hide it", "copy", arguments={"dest": str(secret), "content": "x\n", "mode": "0600"})
    hidden |= {"no_log": True, "vars": {"bedplate_manages": [f"file:{secret}"]}}
    done = task("Do it", "command", arguments="/bin/true") | {"vars": {"bedplate_manages": []}}
    write_product(project, hidden, done)
    ran(project, said)
    assert ran(project, said) == BOTH_SKIPPED
    secret.write_text("y\n", encoding="utf-8")
    assert ran(project, said) == {"h1": HostOutcome.CHANGED, "h2": HostOutcome.CHANGED}
    assert secret.read_text(encoding="utf-8") == "x\n"


def test_what_a_run_left_half_done_is_run_again(project: Project, said: Command) -> None:
    ran(project, said)
    ran(project, said, "--no-look")
    last = runs_of(project, "baseline")[0]
    project.store.put_host_results(last.id, [HostResult("h1", ok=1, failed=1)])
    assert ran(project, said) == {"h1": HostOutcome.OK, "h2": HostOutcome.SKIPPED}


def test_what_a_run_told_that_did_not_go_to_its_end_proves_nothing(project: Project, said: Command) -> None:
    groups = "role_observer:\n  hosts:\n    h1:\n"
    (project.inventory / "groups.yml").write_text(groups, encoding="utf-8")
    ran(project, said)
    ran(project, said, "--no-look", "-l", "h1")
    last = runs_of(project, "baseline")[0]
    project.store.update(last.id, status=RunStatus.EXPIRED)
    assert [one.outcome for one in project.store.host_results(last.id)] == [HostOutcome.OK], "as far as it came"
    assert ran(project, said, "-l", "h2") == {"h2": HostOutcome.OK}, "its observer may be another one"
    assert ran(project, said) == BOTH_OK
    assert ran(project, said) == BOTH_SKIPPED


def write_observers(project: Project, *, hosts: tuple[str, ...] = ("h1", "h2"), **more: Any) -> str:
    """Have h1 know all hosts, by the baseline and by the product observe; return the file where it does."""
    files = project.folder / "files"
    project.write_inventory({host: {"file": str(files / host)} for host in hosts})
    variables = "".join(f"      {name}: {value}\n" for name, value in more.items())
    groups = f"role_observer:\n  hosts:\n    h1:\n{variables}"
    (project.inventory / "groups.yml").write_text(groups, encoding="utf-8")
    fleet = {"dest": str(files / "fleet"), "content": "{{ groups['all'] | join(' ') }}", "mode": "0644"}
    knows = task("Write the fleet", "copy", arguments=fleet, when="inventory_hostname in groups['role_observer']")
    write_product(project, knows)
    project.product("observe", [knows])
    return str(files / "fleet")


def test_an_observer_that_was_told_of_a_new_host_is_left_alone(project: Project, said: Command) -> None:
    fleet = write_observers(project)
    ran(project, said)
    assert ran(project, said) == BOTH_SKIPPED
    write_observers(project, hosts=("h1", "h2", "h3"))
    (check,) = json.loads(said("drift", "check", "-l", "h1", "--escalate", "0", "-o", "json").out)["hosts"]
    assert (check["outcome"], "of the fleet changed" in check["reason"]) == ("stale", True)
    assert said("run", "observe", "--check", "-l", "h1").code == 0
    assert Path(fleet).read_text(encoding="utf-8") == "h1 h2", "a check takes nothing over"
    told = said("run", "observe", "-l", "h1")
    assert "wrote (drift.renew_after): 1" in told.err
    assert said("drift", "check", "-l", "h1").code == 0
    looks = len(runs_of(project, "drift_check"))
    assert said("run", "observe", "-l", "h1").code == 0
    assert len(runs_of(project, "drift_check")) == looks, "there is nothing to take over"
    assert ran(project, said) == {**BOTH_SKIPPED, "h3": HostOutcome.CHANGED}
    assert Path(fleet).read_text(encoding="utf-8") == "h1 h2 h3"


def test_what_else_an_observer_has_otherwise_stays_drift(project: Project, said: Command) -> None:
    write_observers(project)
    ran(project, said)
    file = project.folder / "files" / "h1"
    file.write_text("two\n", encoding="utf-8")
    write_observers(project, hosts=("h1", "h2", "h3"))
    assert said("run", "observe", "-l", "h1").code == 0
    found = said("drift", "check", "-l", "h1", "-o", "json")
    assert found.code == 6
    assert [(one["key"], one["attribute"]) for one in json.loads(found.out)["open"]] == [(str(file), "content")]


def test_an_observer_that_is_to_be_otherwise_itself_is_run(project: Project, said: Command) -> None:
    write_observers(project)
    ran(project, said)
    write_observers(project, hosts=("h1", "h2", "h3"), more="x")
    assert "wrote (drift.renew_after): 1" in said("run", "observe", "-l", "h1").err
    (check,) = json.loads(said("drift", "check", "-l", "h1", "--escalate", "0", "-o", "json").out)["hosts"]
    assert check["outcome"] == "stale"
    outcomes = ran(project, said, "-l", "h1,h2")
    assert outcomes == BOTH_OK


def test_what_a_process_did_not_come_to_take_over_is_taken_over_by_the_next_run(
    project: Project, said: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_observers(project)
    ran(project, said)
    write_observers(project, hosts=("h1", "h2", "h3"))
    monkeypatch.setenv("BEDPLATE_DRIFT_RENEW_AFTER", "")
    assert "drift.renew_after" not in said("run", "observe", "-l", "h1").err
    monkeypatch.delenv("BEDPLATE_DRIFT_RENEW_AFTER")
    assert "wrote (drift.renew_after): 1" in said("run", "observe", "-l", "h1").err
    assert said("drift", "check", "-l", "h1").code == 0


def test_where_an_observer_has_something_to_do_all_are_run(project: Project, said: Command) -> None:
    groups = "role_observer:\n  hosts:\n    h1:\n"
    (project.inventory / "groups.yml").write_text(groups, encoding="utf-8")
    ran(project, said)
    assert ran(project, said) == BOTH_SKIPPED
    (project.folder / "files" / "h1").write_text("two\n", encoding="utf-8")
    assert ran(project, said) == {"h1": HostOutcome.CHANGED, "h2": HostOutcome.OK}
    assert ran(project, said) == BOTH_SKIPPED
    (project.folder / "files" / "h1").write_text("two\n", encoding="utf-8")
    assert ran(project, said, "-l", "h1") == {"h1": HostOutcome.CHANGED}
    assert ran(project, said, "-l", "h2") == {"h2": HostOutcome.OK}, "its observer was changed since"
    assert ran(project, said) == BOTH_SKIPPED


def test_an_observer_counts_also_where_the_run_does_not_ask_for_it(project: Project, said: Command) -> None:
    groups = "role_observer:\n  hosts:\n    h1:\n"
    (project.inventory / "groups.yml").write_text(groups, encoding="utf-8")
    ran(project, said)
    assert ran(project, said, "-l", "h2") == {"h2": HostOutcome.SKIPPED}
    (project.folder / "files" / "h1").write_text("two\n", encoding="utf-8")
    assert ran(project, said, "-l", "h2") == {"h2": HostOutcome.OK}, "somebody changed its observer by hand"
    (project.folder / "files" / "h1").write_text("one\n", encoding="utf-8")
    assert ran(project, said, "-l", "h2") == {"h2": HostOutcome.SKIPPED}
    project.prepare("baseline", limit="h1")
    assert ran(project, said, "-l", "h2") == {"h2": HostOutcome.OK}, "nobody knows what that run did to its observer"


def test_where_an_observer_was_sealed_anew_the_others_are_run_once(project: Project, said: Command) -> None:
    groups = "role_observer:\n  hosts:\n    h1:\n"
    (project.inventory / "groups.yml").write_text(groups, encoding="utf-8")
    absent = task("Leave it", "file", arguments={"path": "{{ file }}-key", "mode": "0600", "state": "file"})
    write_product(project, absent)
    for host in ("h1", "h2"):
        (project.folder / "files" / f"{host}-key").write_text("x", encoding="utf-8")
        (project.folder / "files" / f"{host}-key").chmod(0o600)
    ran(project, said)
    # As when another product, or somebody, gave it a new key: the product itself finds nothing to do.
    (project.folder / "files" / "h1-key").chmod(0o640)
    (project.folder / "files" / "h1-key").unlink()
    (project.folder / "files" / "h1-key").symlink_to("h2-key")
    assert ran(project, said, "-l", "h1")["h1"] in {HostOutcome.OK, HostOutcome.CHANGED}
    assert ran(project, said, "-l", "h2") == {"h2": HostOutcome.OK}
    assert ran(project, said, "-l", "h2") == {"h2": HostOutcome.SKIPPED}


def test_what_a_seal_by_hand_accepted_is_brought_back(project: Project, said: Command) -> None:
    ran(project, said)
    assert "unchanged" in said("drift", "seal").out
    assert ran(project, said) == BOTH_SKIPPED, "it says what that of the run said"
    file = project.folder / "files" / "h2"
    file.write_text("two\n", encoding="utf-8")
    assert said("drift", "seal").code == 0
    assert ran(project, said) == {"h1": HostOutcome.SKIPPED, "h2": HostOutcome.CHANGED}
    assert file.read_text(encoding="utf-8") == "one\n"
    assert ran(project, said) == BOTH_SKIPPED


def test_an_inventory_that_changes_while_a_run_goes_on_is_applied_by_the_next(project: Project, said: Command) -> None:
    later = {"dest": str(project.inventory / "later.yml"), "content": "all:\n  vars:\n    word: two\n", "mode": "0644"}
    changes = task("Change the inventory", "copy", arguments=later, vars={"bedplate_manages": []})
    written = {"dest": "{{ file }}-word", "content": "{{ word | default('one') }}", "mode": "0644"}
    write_product(project, task("Write the word", "copy", arguments=written), changes)
    ran(project, said)
    assert ran(project, said) == {"h1": HostOutcome.CHANGED, "h2": HostOutcome.CHANGED}
    assert (project.folder / "files" / "h1-word").read_text(encoding="utf-8") == "two"
    assert ran(project, said) == BOTH_SKIPPED


def test_what_was_made_with_other_answers_is_made_anew(project: Project, said: Command) -> None:
    arguments = {"dest": "{{ file }}", "content": "{{ word | default('one') }}", "mode": "0644"}
    parameters = [{"name": "word", "title": "Word", "type": "string"}]
    project.product("baseline", [task("Write it", "copy", arguments=arguments)], parameters=parameters)
    ran(project, said)
    assert ran(project, said, "-p", "word=two") == {"h1": HostOutcome.CHANGED, "h2": HostOutcome.CHANGED}
    assert ran(project, said) == {"h1": HostOutcome.CHANGED, "h2": HostOutcome.CHANGED}
    assert ran(project, said) == BOTH_SKIPPED


@pytest.mark.parametrize("name", [".bashrc", "file.orig", "link", "folder"])
def test_a_digest_does_not_tell_of_all_content(project: Project, name: str) -> None:
    files = project.root / "roles" / "new" / "files"
    (files / "__pycache__").mkdir(parents=True)
    for known in ("file", "module.pyc"):
        (files / known).write_text("x", encoding="utf-8")
    assert digest_is_whole(project.content)
    if name in {"link", "folder"}:
        (files / name).symlink_to(project.folder if name == "folder" else project.inventory / "hosts.yml")
    else:
        (files / name).write_text("x", encoding="utf-8")
    assert not digest_is_whole(project.content)


def test_what_others_are_told_of_a_host_is_part_of_what_is_meant(project: Project) -> None:
    def meant() -> Intent:
        adapter = InventoryAdapter(project.content, project.settings, project.inventory)
        return intents(adapter, ["h2"], "content")["h2"]

    groups = project.inventory / "groups.yml"
    found = []
    for variables in ("", "ansible_host: 192.0.2.1", "ansible_host: 192.0.2.2", "ansible_port: 2222"):
        groups.write_text(f"role_observer:\n  hosts:\n    h1: {{{variables}}}\n", encoding="utf-8")
        found.append(meant())
    (project.root / "galaxy.yml").unlink()
    (project.root / "galaxy.yml").write_text("version: 99.0.0\n", encoding="utf-8")
    found.append(meant())
    assert len(set(found)) == len(found)
    groups.write_text("role_observer:\n  hosts:\n    h1: {ansible_port: 2222, ansible_user: kim}\n", encoding="utf-8")
    assert meant() == found[-1], "who Ansible comes in as is nobody's matter"


def test_what_could_not_be_read_is_not_as_it_was_sealed() -> None:
    whole = {"file": {"/x": {"presence": "present", "type": "file", "content": "1"}}}
    part = {"file": {"/x": {"presence": "present", "type": "file"}}}
    lost = {"file": {"/x": {**whole["file"]["/x"], "mode": "0644"}}}
    resources = Managed([Resource("file", "/x")])
    for sealed, found, settled in (
        (whole, whole, True),
        (part, part, False),
        (lost, whole, False),
        (whole, lost, False),
    ):
        captures = [Capture(Identity("m"), int(time.time()), "b", states) for states in (sealed, found)]
        looked = SimpleNamespace(of=lambda _host, capture=captures[1]: capture)
        seal = Seal("h", datetime.now(UTC), Intent(), captures[0], resources)
        assert is_as_sealed(seal, looked) is settled  # type: ignore[arg-type]


def test_a_clock_that_is_far_off_is_no_detail() -> None:
    now = int(time.time())

    class Looked:
        def __init__(self, taken_at: int) -> None:
            self.capture = Capture(Identity("m"), taken_at=taken_at, boot_id="b")

        def of(self, _host: str) -> Capture:
            return self.capture

    seal = Seal("h", datetime.now(UTC), Intent(), Looked(now).capture)
    for taken_at, settled in ((now, True), (now - 86400 * 365, False), (now + 86400 * 365, False)):
        assert is_as_sealed(seal, Looked(taken_at)) is settled  # type: ignore[arg-type]


def test_a_look_that_cannot_be_made_is_said_and_all_is_run(project: Project, said: Command) -> None:
    ran(project, said)
    manifest = project.root / "playbooks" / "products" / "drift_check.yml"
    # The content is the same as when it was sealed, and nobody can be asked.
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("stage: ga", "stage: retired"), encoding="utf-8")
    answer = said("run", "baseline", "-o", "json")
    assert answer.code == 0
    assert "Nothing to do" not in answer.err


def test_a_run_that_is_stopped_while_it_looks_does_nothing(project: Project, said: Command) -> None:
    ran(project, said)
    (project.folder / "files" / "h1").write_text("two\n", encoding="utf-8")

    def look(_prepared: object, control: StopControl) -> dict[str, str]:
        control.stop()
        return {}

    ended = project.launcher.execute(project.prepare("baseline"), look=look)
    assert (ended.status, ended.exit_code) == (RunStatus.CANCELED, 8)
    assert (project.folder / "files" / "h1").read_text(encoding="utf-8") == "two\n"
    assert ran(project, said) == {"h1": HostOutcome.CHANGED, "h2": HostOutcome.OK}, (
        "a run that was stopped proves nothing"
    )


def test_who_stops_a_run_while_it_looks_is_told_of_nothing_else(
    project: Project, said: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def settled(_self: Settling, prepared: PreparedRun) -> dict[str, str]:
        os.kill(os.getpid(), signal.SIGINT)
        return dict.fromkeys(prepared.run.hosts, "as it was")

    monkeypatch.setattr(Settling, "settled", settled)
    answer = said("run", "baseline")
    assert answer.code == 8
    assert "Nothing to do" not in answer.err
    assert "canceled: no hosts" in answer.out
    assert not (project.folder / "files" / "h1").exists()


@pytest.mark.parametrize(
    ("value", "elsewhere"),
    [
        ("lookup('file', 'x')", False),
        ("{{ lookup('file', 'x') }}", True),
        ("{{query ('ansible.builtin.url', 'x')}}", True),
        ("{% for x in q('lines', 'date') %}{% endfor %}", True),
        ("{{ now(utc=true) }}", True),
        ("{{ ansible_date_time.epoch }}", True),
        ("{{ [1, 2] | random }}", True),
        ("{{ groups['x'] | map('extract', hostvars) | list }}", True),
        ("{{ hostvars['h2'].key }}", True),
        ("{{ vars['x'] }}", True),
        ("{{ group_names | join }}", True),
        ("{{ ansible_facts.memtotal_mb }}", True),
        ("{{ ansible_play_hosts }}", True),
        ("{{ ansible_host ~ ':' ~ x.y[0] | default(1) }}", False),
        ("{{ '/etc/passwd' is file }}", True),
        ("{{ x is not ansible.builtin.defined or y is none }}", False),
        ("{{ '/srv/*' | fileglob }}", True),
        ("{{ ['/srv/*'] | map('ansible.builtin.fileglob') | list }}", True),
        ("{{ x | map(y) | list }}", True),
        ("{{ x | map(attribute='y') | map('upper') | select('match', '^a') | list }}", False),
        ("{{ x | selectattr('y', 'exists') | list }}", True),
        ("{{ x | selectattr('y') | rejectattr('z', 'equalto', 1) | list }}", False),
        ("{{ 'x' | password_hash }}", True),
        ("{{ '%Y' | strftime }}", True),
        ("{{ '$TOKEN' | expandvars }}", True),
        ("{% include 'x' %}", True),
        ("{% set f = lookup %}{{ f('file', 'x') }}", True),
        ("{{ (lookup)('file', 'x') }}", True),
        ("{{ lookup(x, 'HOME') }}", True),
        ("{{ lookup() }}", True),
        ("{{ lookup('env', *x) }}", True),
        ("{{ x.split(',') | first }}{% if y.items() %}1{% endif %}", False),
        ("it's {{ lookup('file', 'x') }} isn't it", True),
        ("{{ bedplate_run.id }}", True),
        ("{{ not a template", True),
        ({"{{ now() }}": 1}, True),
        ("{{ lookup('ansible.builtin.env', 'HOME') or lookup('env', 'XDG_STATE_HOME') }}", False),
        ("{{ lookup('ansible.builtin.env', 'TOKEN') }}", True),
        ("{{ lookup('env', 'HOME') ~ lookup('file', 'x') }}", True),
        ({"a": [{"b": "{{ lookup('file', 'x') }}"}]}, True),
        ({"a": [1, None, "{{ x }}"]}, False),
    ],
)
def test_templates_that_may_say_something_else_tomorrow(value: Any, elsewhere: bool) -> None:
    assert looks_elsewhere(value) is elsewhere


def test_what_a_task_does_to_its_own_host_counts_however_it_says_so(project: Project, said: Command) -> None:
    arguments = {"dest": "{{ file }}", "content": "one\n", "mode": "0644"}
    project.product("baseline", [task("Write it", "copy", arguments=arguments) | {"delegate_to": "h1"}])
    ran(project, said)
    for host in ("h1", "h2"):
        (project.folder / "files" / host).write_text("two\n", encoding="utf-8")
    assert ran(project, said) == {"h1": HostOutcome.CHANGED, "h2": HostOutcome.SKIPPED}, "h2 did it to another"
