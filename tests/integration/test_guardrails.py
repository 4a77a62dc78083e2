"""Guardrails as people meet them: refusals, locks, approvals, batches and the audit log, with real processes."""

from __future__ import annotations

import json
import os
import pwd
import signal
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from bedplate.runs import RunQuery, RunStatus
from integration.execution_project import BEDPLATE, ROOT, Project, task, wait_for

_SCHEMAS = ROOT / "docs" / "schemas"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may order as different people")


class Office:
    """A project with teams, a folder of calendars, and several people who order. `shared` makes its store a group's."""

    def __init__(self, folder: Path, hosts: int = 2) -> None:
        self.project = Project(folder, hosts=hosts)
        self.calendars = folder / "calendars"
        self.calendars.mkdir()
        self.teams = folder / "teams.yml"
        teams = {"ops": {"members": ["ada", "bob", "worker"]}, "web": {"members": ["eve"]}}
        self.teams.write_text(yaml.safe_dump({"teams": teams}))
        self.extra: dict[str, str] = {}

    def share(self) -> None:
        self.project.home.mkdir(exist_ok=True)
        self.project.home.chmod(0o2770)

    def freeze(self, start: datetime, end: datetime) -> None:
        document = {"freezes": [{"name": "Year end", "from": start.isoformat(), "to": end.isoformat()}]}
        temporary = self.calendars / ".company"
        temporary.write_text(yaml.safe_dump(document))
        temporary.replace(self.calendars / "company.yml")

    def environment(self, person: str) -> dict[str, str]:
        return {
            **self.project.environment,
            "BEDPLATE_TEAMS_FILE": str(self.teams),
            "BEDPLATE_GUARDRAILS_CALENDARS": str(self.calendars),
            "BEDPLATE_ACCESS_USER": person,
            **self.extra,
        }

    def start(self, *arguments: str, person: str = "ada") -> subprocess.Popen[str]:
        return subprocess.Popen(
            [BEDPLATE, "-i", str(self.project.inventory), *arguments],
            env=self.environment(person), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def say(self, *arguments: str, person: str = "ada", code: int = 0) -> str:
        """Run `bedplate` as a person and return what it printed, errors last."""
        process = self.start(*arguments, person=person)
        out, err = process.communicate(timeout=240)
        assert process.returncode == code, out + err
        return out if code == 0 else out + err

    def document(self, schema: str | None, *arguments: str, person: str = "ada", code: int = 0) -> Any:
        process = self.start(*arguments, "-o", "json", person=person)
        out, err = process.communicate(timeout=240)
        assert process.returncode == code, out + err
        document = json.loads(out)
        if schema:
            Draft202012Validator(json.loads((_SCHEMAS / f"{schema}.schema.json").read_text())).validate(document)
        return document


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


@pytest.fixture
def agreed(office: Office) -> Office:
    """An office with a product that needs approval, in a store that all share."""
    office.share()
    office.project.product("agreed", [task("Say", "debug")], guardrails={"approval": {"expires": "1h"}})
    return office


def nap(seconds: float) -> list[dict[str, Any]]:
    return [task("Nap", "pause", arguments={"seconds": seconds})]


@as_root
class TestRefusals:
    def test_a_dry_run_shows_every_verdict_and_runs_nothing(self, office: Office) -> None:
        now = datetime.now(UTC)
        office.freeze(now - timedelta(days=1), now + timedelta(days=1))
        office.project.product(
            "strict", [task("Say", "debug")], targets={"max_hosts": 1}, access={"run": ["web"]},
            guardrails={"freeze": ["company"], "dry_run_first": "1h"},
        )  # fmt: skip
        document = office.document("run_dry", "run", "strict", "--dry-run", code=3)
        refused = [verdict["rule"] for verdict in document["verdicts"] if verdict["outcome"] == "refused"]
        assert refused == ["access", "host_cap", "freeze", "dry_run_first"]
        said = office.say("run", "strict", code=3)
        assert all(f"\n  {rule}: " in said for rule in refused), said
        assert said.count("tests@example.com") >= 2, "who can help is named"
        assert office.document(None, "runs", "list") == []
        office.say("run", "strict", "-l", "h1", "--check", person="eve")
        (company,) = office.calendars.glob("company.yml")
        company.write_text("freezes: []\n")
        assert office.document("run_dry", "run", "strict", "-l", "h1", "--dry-run", person="eve")["decision"] == "start"
        office.say("run", "strict", "-l", "h1", person="eve")
        assert "dry_run_first" in office.say("run", "strict", "-l", "h2", person="eve", code=3), "another host"

    @pytest.mark.parametrize(
        ("rule", "keys", "sentence"),
        [
            (
                "offered",
                {"lifecycle": {"stage": "ga", "sunset": "2020-01-01"}},
                "is not offered any more since 2020-01-01",
            ),
            ("host_class", {"targets": {"classes": ["colo"]}}, "runs only on hosts of class colo, not on h1, h2"),
            ("forced_limit", {"targets": {"force_limit": "h2"}}, "runs only on hosts of 'h2', not on h1"),
            (
                "host_percent",
                {"targets": {"max_percent": 10}},
                "runs on at most 10 % of the fleet at once, 0 of 2 hosts",
            ),
            ("batches", {"guardrails": {"canary": 1}}, "promises canary, which its playbook does not act on"),
            ("approval", {"guardrails": {"approval": {}}}, "nobody else can reach this store"),
        ],
    )
    def test_each_rule_by_its_name(self, office: Office, rule: str, keys: dict[str, Any], sentence: str) -> None:
        office.project.product("ruled", [task("Say", "debug")], **keys)
        limit = ["-l", "h1"] if rule == "forced_limit" else []
        said = office.say("run", "ruled", *limit, code=3)
        assert f"refused by {rule}: ruled {sentence}" in said or f"refused by {rule}: {sentence}" in said, said
        assert "tests@example.com" in said, "who can help is named"

    def test_a_calendar_that_cannot_be_read_refuses(self, office: Office) -> None:
        office.project.product("frozen", [task("Say", "debug")], guardrails={"freeze": ["company"]})
        assert "there is no company.yml" in office.say("run", "frozen", code=3)
        (office.calendars / "company.yml").write_text("freezes: [")
        assert "neither iCalendar nor YAML" in office.say("run", "frozen", code=3)

    def test_a_window_from_a_custom_field(self, office: Office) -> None:
        window = {"bedplate_custom_fields": {"maintenance": "always"}}
        office.project.write_inventory({"h1": window, "h2": {"bedplate_custom_fields": {"maintenance": "never"}}})
        office.project.product("timed", [task("Say", "debug")], guardrails={"window": {"custom_field": "maintenance"}})
        assert "the window never opens: h2" in office.say("run", "timed", code=3)
        office.say("run", "timed", "-l", "h1")

    def test_a_policy_refuses_by_its_name(self, office: Office, tmp_path: Path) -> None:
        folder = tmp_path / "policies"
        folder.mkdir()
        (folder / "own.cedar").write_text(
            "permit (principal, action, resource);\n"
            '@id("web_stays_small")\nforbid (principal in Team::"web", action, resource)\n'
            "when { context.host_count > 1 };\n"
        )
        (folder / "cases.yml").write_text(
            "cases:\n  - {name: small, person: eve, teams: [web], product: plain, hosts: [a], at: 2026-01-01,"
            " expect: allow}\n"
        )
        office.extra = {"BEDPLATE_GUARDRAILS_POLICIES": str(folder)}
        office.project.product("plain", [task("Say", "debug")])
        assert "forbidden by own.cedar#web_stays_small" in office.say("run", "plain", person="eve", code=3)
        office.say("run", "plain", "-l", "h1", person="eve")
        names = office.document("policy_check", "policy", "check")["policies"]
        assert names == ["own.cedar#1", "own.cedar#web_stays_small"]
        assert office.document("policy_test", "policy", "test", str(folder / "cases.yml"))["failed"] == 0
        (folder / "own.cedar").write_text("permit (")
        assert "own.cedar" in office.say("run", "plain", code=2)
        assert "own.cedar" in office.say("policy", "check", code=2)


@as_root
class TestLocks:
    def test_of_two_starts_in_the_same_moment_one_gets_the_host(self, office: Office) -> None:
        office.project.product("naps", nap(10))
        processes = [office.start("run", "naps", "-l", "h1") for _ in range(2)]
        outputs = [process.communicate(timeout=240) for process in processes]
        assert sorted(process.returncode for process in processes) == [0, 3], outputs
        (refused,) = [err for (_, err), process in zip(outputs, processes, strict=True) if process.returncode == 3]
        assert "refused by host_lock: h1 is being changed by naps of ada" in refused

    def test_a_killed_owner_keeps_nothing(self, office: Office) -> None:
        office.project.product("naps", nap(600))
        office.project.product("short", [task("Say", "debug")])
        owner = office.start("run", "naps", "-l", "h1")
        wait_for(lambda: [run for run in office.project.store.unfinished() if run.started_at], "the run to start")
        assert "host_lock" in office.say("run", "short", "-l", "h1", code=3)
        office.say("run", "short", "-l", "h1", "--check")
        os.kill(owner.pid, signal.SIGKILL)
        owner.communicate()
        office.say("run", "short", "-l", "h1")
        (expired,) = office.project.store.find(RunQuery(product="naps"))
        assert expired.status is RunStatus.EXPIRED

    def test_an_order_waits_for_its_turn(self, office: Office) -> None:
        office.project.product("naps", nap(8))
        office.project.product("short", [task("Say", "debug")])
        first = office.start("run", "naps", "-l", "h1")
        wait_for(lambda: [run for run in office.project.store.unfinished() if run.started_at], "the run to start")
        waiting = office.start("run", "short", "--wait", "3m", person="bob")
        queued = wait_for(lambda: office.project.store.find(RunQuery(product="short")), "the order to be kept")
        assert queued[0].status is RunStatus.QUEUED
        (out, err), _ = waiting.communicate(timeout=240), first.communicate(timeout=240)
        assert (first.returncode, waiting.returncode) == (0, 0), out + err
        assert "It waits: host_lock: h1 is being changed by naps of ada" in out
        (naps,), (short,) = (office.project.store.find(RunQuery(product=name)) for name in ("naps", "short"))
        assert naps.finished_at is not None
        assert short.started_at is not None
        assert short.started_at >= naps.finished_at

    def test_who_waited_too_long_is_refused_and_who_is_canceled_leaves(self, office: Office) -> None:
        office.project.product("naps", nap(600))
        office.project.product("short", [task("Say", "debug")])
        owner = office.start("run", "naps", "-l", "h1")
        wait_for(lambda: [run for run in office.project.store.unfinished() if run.started_at], "the run to start")
        assert "refused by host_lock: h1 is being changed by naps" in office.say("run", "short", "--wait", "1s", code=3)
        (refused,) = office.project.store.find(RunQuery(product="short"))
        assert refused.status is RunStatus.REFUSED
        office.say("run", "short", "--wait", "5m", "--detach")
        (queued,) = office.project.store.find(RunQuery(product="short", statuses=(RunStatus.QUEUED,)))
        office.say("runs", "cancel", queued.id)
        office.say("runs", "wait", queued.id, code=8)
        office.say("run", "short", "--wait", "5m", "--detach")
        os.kill(owner.pid, signal.SIGKILL)
        owner.communicate()
        (last,) = office.project.store.find(RunQuery(product="short", statuses=(RunStatus.QUEUED,)))
        office.say("runs", "wait", last.id)

    def test_a_freeze_that_began_meanwhile_turns_away_who_waited(self, office: Office) -> None:
        (office.calendars / "company.yml").write_text("freezes: []\n")
        office.project.product("naps", nap(8))
        office.project.product("short", [task("Say", "debug")], guardrails={"freeze": ["company"]})
        first = office.start("run", "naps", "-l", "h1")
        wait_for(lambda: [run for run in office.project.store.unfinished() if run.started_at], "the run to start")
        waiting = office.start("run", "short", "--wait", "3m")
        wait_for(lambda: office.project.store.find(RunQuery(product="short")), "the order to be kept")
        now = datetime.now(UTC)
        office.freeze(now - timedelta(hours=1), now + timedelta(hours=1))
        out, err = waiting.communicate(timeout=240)
        first.communicate(timeout=240)
        assert waiting.returncode == 3, out + err
        assert "refused by freeze: frozen by 'Year end'" in out

    def test_so_many_runs_of_a_product_at_once(self, office: Office) -> None:
        office.project.product("naps", nap(30), guardrails={"concurrency": 1})
        first = office.start("run", "naps", "-l", "h1")
        wait_for(office.project.store.unfinished, "the run to be accepted")
        assert "refused by concurrency: at most 1 runs of naps at once" in office.say("run", "naps", "-l", "h2", code=3)
        first.communicate(timeout=240)
        assert first.returncode == 0


@as_root
class TestApproval:
    def _order(self, office: Office) -> str:
        document = office.document("run", "run", "agreed")
        assert document["status"] == "pending"
        return str(document["id"])

    def test_somebody_else_agrees_and_the_requester_starts_it(self, agreed: Office) -> None:
        run_id = self._order(agreed)
        assert "refused by own_order" in agreed.say("runs", "approve", run_id, code=3)
        assert "refused by approver_team: zoe is not in any team" in agreed.say(
            "runs", "approve", run_id, person="zoe", code=3
        )
        assert "0 of 1 approvals" in agreed.say("run", "--resume", run_id, code=3)
        agreed.say("runs", "approve", run_id, "--comment", "fine", person="bob")
        assert "ada ordered it, not eve" in agreed.say("run", "--resume", run_id, person="eve", code=3)
        agreed.say("run", "--resume", run_id)
        run = agreed.project.store.get(run_id)
        assert (run.status.value, run.requester) == ("successful", "ada")
        assert "does not wait for approval" in agreed.say("run", "--resume", run_id, code=2)
        rows = agreed.document("audit_list", "audit", "list", "--run", run_id)
        kinds = [row["kind"] for row in rows]
        assert kinds == ["ended", "started", "approved", "refused", "refused", "refused", "asked"]

    def test_what_changed_since_is_void(self, agreed: Office) -> None:
        run_id = self._order(agreed)
        agreed.say("runs", "approve", run_id, person="bob")
        agreed.project.write_inventory({"h1": {}, "h2": {}, "h3": {}})
        assert "are not those that were ordered" in agreed.say("run", "--resume", run_id, code=3)
        assert agreed.project.store.get(run_id).status.value == "refused"
        again = self._order(agreed)
        agreed.project.product("agreed", [task("Other", "debug")], guardrails={"approval": {"expires": "1h"}})
        assert "are not those that were ordered" in agreed.say("runs", "approve", again, person="bob", code=3)

    def test_an_approval_expires(self, agreed: Office) -> None:
        run_id = self._order(agreed)
        agreed.say("runs", "approve", run_id, person="bob")
        with closing(sqlite3.connect(agreed.project.home / "bedplate.db")) as connection, connection:
            connection.execute("UPDATE approvals SET at = at - 3600 * 1000000")
        assert "that of bob expired" in agreed.say("run", "--resume", run_id, code=3)
        agreed.say("runs", "approve", run_id, person="bob")
        agreed.say("run", "--resume", run_id)

    def test_a_rejected_run_has_ended(self, agreed: Office) -> None:
        run_id = self._order(agreed)
        agreed.say("runs", "reject", run_id, "--comment", "not today", person="bob")
        assert "rejected by bob: not today" in agreed.say("runs", "wait", run_id, code=3)

    def test_a_run_can_be_withdrawn(self, agreed: Office) -> None:
        run_id = self._order(agreed)
        agreed.say("runs", "cancel", run_id)
        assert agreed.project.store.get(run_id).status.value == "canceled"

    def test_a_worker_starts_what_was_approved(self, agreed: Office) -> None:
        run_id = self._order(agreed)
        agreed.extra = {"BEDPLATE_GUARDRAILS_WORKERS": "worker"}
        assert "waits: 0 of 1 approvals" in agreed.say("runs", "work", "--once", person="worker")
        agreed.say("runs", "approve", run_id, person="bob")
        assert "started, process" in agreed.say("runs", "work", "--once", person="worker")
        agreed.say("runs", "wait", run_id)
        assert agreed.project.store.get(run_id).requester == "ada"

    def test_a_private_store_is_refused(self, agreed: Office) -> None:
        agreed.project.home.chmod(0o700)
        assert "nobody else can reach this store" in agreed.say("run", "agreed", code=3)

    def test_a_check_needs_nobody(self, agreed: Office) -> None:
        agreed.say("run", "agreed", "--check")


@as_root
def test_a_freeze_that_begins_under_way_holds_the_next_batch(tmp_path: Path) -> None:
    office = Office(tmp_path, hosts=3)
    (office.calendars / "company.yml").write_text("freezes: []\n")
    play = {
        "hosts": "{{ bedplate_hosts | default('all') }}",
        "serial": "{{ bedplate_batches | default(['100%']) }}",
    }
    office.project.product("rolls", nap(12), play=play, guardrails={"canary": 1, "freeze": ["company"]})
    playbook = office.project.root / "playbooks" / "rolls.yml"
    plays = yaml.safe_load(playbook.read_text())
    for name, keywords in (("report", {"connection": "local"}), ("later", {})):
        leave = task("Leave a file", "copy", arguments={"content": "x", "dest": f"{tmp_path}/{name}", "mode": "0600"})
        tasks = [{**leave, "run_once": True, "delegate_to": "localhost", "changed_when": False}]
        plays.append({"name": name, "hosts": "all", "gather_facts": False, **keywords, "tasks": tasks})
    playbook.write_text(yaml.safe_dump(plays, sort_keys=False))
    process = office.start("run", "rolls")
    wait_for(lambda: [run for run in office.project.store.unfinished() if run.started_at], "the run to start")
    now = datetime.now(UTC)
    office.freeze(now - timedelta(hours=1), now + timedelta(hours=1))
    out, err = process.communicate(timeout=240)
    assert process.returncode == 8, out + err
    (run,) = office.project.store.find(RunQuery())
    assert run.error is not None
    assert "frozen by 'Year end'" in run.error
    outcomes = {result.host: result.outcome.value for result in office.project.store.host_results(run.id)}
    assert outcomes["h1"] == "ok", "the batch that was under way ended"
    assert {outcomes.get("h2"), outcomes.get("h3")} <= {"skipped", "unknown", None}
    assert (tmp_path / "report").exists(), "a play that only reports still runs"
    assert not (tmp_path / "later").exists()


class TestAuditLog:
    @pytest.fixture
    def log(self, office: Office, tmp_path: Path) -> Office:
        """An office whose log is anchored, with one run in it."""
        key = tmp_path / "audit.key"
        key.write_text("0123456789abcdef0123456789abcdef\n")
        office.extra = {"BEDPLATE_AUDIT_KEY_FILE": str(key), "BEDPLATE_AUDIT_ANCHOR_FILE": str(tmp_path / "anchors")}
        office.project.product("plain", [task("Say", "debug")])
        office.say("run", "plain", person=_me())
        return office

    def test_it_says_who_did_what(self, log: Office) -> None:
        document = log.document("audit_verify", "audit", "verify", person=_me())
        assert (document["intact"], document["entries"], document["anchors"]) == (True, 3, 3)
        rows = log.document("audit_list", "audit", "list", person=_me())
        assert [row["kind"] for row in rows] == ["ended", "started", "asked"]
        assert {row["person"] for row in rows} == {_me()}
        lines = log.say("audit", "export", person=_me()).splitlines()
        validator = Draft202012Validator(json.loads((_SCHEMAS / "audit_export.schema.json").read_text()))
        for line in lines:
            validator.validate(json.loads(line))
        assert len(lines) == 3

    @pytest.mark.parametrize(
        ("statement", "fault"),
        [
            ("UPDATE audit SET body = replace(body, 'plain', 'other') WHERE number = 2", "entry 2 was edited"),
            ("DELETE FROM audit WHERE number = 3", "the tail was cut: entries 3 to 3"),
            ("DELETE FROM audit", "the tail was cut: entries 1 to 3"),
        ],
    )
    def test_what_was_changed_is_found(self, log: Office, statement: str, fault: str) -> None:
        with closing(sqlite3.connect(log.project.home / "bedplate.db")) as connection, connection:
            connection.execute(statement)
        document = log.document("audit_verify", "audit", "verify", person=_me(), code=9)
        assert not document["intact"]
        assert fault in " ".join(each["sentence"] for each in document["faults"])

    def test_a_key_that_cannot_be_read_starts_nothing(self, log: Office) -> None:
        log.extra = {"BEDPLATE_AUDIT_KEY_FILE": "/nowhere"}
        assert "/nowhere: cannot be read" in log.say("run", "plain", person=_me(), code=2)

    def test_anchors_that_cannot_be_written_start_nothing(self, log: Office) -> None:
        log.extra["BEDPLATE_AUDIT_ANCHOR_FILE"] = "/nowhere/anchors"
        assert "cannot be anchored" in log.say("run", "plain", person=_me(), code=9)


def _me() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name
