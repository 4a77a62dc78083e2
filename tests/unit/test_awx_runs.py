"""Runs on AWX: launched, followed into the store, canceled, and ended as on this machine; and what goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bedplate.awx.executions import Execution
from bedplate.awx.executor import AwxExecutor, page_of
from bedplate.awx.launching import Launch
from bedplate.awx.retelling import retold
from bedplate.catalog import Product
from bedplate.commands.run_ends import EXIT_CODES
from bedplate.content import find_content
from bedplate.errors import EngineError
from bedplate.execution.executor import StopControl
from bedplate.execution.redaction import Redactor
from bedplate.launch import Launcher, PreparedRun
from bedplate.runs import AWX, Event, EventQuery, HostOutcome, Run, RunMode, RunQuery, RunStatus, new_run_id
from bedplate.settings import Settings
from bedplate.store import open_engine_runs, open_store
from fake_awx.catalog import Awx, product
from fake_awx.executions import REVISION, Course, playbook, printed, refused
from fake_awx.server import TOKEN, awx_server
from fake_awx.state import Fault

ROOT = Path(__file__).parents[2]
HOSTS = ("h1", "h2")
ANSWERS = {"size": "small", "wait": "5m", "reboot": True}


class Site:
    """An AWX with a product, and a Bedplate that runs it there."""

    def __init__(self, folder: Path, awx: Awx) -> None:
        self.awx = awx
        self.fake = awx.fake
        self.settings = Settings(home=folder / "home", awx=awx.settings)
        self.store = open_store(self.settings)
        self.kept = open_engine_runs(self.settings)
        self.said: list[str] = []
        self.course(playbook(HOSTS))

    def course(self, events: list[dict[str, Any]], **more: Any) -> None:
        """Say what the next job will do."""
        course = Course(events, **more)
        self.fake.jobs.course = lambda _template: course

    def apply(self, *products: Product) -> None:
        assert not [result for result in self.awx.apply(*products) if result.error]
        self.fake.requests.clear()

    def order(self, **fields: Any) -> Run:
        now = datetime.now(UTC)
        folder = self.settings.runs_folder / "r"
        given = {"git_commit": REVISION, "content_digest": "d", "hosts": HOSTS, "parameters": ANSWERS, **fields}
        return Run(
            id=new_run_id(), product="sample", status=RunStatus.QUEUED, mode=given.pop("mode", RunMode.APPLY),
            requester="ada", created_at=now, queued_at=now, engine=AWX, folder=folder, **given,
        )  # fmt: skip

    def launcher(self) -> Launcher:
        executor = AwxExecutor(
            self.settings.awx, self.kept, self.said.append,
            env={"BEDPLATE_AWX_TOKEN": TOKEN}, sleep=self.awx.waits.append,
        )  # fmt: skip
        return Launcher(
            find_content(ROOT), self.settings, ROOT / "inventories" / "lab", self.store, EXIT_CODES, executor
        )

    def run(
        self,
        answers: Mapping[str, Any] = ANSWERS,
        *,
        limit: str = "h1,h2",
        control: StopControl | None = None,
        secrets: tuple[str, ...] = (),
        **fields: Any,
    ) -> Run:
        """Run the product on AWX and return the run as it is in the store."""
        run = self.order(parameters=dict(answers), **fields)
        self.store.add(run)
        prepared = PreparedRun(run, "bedplate.datacenter.sample", variables=answers, limit=limit, secrets=secrets)
        self.launcher().execute(prepared, control=control)
        return self.store.get(run.id)

    def events(self, run: Run) -> list[Event]:
        return list(self.store.events(run.id, EventQuery()))

    @property
    def job(self) -> dict[str, Any]:
        (body,) = self.fake.jobs.bodies.values()
        return body


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with awx_server() as fake:
        made = Site(tmp_path, Awx(fake))
        made.apply(product())
        yield made
        assert not fake.unexpected
        made.store.close()
        made.kept.close()


class TestRun:
    def test_it_is_in_the_store_as_a_local_one(self, site: Site) -> None:
        run = site.run()
        assert (run.status, run.exit_code, run.error, run.tasks) == (RunStatus.SUCCESSFUL, 0, None, 2)
        assert (run.engine, run.requester, run.outcomes) == (AWX, "ada", {HostOutcome.CHANGED: 2})
        assert run.started_at is not None
        assert run.duration is not None
        assert [event.counter for event in site.events(run)] == list(range(1, 14))
        assert site.events(run)[4].host == "h1"
        assert {event.stdout for event in site.events(run) if "\x1b" in event.stdout} == set()
        assert run.folder is not None
        assert "runner_on_ok [h1]\n" in (run.folder / "stdout.log").read_text(encoding="utf-8")
        assert any(sentence.startswith("AWX's job 1: http://127.0.0.1:") for sentence in site.said)

    def test_what_awx_is_told(self, site: Site) -> None:
        site.run(mode=RunMode.CHECK, diff=True)
        assert (site.job["job_type"], site.job["diff_mode"], site.job["limit"]) == ("check", True, "h1,h2")
        assert site.job["extra_vars"] == '{"size": "small", "wait": "5m", "reboot": "true"}'

    def test_no_secret_comes_back(self, site: Site) -> None:
        site.course(playbook(HOSTS, leaked="hush-hush-word"))
        run = site.run(secrets=("hush-hush-word",))
        assert not [event for event in site.events(run) if "hush" in str(event)]

    def test_a_failed_host(self, site: Site) -> None:
        site.course(playbook(HOSTS, failing=["h2"]), status="failed")
        run = site.run()
        assert (run.status, run.exit_code, run.error) == (RunStatus.FAILED, 5, "1 of 2 hosts failed")
        assert {each.host: each.outcome for each in site.store.host_results(run.id)} == {
            "h1": HostOutcome.CHANGED,
            "h2": HostOutcome.FAILED,
        }

    def test_another_revision_is_recorded_and_said(self, site: Site) -> None:
        run = site.run(git_commit="f" * 40)
        assert (run.git_commit, run.content_digest) == (REVISION, "")
        assert f"AWX runs commit {REVISION}; the content here is {'f' * 40}" in site.said

    def test_the_same_revision_keeps_the_digest(self, site: Site) -> None:
        run = site.run()
        assert (run.git_commit, run.content_digest) == (REVISION, "d")
        assert not [sentence for sentence in site.said if "commit" in sentence]

    def test_a_forced_limit_is_the_template_s(self, site: Site) -> None:
        site.apply(product(targets={"force_limit": "site_fra1"}))
        site.run(limit="site_fra1")
        assert site.job["limit"] == "site_fra1"
        with pytest.raises(EngineError, match="lets no launch say its limit, which is 'site_fra1'"):
            site.run(limit="h1")
        assert len(site.fake.jobs.bodies) == 1

    def test_clocks_that_differ(self, site: Site) -> None:
        site.fake.jobs.now = datetime.now(UTC) - timedelta(hours=5)
        run = site.run()
        assert run.created_at <= (run.started_at or run.created_at) <= (run.finished_at or run.created_at)
        assert run.duration is not None
        assert timedelta() <= run.duration < timedelta(minutes=5)


class TestEvents:
    def test_they_come_as_awx_saves_them(self, site: Site) -> None:
        site.course(playbook(HOSTS), steps=[3, 3, 8])
        assert len(site.events(site.run())) == 13

    def test_one_that_is_overtaken_is_waited_for(self, site: Site) -> None:
        heard: list[int] = []
        site.course(playbook(HOSTS), steps=[[1, 2, 5, 6], [1, 2, 3, 5, 6], 7])
        run = site.order()
        site.store.add(run)
        prepared = PreparedRun(run, "x", variables=ANSWERS, limit="h1,h2")
        site.launcher().execute(prepared, [_Hearing(heard.append)])
        assert heard == list(range(1, 14))

    def test_one_that_comes_very_late_goes_last(self, site: Site) -> None:
        heard: list[int] = []
        site.course(playbook(HOSTS), steps=[[1, 3, 4]] * 15)
        run = site.order()
        site.store.add(run)
        prepared = PreparedRun(run, "x", variables=ANSWERS, limit="h1,h2")
        site.launcher().execute(prepared, [_Hearing(heard.append)])
        assert sorted(heard) == list(range(1, 14))
        assert heard[-1] == 2
        assert [event.counter for event in site.events(run)] == list(range(1, 14))

    def test_one_that_awx_lost_does_not_hold_up_the_end(self, site: Site) -> None:
        site.course(playbook(HOSTS), lost={4})
        run = site.run()
        assert run.status is RunStatus.SUCCESSFUL
        assert [event.counter for event in site.events(run)] == [1, 2, 3, *range(5, 14)]

    def test_many_are_read_in_pages_each_once(self, site: Site) -> None:
        site.course(playbook([f"h{number}" for number in range(500)], tasks=3))
        run = site.run()
        counters = [event.counter for event in site.events(run)]
        assert counters == list(range(1, len(counters) + 1))
        assert len(counters) == 3006
        asked = [path for path in site.fake.asked("GET") if "job_events" in path]
        assert len(asked) <= 3006 / 200 + 6

    @pytest.mark.parametrize("status", [0, 502, 500])
    def test_a_lost_connection_doubles_and_loses_nothing(self, site: Site, status: int) -> None:
        site.course(playbook(HOSTS), steps=[3, 6, 9])
        site.fake.faults = [
            Fault("GET", "job_events", status, times=9),
            Fault("GET", r"/jobs/1/$", status, times=9),
        ]
        run = site.run()
        assert run.status is RunStatus.SUCCESSFUL
        assert [event.counter for event in site.events(run)] == list(range(1, 14))
        (said,) = [sentence for sentence in site.said if "followed again when AWX is back" in sentence]
        assert "the job goes on" in said

    def test_an_awx_that_stays_away_is_given_up_and_said(self, site: Site) -> None:
        site.fake.faults = [Fault("GET", r"/jobs/1/$", 0, times=10_000)]
        run = site.run()
        assert (run.status, run.exit_code) == (RunStatus.FAILED, 9)
        assert "AWX's job 1 may go on, and bedplate awx sync brings in what it comes to" in str(run.error)
        (link,) = site.kept.known(f"{site.fake.url}/api/v2/", [1]).values()
        assert (link.run_id, link.complete) == (run.id, False)


class TestCancel:
    def _stopped_at(self, site: Site, look: int, stop: Callable[[], None]) -> None:
        looks: list[int] = []

        def on_look(_body: dict[str, Any]) -> None:
            looks.append(1)
            if len(looks) == look:
                stop()

        site.course(playbook(HOSTS), steps=[4] * 20, on_look=on_look)

    def test_awx_cancels_and_is_waited_for(self, site: Site) -> None:
        control = StopControl()
        self._stopped_at(site, 3, control.stop)
        run = site.run(control=control)
        assert (run.status, run.exit_code) == (RunStatus.CANCELED, 8)
        assert run.error == "canceled; hosts may be in the middle of a task"
        assert site.job["status"] == "canceled"
        assert len(site.events(run)) == 4

    def test_a_second_time_does_not_wait(self, site: Site) -> None:
        control = StopControl()
        self._stopped_at(site, 3, control.stop)
        site.fake.jobs.course({}).ends = False
        site.awx.waits = _Waits(lambda: control.kill() if control.stop_requested else None)
        run = site.run(control=control)
        assert (run.status, run.exit_code) == (RunStatus.CANCELED, 8)
        assert "AWX was told to cancel its job 1, which was not waited for" in str(run.error)

    def test_when_awx_is_away(self, site: Site) -> None:
        control = StopControl()
        site.fake.faults = [Fault("GET", r"/jobs/1/$", 0, times=99), Fault("POST", "/cancel/", 0, times=99)]
        site.awx.waits = _Waits(lambda: (control.stop(), control.kill()) if site.said[1:] else None)
        run = site.run(control=control)
        assert (run.status, run.exit_code) == (RunStatus.CANCELED, 8)
        assert "AWX could not be told to cancel its job 1, which was not waited for" in str(run.error)

    def test_before_it_is_launched(self, site: Site) -> None:
        control = StopControl()
        control.stop()
        run = site.run(control=control)
        assert (run.status, run.exit_code, run.error) == (RunStatus.CANCELED, 8, "canceled before AWX launched it")
        assert site.fake.jobs.bodies == {}

    def test_somebody_cancels_it_in_awx(self, site: Site) -> None:
        site.course([], status="canceled")
        run = site.run()
        assert (run.status, run.exit_code) == (RunStatus.CANCELED, 8)
        assert run.error == "somebody canceled it in AWX; hosts may be in the middle of a task"

    def test_a_job_that_has_just_ended_cannot_be_canceled(self, site: Site) -> None:
        control = StopControl()
        site.course(playbook(HOSTS), on_look=lambda _body: control.stop())
        assert site.run(control=control).status is RunStatus.SUCCESSFUL


class TestFaults:
    def _fails(self, site: Site, said: str, answers: Mapping[str, Any] = ANSWERS) -> None:
        with pytest.raises(EngineError, match=said):
            site.run(answers)
        (run,) = site.store.find(RunQuery())
        assert (run.status, run.exit_code) == (RunStatus.FAILED, 9)
        assert run.error

    def test_no_template(self, site: Site) -> None:
        del site.fake.objects["job_templates"][site.fake.named("job_templates", "sample")["id"]]
        self._fails(site, "no job template sample in the organization Bedplate .*bedplate awx apply")

    def test_a_template_of_somebody_else(self, site: Site) -> None:
        site.fake.take_over("sample")
        self._fails(site, "job template sample is not Bedplate's")

    def test_a_project_that_was_not_synced(self, site: Site) -> None:
        project = site.fake.named("projects", "Bedplate")
        site.fake.edit("projects", project["id"], status="failed", scm_update_on_launch=False)
        self._fails(site, "Missing a revision to run due to failed project update")

    def test_a_form_that_is_not_the_catalog_s(self, site: Site) -> None:
        self._fails(site, "form of sample does not ask for color .*bedplate awx apply", {**ANSWERS, "color": "red"})

    def test_an_answer_that_awx_refuses(self, site: Site) -> None:
        self._fails(site, "expected to be one of .*bedplate awx apply", {**ANSWERS, "size": "huge"})

    def test_a_secret_that_awx_quotes_is_not_shown(self, site: Site) -> None:
        word = {"name": "word", "type": "secret", "title": "Word", "required": True}
        site.apply(product(parameters=[word]))
        site.fake.named("job_templates", "sample")["survey_spec"]["spec"][0]["max"] = 3
        with pytest.raises(EngineError, match="is too large") as error:
            site.run({"word": "hush-hush-word"}, secrets=("hush-hush-word",))
        assert "hush" not in f"{error.value}{site.store.find(RunQuery())[0].error}"

    @pytest.mark.parametrize("field", ["job_type", "limit", "diff_mode"])
    def test_a_prompt_that_was_taken_away_by_hand(self, site: Site, field: str) -> None:
        template = site.fake.named("job_templates", "sample")
        site.fake.edit("job_templates", template["id"], **{f"ask_{field}_on_launch": False})
        with pytest.raises(EngineError, match=f"lets no launch say its {field}"):
            site.run(mode=RunMode.CHECK, diff=True)
        assert site.fake.jobs.bodies == {}

    @pytest.mark.parametrize(
        ("status", "said"),
        [(401, "does not accept the token"), (403, "does not let this account"), (409, "something else goes on")],
    )
    def test_awx_refuses_the_launch(self, site: Site, status: int, said: str) -> None:
        site.fake.faults = [Fault("POST", "/launch/", status, '{"detail": "No."}')]
        self._fails(site, said)
        assert site.fake.jobs.bodies == {}

    def test_an_answer_that_only_the_manifest_refuses(self, site: Site) -> None:
        site.course(refused("h1", "parameter wait must be at most 1h"), status="failed")
        run = site.run()
        assert (run.status, run.exit_code) == (RunStatus.FAILED, 5)
        assert run.error == "the content that AWX runs refuses an answer: parameter wait must be at most 1h"

    def test_a_playbook_that_the_project_lacks(self, site: Site) -> None:
        site.course(printed("ERROR! the playbook: playbooks/ping.yml could not be found"), status="failed")
        run = site.run()
        assert (run.status, run.exit_code) == (RunStatus.FAILED, 9)
        assert run.error == "the playbook: playbooks/ping.yml could not be found"

    def test_a_project_that_cannot_be_synced_now(self, site: Site) -> None:
        said = 'Previous Task Failed: {"job_type": "project_update", "job_name": "Bedplate", "job_id": "7"}'
        site.course([], status="failed", fields={"job_explanation": said})
        run = site.run()
        assert (run.status, run.exit_code) == (RunStatus.FAILED, 9)
        assert run.error == "AWX could not sync the project Bedplate; its project update 7 says why"

    def test_awx_fails_itself(self, site: Site) -> None:
        site.course([], status="error", fields={"result_traceback": "Traceback\n  x\nOSError: No space left\n"})
        run = site.run()
        assert (run.exit_code, run.error) == (9, "AWX could not run it: OSError: No space left")

    def test_a_job_that_is_deleted_while_it_is_followed(self, site: Site) -> None:
        looks: list[int] = []

        def on_look(body: dict[str, Any]) -> None:
            looks.append(1)
            if len(looks) == 3:
                del site.fake.jobs.bodies[body["id"]]

        site.course(playbook(HOSTS), steps=[5] * 9, on_look=on_look)
        run = site.run()
        assert (run.status, run.exit_code) == (RunStatus.FAILED, 9)
        assert run.error == "AWX has no job 1 any more: somebody deleted it while it was followed"
        assert len(site.events(run)) == 5

    def test_a_token_that_expires_meanwhile(self, site: Site) -> None:
        site.course(playbook(HOSTS), steps=[5] * 9)
        site.fake.faults = [Fault("GET", "job_events", 401, "{}")]
        run = site.run()
        assert run.exit_code == 9
        assert "does not accept the token" in str(run.error)
        assert "AWX's job 1 may go on" in str(run.error)


class TestLostLaunch:
    @pytest.mark.parametrize("status", [0, 502])
    def test_a_launch_whose_answer_is_lost_is_found_again(self, site: Site, status: int) -> None:
        site.fake.faults = [Fault("POST", "/launch/", status, after=True)]
        run = site.run()
        assert run.status is RunStatus.SUCCESSFUL
        assert len(site.fake.jobs.bodies) == 1
        assert len(site.events(run)) == 13

    def test_one_that_awx_never_saw_is_said(self, site: Site) -> None:
        site.fake.faults = [Fault("POST", "/launch/", 0)]
        with pytest.raises(EngineError, match=r"nobody knows whether AWX launched sample .*bedplate awx sync"):
            site.run()
        assert site.fake.jobs.bodies == {}

    def test_a_job_that_is_another_run_is_not_taken_for_it(self, site: Site) -> None:
        site.run()
        template = site.fake.named("job_templates", "sample")

        site.fake.faults = [Fault("POST", "/launch/", 0)]
        other = site.fake.jobs.add(template, Course(playbook(HOSTS)), limit="h9")
        with pytest.raises(EngineError, match="nobody knows"):
            site.run()
        assert site.kept.known(f"{site.fake.url}/api/v2/", [other["id"]]) == {}


class TestRetelling:
    def _entry(self, kind: str, **data: Any) -> dict[str, Any]:
        created = "2026-11-25T12:00:00.123456Z"
        return {"counter": 7, "event": kind, "created": created, "stdout": "\x1b[0;36mx\x1b[0m\r\n", "event_data": data}

    def test_bulk_is_left_out_and_large_results_are_cut(self) -> None:
        result = {
            "changed": True,
            "stdout_lines": ["a"],
            "invocation": {"module_args": {"path": "/x"}},
            "big": "y" * 99999,
        }
        event = retold(self._entry("runner_on_ok", host="h1", res=result), Redactor())
        assert (event.counter, event.host, event.changed, event.stdout) == (7, "h1", True, "x")
        assert event.created.isoformat() == "2026-11-25T12:00:00.123456+00:00"
        assert event.data["truncated"]
        assert event.data["res"]["arguments"] == {"path": "/x"}
        assert not {"stdout_lines", "invocation"} & set(event.data["res"])

    def test_what_a_check_could_not_look_at_is_told(self) -> None:
        skipped = {
            "changed": False,
            "skip_reason": "Conditional result was False",
            "false_condition": "not ansible_check_mode",
        }
        assert retold(self._entry("runner_on_skipped", res=skipped), Redactor()).data["unverified"] is True
        skipped["false_condition"] = "other"
        assert "unverified" not in retold(self._entry("runner_on_skipped", res=skipped), Redactor()).data


@pytest.mark.parametrize(
    ("explanation", "said"),
    [
        ("", None),
        ("Job terminated due to timeout", "AWX could not run it: Job terminated due to timeout"),
        ("Previous Task Failed: odd", "AWX could not do what the job needs first: odd"),
        (
            'Previous Task Failed: {"job_type": "inventory_update", "job_name": "Bedplate", "job_id": 4}',
            "AWX could not update the inventory source Bedplate; its inventory update 4 says why",
        ),
    ],
)
def test_what_awx_explains_is_one_sentence(explanation: str, said: str | None) -> None:
    body = {"id": 1, "status": "failed", "job_explanation": explanation}
    assert Execution.of(body).explanation == said


def test_where_people_see_a_job() -> None:
    assert page_of("https://awx.example.com/api/v2/", 7) == "https://awx.example.com/#/jobs/playbook/7/output"
    assert page_of("https://gw.example.com/api/controller/v2/", 7) == "https://gw.example.com/api/controller/v2/jobs/7/"


def test_answers_are_never_shown() -> None:
    assert "hush" not in repr(Launch("p", {"word": "hush"}, "", check=False, diff=False))


class _Waits(list[float]):
    """Waits in which something else goes on."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    def append(self, seconds: float) -> None:
        super().append(seconds)
        self._meanwhile()


class _Hearing:
    def __init__(self, hear: Callable[[int], None]) -> None:
        self._hear = hear

    def started(self, _run: Run) -> None:
        pass

    def event(self, event: Event) -> None:
        self._hear(event.counter)

    def finished(self, _outcome: object) -> None:
        pass
