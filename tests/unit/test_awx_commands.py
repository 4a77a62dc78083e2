"""`bedplate awx`: what it prints, in every form, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bedplate.main import main
from fake_awx.server import TOKEN, awx_server
from fake_awx.state import FakeAwx, Fault

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs" / "schemas" / "awx_plan.schema.json").read_text(encoding="utf-8"))
PING = """\
name: ping
title: Reach
summary: Shows that each host can be reached.
owner: {team: platform, contact: "#platform"}
lifecycle: {stage: ga}
playbook: playbooks/ping.yml
parameters:
  - {name: ping_become, type: boolean, title: Also become root, default: true}
"""


class Bedplate:
    """The command in a folder of its own, with a fake AWX."""

    def __init__(
        self, folder: Path, awx: FakeAwx, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.awx = awx
        self._folder, self._capsys = folder, capsys
        (folder / "playbooks" / "products").mkdir(parents=True)
        (folder / "galaxy.yml").write_text("namespace: bedplate\n", encoding="utf-8")
        self.manifest(PING)
        settings = f'[content]\npath = "{folder}"\n[awx]\nurl = "{awx.url}"\n'
        settings += 'project_url = "https://git.example.com/content.git"\ninventory_source = "hosts/netbox.yml"\n'
        (folder / "bedplate.toml").write_text(settings, encoding="utf-8")
        monkeypatch.chdir(folder)
        monkeypatch.setenv("BEDPLATE_AWX_TOKEN", TOKEN)
        monkeypatch.setenv("BEDPLATE_HOME", str(folder / "home"))

    def manifest(self, text: str) -> None:
        (self._folder / "playbooks" / "products" / "ping.yml").write_text(text, encoding="utf-8")

    def apply_another(self) -> None:
        """Take the product away and bring another one to AWX."""
        products = self._folder / "playbooks" / "products"
        (products / "ping.yml").unlink()
        (products / "verify.yml").write_text(PING.replace("ping", "verify"), encoding="utf-8")
        self("apply")

    def __call__(self, *args: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main(["awx", *args])
        out, err = self._capsys.readouterr()
        assert TOKEN not in out + err
        return int(end.value.code or 0), out, err

    def document(self, *args: str) -> dict[str, Any]:
        _, out, _ = self(*args, "-o", "json")
        document: dict[str, Any] = json.loads(out)
        jsonschema.Draft202012Validator(SCHEMA).validate(document)
        return document


@pytest.fixture
def bedplate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Bedplate]:
    with awx_server() as awx:
        yield Bedplate(tmp_path, awx, monkeypatch, capsys)
        assert not awx.unexpected


def test_plan_apply_plan_and_a_change_by_hand(bedplate: Bedplate) -> None:
    code, out, _ = bedplate("plan")
    assert code == 0
    assert "+ job template ping\n" in out
    assert "8 to create, 0 to update, 0 to prune, 0 left alone, 0 as wanted." in out
    code, out, _ = bedplate("apply")
    assert code == 0
    assert "created job template ping\n" in out
    assert out.endswith("8 changed, 0 refused, 0 as wanted.\n")
    assert bedplate("plan")[1] == "0 to create, 0 to update, 0 to prune, 0 left alone, 8 as wanted.\n"
    bedplate.awx.edit("job_templates", bedplate.awx.named("job_templates", "ping")["id"], verbosity=3)
    out = bedplate("plan")[1]
    assert "~ job template ping (changed in AWX)\n    verbosity: 3 -> 0\n" in out
    assert "updated job template ping: verbosity\n" in bedplate("apply")[1]
    assert bedplate("plan")[1] == "0 to create, 0 to update, 0 to prune, 0 left alone, 8 as wanted.\n"


def test_json_is_as_the_schema_says(bedplate: Bedplate) -> None:
    assert {change["action"] for change in bedplate.document("plan")["changes"]} == {"create"}
    assert {change["result"] for change in bedplate.document("apply")["changes"]} == {"done"}
    assert bedplate.document("plan")["unchanged"] == 8
    bedplate.manifest(PING.replace("default: true", "default: false"))
    (change,) = bedplate.document("plan")["changes"]
    assert (change["cause"], change["product"]) == ("catalog", "ping")
    assert [difference["field"] for difference in change["differences"]] == ["survey"]
    bedplate.apply_another()
    assert [change["result"] for change in bedplate.document("apply")["changes"]] == ["skipped"]
    assert [change["result"] for change in bedplate.document("apply", "--prune")["changes"]] == ["done"]


def test_an_empty_catalog_prunes_nothing(bedplate: Bedplate) -> None:
    bedplate("apply")
    (bedplate._folder / "playbooks" / "products" / "ping.yml").unlink()
    code, _, err = bedplate("apply", "--prune")
    assert (code, "--prune would delete all" in err) == (2, True)
    assert bedplate.awx.objects["job_templates"]


def test_what_is_left_alone_is_said(bedplate: Bedplate) -> None:
    bedplate.awx.add("execution_environments", name="x", image="x")
    organization = bedplate.awx.add("organizations", name="Bedplate")["id"]
    bedplate.awx.add("inventories", name="Bedplate", organization=organization)
    code, out, _ = bedplate("apply")
    assert code == 0
    assert "left alone: inventory Bedplate: an object of this name is there that Bedplate did not make\n" in out
    assert "left alone: job template ping: needs inventory Bedplate, which cannot be used\n" in out


def test_what_awx_refuses_ends_with_9(bedplate: Bedplate) -> None:
    bedplate.awx.playbooks = []
    code, out, err = bedplate("apply")
    assert code == 9
    assert err == (
        "bedplate: job template ping: AWX's project Bedplate has no playbooks/ping.yml: "
        "it was not synced since, or its branch lacks it\n"
    )
    assert out.endswith("7 changed, 1 refused, 0 as wanted.\n")


def test_an_interrupted_apply_says_how_far_it_came(bedplate: Bedplate) -> None:
    bedplate.awx.faults = [Fault("POST", "/job_templates/$", 0, times=9)]
    code, _, err = bedplate("apply")
    assert code == 9
    assert "the connection to AWX was lost" in err
    assert "7 of 8 changes were made, apply again" in err


def test_without_an_address_or_a_token(bedplate: Bedplate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDPLATE_AWX_TOKEN", "")
    code, _, err = bedplate("plan")
    assert (code, "neither a token nor a password for AWX" in err) == (2, True)
    monkeypatch.setenv("BEDPLATE_AWX_TOKEN", TOKEN)
    monkeypatch.setenv("BEDPLATE_AWX_URL", "")
    code, _, err = bedplate("plan")
    assert (code, "awx.url: is not set" in err) == (2, True)


def test_a_wrong_token(bedplate: Bedplate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDPLATE_AWX_TOKEN", "wrong-token-word")
    code, _, err = bedplate("plan")
    assert code == 9
    assert "does not accept the token" in err
    assert "wrong-token-word" not in err


def test_export_asks_nothing_of_awx(bedplate: Bedplate) -> None:
    code, out, _ = bedplate("export")
    assert code == 0
    (play,) = yaml.safe_load(out)
    assert len(play["tasks"]) == 8
    target = bedplate._folder / "awx.json"
    assert bedplate("export", "--form", "awx", "--write", str(target))[:2] == (0, "")
    assert [each["name"] for each in json.loads(target.read_text(encoding="utf-8"))["job_templates"]] == ["ping"]
    assert bedplate.awx.requests == []
