"""Jobs that people and schedules launched in AWX come into the store: once each, whole, and by whom."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bedplate.awx.client import AwxClient
from bedplate.awx.credential import Credential
from bedplate.awx.syncing import Brought, Syncing
from bedplate.catalog import Product
from bedplate.commands.run_ends import EXIT_CODES
from bedplate.errors import EngineError
from bedplate.figures import Scope
from bedplate.runs import AWX, REDACTED, EventQuery, HostOutcome, Run, RunMode, RunQuery, RunStatus
from bedplate.settings import Settings
from bedplate.store import open_engine_runs, open_figures, open_store
from fake_awx.catalog import Awx, product
from fake_awx.executions import REVISION, Course, playbook, refused
from fake_awx.server import TOKEN, awx_server
from fake_awx.state import Fault

SECRET = {"name": "word", "type": "secret", "title": "Word"}


class Site:
    """An AWX in which products were launched, and a store."""

    def __init__(self, folder: Path, awx: Awx) -> None:
        self.awx = awx
        self.fake = awx.fake
        self.jobs = awx.fake.jobs
        self.products = [product(), product("other")]
        awx.apply(*self.products)
        self.settings = Settings(home=folder / "home", awx=awx.settings)
        self.store = open_store(self.settings)
        self.kept = open_engine_runs(self.settings)
        self.engine = f"{self.fake.url}/api/v2/"
        self.notes: list[str] = []
        self.under_way = 0

    def template(self, name: str = "sample") -> dict[str, Any]:
        return self.fake.named("job_templates", name)

    def ran(self, name: str = "sample", hosts: Sequence[str] = ("h1",), **fields: Any) -> dict[str, Any]:
        """A job of a product that has ended."""
        return self.jobs.finished(self.template(name), Course(playbook(hosts)), **fields)

    def sync(self, products: Sequence[Product] | None = None) -> list[Brought]:
        by_name = {each.name: each for each in (self.products if products is None else products)}
        with AwxClient(self.awx.settings, Credential(f"Bearer {TOKEN}"), self.awx.waits.append) as client:
            work = Syncing(client, self.store, self.kept, by_name, EXIT_CODES, self.awx.waits.append)
            try:
                return list(work.sync("Bedplate"))
            finally:
                self.notes, self.under_way = work.notes.sentences, work.notes.under_way

    def runs(self) -> list[Run]:
        return self.store.find(RunQuery(limit=None))[::-1]

    def counters(self, run: Run) -> list[int]:
        return [event.counter for event in self.store.events(run.id, EventQuery())]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with awx_server() as fake:
        made = Site(tmp_path, Awx(fake))
        yield made
        assert not fake.unexpected
        made.store.close()
        made.kept.close()


class TestWhat:
    def test_a_run_with_all_that_belongs_to_it(self, site: Site) -> None:
        answers = json.dumps({"size": "small", "reboot": "true", "other": 1})
        site.ran(hosts=("h1", "h2"), extra_vars=answers, limit="site_fra1", job_type="check", diff_mode=True)
        (brought,) = site.sync()
        (run,) = site.runs()
        assert (brought.run, brought.number, brought.completed) == (run, 1, False)
        assert (run.product, run.product_title, run.requester, run.engine) == ("sample", "Sample", "eve", AWX)
        assert (run.status, run.exit_code, run.mode, run.diff) == (RunStatus.SUCCESSFUL, 0, RunMode.CHECK, True)
        assert (run.limit, run.hosts, run.tasks) == ("site_fra1", ("h1", "h2"), 2)
        assert run.parameters == {"size": "small", "reboot": "true"}
        assert (run.git_commit, run.content_digest, run.reason) == (REVISION, "", None)
        assert run.outcomes == {HostOutcome.CHANGED: 2}
        assert site.counters(run) == list(range(1, 14))

    def test_a_secret_answer_is_none_here(self, site: Site) -> None:
        site.products[0] = product(parameters=[SECRET, {"name": "size", "type": "string", "title": "Size"}])
        site.ran(extra_vars='{"word": "$encrypted$", "size": "large"}')
        site.sync()
        assert site.runs()[0].parameters == {"word": REDACTED, "size": "large"}

    def test_a_product_that_the_catalog_lost_keeps_no_secret(self, site: Site) -> None:
        site.ran(extra_vars='{"word": "$encrypted$"}')
        site.sync([])
        assert site.runs()[0].parameters == {"word": REDACTED}

    @pytest.mark.parametrize(
        ("fields", "requester", "reason"),
        [
            ({}, "eve", None),
            (
                {
                    "by": None,
                    "launch_type": "scheduled",
                    "launched_by": {"id": 3, "name": "nightly", "type": "schedule", "url": "/x/"},
                    "summary_fields": {"schedule": {"id": 3, "name": "nightly"}},
                },
                "awx",
                "AWX's schedule nightly",
            ),
            (
                {
                    "launch_type": "workflow",
                    "summary_fields": {"source_workflow_job": {"id": 8, "name": "sample", "status": "running"}},
                },
                "eve",
                "AWX's workflow sample",
            ),
        ],
        ids=["a person", "a schedule", "a workflow"],
    )
    def test_who_launched_it(self, site: Site, fields: dict[str, Any], requester: str, reason: str | None) -> None:
        site.ran(**fields)
        site.sync()
        (run,) = site.runs()
        assert (run.requester, run.reason) == (requester, reason)

    def test_how_it_ended(self, site: Site) -> None:
        failed = Course(playbook(["h1", "h2"], failing=["h2"]), status="failed")
        site.jobs.finished(site.template(), failed)
        site.jobs.finished(site.template(), Course(status="canceled"))
        site.jobs.finished(site.template(), Course(status="error", fields={"job_explanation": "No capacity."}))
        answer = Course(refused("h1", "parameter wait must be at most 1h"), status="failed")
        site.jobs.finished(site.template(), answer)
        site.sync()
        assert [(run.status, run.exit_code, run.error) for run in site.runs()] == [
            (RunStatus.FAILED, 5, "1 of 2 hosts failed"),
            (RunStatus.CANCELED, 8, "somebody canceled it in AWX; hosts may be in the middle of a task"),
            (RunStatus.FAILED, 9, "AWX could not run it: No capacity."),
            (RunStatus.FAILED, 5, "the content that AWX runs refuses an answer: parameter wait must be at most 1h"),
        ]

    def test_only_jobs_of_templates_that_are_ours(self, site: Site) -> None:
        site.ran()
        site.ran("other")
        site.fake.take_over("other")
        assert [each.run.product for each in site.sync()] == ["sample"]

    def test_also_where_somebody_wrote_another_description(self, site: Site) -> None:
        site.ran()
        site.fake.edit("job_templates", site.template()["id"], description="Ask Eve first.")
        assert [each.run.product for each in site.sync()] == ["sample"]

    def test_a_job_whose_template_was_deleted(self, site: Site) -> None:
        site.ran()["job_template"] = None
        assert site.sync() == []

    def test_the_figures_have_it(self, site: Site) -> None:
        site.ran(hosts=("h1", "h2"))
        site.sync()
        figures = open_figures(site.settings)
        day = datetime(2026, 11, 25, tzinfo=UTC)
        (count,) = figures.people(Scope(day, day + timedelta(days=1)))
        assert (count.product, count.person, count.runs, count.hosts) == ("sample", "eve", 1, 2)
        figures.close()


class TestOnce:
    def test_again_brings_nothing(self, site: Site) -> None:
        site.ran()
        assert len(site.sync()) == 1
        assert site.sync() == []
        assert len(site.runs()) == 1

    def test_it_goes_on_where_it_was(self, site: Site) -> None:
        site.ran()
        site.sync()
        site.ran("other")
        site.fake.requests.clear()
        assert [each.run.product for each in site.sync()] == ["other"]
        (listed,) = [path for path in site.fake.asked("GET") if path.startswith("/api/v2/jobs/?")]
        assert "id__gt=1&" in listed

    def test_pruned_jobs_do_not_stop_it(self, site: Site) -> None:
        site.ran()
        site.sync()
        site.ran("other")
        site.jobs.bodies.clear()
        site.ran()
        assert [each.number for each in site.sync()] == [3]

    def test_a_job_that_goes_on_comes_when_it_has_ended(self, site: Site) -> None:
        going = site.jobs.add(site.template(), Course(playbook(["h1"])))
        site.ran()
        assert [each.number for each in site.sync()] == [2]
        assert site.under_way == 1
        site.jobs._end(going, "successful")
        assert [each.number for each in site.sync()] == [1]
        assert site.sync() == []
        assert len(site.runs()) == 2

    def test_two_at_once(self, site: Site) -> None:
        for _ in range(6):
            site.ran()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: site.sync(), range(2)))
        assert len(site.runs()) == 6
        assert {len(site.counters(run)) for run in site.runs()} == {9}
        assert site.sync() == []

    def test_a_run_that_was_pruned_here_does_not_come_back(self, site: Site) -> None:
        site.ran()
        (brought,) = site.sync()
        site.store.delete([brought.run.id])
        assert site.sync() == []

    def test_many_pages(self, site: Site) -> None:
        for _ in range(201):
            site.jobs.finished(site.template(), Course())
        site.ran("other")
        site.fake.take_over("sample")
        assert [each.number for each in site.sync()] == [202]
        assert site.kept.position(site.engine) == 202


class TestFaults:
    @pytest.mark.parametrize("path", ["/jobs/2/$", "/jobs/2/job_events/"])
    def test_one_that_is_interrupted_is_completed(self, site: Site, path: str) -> None:
        site.ran()
        site.ran(hosts=["h1", "h2"])
        site.fake.faults = [Fault("GET", path, 0, times=4)]
        with pytest.raises(EngineError, match="connection to AWX was lost"):
            site.sync()
        assert [(each.number, each.run.status) for each in site.sync()] == [(2, RunStatus.SUCCESSFUL)]
        assert [len(site.counters(run)) for run in site.runs()] == [9, 13]
        assert site.sync() == []

    def test_a_job_that_is_deleted_meanwhile_is_kept_as_far_as_it_came(self, site: Site) -> None:
        site.ran()
        site.fake.faults = [Fault("GET", "/job_events/", 404, '{"detail": "Not found."}')]
        site.sync()
        (run,) = site.runs()
        assert (run.status, run.requester) == (RunStatus.SUCCESSFUL, "eve")
        assert run.error == "AWX deleted its job before all of it was brought in"
        assert site.sync() == []

    def test_events_that_awx_lost_are_not_waited_for_for_ever(self, site: Site) -> None:
        site.jobs.finished(site.template(), Course(playbook(["h1"]), lost={3}))
        site.sync()
        (run,) = site.runs()
        assert site.counters(run) == [1, 2, *range(4, 10)]

    def test_a_clock_that_differs_is_said(self, site: Site) -> None:
        site.ran()
        site.sync()
        assert site.notes == []
        site.fake.clock = timedelta(hours=1)
        site.sync()
        (note,) = site.notes
        assert "s ahead of the one here" in note


class TestRunsFromHere:
    def _linked(self, site: Site, status: RunStatus, number: int) -> Run:
        began = datetime(2026, 11, 25, 7, 0, tzinfo=UTC)
        run = Run(
            id="20261125-070000-abcd", product="sample", status=status, mode=RunMode.APPLY, requester="ada",
            created_at=began, queued_at=began, started_at=began, hosts=("h1", "h2"), engine=AWX,
        )  # fmt: skip
        site.store.add(run)
        site.kept.claim(site.engine, number, run.id)
        return run

    def test_one_whose_process_died_is_completed(self, site: Site) -> None:
        number = site.ran()["id"]
        run = self._linked(site, RunStatus.EXPIRED, number)
        (brought,) = site.sync()
        assert brought.completed
        ended = site.store.get(run.id)
        assert (ended.status, ended.exit_code, ended.requester) == (RunStatus.SUCCESSFUL, 0, "ada")
        assert ended.duration == timedelta(seconds=30)
        assert ended.outcomes == {HostOutcome.CHANGED: 1, HostOutcome.UNKNOWN: 1}
        assert site.sync() == []

    def test_one_that_is_followed_is_left_to_who_follows_it(self, site: Site) -> None:
        number = site.ran()["id"]
        run = self._linked(site, RunStatus.RUNNING, number)
        site.ran()
        assert [each.number for each in site.sync()] == [2]
        assert site.store.get(run.id).status is RunStatus.RUNNING
        site.store.update(run.id, status=RunStatus.EXPIRED)
        assert [each.number for each in site.sync()] == [1]

    def test_one_that_was_followed_to_its_end_is_not_brought_in(self, site: Site) -> None:
        number = site.ran()["id"]
        self._linked(site, RunStatus.SUCCESSFUL, number)
        site.kept.settle(site.engine, number)
        assert site.sync() == []
        assert len(site.runs()) == 1
