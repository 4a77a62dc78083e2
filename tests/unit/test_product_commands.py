"""`bedplate product`: what it shows, what it finds, and its exit codes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from bedplate.catalog import product_schema
from bedplate.catalog.yaml_tree import parse_yaml
from bedplate.main import main

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "docs" / "schemas"
MANIFESTS = sorted((ROOT / "playbooks" / "products").glob("*.yml"))
MANIFEST = """\
name: sample
title: Sample [red]
summary: A sample.
owner: {team: platform, contact: "#platform"}
lifecycle: {stage: beta}
docs: docs/products/sample.md
playbook: playbooks/sample.yml
parameters:
  - {name: size, type: choice, title: Size, choices: [small, large], required: true}
  - {name: sample_wait, type: duration, title: Wait, default: 5m, min: 1m, help: "How long [to] wait."}
"""
PLAYBOOK = """\
- name: Check
  hosts: all
  gather_facts: false
  tasks:
    - name: Check the parameters
      bedplate.datacenter.validate_parameters:
        product: sample
      run_once: true

- name: Use
  hosts: all
  vars:
    hidden: !vault |
      $ANSIBLE_VAULT;1.1;AES256
  roles:
    - role: bedplate.datacenter.sizing
"""


class Result(NamedTuple):
    code: int
    out: str
    err: str


class Bedplate:
    """The command, run on content of its own."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capsys = capsys
        self.write("galaxy.yml", "namespace: bedplate\n")
        self.write("playbooks/products/sample.yml", MANIFEST)
        self.write("playbooks/sample.yml", PLAYBOOK)
        self.write("docs/products/sample.md", "# Sample\n")
        self.write("roles/sizing/tasks/main.yml", "- name: Wait\n  foo:\n    a: '{{ sample_wait }}'\n")
        self.write("roles/sizing/templates/size.j2", "{{ size }}\n")

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def change(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def __call__(self, *words: str) -> Result:
        with pytest.raises(SystemExit) as stop:
            main(["product", *words])
        out, err = self._capsys.readouterr()
        return Result(int(stop.value.code or 0), out, err)


@pytest.fixture
def bedplate(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Bedplate:
    monkeypatch.setenv("BEDPLATE_CONTENT_PATH", str(tmp_path))
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    return Bedplate(tmp_path, capsys)


def validate(name: str, document: Any) -> None:
    """Raise unless the document is as the published schema says."""
    schemas = [json.loads(path.read_text(encoding="utf-8")) for path in SCHEMAS.glob("product*.schema.json")]
    registry: Registry[Any] = Registry().with_resources(
        [(schema["$id"], Resource.from_contents(schema)) for schema in schemas]
    )
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema, registry=registry, format_checker=FormatChecker()).validate(document)


def test_the_published_schema_is_the_one_that_is_printed(bedplate: Bedplate) -> None:
    printed = bedplate("schema")
    assert printed.code == 0
    assert printed.out == (SCHEMAS / "product.schema.json").read_text(encoding="utf-8")
    assert json.loads(printed.out) == product_schema()


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_our_manifests_are_as_the_schema_says(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=../../docs/schemas/product.schema.json\n---\n")
    validate("product", parse_yaml(text).data)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title: Sample [red]\n", ""),
        ("stage: beta", "stage: alpha"),
        ("name: sample\n", "name: sample\ncolour: red\n"),
        ("default: 5m", "default: null"),
        ("{name: size,", "{name: Size,"),
        ("docs: docs/products/sample.md", "docs:"),
    ],
)
def test_the_schema_refuses_what_bedplate_refuses(bedplate: Bedplate, old: str, new: str) -> None:
    validate("product", parse_yaml(MANIFEST).data)
    assert not list(Draft202012Validator(product_schema()).iter_errors(parse_yaml(MANIFEST).data))
    assert list(Draft202012Validator(product_schema()).iter_errors(parse_yaml(MANIFEST.replace(old, new)).data))
    bedplate.change("playbooks/products/sample.yml", old, new)
    assert bedplate("check").code == 2


def test_every_key_of_the_schema_is_described() -> None:
    schema = product_schema()
    for name, model in {"Product": schema, **schema["$defs"]}.items():
        for key, value in model.get("properties", {}).items():
            of_its_model = schema["$defs"].get(str(value.get("$ref")).rpartition("/")[2], {})
            assert value.get("description") or of_its_model.get("description"), f"{name}.{key}"


def test_list(bedplate: Bedplate) -> None:
    result = bedplate("list")
    assert result.code == 0
    assert result.out.split("\n")[1].split() == ["sample", "Sample", "[red]", "platform", "beta", "A", "sample."]
    document = json.loads(bedplate("list", "-o", "json").out)
    validate("product_list", document)
    assert [product["name"] for product in document] == ["sample"]


def test_list_names_broken_manifests(bedplate: Bedplate) -> None:
    bedplate.write("playbooks/products/broken.yml", "name: broken\n")
    result = bedplate("list", "-o", "json")
    assert result.code == 2
    assert [product["name"] for product in json.loads(result.out)] == ["sample"]
    assert "bedplate: playbooks/products/broken.yml:1: title: is missing" in result.err
    assert "Traceback" not in result.err


def test_show(bedplate: Bedplate) -> None:
    result = bedplate("show", "sample")
    assert result.code == 0
    for text in ("Sample [red]", "platform (#platform)", "How long [to] wait.", "one of small, large", "required"):
        assert text in result.out
    assert "bedplate run sample -p size=small --check" in result.out
    document = json.loads(bedplate("show", "sample", "-o", "json").out)
    validate("product_show", document)
    assert document["product"]["parameters"][1]["default"] == "5m"


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_show_of_our_products(bedplate: Bedplate, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDPLATE_CONTENT_PATH", str(ROOT))
    validate("product_show", json.loads(bedplate("show", path.stem, "-o", "json").out))
    assert bedplate("show", path.stem).code == 0


def test_show_of_an_unknown_product(bedplate: Bedplate) -> None:
    result = bedplate("show", "sampel")
    assert result == Result(2, "", "bedplate: there is no product 'sampel' (did you mean sample?)\n")


def test_check_of_our_products(bedplate: Bedplate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDPLATE_CONTENT_PATH", str(ROOT))
    result = bedplate("check")
    assert (result.code, result.out) == (0, "")
    assert f"{len(MANIFESTS)} products checked: 0 errors, 0 warnings." in result.err


FAULTS = [
    (
        "products/sample.yml",
        "beta}",
        "beta, sunset: 2020-01-01}",
        "products/sample.yml:5: lifecycle.sunset: has passed",
    ),
    (
        "products/sample.yml",
        "beta}",
        "deprecated, replaced_by: other}",
        "products/sample.yml:5: lifecycle.replaced_by: there is no product other",
    ),
    (
        "products/sample.yml",
        "sample.md",
        "gone.md",
        "products/sample.yml:6: docs: there is no file docs/products/gone.md",
    ),
    (
        "products/sample.yml",
        "playbooks/sample.yml",
        "playbooks/gone.yml",
        "products/sample.yml:7: playbook: there is no playbook playbooks/gone.yml",
    ),
    (
        "products/sample.yml",
        "sample_wait",
        "sample_pause",
        "products/sample.yml:10: parameters[1].name: neither playbooks/sample.yml nor its roles read it",
    ),
    (
        "products/sample.yml",
        "title: Sample",
        "titel: Sample",
        "products/sample.yml:2: titel: unknown key; did you mean",
    ),
    ("sample.yml", "product: sample", "product: other", "sample.yml:6: [0].tasks[0].bedplate.datacenter.validate_para"),
    ("sample.yml", "validate_parameters", "validate", "sample.yml:1: [0]: the first play must begin with the task"),
    ("sample.yml", "  gather_facts: false\n", "", "sample.yml:1: [0]: the first play must have gather_facts: false"),
    ("sample.yml", "  gather_facts: false\n", "  gather_facts: [\n", "sample.yml:5: is not YAML: "),
    ("sample.yml", "  hosts: all\n  gather", "  roles: [a]\n  gather", "sample.yml:1: [0]: the first play must begin"),
]


@pytest.mark.parametrize(("file", "old", "new", "sentence"), FAULTS, ids=[fault[3][:60] for fault in FAULTS])
def test_check_finds(bedplate: Bedplate, file: str, old: str, new: str, sentence: str) -> None:
    assert bedplate("check").code == 0
    bedplate.change(f"playbooks/{file}", old, new)
    result = bedplate("check", "sample")
    assert result.code == 2
    assert f"playbooks/{sentence}" in result.out
    document = json.loads(bedplate("check", "-o", "json").out)
    validate("product_check", document)
    assert document["faults"]


def test_check_warns_of_what_nothing_acts_on(bedplate: Bedplate) -> None:
    bedplate.change("playbooks/products/sample.yml", "docs:", "schedule: [{calendar: daily}]\ndocs:")
    result = bedplate("check")
    assert result.code == 0
    assert "warning: playbooks/products/sample.yml:6: schedule: nothing acts on this in this version" in result.out
    document = json.loads(bedplate("check", "-o", "json").out)
    assert {fault["severity"] for fault in document["faults"]} == {"warning"}


def test_check_follows_imported_playbooks(bedplate: Bedplate) -> None:
    bedplate.change("playbooks/sample.yml", "    - role: bedplate.datacenter.sizing\n", "    - role: other\n")
    assert "parameters[0].name: neither" in bedplate("check").out
    bedplate.write("playbooks/inner.yml", "- name: Inner\n  roles: [bedplate.datacenter.sizing]\n")
    playbook = (bedplate.root / "playbooks/sample.yml").read_text(encoding="utf-8")
    bedplate.write("playbooks/sample.yml", playbook + "- name: More\n  import_playbook: bedplate.datacenter.inner\n")
    assert bedplate("check").code == 0


def test_check_of_files_elsewhere(bedplate: Bedplate, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(tmp_path / "playbooks", other / "playbooks")
    shutil.copytree(tmp_path / "roles", other / "roles")
    result = bedplate("check", "other/playbooks/products/sample.yml")
    assert result.code == 2
    assert result.out == "other/playbooks/products/sample.yml:6: docs: there is no file other/docs/products/sample.md\n"
    assert bedplate("check", "other/none.yml").code == 2
    assert bedplate("check", "sampel").err == "bedplate: there is no product 'sampel' (did you mean sample?)\n"


def test_completion_needs_no_pydantic(bedplate: Bedplate) -> None:
    script = (
        "import sys, click\n"
        "from bedplate.commands.product_names import complete_parameter, complete_product\n"
        "from bedplate.main import cli\n"
        "ctx = click.Context(cli)\n"
        "print([found.value for found in complete_product(ctx, None, 'sa')])\n"
        "ctx.params = {'product': 'sample'}\n"
        "print([found.value for found in complete_parameter(ctx, None, '')])\n"
        "print([found.value for found in complete_parameter(ctx, None, 'sample_w')])\n"
        "print([found.value for found in complete_parameter(ctx, None, 'size=')])\n"
        "print(sorted({'pydantic', 'yaml', 'rich', 'sqlalchemy'} & set(sys.modules)))\n"
    )
    bedplate.change(
        "playbooks/products/sample.yml", "  - {name: size,", "  - name: extra\n    title: X\n  - {name: size,"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "['sample']",
        "['extra=', 'size=', 'sample_wait=']",
        "['sample_wait=']",
        "[]",
        "[]",
    ]
