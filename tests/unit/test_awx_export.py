"""Exported files: all objects, no secret, and references by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment

from bedplate.awx.export import collection_playbook, import_assets, left_out
from bedplate.awx.service import wishes
from bedplate.settings import AwxSettings
from fake_awx.catalog import product

PRODUCTS = [
    product(access={"run": ["web"]}, schedule=[{"calendar": "daily", "parameters": {"size": "small"}}]),
    product("risky", guardrails={"approval": {"expires": "1h"}}, access={"run": ["web"], "approve": ["platform"]}),
]


@pytest.fixture
def settings(tmp_path: Path) -> AwxSettings:
    token = tmp_path / "token"
    token.write_text("hush-netbox\n", encoding="utf-8")
    token.chmod(0o600)
    return AwxSettings(
        project_url="https://git.example.com/content.git",
        inventory_source="hosts/netbox.yml",
        netbox_url="https://netbox.example.com",
        netbox_token_file=str(token),
        credentials=("ssh",),
    )


def _arguments(playbook: list[dict[str, Any]], module: str) -> list[dict[str, Any]]:
    return [task[f"awx.awx.{module}"] for task in playbook[0]["tasks"] if f"awx.awx.{module}" in task]


class TestCollection:
    def test_each_object_is_a_task(self, settings: AwxSettings) -> None:
        wanted = wishes(settings, PRODUCTS)
        playbook = yaml.safe_load(yaml.safe_dump(collection_playbook(wanted)))
        for wish in wanted.objects:
            names = [arguments["name"] for arguments in _arguments(playbook, wish.kind.name)]
            assert (wish.name in names) is wish.managed
        template = _arguments(playbook, "job_template")[0]
        assert (template["project"], template["inventory"]) == ("Bedplate", "Bedplate")
        assert template["credentials"] == ["ssh"]
        assert [item["variable"] for item in template["survey_spec"]["spec"]] == ["size", "wait", "reboot"]

    def test_grants_and_nodes(self, settings: AwxSettings) -> None:
        playbook = collection_playbook(wishes(settings, PRODUCTS))
        assert [(role["role"], role["teams"], role.get("workflows")) for role in _arguments(playbook, "role")] == [
            ("execute", ["web"], None),
            ("execute", ["web"], ["risky"]),
            ("approval", ["platform"], ["risky"]),
        ]
        (workflow,) = _arguments(playbook, "workflow_job_template")
        first, second = workflow["workflow_nodes"]
        assert first["unified_job_template"] == {"name": "Approve risky", "timeout": 3600, "type": "workflow_approval"}
        assert first["related"]["success_nodes"] == [{"identifier": second["identifier"]}]

    def test_a_schedule_of_a_workflow_is_left_out_and_said(self, settings: AwxSettings) -> None:
        asks = {"guardrails": {"approval": {}}, "parameters": [], "schedule": [{"calendar": "daily"}]}
        wanted = wishes(settings, [*PRODUCTS, product("asks", **asks)])
        (schedule,) = _arguments(collection_playbook(wanted), "schedule")
        assert (schedule["unified_job_template"], schedule["organization"]) == ("sample", "Bedplate")
        assert list(left_out(wanted)) == [
            "the schedule asks: daily UTC is left out: awx.awx cannot tell the workflow asks from its job template"
        ]
        assert [asset["name"] for asset in import_assets(wanted)["schedules"]] == [
            "sample: daily UTC",
            "asks: daily UTC",
        ]

    def test_what_awx_fills_in_is_left_to_awx(self, settings: AwxSettings) -> None:
        asked = {"name": "shape", "title": "Shape", "help": "Such as {{ this }}."}
        playbook = collection_playbook(wishes(settings, [product(parameters=[asked])]))
        (template,) = _arguments(playbook, "job_template")
        assert template["survey_spec"]["spec"][0]["question_description"].startswith("{% raw %}Such as {{ this }}.")
        (kind,) = _arguments(playbook, "credential_type")
        rendered = Environment(autoescape=True).from_string(kind["injectors"]["env"]["NETBOX_TOKEN"]).render(token="no")
        assert rendered == "{{ token }}"

    def test_no_secret_is_in_it(self, settings: AwxSettings) -> None:
        wanted = wishes(settings, PRODUCTS)
        playbook = collection_playbook(wanted)
        assert "hush-netbox" not in json.dumps([playbook, import_assets(wanted)])
        (credential,) = _arguments(playbook, "credential")
        assert credential["inputs"]["token"] == "{{ lookup('ansible.builtin.env', 'NETBOX_TOKEN') }}"


class TestImport:
    def test_objects_are_named_by_what_makes_them_unique(self, settings: AwxSettings) -> None:
        assets = import_assets(wishes(settings, PRODUCTS))
        organization = {"name": "Bedplate", "type": "organization"}
        kind = {"name": "Bedplate NetBox", "kind": "cloud", "type": "credential_type"}
        credential = {"name": "Bedplate NetBox", "type": "credential", "organization": organization}
        assert [asset["natural_key"] for asset in assets["credentials"]] == [{**credential, "credential_type": kind}]
        inventory = {"name": "Bedplate", "type": "inventory", "organization": organization}
        assert assets["inventory_sources"][0]["natural_key"] == {
            "name": "Bedplate",
            "type": "inventory_source",
            "inventory": inventory,
        }
        template = next(asset for asset in assets["job_templates"] if asset["name"] == "sample")
        assert template["inventory"] == inventory
        assert template["related"]["survey_spec"]["spec"]
        assert template["related"]["labels"][0]["natural_key"] == {
            "name": "bedplate",
            "type": "label",
            "organization": organization,
        }
        assert assets["schedules"][0]["unified_job_template"] == template["natural_key"]

    def test_a_workflow_brings_its_nodes(self, settings: AwxSettings) -> None:
        (workflow,) = import_assets(wishes(settings, PRODUCTS))["workflow_job_templates"]
        first, second = workflow["related"]["workflow_nodes"]
        assert first["related"]["create_approval_template"]["timeout"] == 3600
        assert first["related"]["success_nodes"] == [second["natural_key"]]
        assert second["unified_job_template"]["name"] == "risky"


def test_variables_of_the_source_are_a_mapping_for_the_module_and_text_for_awx(settings: AwxSettings) -> None:
    wanted = wishes(settings, PRODUCTS)
    (arguments,) = _arguments(collection_playbook(wanted), "inventory_source")
    assert arguments["source_vars"]["ANSIBLE_COLLECTIONS_PATH"] == "/runner/project/collections"
    (asset,) = import_assets(wanted)["inventory_sources"]
    assert json.loads(asset["source_vars"]) == arguments["source_vars"]
