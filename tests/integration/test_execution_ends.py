"""Runs that do not end by themselves: stopped, killed, left alone, without a store, without room, without trust."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bedplate.execution import recorder as recorder_module
from bedplate.execution.executor import StopControl
from bedplate.runs import Event, HostOutcome, Run, RunQuery, RunStatus
from integration.execution_project import Project, processes_with, task, wait_for
from integration.ssh_servers import make_key, ssh_server

# However slow the machine is, a nap lasts until the run was asked to stop, or until the test lets it end.
ASLEEP = 'for i in $(seq 2400); do test -e "$BEDPLATE_STOP_FILE" -o -e {{ go }} && break; sleep 0.1; done'
NAP = task(
    "Nap {{ inventory_hostname }}", "shell", arguments=f"echo x >> {{{{ begun }}}}; {ASLEEP}; echo x >> {{{{ ended }}}}"
)
AFTER = task("After", "shell", arguments="echo x >> {{ after }}")


class When:
    """Does something as soon as an event of a kind comes."""

    def __init__(self, kind: str, task_name: str, act: object) -> None:
        self._wanted = (kind, task_name)
        self._act = act

    def started(self, _run: Run) -> None:
        pass

    def event(self, event: Event) -> None:
        if (event.kind, event.task) == self._wanted:
            self._act()  # type: ignore[operator]

    def finished(self, _outcome: object) -> None:
        pass


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    handler = {**AFTER, "name": "Handler"}
    tasks = [
        {**NAP, "notify": "Handler"},
        {"name": "Block", "block": [AFTER], "always": [{**AFTER, "name": "Always"}]},
    ]
    project.product("naps", tasks, play={"vars": _places(tmp_path), "handlers": [handler]})
    return project


def _places(folder: Path) -> dict[str, str]:
    return {name: str(folder / name) for name in ("begun", "ended", "after", "go")}


def _lines(file: Path) -> int:
    return len(file.read_text().splitlines()) if file.exists() else 0


def _stop_when(folder: Path, begun: int, control: StopControl) -> threading.Thread:
    """Stop from another thread as soon as so many naps have begun."""

    def wait_and_stop() -> None:
        wait_for(lambda: _lines(folder / "begun") == begun, "naps")
        control.stop()

    thread = threading.Thread(target=wait_and_stop)
    thread.start()
    return thread


def test_a_stop_lets_the_tasks_under_way_end_and_starts_no_other(project: Project, tmp_path: Path) -> None:
    control = StopControl()
    stopper = _stop_when(tmp_path, 2, control)
    run = project.run("naps", control=control)
    stopper.join()
    assert (run.status, run.exit_code) == (RunStatus.CANCELED, 8)
    assert run.error == "stopped before the task After"
    assert _lines(tmp_path / "ended") == 2
    assert not (tmp_path / "after").exists()
    assert "PLAY RECAP" in project.log(run)
    assert {result.changed for result in project.store.host_results(run.id)} == {1}


def test_hosts_that_had_not_begun_the_task_skip_it(project: Project, tmp_path: Path) -> None:
    project.write_inventory({f"h{number}": {} for number in range(1, 6)})
    control = StopControl()
    settings = project.settings.execution
    object.__setattr__(settings, "forks", 1)
    stopper = _stop_when(tmp_path, 1, control)
    run = project.run("naps", control=control)
    stopper.join()
    assert run.status is RunStatus.CANCELED
    assert _lines(tmp_path / "begun") == _lines(tmp_path / "ended") <= 2
    results = {result.host: result.outcome for result in project.store.host_results(run.id)}
    assert results["h5"] is HostOutcome.SKIPPED


@pytest.mark.parametrize("strategy", ["free", "host_pinned"])
def test_a_stop_works_with_other_strategies(project: Project, tmp_path: Path, strategy: str) -> None:
    project.product("free", [NAP, AFTER], play={"vars": _places(tmp_path), "strategy": f"ansible.builtin.{strategy}"})
    control = StopControl()
    stopper = _stop_when(tmp_path, 2, control)
    run = project.run("free", control=control)
    stopper.join()
    assert run.status is RunStatus.CANCELED
    assert _lines(tmp_path / "ended") == 2
    assert not (tmp_path / "after").exists()


def test_a_stop_that_comes_too_late_changes_nothing(project: Project) -> None:
    control = StopControl()
    project.product(
        "short", [task("Last", "debug", arguments={"msg": "x"})], play={"strategy": "ansible.builtin.linear"}
    )
    run = project.run("short", control=control, observers=[When("playbook_on_stats", "", control.stop)])
    assert (run.status, run.exit_code) == (RunStatus.SUCCESSFUL, 0)


def test_ctrl_c_stops_and_a_second_one_kills(project: Project, tmp_path: Path) -> None:
    project.product("long", [task("Nap", "shell", arguments=f"echo x >> {tmp_path}/begun; sleep 600")])
    process = project.start("run", "long")
    wait_for(lambda: _lines(tmp_path / "begun") == 2, "naps")
    process.send_signal(signal.SIGINT)
    wait_for(lambda: list(project.settings.runs_folder.glob("*/stop")), "the stop")
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 8, output
    wait_for(lambda: not processes_with(f"{tmp_path}/begun"), "the end of the naps")
    (shown,) = project.document("runs", "list")
    assert shown["status"] == "canceled"
    assert "killed" in shown["error"]


def test_runs_cancel_stops_from_elsewhere(project: Project, tmp_path: Path) -> None:
    process = project.start("run", "naps")
    wait_for(lambda: _lines(tmp_path / "begun") == 2, "naps")
    (shown,) = project.document("runs", "list")
    assert project.bedplate("runs", "cancel", shown["id"]).returncode == 0
    process.communicate(timeout=240)
    assert process.returncode == 8
    assert not (tmp_path / "after").exists()
    assert project.bedplate("runs", "cancel", shown["id"]).returncode == 2


def test_a_request_in_the_store_alone_stops_a_run(project: Project, tmp_path: Path) -> None:
    prepared = project.prepare("naps")

    def ask() -> None:
        wait_for(lambda: _lines(tmp_path / "begun") == 2, "naps")
        project.store.request_stop(prepared.run.id, prepared.run.created_at)

    asker = threading.Thread(target=ask)
    asker.start()
    ended = project.launcher.execute(prepared)
    asker.join()
    assert ended.status is RunStatus.CANCELED
    assert not (tmp_path / "after").exists()


def test_a_detached_run_goes_on_and_is_waited_for(project: Project, tmp_path: Path) -> None:
    secret = [{"name": "token", "type": "secret", "title": "Token", "required": True}]
    project.product("shows", [task("Say", "debug", arguments={"msg": "{{ token | length }}"})], parameters=secret)
    answers = tmp_path / "answers.yml"
    answers.write_text("token: kanarienvogel-42\n")
    done = project.bedplate("run", "shows", "--params-file", str(answers), "--detach", "-o", "json")
    assert done.returncode == 0, done.stderr
    (shown,) = project.document("runs", "list")
    waited = project.bedplate("runs", "wait", shown["id"])
    assert waited.returncode == 0, waited.stdout + waited.stderr
    run = project.store.get(shown["id"])
    assert {event.data["res"]["msg"] for event in project.events(run, "runner_on_ok")} == {16}
    assert run.folder is not None
    assert (run.folder / "detached.log").read_text() == ""


def test_a_detached_run_that_is_killed_expires(project: Project, tmp_path: Path) -> None:
    project.product("long", [task("Nap", "shell", arguments=f"echo x >> {tmp_path}/begun; sleep 600")])
    assert project.bedplate("run", "long", "--detach").returncode == 0
    wait_for(lambda: _lines(tmp_path / "begun") == 2, "naps")
    (run,) = wait_for(lambda: project.store.find(RunQuery(statuses=(RunStatus.RUNNING,))), "the run in the store")
    assert run.pid is not None
    os.kill(run.pid, signal.SIGKILL)
    wait_for(lambda: not processes_with(f"{tmp_path}/begun"), "the end of the naps")
    done = project.bedplate("runs", "wait", run.id)
    assert done.returncode == 9
    assert project.store.get(run.id).status is RunStatus.EXPIRED


def test_a_store_that_is_locked_or_gone_does_not_stop_a_run(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "_RETRY", 0.5)
    monkeypatch.setenv("BEDPLATE_STORE_BUSY_TIMEOUT", "0.2")
    project.settings.__dict__["store"] = project.settings.store.__class__(busy_timeout=0.2)
    loop = task("Many", "debug", arguments={"msg": "{{ item }}"}, loop="{{ range(300) | list }}")
    project.product("many", [task("First", "debug", arguments={"msg": 0}), loop, loop, loop])
    prepared = project.prepare("many")
    lock = sqlite3.connect(project.home / "bedplate.db", check_same_thread=False, isolation_level=None)
    held = When("runner_on_ok", "First", lambda: lock.in_transaction or lock.execute("BEGIN EXCLUSIVE"))
    ended = project.launcher.execute(prepared, [held, _Release(lock)])
    lock.close()
    assert ended.status is RunStatus.SUCCESSFUL
    run = project.store.get(ended.id)
    assert run.status is RunStatus.SUCCESSFUL
    assert len(project.events(run, "runner_item_on_ok")) == 1800
    assert [event.counter for event in project.events(run)] == list(range(1, len(project.events(run)) + 1))
    assert not list((project.home / "spool").iterdir())


class _Release:
    """Unlocks the store when the run has ended."""

    def __init__(self, lock: sqlite3.Connection) -> None:
        self._lock = lock

    def started(self, _run: Run) -> None:
        pass

    def event(self, _event: Event) -> None:
        pass

    def finished(self, _outcome: object) -> None:
        self._lock.execute("ROLLBACK")


def test_what_could_not_be_stored_is_written_by_the_next_command(project: Project, tmp_path: Path) -> None:
    process = project.start("run", "naps")
    wait_for(lambda: _lines(tmp_path / "begun") == 2, "naps")
    lock = sqlite3.connect(project.home / "bedplate.db", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    (tmp_path / "go").touch()
    output, _ = process.communicate(timeout=240)
    lock.execute("ROLLBACK")
    lock.close()
    assert process.returncode == 0, output
    done = project.bedplate("runs", "list", "-o", "json")
    assert "in the store now" in done.stderr
    run = project.store.find(RunQuery())[0]
    assert (run.status, run.exit_code) == (RunStatus.SUCCESSFUL, 0)
    assert [event.counter for event in project.events(run)] == list(range(1, len(project.events(run)) + 1))
    assert {result.outcome for result in project.store.host_results(run.id)} == {HostOutcome.CHANGED}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        if os.environ.get("CI"):
            pytest.fail("mounting a small disk needs root")
        pytest.skip("mounting a small disk needs root")
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"cannot mount a small disk: {done.stderr}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_does_not_stop_a_run(project: Project, small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "_RETRY", 0.5)
    project.home = small_disk / "home"
    project.product(
        "many",
        [
            task("First", "debug", arguments={"msg": 0}),
            task("Many", "debug", arguments={"msg": "{{ item }}"}, loop="{{ range(200) | list }}"),
        ],
    )
    prepared = project.prepare("many")
    filler = small_disk / "filler"

    def fill() -> None:
        with contextlib.suppress(OSError), filler.open("ab", buffering=0) as stream:
            while True:
                stream.write(b"x" * 4096)

    class Cleaner:
        def started(self, _run: Run) -> None: ...

        def event(self, _event: Event) -> None: ...

        def finished(self, _outcome: object) -> None:
            filler.unlink()

    ended = project.launcher.execute(prepared, [When("runner_on_ok", "First", fill), Cleaner()])
    assert ended.status is RunStatus.SUCCESSFUL
    run = project.store.get(ended.id)
    assert run.status is RunStatus.SUCCESSFUL
    assert len(project.events(run, "runner_item_on_ok")) == 400
    project.store.close()


def test_a_host_key_that_changed_or_is_unknown_makes_a_host_unreachable(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEDPLATE_EXECUTION_TIMEOUT", "90")
    known = tmp_path / "known_hosts"
    ours, other = make_key(tmp_path / "ours"), make_key(tmp_path / "other")
    project.product("reach", [task("Reach", "ping")])
    with ssh_server([ours]) as port:
        # Somebody tries to turn the check off: it must stay on.
        arguments = f"-o UserKnownHostsFile={known} -o StrictHostKeyChecking=no -o IdentitiesOnly=yes"
        over_ssh = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": port}
        project.write_inventory({"h1": {**over_ssh, "ansible_ssh_common_args": arguments}})
        for key, reason in (
            (other, "REMOTE HOST IDENTIFICATION HAS CHANGED"),
            (None, "Host key verification failed"),
            (ours, "Permission denied"),
        ):
            line = f"[127.0.0.1]:{port} {key.get_name()} {key.get_base64()}\n" if key else ""
            known.write_text(line)
            done = project.bedplate("run", "reach")
            assert done.returncode == 4, done.stdout + done.stderr
            run = project.store.find(RunQuery())[0]
            assert (run.status, run.error) == (RunStatus.FAILED, "1 of 1 hosts could not be reached")
            (event,) = project.events(run, "runner_on_unreachable")
            assert reason in event.data["res"]["msg"]
            assert reason in done.stdout + done.stderr
            assert (known.read_text()) == line
