"""`plan` and `apply` against the fake AWX: what is made, left alone and set back, and how much is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from bedplate.awx.comparison import Action, Cause
from bedplate.awx.kinds import BY_NAME, NODE_EXTRAS
from bedplate.awx.own_limits import limits_left_to_awx
from bedplate.catalog import load_catalog
from bedplate.errors import EngineError
from fake_awx.catalog import Awx, product
from fake_awx.fields import options
from fake_awx.server import awx_server
from fake_awx.state import Fault

WRITES = {"POST", "PATCH", "DELETE"}


@pytest.fixture
def awx() -> Iterator[Awx]:
    with awx_server() as fake:
        yield Awx(fake)
        assert not fake.unexpected


@pytest.fixture
def furnished(awx: Awx) -> Awx:
    awx.furnish()
    return awx


def _writes(awx: Awx) -> list[str]:
    return [f"{method} {path.removeprefix('/api/v2/')}" for method, path in awx.fake.requests if method in WRITES]


class TestApply:
    def test_an_empty_awx_gets_all_and_then_nothing_more(self, awx: Awx) -> None:
        results = awx.apply(product())
        assert [result.error for result in results] == [None] * len(results)
        template = awx.fake.named("job_templates", "sample")
        assert template["inventory"] == awx.fake.named("inventories", "Bedplate")["id"]
        assert template["survey_enabled"]
        assert template["survey_spec"]["spec"][2]["choices"] == ["true", "false"]
        awx.fake.requests.clear()
        assert awx.lines(product()) == []
        assert awx.apply(product()) == []
        assert _writes(awx) == []

    def test_labels_and_credentials_are_attached(self, furnished: Awx) -> None:
        awx = Awx(furnished.fake, credentials=("ssh",))
        assert not [result for result in awx.apply(product(tags=["quick"])) if result.error]
        related = awx.fake.named("job_templates", "sample")["related"]
        names = [awx.fake.objects["labels"][number]["name"] for number in related["labels"]]
        assert sorted(names) == ["bedplate", "owner:platform", "quick", "stage:ga"]
        assert related["credentials"] == [awx.fake.named("credentials", "ssh")["id"]]
        assert awx.lines(product(tags=["quick"])) == []
        assert awx.lines(product()) == ["update job_template sample labels"]
        awx.apply(product())
        assert awx.lines(product()) == []

    def test_a_label_that_changes_products_is_not_lost_on_its_way(self, awx: Awx) -> None:
        awx.apply(product("a", tags=["quick"]), product("b"))
        moved = [product("a"), product("b", tags=["quick"])]
        assert not [result for result in awx.apply(*moved) if result.error]
        assert awx.lines(*moved) == []
        approved = [product(name, tags=["slow"], guardrails={"approval": {}}) for name in "ab"]
        assert not [result for result in awx.apply(*approved) if result.error]
        assert awx.lines(*approved) == []

    def test_a_changed_product_touches_its_template_and_its_survey(self, awx: Awx) -> None:
        products = [product(f"p{number}") for number in range(5)]
        awx.apply(*products)
        changed = product("p3", targets={"force_limit": "site_fra1"}, parameters=[])
        awx.fake.requests.clear()
        (result,) = awx.apply(*products[:3], changed, products[4])
        assert [each.field for each in result.change.differences] == [
            "limit",
            "ask_limit_on_launch",
            "survey_enabled",
            "survey",
        ]
        number = awx.fake.named("job_templates", "p3")["id"]
        assert _writes(awx) == [f"PATCH job_templates/{number}/", f"DELETE job_templates/{number}/survey_spec/"]
        assert awx.fake.named("job_templates", "p3")["ask_limit_on_launch"] is False

    def test_the_catalog_is_the_cause_where_it_changed(self, awx: Awx) -> None:
        awx.apply(product())
        (change,) = awx.plan(product(summary="Does more.")).changes
        assert (change.action, change.cause) == (Action.UPDATE, Cause.CATALOG)

    def test_a_project_that_is_syncing_is_waited_for(self, awx: Awx) -> None:
        awx.fake.syncing = 3
        assert not [result for result in awx.apply(product()) if result.error]
        assert len([path for path in awx.fake.asked("GET") if path.startswith("/api/v2/projects/")]) >= 3

    def test_a_project_that_fails_to_sync_is_said(self, awx: Awx) -> None:
        awx.apply()
        project = awx.fake.named("projects", "Bedplate")
        awx.fake.edit("projects", project["id"], by="bedplate", status="failed")
        with pytest.raises(EngineError, match="could not sync project Bedplate"):
            awx.apply(product())

    def test_a_playbook_that_the_project_lacks_is_said_and_the_rest_goes_on(self, awx: Awx) -> None:
        missing = product("missing", playbook="playbooks/missing.yml")
        failed = [result for result in awx.apply(missing, product()) if result.error]
        assert [result.change.name for result in failed] == ["missing"]
        assert "project Bedplate has no playbooks/missing.yml" in str(failed[0].error)
        assert awx.fake.named("job_templates", "sample")

    def test_a_playbook_that_was_pushed_since_is_found_by_a_sync(self, awx: Awx) -> None:
        awx.apply(product())
        awx.fake.playbooks = [*awx.fake.playbooks, "playbooks/new.yml"]
        others = [product(f"n{number}", playbook="playbooks/new.yml") for number in range(2)]
        assert not [result for result in awx.apply(product(), *others) if result.error]
        assert len([path for path in awx.fake.asked("POST") if path.endswith("/update/")]) == 1
        failed = [result for result in awx.apply(product(), product("x", playbook="playbooks/x.yml")) if result.error]
        assert "has no playbooks/x.yml" in str(failed[0].error)

    def test_a_project_of_somebody_else_is_not_synced(self, furnished: Awx) -> None:
        awx = Awx(furnished.fake, project_url="", inventory_source="")
        fake = awx.fake
        fake.add("projects", name="Bedplate", organization=1, scm_type="git", scm_url="https://x.example.com/x.git")
        fake.add("inventories", name="Bedplate", organization=1)
        (failed,) = [each for each in awx.apply(product("x", playbook="playbooks/x.yml")) if each.error]
        assert "has no playbooks/x.yml" in str(failed.error)
        assert not [path for path in fake.asked("POST") if path.endswith("/update/")]


class TestByHand:
    def test_a_field_is_shown_and_set_back(self, awx: Awx) -> None:
        awx.apply(product())
        template = awx.fake.named("job_templates", "sample")
        awx.fake.edit("job_templates", template["id"], forks=50, ask_variables_on_launch=True)
        (change,) = awx.plan(product()).changes
        assert change.cause is Cause.AWX
        assert [(each.field, each.before, each.after) for each in change.differences] == [
            ("forks", 50, 0),
            ("ask_variables_on_launch", True, False),
        ]
        awx.apply(product())
        assert awx.fake.named("job_templates", "sample")["forks"] == 0
        assert awx.lines(product()) == []

    def test_a_description_without_the_mark_is_set_back_where_the_label_says_whose_it_is(self, awx: Awx) -> None:
        awx.apply(product())
        template = awx.fake.named("job_templates", "sample")
        marked = template["description"]
        awx.fake.edit("job_templates", template["id"], description="Ask Eve first.", forks=5)
        (change,) = awx.plan(product()).changes
        assert (change.action, change.cause) == (Action.UPDATE, Cause.AWX)
        assert [each.field for each in change.differences] == ["description", "forks"]
        assert awx.lines() == []
        awx.apply(product())
        assert (template["description"], template["forks"]) == (marked, 0)
        awx.fake.take_over("sample")
        assert awx.lines(product()) == ["foreign job_template sample"]

    def test_variables_of_the_source_are_compared_as_what_they_mean(self, awx: Awx) -> None:
        awx.apply()
        source = awx.fake.named("inventory_sources", "Bedplate")
        written = json.loads(source["source_vars"])
        awx.fake.edit("inventory_sources", source["id"], source_vars=yaml.safe_dump(written))
        assert awx.lines() == []
        awx.fake.edit("inventory_sources", source["id"], source_vars="---")
        assert awx.lines() == ["update inventory_source Bedplate source_vars"]
        awx.apply()
        assert json.loads(awx.fake.named("inventory_sources", "Bedplate")["source_vars"]) == written

    def test_the_inventory_source_as_a_whole(self, awx: Awx) -> None:
        awx.apply()
        source = awx.fake.named("inventory_sources", "Bedplate")
        awx.fake.edit("inventory_sources", source["id"], verbosity=2, timeout=5, scm_branch="x", overwrite=False)
        assert awx.lines() == ["update inventory_source Bedplate overwrite timeout verbosity scm_branch"]
        awx.apply()
        assert awx.lines() == []

    def test_a_survey_that_somebody_changed_is_set_back(self, awx: Awx) -> None:
        awx.apply(product())
        template = awx.fake.named("job_templates", "sample")
        survey = json.loads(json.dumps(template["survey_spec"]))
        survey["spec"][0]["required"] = False
        awx.fake.edit("job_templates", template["id"], by="eve", survey_spec=survey)
        (change,) = awx.plan(product()).changes
        (difference,) = change.differences
        assert (difference.field, difference.before) == ("survey", {"size": {"required": False}})
        assert difference.after == {"size": {"required": True}}
        awx.apply(product())
        assert awx.fake.named("job_templates", "sample")["survey_spec"]["spec"][0]["required"] is True
        assert awx.lines(product()) == []

    def test_a_survey_changed_with_our_own_account_is_found_on_demand(self, awx: Awx) -> None:
        awx.apply(product())
        template = awx.fake.named("job_templates", "sample")
        survey = json.loads(json.dumps(template["survey_spec"]))
        survey["spec"][0]["choices"] = ["small"]
        awx.fake.edit("job_templates", template["id"], by="bedplate", survey_spec=survey)
        assert awx.lines(product()) == []
        assert awx.lines(product(), surveys=True) == ["update job_template sample survey"]

    def test_a_grant_is_taken_back(self, furnished: Awx) -> None:
        mine = product(access={"run": ["web"]})
        furnished.apply(mine)
        role = furnished.fake.named("role_definitions", "JobTemplate Execute")["id"]
        template = furnished.fake.named("job_templates", "sample")["id"]
        grants = furnished.fake.objects["role_team_assignments"]
        assert [(grant["team"], grant["object_id"]) for grant in grants.values()] == [(1, str(template))]
        furnished.fake.add("role_team_assignments", role_definition=role, team=2, object_id=str(template))
        assert furnished.lines(mine) == ["update job_template sample teams.execute"]
        furnished.apply(mine)
        assert [grant["team"] for grant in grants.values()] == [1]

    @pytest.mark.parametrize("access", [{}, {"run": ["all"]}])
    def test_where_the_catalog_names_no_team_grants_are_awx_s_own_matter(
        self, furnished: Awx, access: dict[str, Any]
    ) -> None:
        mine = product(access=access)
        assert furnished.plan(mine).notes == ()
        furnished.apply(mine)
        role = furnished.fake.named("role_definitions", "JobTemplate Execute")["id"]
        template = furnished.fake.named("job_templates", "sample")["id"]
        furnished.fake.add("role_team_assignments", role_definition=role, team=2, object_id=str(template))
        assert furnished.lines(mine) == []
        asks = product(access=access, guardrails={"approval": {}})
        assert "update job_template sample teams.execute" in furnished.lines(asks)


class TestOthers:
    def test_an_object_of_the_same_name_is_left_alone_and_said(self, awx: Awx) -> None:
        awx.apply()
        project = awx.fake.named("projects", "Bedplate")["id"]
        inventory = awx.fake.named("inventories", "Bedplate")["id"]
        fields = {"inventory": inventory, "project": project, "playbook": "playbooks/verify.yml"}
        awx.fake.add("job_templates", name="sample", **fields)
        before = json.dumps(awx.fake.named("job_templates", "sample"))
        assert awx.lines(product()) == [
            "create label bedplate",
            "create label owner:platform",
            "create label stage:ga",
            "foreign job_template sample",
        ]
        awx.apply(product(), prune=True)
        assert json.dumps(awx.fake.named("job_templates", "sample")) == before

    def test_what_needs_it_is_not_made(self, furnished: Awx) -> None:
        furnished.fake.add("inventories", name="Bedplate", organization=1)
        lines = furnished.lines(product())
        assert "foreign inventory Bedplate" in lines
        assert "blocked job_template sample" in lines

    def test_a_project_of_somebody_else_serves_where_no_url_is_set(self, furnished: Awx) -> None:
        awx = Awx(furnished.fake, project_url="", inventory_source="")
        assert "blocked project Bedplate" in awx.lines(product())
        fake = awx.fake
        fake.add("projects", name="Bedplate", organization=1, scm_type="git", scm_url="https://x.example.com/x.git")
        fake.add("inventories", name="Bedplate", organization=1)
        assert not [result for result in awx.apply(product()) if result.error]
        assert awx.lines(product()) == []
        assert not fake.named("inventories", "Bedplate")["description"]

    def test_a_team_that_awx_does_not_know_is_said(self, furnished: Awx) -> None:
        mine = product(access={"run": ["web", "nobody"]})
        assert any("no team nobody" in note for note in furnished.plan(mine).notes)
        furnished.apply(mine)
        assert furnished.lines(mine) == []


class TestPrune:
    def test_only_on_demand_and_only_ours(self, furnished: Awx) -> None:
        furnished.apply(product("old", schedule=[{"calendar": "daily", "parameters": {"size": "small"}}]), product())
        assert furnished.lines(product()) == ["prune schedule old: daily UTC", "prune job_template old"]
        assert furnished.apply(product()) == []
        assert len(furnished.apply(product(), prune=True)) == 2
        assert [each["name"] for each in furnished.fake.objects["job_templates"].values()] == ["sample"]
        assert furnished.fake.objects["teams"]

    def test_a_copy_that_somebody_made_is_theirs(self, awx: Awx) -> None:
        awx.apply(product())
        template = awx.fake.named("job_templates", "sample")
        fields = {key: template[key] for key in ("description", "inventory", "project", "playbook")}
        awx.fake.add("job_templates", name="sample @ 12:00:00", **fields)
        assert awx.lines(product()) == []
        assert awx.apply(product(), prune=True) == []

    def test_what_belongs_to_all_of_awx_stays(self, awx: Awx) -> None:
        Awx(awx.fake, execution_environment="registry.example.com/ee:1").apply(product())
        assert awx.lines(product()) == [
            "update inventory_source Bedplate execution_environment",
            "update job_template sample execution_environment",
        ]
        awx.apply(product(), prune=True)
        assert awx.fake.named("execution_environments", "Bedplate")["image"] == "registry.example.com/ee:1"
        assert awx.lines(product()) == []

    def test_a_renamed_product_is_made_and_the_old_one_can_be_pruned(self, awx: Awx) -> None:
        awx.apply(product("old"))
        assert awx.lines(product("new")) == ["create job_template new", "prune job_template old"]

    def test_a_product_after_its_last_day(self, awx: Awx) -> None:
        awx.apply(product())
        gone = product(lifecycle={"stage": "deprecated", "sunset": "2026-01-31"})
        assert awx.lines(gone) == ["prune job_template sample"]
        still = product(lifecycle={"stage": "deprecated", "sunset": "2999-12-31"})
        assert awx.lines(still) == ["create label stage:deprecated", "update job_template sample labels"]


class TestInterruption:
    @pytest.mark.parametrize("after", [False, True], ids=["before it was done", "after it was done"])
    @pytest.mark.parametrize("path", ["projects/$", "job_templates/$", "survey_spec/$", r"labels/$"])
    def test_applying_again_completes_it(self, awx: Awx, path: str, *, after: bool) -> None:
        awx.fake.faults = [Fault("POST", path, 0, times=4, after=after)]
        with pytest.raises(EngineError, match="connection to AWX was lost"):
            awx.apply(product())
        awx.fake.faults = []
        assert not [result for result in awx.apply(product()) if result.error]
        assert awx.lines(product()) == []
        assert len(awx.fake.objects["job_templates"]) == 1
        assert awx.fake.named("job_templates", "sample")["survey_spec"]

    @pytest.mark.parametrize("after", [False, True], ids=["before it was done", "after it was done"])
    @pytest.mark.parametrize(
        "path",
        [
            "job_template_nodes/$",
            "create_approval_template/$",
            "success_nodes/$",
            "role_team_assignments/$",
            "schedules/$",
        ],
    )
    def test_also_of_a_workflow(self, furnished: Awx, path: str, *, after: bool) -> None:
        access = {"run": ["web"], "approve": ["platform"]}
        schedule = [{"calendar": "daily", "parameters": {"size": "small"}}]
        mine = product(guardrails={"approval": {}}, access=access, schedule=schedule)
        furnished.fake.faults = [Fault("POST", path, 0, times=4, after=after)]
        with pytest.raises(EngineError, match="connection to AWX was lost"):
            furnished.apply(mine)
        furnished.fake.faults = []
        assert not [result for result in furnished.apply(mine) if result.error]
        assert furnished.lines(mine) == []
        assert len(furnished.fake.objects["workflow_job_template_nodes"]) == 2
        assert len(furnished.fake.objects["role_team_assignments"]) == 2


class TestSecrets:
    def test_a_secret_is_sent_once_and_again_only_when_it_changed(self, awx: Awx, tmp_path: Path) -> None:
        file = tmp_path / "token"
        file.write_text("first-netbox-token\n", encoding="utf-8")
        file.chmod(0o600)
        mine = Awx(awx.fake, netbox_url="https://netbox.example.com", netbox_token_file=str(file))
        mine.apply(product())
        credential = awx.fake.named("credentials", "Bedplate NetBox")
        assert credential["inputs"]["token"] == "first-netbox-token"
        assert mine.lines(product()) == []
        awx.fake.edit("credentials", credential["id"], description=f"Mine. {credential['description']}")
        awx.fake.requests.clear()
        mine.apply(product())
        assert awx.fake.named("credentials", "Bedplate NetBox")["inputs"]["token"] == "first-netbox-token"
        file.write_text("second-netbox-token\n", encoding="utf-8")
        assert mine.lines(product()) == ["update credential Bedplate NetBox secrets"]
        mine.apply(product())
        assert awx.fake.named("credentials", "Bedplate NetBox")["inputs"]["token"] == "second-netbox-token"
        assert "netbox-token" not in repr(mine.plan(product("new")))

    def test_what_awx_shows_of_a_credential_is_set_back_without_its_secret(self, awx: Awx, tmp_path: Path) -> None:
        file = tmp_path / "token"
        file.write_text("first-netbox-token\n", encoding="utf-8")
        file.chmod(0o600)
        mine = Awx(awx.fake, netbox_url="https://netbox.example.com", netbox_token_file=str(file))
        mine.apply()
        credential = awx.fake.named("credentials", "Bedplate NetBox")
        by_hand = {"url": "https://elsewhere.example.com", "token": "newer-token-of-theirs"}
        awx.fake.edit("credentials", credential["id"], inputs=by_hand)
        (change,) = mine.plan().changes
        assert (change.cause, [each.field for each in change.differences]) == (Cause.AWX, ["inputs.url"])
        mine.apply()
        assert awx.fake.named("credentials", "Bedplate NetBox")["inputs"] == {
            "url": "https://netbox.example.com",
            "token": "newer-token-of-theirs",
        }
        assert mine.lines() == []

    def test_a_type_of_credential_gives_netbox_to_the_inventory_source(self, awx: Awx, tmp_path: Path) -> None:
        file = tmp_path / "token"
        file.write_text("t\n", encoding="utf-8")
        file.chmod(0o600)
        Awx(awx.fake, netbox_url="https://netbox.example.com", netbox_token_file=str(file)).apply()
        kind = awx.fake.named("credential_types", "Bedplate NetBox")
        assert kind["injectors"] == {"env": {"NETBOX_API": "{{ url }}", "NETBOX_TOKEN": "{{ token }}"}}
        source = awx.fake.named("inventory_sources", "Bedplate")
        assert source["credential"] == awx.fake.named("credentials", "Bedplate NetBox")["id"]
        assert source["overwrite"] is True


class TestApproval:
    MINE: ClassVar[dict[str, Any]] = {
        "guardrails": {"approval": {"expires": "2h"}},
        "access": {"run": ["web"], "approve": ["platform"]},
    }

    def test_a_workflow_asks_first(self, furnished: Awx) -> None:
        mine = product(**self.MINE)
        assert not [result for result in furnished.apply(mine) if result.error]
        first, second = furnished.fake.objects["workflow_job_template_nodes"].values()
        assert first["approval"]["timeout"] == 7200
        assert first["related"]["success_nodes"] == [second["id"]]
        assert second["unified_job_template"] == furnished.fake.named("job_templates", "sample")["id"]
        roles = {each["id"]: each["name"] for each in furnished.fake.objects["role_definitions"].values()}
        grants = furnished.fake.objects["role_team_assignments"].values()
        workflow = str(furnished.fake.named("workflow_job_templates", "sample")["id"])
        assert {(roles[grant["role_definition"]], grant["team"], grant["object_id"]) for grant in grants} == {
            ("WorkflowJobTemplate Execute", 1, workflow),
            ("WorkflowJobTemplate Approve", 2, workflow),
        }
        assert furnished.lines(mine) == []

    def test_a_node_that_somebody_took_away_comes_back(self, furnished: Awx) -> None:
        mine = product(**self.MINE)
        furnished.apply(mine)
        del furnished.fake.objects["workflow_job_template_nodes"][1]
        assert furnished.lines(mine) == ["update workflow_job_template sample nodes"]
        furnished.apply(mine)
        assert furnished.lines(mine) == []
        assert len(furnished.fake.objects["workflow_job_template_nodes"]) == 2

    @pytest.mark.parametrize(
        ("number", "by_hand"),
        [
            (1, {"related": {"always_nodes": [2]}}),
            (1, {"related": {"failure_nodes": [2]}}),
            (2, {"limit": "web"}),
            (2, {"job_type": "check"}),
            (2, {"extra_data": {"size": "large"}}),
            (2, {"all_parents_must_converge": True}),
        ],
    )
    def test_a_way_around_the_approval_is_closed(self, furnished: Awx, number: int, by_hand: dict[str, Any]) -> None:
        mine = product(**self.MINE)
        furnished.apply(mine)
        node = furnished.fake.objects["workflow_job_template_nodes"][number]
        related = {**node["related"], **by_hand.get("related", {})}
        furnished.fake.edit("workflow_job_template_nodes", number, **{**by_hand, "related": related})
        assert furnished.lines(mine) == ["update workflow_job_template sample nodes"]
        furnished.apply(mine)
        assert furnished.lines(mine) == []


class TestGuardrails:
    def test_what_awx_does_not_enforce_no_team_may_launch(self, furnished: Awx) -> None:
        mine = product(targets={"max_hosts": 5}, access={"run": ["web"]}, schedule=[{"calendar": "daily"}])
        notes = furnished.plan(mine).notes
        assert "sample: AWX does not enforce targets.max_hosts, so no team may launch it there" in notes
        assert any("the schedule 'daily' is left out" in note for note in notes)
        furnished.apply(mine)
        assert not furnished.fake.objects["role_team_assignments"]
        assert not furnished.fake.objects["schedules"]

    @pytest.mark.parametrize(
        ("change", "key"),
        [
            ({"guardrails": {"freeze": ["change-freeze"]}}, "guardrails.freeze"),
            ({"guardrails": {"canary": 1}}, "guardrails.canary"),
            ({"targets": {"max_percent": 10}}, "targets.max_percent"),
            ({"targets": {"classes": ["colo"]}}, "targets.classes"),
        ],
    )
    def test_each_that_awx_lacks_is_said(self, awx: Awx, change: dict[str, Any], key: str) -> None:
        assert awx.plan(product(**change)).notes == (
            f"sample: AWX does not enforce {key}, so no team may launch it there",
        )

    def test_all_classes_are_no_limit(self, awx: Awx) -> None:
        assert awx.plan(product(targets={"classes": ["bare_metal", "colo", "cloud"]})).notes == ()

    def test_one_at_a_time(self, awx: Awx) -> None:
        limited = product("limited", guardrails={"exclusive": False, "concurrency": 1})
        several = product("several", guardrails={"exclusive": False, "concurrency": 3})
        assert awx.plan(several).notes == ("several: AWX runs any number at once, not 3",)
        awx.apply(product(), limited, several, product("reads", guardrails={"exclusive": False}))
        made = awx.fake.objects["job_templates"].values()
        assert {each["name"] for each in made if each["allow_simultaneous"]} == {"several", "reads"}


class TestNotifications:
    def test_templates_that_are_there_are_attached(self, furnished: Awx) -> None:
        mine = product(notifications=[{"outcomes": ["failed"], "to": ["chat", "pager"]}])
        assert any("no notification template pager" in note for note in furnished.plan(mine).notes)
        furnished.apply(mine)
        assert furnished.fake.named("job_templates", "sample")["related"]["notification_templates_error"] == [1]
        assert furnished.lines(mine) == []
        furnished.apply(product())
        assert furnished.fake.named("job_templates", "sample")["related"]["notification_templates_error"] == []


class TestSchedules:
    def test_in_the_time_zone_of_the_product_with_required_answers(self, awx: Awx) -> None:
        schedule = {"calendar": "Mon..Fri 02:30", "timezone": "Europe/Berlin", "check": True, "limit": "site_fra1"}
        mine = product(schedule=[{**schedule, "parameters": {"size": "small", "reboot": False, "wait": "2m"}}])
        assert not [result for result in awx.apply(mine) if result.error]
        (made,) = awx.fake.objects["schedules"].values()
        assert made["timezone"] == "Europe/Berlin"
        assert made["extra_data"] == {"size": "small", "reboot": "false", "wait": "2m"}
        assert (made["job_type"], made["limit"]) == ("check", "site_fra1")
        assert awx.lines(mine) == []

    def test_answers_that_are_written_as_text_have_the_type_that_awx_takes(self, awx: Awx) -> None:
        asked = [
            {"name": "count", "type": "integer", "title": "Count", "required": True},
            {"name": "reboot", "type": "boolean", "title": "Reboot"},
            {"name": "wait", "type": "duration", "title": "Wait", "when": {"reboot": True}},
        ]
        given = {"count": "3", "reboot": "no", "wait": ""}
        mine = product(parameters=asked, schedule=[{"calendar": "daily", "parameters": given}])
        assert not [result for result in awx.apply(mine) if result.error]
        assert awx.fake.objects["schedules"][1]["extra_data"] == {"count": 3, "reboot": "false"}

    def test_two_at_the_same_time(self, awx: Awx) -> None:
        mine = product(parameters=[], schedule=[{"calendar": "daily", "limit": name} for name in ("a", "b")])
        assert not [result for result in awx.apply(mine) if result.error]
        made = {each["name"]: each["limit"] for each in awx.fake.objects["schedules"].values()}
        assert made == {"sample: daily UTC": "a", "sample: daily UTC (2)": "b"}
        assert awx.lines(mine) == []

    def test_one_that_was_switched_off_by_hand_is_switched_on(self, awx: Awx) -> None:
        mine = product(parameters=[], schedule=[{"calendar": "daily"}])
        awx.apply(mine)
        awx.fake.edit("schedules", 1, enabled=False)
        assert awx.lines(mine) == ["update schedule sample: daily UTC enabled"]
        awx.apply(mine)
        assert awx.fake.objects["schedules"][1]["enabled"] is True


class TestRequests:
    def test_a_plan_over_200_products_asks_once_for_each_100_objects(self, awx: Awx) -> None:
        products = [product(f"p{number}") for number in range(200)]
        awx.apply(*products)
        awx.fake.requests.clear()
        assert awx.lines(*products) == []
        asked = awx.fake.asked("GET")
        assert len([path for path in asked if path.startswith("/api/v2/job_templates/")]) == 1
        assert not [path for path in asked if "survey_spec" in path]
        # One list of each kind, who we are, and the grants.
        assert len(asked) <= len(BY_NAME) + 2
        assert not set(awx.fake.requests) - {("GET", path) for path in asked}

    def test_notification_templates_of_others_cost_two_requests_for_100(self, furnished: Awx) -> None:
        slack = {"notification_type": "slack", "notification_configuration": {"token": "t", "channels": ["c"]}}
        for number in range(100):
            furnished.fake.add("notification_templates", name=f"theirs {number}", organization=1, **slack)
        mine = product(notifications=[{"outcomes": ["failed"], "to": ["chat"]}])
        furnished.apply(mine)
        furnished.fake.requests.clear()
        assert furnished.lines(mine) == []
        asked = furnished.fake.asked("GET")
        assert len([path for path in asked if "notification_templates_" in path]) == 4
        theirs = furnished.fake.named("notification_templates", "theirs 50")["id"]
        related = furnished.fake.named("job_templates", "sample")["related"]
        related["notification_templates_success"].append(theirs)
        assert furnished.lines(mine) == ["update job_template sample notifications.success"]
        furnished.apply(mine)
        assert furnished.lines(mine) == []

    def test_behind_a_gateway(self, awx: Awx) -> None:
        awx.fake.root = "/api/controller/v2/"
        gateway = Awx(awx.fake)
        with pytest.raises(EngineError, match="no AWX API here"):
            gateway.plan(product())
        gateway.settings = replace(gateway.settings, url=f"{awx.fake.url}/api/controller")
        assert not [result for result in gateway.apply(product()) if result.error]
        assert gateway.lines(product()) == []

    def test_lists_are_read_in_pages(self, awx: Awx) -> None:
        products = [product(f"p{number}", parameters=[]) for number in range(401)]
        awx.apply(*products)
        awx.fake.requests.clear()
        assert awx.lines(*products) == []
        assert len([path for path in awx.fake.asked("GET") if path.startswith("/api/v2/job_templates/")]) == 3


@pytest.mark.parametrize(
    ("kind", "not_ours"),
    [
        ("job_template", set()),
        ("workflow_job_template", {"organization"}),
        ("schedule", set()),
        ("project", {"organization", "local_path", "credential"}),
        ("inventory", {"organization"}),
        ("credential_type", set()),
    ],
)
def test_every_field_that_awx_takes_is_kept_or_left_to_others_on_purpose(kind: str, not_ours: set[str]) -> None:
    recorded = options(BY_NAME[kind].collection)["actions"]["POST"]
    assert set(recorded) == set(BY_NAME[kind].defaults) | not_ours | {"name", "description"}
    for name, default in BY_NAME[kind].defaults.items():
        if recorded[name].get("default") is not None:
            assert recorded[name]["default"] == default, name


def test_nothing_that_a_step_of_a_workflow_may_have_goes_unseen() -> None:
    recorded = set(options("workflow_job_template_nodes")["actions"]["POST"])
    looked_at = {"workflow_job_template", "unified_job_template", "identifier", "all_parents_must_converge"}
    assert recorded - looked_at == set(NODE_EXTRAS) - {"failure_nodes", "always_nodes"}


def test_limits_that_playbooks_keep_to_are_not_missing_in_awx(awx: Awx) -> None:
    root = Path(__file__).parents[2]
    products = load_catalog(root / "playbooks" / "products").products()
    assert {each.name for each in products if each.guardrails.canary} == {
        "patch", "reboot", "service_control", "service_deploy",
    }  # fmt: skip
    assert awx.plan(*limits_left_to_awx(products, root)).notes == (
        "decommission: AWX does not enforce guardrails.dry_run_first, so no team may launch it there",
        "onboard: AWX runs one at once, not 2",
    )
    (other,) = limits_left_to_awx([product(guardrails={"canary": 1}, targets={"max_hosts": 5})], root)
    assert awx.plan(other).notes == ("sample: AWX does not enforce guardrails.canary, so no team may launch it there",)


def test_the_catalog_that_bedplate_comes_with_is_taken(furnished: Awx) -> None:
    products = load_catalog(Path(__file__).parents[2] / "playbooks" / "products").products()
    furnished.fake.playbooks = [each.playbook for each in products]
    assert [str(result.error) for result in furnished.apply(*products) if result.error] == []
    assert furnished.lines(*products) == []
    assert len(furnished.fake.objects["job_templates"]) == len(products)
