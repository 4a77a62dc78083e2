"""`bedplate run --on awx` and `bedplate awx sync` as a person types them, against the fake AWX."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

from bedplate.runs import EventQuery, RunQuery, RunStatus
from fake_awx.executions import REVISION, Course, playbook
from fake_awx.server import TOKEN, awx_server
from fake_awx.state import FakeAwx
from integration.command_line import SCHEMAS, Said, bedplate
from integration.execution_project import BEDPLATE, Project, task, wait_for

SIZE = [{"name": "size", "type": "choice", "title": "Size", "choices": ["small", "large"], "default": "small"}]


class Shop:
    """A project whose products an AWX has, too."""

    def __init__(
        self, folder: Path, fake: FakeAwx, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.project = Project(folder)
        self.fake = fake
        self._capsys = capsys
        fake.playbooks = ["playbooks/sample.yml", "playbooks/staged.yml", "playbooks/forced.yml"]
        fake.jobs.course = lambda _template: Course(playbook(["h1", "h2"]))
        say = [task("Say", "debug")]
        self.project.product("sample", say, parameters=SIZE)
        self.project.product("staged", say, play={"serial": "{{ bedplate_batches }}"}, guardrails={"canary": 1})
        self.project.product("forced", say, targets={"force_limit": "all"})
        self.environment = {
            **self.project.environment,
            "BEDPLATE_AWX_URL": fake.url,
            "BEDPLATE_AWX_PROJECT_URL": "https://git.example.com/content.git",
            "BEDPLATE_AWX_INVENTORY_SOURCE": "inventories/awx/netbox.yml",
            "BEDPLATE_AWX_TOKEN": TOKEN,
        }
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)

    def __call__(self, *arguments: str) -> Said:
        return bedplate(self._capsys, "-i", self.project.inventory, *arguments)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [BEDPLATE, "-i", str(self.project.inventory), *arguments], env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Shop]:
    with awx_server() as fake:
        made = Shop(tmp_path, fake, monkeypatch, capsys)
        assert made("awx", "apply").code == 0
        yield made
        assert not fake.unexpected


def test_a_run_on_awx_ends_in_the_store_as_a_local_one(shop: Shop) -> None:
    said = shop("run", "sample", "--on", "awx", "-p", "size=large", "-l", "h2", "-o", "json")
    assert said.code == 0, said.err
    document = said.document("run")
    assert (document["engine"], document["status"], document["git_commit"]) == ("awx", "successful", REVISION)
    assert document["hosts"] == ["h2"]
    assert "AWX's job 1: " in said.err
    (job,) = shop.fake.jobs.bodies.values()
    assert (job["limit"], json.loads(job["extra_vars"])) == ("h2", {"size": "large"})
    shown = shop("runs", "events", document["id"], "-o", "json")
    assert len(json.loads(shown.out)) == 13
    assert "runner_on_ok" in shop("runs", "logs", document["id"]).out
    again = shop("runs", "rerun", document["id"], "-o", "json")
    assert (again.code, again.document("run")["engine"]) == (0, "awx")
    assert len(shop.fake.jobs.bodies) == 2
    assert json.loads(shop("awx", "sync", "-o", "json").out)["runs"] == []


def test_guardrails_hold_there_too(shop: Shop) -> None:
    refused = shop("run", "staged", "--on", "awx")
    assert refused.code == 3
    assert "engine: staged goes through its hosts by canary, which AWX does not do" in refused.err
    narrow = shop("run", "forced", "--on", "awx", "-l", "h1")
    assert narrow.code == 3
    assert "AWX runs forced on all hosts of its forced limit, also on h2" in narrow.err
    assert shop("run", "forced", "--on", "awx", "-l", "h1", "--dry-run").code == 3
    assert shop("run", "forced", "--on", "awx").code == 0
    assert [job["limit"] for job in shop.fake.jobs.bodies.values()] == ["all"]


def test_without_an_address_nothing_is_accepted(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDPLATE_AWX_URL", "")
    said = shop("run", "sample", "--on", "awx")
    assert (said.code, "awx.url: is not set" in said.err) == (2, True)
    assert shop("runs", "list").out == "No runs.\n"


def test_a_bad_answer_does_not_reach_awx(shop: Shop) -> None:
    said = shop("run", "sample", "--on", "awx", "-p", "size=huge")
    assert (said.code, shop.fake.jobs.bodies) == (2, {})


def test_ctrl_c_cancels_there(shop: Shop) -> None:
    shop.fake.jobs.course = lambda _template: Course(playbook(["h1", "h2"]), steps=[4] * 1000)
    process = shop.start("run", "sample", "--on", "awx")
    wait_for(lambda: any(shop.fake.jobs.saved.values()), "the job's first events")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 8, out
    assert "AWX is asked to cancel its job; Ctrl-C again waits for it no longer" in out
    assert [job["status"] for job in shop.fake.jobs.bodies.values()] == ["canceled"]


def test_a_process_that_dies_leaves_a_run_that_sync_completes(shop: Shop) -> None:
    shop.fake.jobs.course = lambda _template: Course(playbook(["h1", "h2"]), steps=[4] * 1000)
    process = shop.start("run", "sample", "--on", "awx")
    wait_for(lambda: any(shop.fake.jobs.saved.values()), "the job's first events")
    process.kill()
    process.communicate(timeout=60)
    shop.fake.jobs.courses[1].steps = []
    shop.fake.jobs._look(shop.fake.jobs.bodies[1])
    said = shop("awx", "sync")
    assert said.code == 0, said.err
    assert "completed run" in said.out
    (run,) = shop.project.store.find(RunQuery())
    assert (run.status, run.exit_code) == (RunStatus.SUCCESSFUL, 0)
    assert len(list(shop.project.store.events(run.id, EventQuery()))) == 13


def test_sync_brings_in_what_was_launched_there(shop: Shop) -> None:
    shop.fake.jobs.now = datetime.now(UTC) - timedelta(hours=1)
    template = shop.fake.named("job_templates", "sample")
    shop.fake.jobs.finished(template, Course(playbook(["h1"])))
    said = shop("awx", "sync", "-o", "json")
    document = said.document("awx_sync")
    run_schema = json.loads((SCHEMAS / "run.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(run_schema).validate(document["runs"][0]["run"])
    assert document["runs"][0]["run"]["requester"] == "eve"
    assert shop("awx", "sync").out == "0 runs brought in.\n"
    shop.fake.jobs.finished(template, Course(playbook(["h1"])), by="ada")
    lines = shop("awx", "sync").out.splitlines()
    assert lines[0].endswith(": sample, successful, by ada (job 2)")
    assert lines[1] == "1 run brought in."
    (report,) = json.loads(shop("product", "report", "sample", "-o", "json").out)["products"]
    assert sum(day["successful"] for day in report["days"]) == 2
