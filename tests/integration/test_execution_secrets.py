"""Secrets are nowhere: not in the store, a log, a report, an event, a process list, or what a killed run leaves."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import urllib.parse
from pathlib import Path

import pytest
import yaml

from bedplate.execution.command_line import hide_arguments
from bedplate.runs import REDACTED, Run, RunStatus
from integration.execution_project import Project, files_with, processes_with, task, wait_for

# Quotes, a line end, Unicode, and what looks like a template.
CANARY = (
    "kanarienvogel-1 \"zwei\" 'drei'\nzeile-kanarienvogel-zwei Ünïcödé-kanarienvogel-金丝雀 {{ lookup('pipe','id') }}"
)
PLAIN = "kanarienvogel-plain-4711"
VAULTED = "kanarienvogel-im-tresor"
IN_FILE = "kanarienvogel-in-der-datei"
PIECES = [
    b"kanarienvogel",
    "金丝雀".encode(),
    json.dumps("金丝雀")[1:-1].encode(),
    urllib.parse.quote("金丝雀").encode(),
    base64.b64encode(b"kanarienvogel")[:16],
    base64.b64encode(b"xkanarienvogel")[4:16],
    base64.b64encode(b"xxkanarienvogel")[4:16],
    b"kanarienvogel".hex().encode(),
]
SECRETS = [
    {"name": "token", "type": "secret", "title": "Token", "required": True},
    {"name": "key", "type": "text", "title": "Key", "secret": True},
]
TELLING = [
    task("Debug {{ token }}", "debug", arguments={"var": "token"}),
    task("Command", "command", arguments={"argv": ["echo", "{{ token }}", "{{ key }}"]}, changed_when=True),
    task("Shell", "shell", arguments="printf %s {{ token | quote }} | base64"),
    task("Inside of longer", "shell", arguments="printf 'x%s' {{ key | quote }} | base64 -w0"),
    task("Encode", "debug", arguments={"msg": "{{ key | b64encode }} {{ key | urlencode }}"}),
    task("As JSON", "debug", arguments={"msg": "{{ {'a': token, 'b': key} | to_json }}"}),
    task("Diff", "copy", arguments={"dest": "{{ target }}", "content": "a={{ token }}\nb={{ key }}\n", "mode": "0600"}),
    task("Remove", "file", arguments={"path": "{{ target }}", "state": "absent"}),
    task("Loop", "debug", arguments={"msg": "{{ item }}"}, loop=["{{ token }}", "{{ key }}"]),
    task("Hidden", "debug", arguments={"msg": "{{ key }}"}, no_log=True),
    task("Fact", "set_fact", arguments={"copied": "{{ key }}"}),
    task("Warn", "debug", arguments={"msg": "{{ lookup('pipe', 'echo ' ~ key | quote ~ '; exit 3', errors='warn') }}"}),
    task("Fail", "fail", arguments={"msg": "it is {{ token }} and {{ key }}"}, ignore_errors=True),
    task("Assert", "assert", arguments={"that": "token == 'x'", "fail_msg": "{{ key }}"}, ignore_errors=True),
    task("Undefined", "command", arguments={"argv": ["false", "{{ key }}"]}),
]  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path, hosts=1)
    project.product("telling", TELLING, parameters=SECRETS, play={"vars": {"target": str(tmp_path / "target")}})
    return project


def _nothing_in(project: Project, run: Run, *more: str) -> None:
    """Fail if a piece of a secret is in the state folder, in an event or in a text."""
    told = "".join(f"{event!r}\n" for event in project.events(run)) + repr(project.store.get(run.id))
    found = [piece for piece in PIECES if piece in "\n".join((told, *more)).encode()]
    assert not found, [line for line in told.splitlines() if any(piece.decode() in line for piece in found)][:2]
    project.store.close()
    assert files_with(PIECES, project.home) == []


@pytest.mark.parametrize(("token", "key"), [(PLAIN, CANARY), (CANARY.splitlines()[0], PLAIN)])
def test_a_secret_parameter_is_nowhere(
    project: Project, capfd: pytest.CaptureFixture[str], token: str, key: str
) -> None:
    run = project.run("telling", parameters={"token": token, "key": key}, diff=True)
    assert run.status is RunStatus.FAILED
    assert run.parameters == {"token": REDACTED, "key": REDACTED}
    events = project.events(run)
    assert {event.task for event in events if event.kind == "runner_on_failed"} >= {"Fail", "Undefined"}
    assert any(REDACTED in event.stdout for event in events)
    _nothing_in(project, run, project.log(run), *capfd.readouterr())


def test_the_command_line_tells_no_secret_either(project: Project, tmp_path: Path) -> None:
    answers = tmp_path / "answers.yml"
    answers.write_text(yaml.safe_dump({"token": PLAIN, "key": CANARY}))
    done = project.bedplate("run", "telling", "--params-file", str(answers), "--diff")
    assert done.returncode == 5
    shown = project.bedplate("runs", "show", project.document("runs", "list")[0]["id"])
    for text in (done.stdout, done.stderr, shown.stdout):
        assert not [piece for piece in PIECES if piece in text.encode()]


def test_values_that_look_like_templates_stay_text(project: Project) -> None:
    lure = "{{ lookup('pipe', 'id') }}"
    choice = "{{ lookup('pipe') }}"
    project.product(
        "lured",
        [
            task("Say", "debug", arguments={"msg": "{{ text }}"}),
            task("Nested", "debug", arguments={"msg": "{{ bedplate_run.reason }} / {{ list | first }}"}),
            task("Length", "debug", arguments={"msg": "{{ text | length }}"}),
        ],
        parameters=[
            {"name": "text", "type": "string", "title": "Text"},
            {"name": "list", "type": "choices", "title": "List", "choices": [choice, "b"]},
        ],
    )
    run = project.run("lured", parameters={"text": lure, "list": [choice]}, reason=f"because {lure}")
    said = [event.data["res"]["msg"] for event in project.events(run, "runner_on_ok")]
    assert said == [lure, f"because {lure} / {choice}", len(lure)]
    assert "uid=" not in project.log(run)


def _vault(project: Project, text: str, *options: str) -> str:
    vault = str(Path(sys.executable).with_name("ansible-vault"))
    command = [vault, *options, "--vault-password-file", str(project.folder / "vault-password")]
    return subprocess.run(command, input=text, text=True, capture_output=True, check=True).stdout


def test_vaulted_variables_are_redacted_as_they_are_found_out(project: Project) -> None:
    (project.folder / "vault-password").write_text("open sesame\n")
    inline = _vault(project, VAULTED, "encrypt_string", "--stdin-name", "inline_secret")
    whole = _vault(project, f"file_secret: {IN_FILE}\nname: not-so-secret\n", "encrypt", "-", "--output", "-")
    (project.inventory / "group_vars" / "all").mkdir(parents=True)
    (project.inventory / "group_vars" / "all" / "inline.yml").write_text(inline)
    (project.inventory / "group_vars" / "all" / "whole.yml").write_text(whole)
    encoded = "{{ file_secret | b64encode }}"
    project.product(
        "vaulted",
        [
            task("Both", "debug", arguments={"msg": "{{ inline_secret }} {{ file_secret }} {{ b64 }}"}),
            task("Worker", "command", arguments={"argv": ["echo", "{{ inline_secret }}"]}, changed_when=False),
            task("Fail", "fail", arguments={"msg": "{{ file_secret }}{{ inline_secret }}"}),
        ],
        play={"vars": {"b64": encoded}},
    )  # fmt: skip
    os.environ["BEDPLATE_EXECUTION_VAULT_PASSWORD_FILE"] = str(project.folder / "vault-password")
    try:
        done = project.bedplate("run", "vaulted")
    finally:
        del os.environ["BEDPLATE_EXECUTION_VAULT_PASSWORD_FILE"]
    assert done.returncode == 5, done.stderr
    (document,) = project.document("runs", "list")
    run = project.store.get(document["id"])
    (both, _, failed) = project.events(run, "runner_on_ok", "runner_on_failed")
    assert both.data["res"]["msg"] == f"{REDACTED} {REDACTED} {REDACTED}"
    assert failed.data["res"]["msg"] == f"{REDACTED}{REDACTED}"
    assert not [piece for piece in PIECES if piece in (done.stdout + done.stderr).encode()]
    assert not files_with(PIECES, project.home / "runs")
    _nothing_in(project, run)


def test_a_killed_run_leaves_no_secret_and_no_process(project: Project, tmp_path: Path) -> None:
    mark = tmp_path / "begun"
    template = tmp_path / "template.j2"
    template.write_text("{{ key }} {{ lookup('ansible.builtin.pipe', 'touch %s; sleep 600') }}" % mark)  # noqa: UP031
    project.product(
        "slow",
        [
            task("Say", "debug", arguments={"msg": "{{ token }}"}),
            task("Template", "template", arguments={"src": str(template), "dest": f"{tmp_path}/out", "mode": "0600"}),
        ],
        parameters=SECRETS,
    )  # fmt: skip
    answers = tmp_path / "answers.yml"
    answers.write_text(yaml.safe_dump({"token": PLAIN, "key": CANARY}))
    process = project.start("run", "slow", "--params-file", str(answers))
    wait_for(mark.exists, "the template")
    (document,) = project.document("runs", "list")
    run_id = document["id"]
    for pid in [process.pid, *processes_with(str(project.home)), *processes_with(f"/proc/{process.pid}/fd/")]:
        command = Path(f"/proc/{pid}/cmdline")
        assert not command.exists() or not [piece for piece in PIECES if piece in command.read_bytes()]
    process.send_signal(signal.SIGKILL)
    output, _ = process.communicate()
    wait_for(lambda: not processes_with(str(mark)), "the end of everything")
    wait_for(lambda: not processes_with(f"/proc/{process.pid}/fd/"), "the end of ansible")
    wait_for(lambda: not list(Path("/dev/shm").glob(f"*{run_id}*")), "temporary files to go")
    assert not [piece for piece in PIECES if piece in output.encode()]
    shown = project.document("runs", "show", run_id)
    assert (shown["status"], shown["exit_code"]) == ("expired", 9)
    run = project.store.get(run_id)
    assert run.folder is not None
    assert not (run.folder / "engine").exists()
    _nothing_in(project, run)


def test_arguments_can_be_hidden_from_the_process_list() -> None:
    code = (
        "import sys, pathlib; from bedplate.execution.command_line import hide_arguments\n"
        "hide_arguments([sys.argv[1].partition('=')[2]])\n"
        "print(pathlib.Path('/proc/self/cmdline').read_bytes().decode())"
    )
    argument = f"token={CANARY}"
    done = subprocess.run([sys.executable, "-c", code, argument], capture_output=True, text=True, check=True)
    assert "token=***" in done.stdout
    assert not [piece for piece in PIECES if piece in done.stdout.encode()]
    hide_arguments([])


def test_a_secret_on_the_command_line_is_hidden_while_it_runs(project: Project) -> None:
    project.product("naps", [task("Nap", "command", arguments="sleep 3")], parameters=SECRETS)
    process = project.start("run", "naps", "-p", f"token={PLAIN}")
    wait_for(lambda: processes_with(f"/proc/{process.pid}/fd/"), "ansible")
    command = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    assert b"token=****" in command
    assert PLAIN.encode() not in command
    process.communicate()
    assert process.returncode == 0
