"""What `bedplate product new|docs|backstage` write."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from bedplate.catalog import Product
from bedplate.reports.product_text import fact_rows
from command_result import ContentCommand

ROOT = Path(__file__).parents[2]
MANIFEST = """\
name: sample
title: Sample <script>
summary: "It | *does* `things`."
owner: {team: platform, contact: "#platform"}
lifecycle: {stage: beta}
playbook: playbooks/sample.yml
docs: https://example.com/sample
tags: [a_b, c]
sla: {support_hours: "Mon-Fri", response: 4h}
slo: [{objective: success_ratio, target: 0.9, window: 30d}]
cost: {amount: 2, currency: EUR, per: host}
roadmap: [{when: 2027-Q1, what: More of it}]
targets: {default_limit: role_server}
parameters:
  - {name: size, type: choice, title: Size, choices: [small, large], required: true}
  - {name: word, type: string, title: "Word <b>", pattern: "[a-z]+", min: 2, max: 9}
  - {name: count, type: integer, title: Count, default: 3, min: 1, max: 5, when: {size: large}}
  - {name: sites, type: choices, title: Sites, choices: [a, b], max: 2}
  - {name: wait, type: duration, title: Wait, default: 5m}
  - {name: day, type: date, title: Day}
  - {name: key, type: secret, title: Key}
  - {name: story, type: text, title: Story}
  - {name: yes_no, type: boolean, title: Whether, default: false}
"""
# What Backstage asks of every entity, of Component (v1alpha1) and of Template (v1beta3).
_TEXT = {"type": "string", "minLength": 1}
_NAME = {"type": "string", "maxLength": 63, "pattern": "^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$"}
_META = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": _NAME,
        "title": _TEXT,
        "description": {"type": "string"},
        "annotations": {
            "type": "object",
            "propertyNames": {"pattern": "^[a-z0-9.-]{1,253}/[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"},
            "additionalProperties": {"type": "string"},
        },
        "tags": {
            "type": "array",
            "items": {"type": "string", "maxLength": 63, "pattern": "^[a-z0-9+#]+(-[a-z0-9+#]+)*$"},
        },
        "links": {"type": "array", "items": {"required": ["url"], "properties": {"url": _TEXT, "title": _TEXT}}},
    },
}
_OWNER = {"type": "string", "pattern": "^group:default/[a-z0-9_-]+$"}
_STEPS = {
    "type": "array",
    "minItems": 1,
    "items": {"required": ["action"], "properties": {"id": _TEXT, "action": _TEXT, "input": {"type": "object"}}},
}


def entity(version: str, kind: str, required: list[str], spec: dict[str, Any]) -> Draft7Validator:
    head = {"apiVersion": {"const": version}, "kind": {"const": kind}, "metadata": _META}
    whole = {"type": "object", "required": required, "properties": {"owner": _OWNER, "type": _TEXT, **spec}}
    return Draft7Validator({"required": [*head, "spec"], "properties": {**head, "spec": whole}})


COMPONENT = entity(
    "backstage.io/v1alpha1", "Component", ["type", "lifecycle", "owner"], {"lifecycle": _TEXT}
)  # fmt: skip
TEMPLATE = entity(
    "scaffolder.backstage.io/v1beta3", "Template", ["type", "steps"],
    {"steps": _STEPS, "parameters": {"type": "array", "items": {"type": "object"}}},
)  # fmt: skip


class Bedplate(ContentCommand):
    """`bedplate product`, on one product."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__("product", root, capsys)
        self.write("galaxy.yml", "namespace: bedplate\n")
        self.write("playbooks/products/sample.yml", MANIFEST)


@pytest.fixture
def bedplate(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Bedplate:
    root = tmp_path / "clone"
    root.mkdir()
    monkeypatch.setenv("BEDPLATE_CONTENT_PATH", str(root))
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(root)
    return Bedplate(root, capsys)


class Page(HTMLParser):
    """What is in a page: its elements, its text, and whatever it would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        named = dict(attrs)
        self.fetched += [str(named[key]) for key in ("src", "srcset", "data", "action") if key in named]
        if tag == "a":
            self.links.append(str(named.get("href")))
        elif tag == "link":
            self.fetched.append(str(named.get("href")))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_docs_are_whole_by_themselves(bedplate: Bedplate, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    assert bedplate("docs", str(folder)).code == 0
    assert {file.name for file in folder.iterdir()} == {"index.html", "index.md", "sample.html", "sample.md"}
    for file in folder.glob("*.html"):
        text = file.read_text(encoding="utf-8")
        page = Page(text)
        assert page.fetched == []
        assert not re.search(r"@import|url\(|https?://(?!example\.com/sample)", text), file
        assert page.tags.count("script") == (1 if file.name == "index.html" else 0)
        assert {"html", "main", "h1"} <= set(page.tags)
        assert text.startswith('<!doctype html>\n<html lang="en">')
        assert "prefers-color-scheme: dark" in text
        local = [link for link in page.links if not link.startswith("#")]
        assert all((folder / link).is_file() for link in local), local


def test_a_product_page_says_all(bedplate: Bedplate, tmp_path: Path) -> None:
    assert bedplate("docs", str(tmp_path)).code == 0
    page = Page((tmp_path / "sample.html").read_text(encoding="utf-8")).text
    markdown = (tmp_path / "sample.md").read_text(encoding="utf-8")
    for text in (
        "Sample <script>", "platform (#platform)", "Mon-Fri, answers within 4h", "2 EUR per host",
        "success ratio 0.9 over 30d",
        "2027-Q1  More of it (planned)", "bedplate run sample -p size=small --check", "if size is 'large'", "Word <b>",
    ):  # fmt: skip
        assert text in page, text
        assert re.sub(r"([<>#])", r"\\\1", " ".join(text.split())) in markdown, text
    assert "It \\| \\*does\\* \\`things\\`." in markdown


def test_docs_where_there_can_be_none(bedplate: Bedplate, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = bedplate("docs", str(tmp_path / "file" / "site"))
    assert (result.code, "Traceback" in result.err) == (2, False)


def entities(bedplate: Bedplate, *words: str) -> tuple[dict[str, Any], dict[str, Any]]:
    result = bedplate("backstage", *words)
    assert result.code == 0, result.err
    component, template = yaml.safe_load_all(result.out)
    COMPONENT.validate(component)
    TEMPLATE.validate(template)
    return component, template


def test_backstage_takes_the_entities(bedplate: Bedplate) -> None:
    component, template = entities(bedplate)
    assert component["spec"] == {
        "type": "infrastructure-product",
        "lifecycle": "experimental",
        "owner": "group:default/platform",
    }
    assert component["metadata"]["links"] == [{"url": "https://example.com/sample", "title": "Documentation"}]
    assert component["metadata"]["tags"] == ["a-b", "bedplate", "c", "product"]
    assert template["spec"]["steps"][0]["action"] == "debug:log"


def test_backstage_asks_as_bedplate_does(bedplate: Bedplate) -> None:
    _, template = entities(bedplate)
    for form in template["spec"]["parameters"]:
        Draft7Validator.check_schema(form)
    form = Draft7Validator(template["spec"]["parameters"][1])
    for good in ({"size": "small"}, {"size": "large", "count": 5, "word": "abc", "wait": "1h30m", "sites": ["a"]}):
        form.validate(good)
    for bad in (
        {}, {"size": "middle"}, {"size": "small", "word": "Abc"}, {"size": "small", "word": "a"},
        {"size": "large", "count": 6},
        {"size": "small", "wait": "soon"}, {"size": "small", "sites": ["c"]}, {"size": "small", "yes_no": "x"},
    ):  # fmt: skip
        assert list(form.iter_errors(bad)), bad
    assert "count" not in template["spec"]["parameters"][1]["properties"]


def test_backstage_sends_an_order(bedplate: Bedplate) -> None:
    _, template = entities(bedplate, "--launch-path", "/proxy/awx/{product}/launch/")
    sent = template["spec"]["steps"][0]["input"]
    assert sent["path"] == "/proxy/awx/sample/launch/"
    assert sent["body"]["extra_vars"]["word"] == "${{ parameters.word }}"
    assert sent["body"]["extra_vars"]["key"] == "${{ secrets.key }}"
    assert bedplate("backstage", "--launch-path", "/x").err == (
        "bedplate: --launch-path: must have {product} in it (/proxy/awx/{product}/launch/)\n"
    )


def test_backstage_into_a_file(bedplate: Bedplate, tmp_path: Path) -> None:
    assert bedplate("backstage", "--write", str(tmp_path / "catalog-info.yaml")).out == ""
    assert len(list(yaml.safe_load_all((tmp_path / "catalog-info.yaml").read_text(encoding="utf-8")))) == 2


def test_our_catalog_as_docs_and_entities(bedplate: Bedplate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDPLATE_CONTENT_PATH", str(ROOT))
    assert bedplate("docs", str(tmp_path / "site")).code == 0
    documents = list(yaml.safe_load_all(bedplate("backstage").out))
    for document in documents:
        (COMPONENT if document["kind"] == "Component" else TEMPLATE).validate(document)
        for form in document["spec"].get("parameters", ()):
            Draft7Validator.check_schema(form)
    assert len(documents) == 2 * len(list((ROOT / "playbooks/products").glob("*.yml")))


@pytest.fixture
def clone(bedplate: Bedplate) -> Bedplate:
    """Content whose plugins are ours, so that playbooks run."""
    (bedplate.root / "playbooks/products/sample.yml").unlink()
    for name in ("plugins", "meta"):
        shutil.copytree(ROOT / name, bedplate.root / name, ignore=shutil.ignore_patterns("__pycache__"))
    (bedplate.root / "collections/ansible_collections/bedplate").mkdir(parents=True)
    (bedplate.root / "collections/ansible_collections/bedplate/datacenter").symlink_to(bedplate.root)
    return bedplate


def test_a_new_product_passes_its_check_and_its_test(clone: Bedplate) -> None:
    made = clone("new", "say_it", "--team", "web", "--title", "say it loud")
    assert made.code == 0, made.err
    files = made.out.split()
    assert files == [
        "playbooks/products/say_it.yml", "playbooks/say_it.yml", "docs/products/say_it.md",
        "tests/integration/test_product_say_it.py",
    ]  # fmt: skip
    assert clone("check").code == 0
    assert json.loads(clone("show", "say_it", "-o", "json").out)["product"]["owner"] == {
        "team": "web",
        "contact": "#web",
    }
    test = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", files[3]],
        cwd=clone.root, capture_output=True, check=False, encoding="utf-8",
    )  # fmt: skip
    assert test.returncode == 0, test.stdout + test.stderr
    assert "2 passed" in test.stdout
    again = clone("new", "say_it")
    assert (again.code, "say_it.yml: is there already (choose another name)" in again.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("Say",), "NAME: must have small letters, digits and _ only"),
        (("../x",), "NAME: must have small letters"),
        (("null",), "NAME: null is a word of YAML (choose another name)"),
        (("say", "--title", "a: b"), "--title: must be one short line"),
        (("say", "--title", "a #b"), "--title: must have no #"),
        (("say", "--contact", 'a"b'), "--contact: must be one short line"),
        (("say", "--team", "Web"), "--team: must be the name of a team, not 'Web'"),
        (("say", "--team", "platfrom"), "--team: there is no team platfrom in teams.yml (did you mean platform?)"),
    ],
)
def test_new_products_that_are_refused(
    bedplate: Bedplate, words: tuple[str, ...], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bedplate.root / "teams.yml").write_text("teams: {platform: {contact: '#help'}}\n", encoding="utf-8")
    if "Web" not in words:
        monkeypatch.setenv("BEDPLATE_TEAMS_FILE", "teams.yml")
    result = bedplate("new", *words)
    assert result.code == 2
    assert sentence in result.err
    assert not (bedplate.root / "playbooks/say.yml").exists()


@pytest.mark.parametrize(
    ("title", "team"), [("@home", "web"), ("1200", "123"), ("Yes", "null"), ("A, b & c", "on"), ("2026-01-01", "y")]
)
def test_words_that_yaml_reads_otherwise_stay_text(clone: Bedplate, title: str, team: str) -> None:
    made = clone("new", "say_it", "--title", title, "--team", team)
    assert (made.code, made.err) == (0, "Try it: bedplate run say_it --check\n")
    manifest, plays = (
        yaml.safe_load((clone.root / path).read_text(encoding="utf-8"))
        for path in ("playbooks/products/say_it.yml", "playbooks/say_it.yml")
    )
    assert (manifest["title"], manifest["owner"]["team"], plays[1]["name"]) == (title, team, title)


def test_a_new_product_lints(clone: Bedplate) -> None:
    assert clone("new", "say_it").code == 0
    for command in (
        [sys.executable, "-m", "yamllint", "--strict", "-c", str(ROOT / ".yamllint"), "playbooks"],
        [sys.executable, "-m", "ruff", "check", "--config", str(ROOT / "pyproject.toml"), "tests"],
        [sys.executable, "-m", "ruff", "format", "--check", "--config", str(ROOT / "pyproject.toml"), "tests"],
    ):
        done = subprocess.run(command, cwd=clone.root, capture_output=True, check=False, encoding="utf-8")
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({}, None),
        ({"guardrails": {"canary": 2, "serial_by": "rack"}}, "2 hosts first, alone; one rack at a time"),
        (
            {"guardrails": {"max_fail_percent": 0, "concurrency": 3}},
            "at most 3 at once; stops when more than 0 % of a batch fail",
        ),
        (
            {
                "access": {"run": ["web"], "approve": ["dba", "ops"]},
                "guardrails": {"approval": {}, "dry_run_first": "4h"},
            },
            "run by web; 1 other of dba or ops must agree; a check of the same within 4h before",
        ),
        (
            {"guardrails": {"freeze": ["company"], "window": {"custom_field": "mw"}}},
            "not while company is frozen; only within maintenance windows",
        ),
    ],
)
def test_what_limits_a_product_is_told_in_words(keys: dict[str, Any], told: str | None) -> None:
    manifest = {
        "name": "sample", "title": "Sample", "summary": "A sample.", "owner": {"team": "web", "contact": "#web"},
        "lifecycle": {"stage": "ga"}, "playbook": "playbooks/sample.yml",
    }  # fmt: skip
    assert dict(fact_rows(Product.model_validate({**manifest, **keys}))).get("Guardrails") == told
