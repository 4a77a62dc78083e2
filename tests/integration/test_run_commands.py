"""`bedplate run` and `bedplate runs` as a person types them: at a terminal, without one, with odd input."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from integration.command_line import bedplate
from integration.execution_project import BEDPLATE, Project, task

SECRET = [{"name": "token", "type": "secret", "title": "Token of the day", "required": True}]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path, hosts=1)
    project.product("asks", [task("Say", "debug", arguments={"msg": "{{ token | length }}"})], parameters=SECRET)
    return project


def at_a_terminal(project: Project, typed: str, *arguments: str) -> tuple[int, str]:
    """Run `bedplate` at a terminal of its own, where a person types a line when asked. Return exit code and screen."""
    ours, theirs = pty.openpty()
    command = [BEDPLATE, "-i", str(project.inventory), *arguments]
    process = subprocess.Popen(command, env=project.environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    screen = b""
    while chunk := _read(ours):
        screen += chunk
        if typed and screen.rstrip().endswith(b":"):
            os.write(ours, f"{typed}\n".encode())
            typed = ""
    os.close(ours)
    return process.wait(), screen.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux tells that the last process left the terminal
        return b""


def test_a_secret_that_was_not_given_is_asked_for_and_not_shown(project: Project) -> None:
    code, screen = at_a_terminal(project, "sesam-9", "run", "asks")
    assert code == 0, screen
    assert "Token of the day:" in screen
    assert "sesam-9" not in screen
    (document,) = project.document("runs", "list")
    code, screen = at_a_terminal(project, "sesam-10", "runs", "rerun", document["id"])
    assert code == 0, screen
    first, second = (project.store.get(shown["id"]) for shown in reversed(project.document("runs", "list")))
    said = [project.events(run, "runner_on_ok")[0].data["res"]["msg"] for run in (first, second)]
    assert said == [7, 8]


def test_without_a_terminal_nothing_is_asked(project: Project) -> None:
    assert "parameter token is required" in project.bedplate("run", "asks").stderr
    assert project.bedplate("run", "asks", "-p", "token=sesam-9").returncode == 0
    (document,) = project.document("runs", "list")
    again = project.bedplate("runs", "rerun", document["id"])
    assert again.returncode == 2, again.stderr
    assert again.stderr.startswith(f"bedplate: run {document['id']}: secret answers are not kept: token (")


def test_answers_that_are_no_text(project: Project, tmp_path: Path) -> None:
    answers = tmp_path / "answers.yml"
    answers.write_bytes(b"token: \xff\n")
    done = project.bedplate("run", "asks", "--params-file", str(answers))
    assert (done.returncode, done.stderr) == (
        2, f"bedplate: {answers}: is not UTF-8 text: invalid start byte at byte 7\n",
    )  # fmt: skip


def test_what_is_said_as_json_is_as_the_schemas_say(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)
    words = ["-i", project.inventory]
    ended = bedplate(capsys, *words, "run", "asks", "-p", "token=sesam-9", "-o", "json").document("run")
    assert ended["results"][0]["outcome"] == "ok"
    listed = bedplate(capsys, "runs", "list", "-o", "json")
    rows = [replace(listed, out=json.dumps(row)).document("run") for row in json.loads(listed.out)]
    assert [row["id"] for row in rows] == [ended["id"]]
    assert bedplate(capsys, "runs", "show", ended["id"], "-o", "json").document("run") == ended
    for verb, schema in (("hosts", "host_result"), ("events", "event")):
        said = bedplate(capsys, "runs", verb, ended["id"], "-o", "json")
        assert [replace(said, out=json.dumps(row)).document(schema) for row in json.loads(said.out)]


@pytest.mark.parametrize("verb", ["list", "show", "wait", "cancel", "rerun", "prune", "hosts", "events", "logs"])
def test_help_needs_no_store(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, verb: str
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "file"))
    said = bedplate(capsys, "runs", verb, "--help")
    assert (said.code, said.err) == (0, "")
    assert bedplate(capsys, "runs", "list").code == 9


def test_an_empty_word_is_not_the_lab(capsys: pytest.CaptureFixture[str]) -> None:
    said = bedplate(capsys, "-i", "", "run", "ping")
    assert (said.code, said.err) == (2, "bedplate: --inventory: the inventory is empty (it names a folder or file)\n")


def test_a_reader_who_leaves_changes_no_exit_code(project: Project) -> None:
    project.product("fails", [task("Fail", "fail", arguments={"msg": "no"})])

    def unread(*arguments: str) -> tuple[int, str]:
        reading, writing = os.pipe()
        os.close(reading)
        command = [BEDPLATE, "-i", str(project.inventory), *arguments]
        done = subprocess.run(
            command, env=project.environment, stdout=writing, stderr=subprocess.PIPE, text=True, check=False
        )
        os.close(writing)
        return done.returncode, done.stderr

    assert unread("product", "list") == (0, "")
    assert unread("run", "fails", "-o", "json")[0] == 5
    code, told = unread("run", "fails")
    assert code == 5, told
    assert unread("runs", "list") == (0, "")


def test_a_secret_comes_from_the_environment_and_is_nowhere_else(project: Project, tmp_path: Path) -> None:
    environment = {**os.environ, **project.environment, "BEDPLATE_SECRET_TOKEN": "hunter2-hunter2"}
    command = [BEDPLATE, "-i", str(project.inventory), "run", "asks", "-o", "json"]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["parameters"] == {"token": "********"}
    kept = subprocess.run(
        ["grep", "-rl", "hunter2-hunter2", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert kept.stdout == ""
