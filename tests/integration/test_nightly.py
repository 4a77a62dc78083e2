"""`bedplate nightly`: told once, gone on with after a kill at any moment, and never two at once."""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bedplate.drift.night import NightPhase
from bedplate.store import open_drift
from fake_awx.server import TOKEN, awx_server
from integration.execution_project import BEDPLATE, ROOT, Project, task, wait_for


class Receiver:
    """Takes messages over HTTP."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.status = 200
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.messages.append(json.loads(body))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"json://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


class Nights:
    """A project whose hosts are this machine, and its nights. A check waits until the file `go_on` is there."""

    def __init__(self, folder: Path, receiver: Receiver) -> None:
        self.project = Project(folder, hosts=4)
        self.files = folder / "files"
        self.files.mkdir()
        self.textfile = folder / "metrics" / "bedplate.prom"
        self.go_on = folder / "go-on"
        self.hosts(4)
        self.project.product(
            "baseline",
            [
                task("Write it", "copy", arguments={"dest": "{{ file }}", "content": "one\n"}),
                task(
                    "Wait", "wait_for", arguments={"path": str(self.go_on), "timeout": 120, "sleep": 1}, run_once=True
                ),
            ],
        )
        self.environment = {
            **self.project.environment,
            "BEDPLATE_DRIFT_NOTIFY": receiver.url,
            "BEDPLATE_DRIFT_TEXTFILE": str(self.textfile),
        }

    def hosts(self, count: int) -> None:
        names = [f"h{number}" for number in range(1, count + 1)]
        self.project.write_inventory({name: {"file": str(self.files / name)} for name in names})

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [BEDPLATE, "-i", str(self.project.inventory), "nightly", "-o", "json", *arguments]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def run(self, code: int, *arguments: str) -> tuple[dict[str, Any], str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=240)
        assert process.returncode == code, err
        if not out:
            return {}, err
        document: dict[str, Any] = json.loads(out)
        schema = json.loads((ROOT / "docs" / "schemas" / "nightly.schema.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(document)
        return document, err

    @property
    def phase(self) -> NightPhase | None:
        drift = open_drift(self.project.settings)
        found = drift.nights("baseline", str(self.project.inventory), 1)
        drift.close()
        return found[0].phase if found else None


@pytest.fixture
def nights(tmp_path: Path, receiver: Receiver) -> Nights:
    return Nights(tmp_path, receiver)


def test_what_is_new_is_told_once_and_a_vanished_fleet_is_not_believed(nights: Nights, receiver: Receiver) -> None:
    nights.go_on.touch()
    first, _ = nights.run(6)
    assert (first["message"], len(first["told"]), first["owners"]) == ("sent", 4, {"tests": 4})
    (message,) = receiver.messages
    assert message["title"] == "Drift of baseline: 4 new findings on 4 hosts"
    assert "h1: file" in message["message"]
    assert all(Path(file).is_file() for file in first["reports"].values())
    assert set(first["reports"]) == {"html", "json", "junit", "sarif", "prometheus"}
    metrics = nights.textfile.read_text(encoding="utf-8")
    assert "bedplate_nightly_last_run_timestamp_seconds 1" in metrics
    assert 'bedplate_drift_findings{subject="h1",severity="medium"} 1' in metrics

    again, _ = nights.run(6)
    assert (again["message"], again["told"], again["check"]["findings"]["staying"]) == ("none", [], 4)
    assert len(receiver.messages) == 1

    nights.hosts(2)
    _, said = nights.run(7)
    assert "2 of 4 hosts vanished since the last night, more than 5 %: h3, h4 (if that is right" in said
    assert nights.phase is NightPhase.STOPPED
    believed, _ = nights.run(6, "--believe-inventory")
    assert sum(believed["check"]["outcomes"].values()) == 2


def test_a_message_that_could_not_be_sent_is_sent_the_next_night(nights: Nights, receiver: Receiver) -> None:
    nights.go_on.touch()
    receiver.status = 500
    _, said = nights.run(9)
    assert "the message could not be sent to everybody" in said
    assert nights.textfile.is_file(), "all else was done"
    receiver.status = 200
    later, _ = nights.run(6)
    assert (later["message"], len(later["told"])) == ("sent", 4)


def test_one_that_was_killed_is_gone_on_with_and_meanwhile_no_second_begins(nights: Nights, receiver: Receiver) -> None:
    killed = nights.start()
    wait_for(lambda: nights.phase is NightPhase.CHECKING, "the check to begin")
    _, said = nights.run(3)
    assert "another night is under way" in said
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    nights.go_on.touch()
    resumed, _ = nights.run(6)
    assert resumed["resumed"]
    assert (resumed["message"], len(resumed["told"])) == ("sent", 4)
    assert len(receiver.messages) == 1


def test_awx_is_compared_with_the_catalog(nights: Nights, receiver: Receiver) -> None:
    nights.go_on.touch()
    with awx_server() as awx:
        nights.environment |= {
            "BEDPLATE_AWX_URL": awx.url,
            "BEDPLATE_AWX_TOKEN": TOKEN,
            "BEDPLATE_AWX_PROJECT_URL": "https://git.example.com/content.git",
            "BEDPLATE_AWX_INVENTORY_SOURCE": "hosts/netbox.yml",
        }
        first, _ = nights.run(6)
        found = {one["key"]: one for one in first["told"] if one["product"] == "awx"}
        assert found["job template baseline"]["kind"] == "record"
        assert "record job template baseline: presence" in receiver.messages[0]["message"]
        assert "job template baseline" in Path(first["reports"]["html"]).read_text(encoding="utf-8")
        again, _ = nights.run(6)
        assert again["told"] == []
    _, said = nights.run(9)
    assert "AWX could not be compared with the catalog" in said


@pytest.fixture
def sealed(nights: Nights) -> Nights:
    """Nights of hosts of which one has no seal, and another has moved since it was sealed."""
    for file in ("playbooks/drift_check.yml", "playbooks/products/drift_check.yml"):
        (nights.project.root / file).symlink_to(ROOT / file)
    nights.go_on.touch()
    assert nights.project.bedplate("run", "baseline", "-l", "h1:h2:h3").returncode == 0
    (nights.files / "h2").write_text("two\n", encoding="utf-8")
    return nights


def moved(nights: Nights, night: dict[str, Any]) -> dict[str, str]:
    """Return by host which check found something in this project's folder: the machine is in use."""
    return {one["host"]: one["check"] for one in night["told"] if one["key"].startswith(str(nights.files))}


def test_hosts_are_compared_with_their_seals_and_those_without_are_checked_fully(sealed: Nights) -> None:
    first, _ = sealed.run(6)
    assert (first["check"]["kind"], first["message"]) == ("fast", "sent")
    assert moved(sealed, first) == {"h2": "fast", "h4": "full"}
    assert first["check"]["outcomes"]["unknown"] == 0
    runs = sealed.project.document("runs", "list")
    assert [(run["product"], run["mode"]) for run in runs[:2]] == [("baseline", "check"), ("drift_check", "apply")]
    assert first["run"] == first["check"]["id"] == runs[1]["id"]


@pytest.mark.parametrize("step", [("record", 1, "before"), ("record", 1, "after"), ("put_night", 4, "after")])
def test_one_with_seals_that_was_killed_is_gone_on_with(
    sealed: Nights, receiver: Receiver, step: tuple[str, int, str]
) -> None:
    method, nth, when = step
    code = KILLED_AT.format(method=method, nth=nth, when=when)
    command = [sys.executable, "-c", code, str(sealed.project.inventory)]
    killed = subprocess.run(command, env=sealed.environment, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    resumed, _ = sealed.run(6)
    assert resumed["resumed"]
    assert moved(sealed, resumed) == {"h2": "fast", "h4": "full"}
    assert len(receiver.messages) == 1


KILLED_AT = """
import os, signal, sys
from bedplate.store.drift import SqlDriftRepository
before, nth = SqlDriftRepository.{method}, {nth}
def killed(self, *args, **kwargs):
    global nth
    nth -= 1
    if nth == 0 and {when!r} == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    answer = before(self, *args, **kwargs)
    if nth == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return answer
SqlDriftRepository.{method} = killed
from bedplate.main import main
main(["-i", sys.argv[1], "nightly", "-o", "json"])
"""


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (("record", 1, "before"), "sent"),  # the run has ended, and nothing of it is kept
        (("put_night", 6, "before"), "sent"),  # all is reported, nothing is told
        (("put_night", 6, "after"), "unknown"),  # about to be sent
    ],
)
def test_killed_between_two_steps_it_tells_at_most_once(
    nights: Nights, receiver: Receiver, step: tuple[str, int, str], message: str
) -> None:
    method, nth, when = step
    nights.go_on.touch()
    code = KILLED_AT.format(method=method, nth=nth, when=when)
    command = [sys.executable, "-c", code, str(nights.project.inventory)]
    killed = subprocess.run(command, env=nights.environment, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    resumed, _ = nights.run(6)
    assert resumed["resumed"]
    assert nights.phase is NightPhase.DONE
    assert resumed["check"]["findings"]["new"] == 4
    assert (resumed["message"], len(receiver.messages)) == (message, int(message == "sent"))
    assert len(nights.project.document("runs", "list")) == 1, "the hosts are asked once"
