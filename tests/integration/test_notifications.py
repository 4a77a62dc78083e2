"""Who hears of results: a real receiver on this machine, and runs in a real store."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bedplate.commands.run_ends import EXIT_CODES
from bedplate.content import find_content
from bedplate.execution.executor import ExecutionOutcome, ExecutionRequest, RunEnd, RunObserver, StopControl
from bedplate.launch import Launcher, PreparedRun
from bedplate.main import main
from bedplate.notify import Announcer
from bedplate.runs import Event, HostResult, Run, RunMode, RunRepository, RunStatus, new_run_id
from bedplate.settings import Settings, load_settings
from bedplate.store import open_store

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "notifications.schema.json"
NOW = datetime.now(UTC)
MANIFEST = """\
name: sample
title: Sample
summary: A sample.
owner: {team: platform, contact: "#platform"}
lifecycle: {stage: beta}
playbook: playbooks/sample.yml
notifications:
  - {outcomes: [failed, expired], to: [team, on_call]}
  - {outcomes: [successful], to: [team]}
"""


class Receiver:
    """A webhook that keeps what it is told; it refuses where `status` says so."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if receiver.status == 200:
                    receiver.told.append((self.path.strip("/"), body))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self) -> list[str]:
        """Return who was told since the last time."""
        told, self.told = self.told, []
        return [path for path, _ in told]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def settings(receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    (tmp_path / "playbooks/products").mkdir(parents=True)
    (tmp_path / "galaxy.yml").write_text("namespace: bedplate\n", encoding="utf-8")
    (tmp_path / "playbooks/products/sample.yml").write_text(MANIFEST, encoding="utf-8")
    file = tmp_path / "receivers.yml"
    team = f"json://127.0.0.1:{receiver.port}/team"
    file.write_text(f'receivers: {{team: ["{team}"], on_call: ["env:ON_CALL"]}}\n', encoding="utf-8")
    file.chmod(0o600)
    for name, value in {
        "BEDPLATE_CONTENT_PATH": str(tmp_path),
        "BEDPLATE_HOME": str(tmp_path / "home"),
        "BEDPLATE_NOTIFICATIONS_FILE": str(file),
        "ON_CALL": f"json://127.0.0.1:{receiver.port}/on-call",
        "COLUMNS": "120",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return load_settings()


@pytest.fixture
def store(settings: Settings) -> Iterator[RunRepository]:
    store = open_store(settings)
    yield store
    store.close()


class Runs:
    """Ends runs, and has them announced."""

    def __init__(self, settings: Settings, store: RunRepository) -> None:
        self._store = store
        self._announcer = Announcer(find_content(Path(settings.content.path)), settings, store)

    def __call__(
        self,
        status: RunStatus,
        failed: Sequence[str] = (),
        task: str = "Install",
        hosts: Sequence[str] = ("a", "b"),
        **fields: Any,
    ) -> str | None:
        run = Run(
            id=new_run_id(), product="sample", status=status, mode=fields.pop("mode", RunMode.APPLY), requester="kim",
            created_at=NOW, started_at=NOW, finished_at=NOW + timedelta(seconds=90), hosts=tuple(hosts), **fields,
        )  # fmt: skip
        self._store.add(run)
        results = [HostResult(host, failed=int(host in failed), ok=1) for host in hosts]
        self._store.put_host_results(run.id, results)
        if failed:
            events = [
                Event(number, "runner_on_failed", NOW, host=failed[0], task=name)
                for number, name in ((1, task), (2, "Later"))
            ]
            self._store.add_events(run.id, events)
        return self._announcer.announce(run.id)


@pytest.fixture
def end(settings: Settings, store: RunRepository) -> Runs:
    return Runs(settings, store)


def test_who_is_told_depends_on_the_outcome(end: Runs, receiver: Receiver) -> None:
    assert end(RunStatus.SUCCESSFUL) is None
    assert receiver.take() == ["team"]
    assert end(RunStatus.CANCELED) is None
    assert receiver.take() == []
    assert end(RunStatus.FAILED, ["b"], reason="new <b>kernel</b>", error="1 of 2 hosts failed") is None
    (_, told), (other, _) = receiver.told
    assert other == "on-call"
    assert told["title"] == "Sample: failed"
    assert told["type"] == "failure"
    for text in (
        "by kim: failed on 2 hosts",
        "Failed: b",
        "First task that failed: Install",
        "1 of 2 hosts failed",
        "1 min 30 s",
    ):
        assert text in told["message"]


def test_the_same_trouble_is_told_once_until_it_is_over(end: Runs, receiver: Receiver) -> None:
    end(RunStatus.FAILED, ["b"])
    assert receiver.take() == ["team", "on-call"]
    end(RunStatus.FAILED, ["b"])
    end(RunStatus.FAILED, ["b"], hosts=("b",))
    assert receiver.take() == []
    end(RunStatus.FAILED, ["b"], task="Restart")
    end(RunStatus.FAILED, ["a", "b"])
    assert receiver.take() == ["team", "on-call"] * 2
    end(RunStatus.SUCCESSFUL, hosts=("a",))
    end(RunStatus.SUCCESSFUL, mode=RunMode.CHECK)
    receiver.take()
    end(RunStatus.FAILED, ["b"])
    assert receiver.take() == [], "another host's success, or a check's, ends nothing"
    end(RunStatus.SUCCESSFUL, hosts=("a", "b", "c"))
    receiver.take()
    end(RunStatus.FAILED, ["b"])
    assert receiver.take() == ["team", "on-call"]


def test_who_was_told_is_not_told_again_because_another_could_not_be(
    end: Runs, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    reachable = os.environ["ON_CALL"]
    monkeypatch.setenv("ON_CALL", "json://127.0.0.1:1/nobody")
    for told in (["team"], []):
        assert "on_call: could not tell" in str(end(RunStatus.FAILED, ["b"]))
        assert receiver.take() == told
    monkeypatch.setenv("ON_CALL", reachable)
    assert end(RunStatus.FAILED, ["b"]) is None
    assert receiver.take() == ["on-call"]


def test_a_dead_run_is_a_trouble_too(end: Runs, receiver: Receiver) -> None:
    end(RunStatus.EXPIRED)
    end(RunStatus.EXPIRED)
    assert receiver.take() == ["team", "on-call"]


def test_who_could_not_be_told_is_tried_again(end: Runs, receiver: Receiver) -> None:
    receiver.status = 500
    wrong = end(RunStatus.FAILED, ["b"])
    assert wrong is not None
    assert "team: could not tell an address of kind json that did not take it" in wrong
    assert str(receiver.port) not in wrong
    receiver.status = 200
    end(RunStatus.FAILED, ["b"])
    assert receiver.take() == ["team", "on-call"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("receivers: {team: [nonsense]}", "on_call: notifications.file: there is no receiver on_call (known are team)"),
        ("receivers: {team: ['foo://x'], on_call: ['foo://x']}", "an address of kind foo that apprise does not know"),
        ("receivers: {team: ['http://[x'], on_call: ['']}", "team: could not tell an address of kind http that"),
        ("receivers: {team: x}", "receivers.yml: receivers.team: must be a list of addresses"),
        ("receivers: [", "receivers.yml: is not YAML"),
        ("{}", "receivers.yml: must have the one key receivers"),
        (
            "receivers: {team: ['env:NOWHERE'], on_call: ['env:NOWHERE']}",
            "receiver team: the variable NOWHERE is not set",
        ),
    ],
)
def test_faults_of_the_file_are_told_and_harm_nothing(end: Runs, tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "receivers.yml").write_text(text, encoding="utf-8")
    wrong = end(RunStatus.FAILED, ["b"])
    assert wrong is not None
    assert sentence in wrong


def test_a_file_that_everybody_may_read_is_not_used(end: Runs, tmp_path: Path, receiver: Receiver) -> None:
    (tmp_path / "receivers.yml").chmod(0o644)
    assert "may be read by everybody" in str(end(RunStatus.FAILED, ["b"]))
    assert receiver.take() == []


class Engine:
    """Executes nothing: a host fails."""

    def execute(
        self, request: ExecutionRequest, observers: Sequence[RunObserver], _control: StopControl
    ) -> ExecutionOutcome:
        outcome = ExecutionOutcome(RunEnd.FAILED, [HostResult("a", failed=1)], 1, "1 of 1 hosts failed")
        for observer in observers:
            observer.started(request.run)
            observer.finished(outcome)
        return outcome


@pytest.mark.parametrize("status", [200, 500])
def test_a_run_is_what_it_is_whoever_hears_of_it(
    settings: Settings, store: RunRepository, receiver: Receiver, tmp_path: Path, status: int
) -> None:
    receiver.status = status
    run = Run(
        id=new_run_id(), product="sample", status=RunStatus.QUEUED, mode=RunMode.APPLY, requester="kim", created_at=NOW,
        hosts=("a",), folder=tmp_path / "run", inventory=str(tmp_path),
    )  # fmt: skip
    (tmp_path / "run").mkdir()
    store.add(run)
    content = find_content(tmp_path)
    launcher = Launcher(content, settings, tmp_path, store, EXIT_CODES, Engine())
    ended = launcher.execute(PreparedRun(run, "bedplate.datacenter.sample"))
    assert (ended.status, ended.exit_code) == (RunStatus.FAILED, 5)
    log = tmp_path / "run" / "notifications.log"
    if status == 200:
        assert receiver.take() == ["team", "on-call"]
        assert not log.exists()
    else:
        assert "did not take it" in log.read_text(encoding="utf-8")


def _bedplate(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main(["notifications", *words])
    out, err = capsys.readouterr()
    return int(stop.value.code or 0), out, err


@pytest.mark.usefixtures("settings")
class TestCommand:
    def test_it_shows_who_hears_of_what(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        code, out, _ = _bedplate(capsys, "-o", "json")
        document = json.loads(out)
        Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(document)
        assert (code, document["receivers"], len(document["notifications"])) == (0, ["on_call", "team"], 5)
        assert "json://" not in out
        (tmp_path / "receivers.yml").write_text("receivers: {team: ['json://x']}", encoding="utf-8")
        assert "not in notifications.file" in _bedplate(capsys)[1]

    def test_a_test_message_is_all_that_fails(self, capsys: pytest.CaptureFixture[str], receiver: Receiver) -> None:
        assert _bedplate(capsys, "--test", "team") == (0, "", "team was told.\n")
        assert receiver.take() == ["team"]
        receiver.status = 500
        code, _, err = _bedplate(capsys, "--test", "team")
        assert (code, err) == (9, "bedplate: could not tell an address of kind json that did not take it\n")
        assert _bedplate(capsys, "--test", "nobody")[0] == 2
