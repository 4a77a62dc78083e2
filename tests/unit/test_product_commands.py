"""`bedplate product`: what it shows, what it finds, and its exit codes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.shell_completion import ShellComplete
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from bedplate.catalog import product_schema
from bedplate.catalog.yaml_tree import parse_yaml
from bedplate.main import cli
from command_result import ContentCommand, Result

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


class Bedplate(ContentCommand):
    """`bedplate product`, on one product and all that it uses."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__("product", root, capsys)
        self.write("galaxy.yml", "namespace: bedplate\n")
        self.write("playbooks/products/sample.yml", MANIFEST)
        self.write("playbooks/sample.yml", PLAYBOOK)
        self.write("docs/products/sample.md", "# Sample\n")
        self.write("roles/sizing/tasks/main.yml", "- name: Wait\n  foo:\n    a: '{{ sample_wait }}'\n")
        self.write("roles/sizing/templates/size.j2", "{{ size }}\n")

    def change(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def check(self, *words: str) -> Result:
        """Check all but what only ansible sees."""
        return self("check", "--fast", *words)


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
    assert bedplate.check().code == 2


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


@pytest.mark.parametrize("target", ["nowhere.yml", "link.yml"])
def test_list_names_links_that_lead_nowhere(bedplate: Bedplate, target: str) -> None:
    (bedplate.root / "playbooks/products/link.yml").symlink_to(target)
    for _ in range(2):
        result = bedplate("list", "-o", "json")
        assert (result.code, [each["name"] for each in json.loads(result.out)]) == (2, ["sample"])
        assert "playbooks/products/link.yml:1: cannot be read" in result.err


def test_list_sees_every_change(bedplate: Bedplate, tmp_path: Path) -> None:
    names = [each["name"] for each in json.loads(bedplate("list", "-o", "json").out)]
    assert names == ["sample"]
    bedplate.change("playbooks/products/sample.yml", "title: Sample", "title: Simple")
    bedplate.write("playbooks/products/other.yml", MANIFEST.replace("name: sample", "name: other"))
    titles = {each["name"]: each["title"] for each in json.loads(bedplate("list", "-o", "json").out)}
    assert titles == {"other": "Sample [red]", "sample": "Simple [red]"}
    bedplate.change("playbooks/products/other.yml", "name: other", "name: wrong")
    for _ in range(2):
        result = bedplate("list", "-o", "json")
        assert (result.code, [each["name"] for each in json.loads(result.out)]) == (2, ["sample"])
        assert "other.yml:1: name: must be other" in result.err
    (tmp_path / "playbooks/products/other.yml").unlink()
    (copy,) = (tmp_path / "home/cache").glob("catalog-*.json")
    for damage in ("", "{", "[]", '{"rules": null, "products": {"sample": {}}}'):
        copy.write_text(damage, encoding="utf-8")
        assert "Simple" in bedplate("list").out


def test_list_reads_no_manifest_twice(bedplate: Bedplate) -> None:
    assert bedplate("list").code == 0
    script = (
        "import sys\nfrom bedplate.main import main\n"
        "try:\n    main(['product', 'list'])\n"
        "except SystemExit:\n    print(sorted({'pydantic', 'yaml', 'sqlalchemy'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "Sample [red]" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_list_needs_no_state_folder(bedplate: Bedplate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "file" / "home"))
    assert bedplate("list").code == 0


def test_show(bedplate: Bedplate) -> None:
    result = bedplate("show", "sample")
    assert result.code == 0
    for text in ("Sample [red]", "platform (#platform)", "How long [to] wait.", "one of small, large", "required"):
        assert text in result.out
    assert "bedplate run sample -p size=small --check" in result.out
    document = json.loads(bedplate("show", "sample", "-o", "json").out)
    validate("product_show", document)
    assert document["product"]["parameters"][1]["default"] == "5m"


class TestView:
    """`access.view`: who is shown a product."""

    @pytest.fixture
    def viewed(self, bedplate: Bedplate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bedplate:
        bedplate.change("playbooks/products/sample.yml", "docs:", "access: {view: [dba, web]}\ndocs:")
        teams = tmp_path / "teams.yml"
        teams.write_text('teams:\n  dba: {members: [kim], contact: "#dba"}\n  web: {members: []}\n', encoding="utf-8")
        monkeypatch.setenv("BEDPLATE_TEAMS_FILE", str(teams))
        monkeypatch.setattr(os, "getuid", lambda: 0)  # root may call in any name
        return bedplate

    def test_nobody_else_calls_in_another_name(
        self, viewed: Bedplate, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(os, "getuid", lambda: 471_147)
        monkeypatch.setenv("BEDPLATE_ACCESS_USER", "kim")
        said = "bedplate: refused by identity: access.user says kim, the operating system says 471147"
        for words in (["list"], ["show", "sample"], ["report"]):
            result = viewed(*words)
            assert (result.code, said in result.err) == (3, True)
        viewed.change("playbooks/products/sample.yml", "access: {view: [dba, web]}\n", "")
        assert viewed("show", "sample").code == 0
        feedback = ContentCommand("feedback", viewed.root, capsys)("sample", "5")
        assert (feedback.code, said in feedback.err) == (3, True)

    def test_others_are_not_shown_it(
        self, viewed: Bedplate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("BEDPLATE_ACCESS_USER", "eve")
        for _ in range(2):  # read, and from the copy of what was read
            assert json.loads(viewed("list", "-o", "json").out) == []
        assert viewed("show", "sample") == Result(
            3,
            "",
            "bedplate: refused by access: sample is for dba or web to see; eve is in no team"
            " (ask dba (#dba) or web, or team platform, #platform, to let you)\n",
        )
        assert "left out: 1 product is not for eve to see" in viewed("docs", str(tmp_path / "site")).err
        assert not (tmp_path / "site" / "sample.html").exists()
        assert "sample" not in viewed("backstage").out
        assert viewed("report", "sample").code == 3
        assert ContentCommand("feedback", viewed.root, capsys)("sample", "1").code == 3

    def test_the_teams_that_are_named_are(
        self, viewed: Bedplate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BEDPLATE_ACCESS_USER", "kim")
        assert [each["name"] for each in json.loads(viewed("list", "-o", "json").out)] == ["sample"]
        assert viewed("show", "sample").code == 0
        assert viewed("docs", str(tmp_path / "site")).code == 0
        assert (tmp_path / "site" / "sample.html").exists()

    @pytest.mark.parametrize(("person", "shown"), [("eve", []), ("kim", ["sample"])])
    def test_the_tabulator_key_shows_no_more(
        self, viewed: Bedplate, monkeypatch: pytest.MonkeyPatch, person: str, shown: list[str]
    ) -> None:
        monkeypatch.setenv("BEDPLATE_CONTENT_PATH", str(viewed.root))
        monkeypatch.setenv("BEDPLATE_ACCESS_USER", person)
        answers = ShellComplete(cli, {}, "bedplate", "_X").get_completions
        assert [item.value for item in answers(["product", "show"], "sa")] == shown
        assert [item.value for item in answers(["run", "sample", "-p"], "si")] == ["size="] * len(shown)

    def test_the_tabulator_key_is_silent_where_nobody_knows_whose_it_is(
        self, viewed: Bedplate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BEDPLATE_CONTENT_PATH", str(viewed.root))
        monkeypatch.setenv("BEDPLATE_TEAMS_FILE", "nowhere.yml")
        assert ShellComplete(cli, {}, "bedplate", "_X").get_completions(["run"], "sa") == []

    def test_all_means_everybody(self, viewed: Bedplate, monkeypatch: pytest.MonkeyPatch) -> None:
        viewed.change("playbooks/products/sample.yml", "[dba, web]", "[all]")
        monkeypatch.setenv("BEDPLATE_ACCESS_USER", "eve")
        assert viewed("show", "sample").code == 0


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
    (
        "products/sample.yml",
        "docs:",
        "guardrails: {canary: 1, max_fail_percent: 5}\ndocs:",
        "products/sample.yml:6: guardrails.canary: playbooks/sample.yml does not act on it: it must use bedplate_host",
    ),
    ("sample.yml", "product: sample", "product: other", "sample.yml:6: [0].tasks[0].bedplate.datacenter.validate_para"),
    ("sample.yml", "validate_parameters", "validate", "sample.yml:1: [0]: the first play must begin with the task"),
    ("sample.yml", "  gather_facts: false\n", "", "sample.yml:1: [0]: the first play must have gather_facts: false"),
    ("sample.yml", "  gather_facts: false\n", "  gather_facts: [\n", "sample.yml:5: is not YAML: "),
    ("sample.yml", "  hosts: all\n  gather", "  roles: [a]\n  gather", "sample.yml:1: [0]: the first play must begin"),
]


@pytest.mark.parametrize(("file", "old", "new", "sentence"), FAULTS, ids=[fault[3][:60] for fault in FAULTS])
def test_check_finds(bedplate: Bedplate, file: str, old: str, new: str, sentence: str) -> None:
    assert bedplate.check().code == 0
    bedplate.change(f"playbooks/{file}", old, new)
    result = bedplate.check("sample")
    assert result.code == 2
    assert f"playbooks/{sentence}" in result.out
    document = json.loads(bedplate.check("-o", "json").out)
    validate("product_check", document)
    assert document["faults"]


SPECS = """\
argument_specs:
  main:
    options:
      sizing_limit: {type: int}
"""
SET = [
    (
        "      $ANSIBLE_VAULT;1.1;AES256\n",
        "      $ANSIBLE_VAULT;1.1;AES256\n    sizing_limt: 1\n",
        "15: [1].vars.sizing_limt",
    ),
    ("sizing\n", "sizing\n      vars: {sizing_limt: 1}\n", "17: [1].roles[0].vars.sizing_limt"),
    ("sizing\n", "sizing\n      vars: {limit: 1}\n", "17: [1].roles[0].vars.limit"),
    (
        "  roles:\n    - role: bedplate.datacenter.sizing\n",
        """\
  tasks:
    - name: Size
      block:
        - name: Include
          ansible.builtin.include_role:
            name: bedplate.datacenter.sizing
          vars: {sizing_limt: 1}
""",
        "21: [1].tasks[0].block[0].vars.sizing_limt",
    ),
]


@pytest.mark.parametrize(("old", "new", "place"), SET, ids=[case[2] for case in SET])
def test_check_finds_variables_that_no_role_knows(bedplate: Bedplate, old: str, new: str, place: str) -> None:
    bedplate.write("roles/sizing/meta/argument_specs.yml", SPECS)
    assert bedplate.check().code == 0
    bedplate.change("playbooks/sample.yml", old, new)
    result = bedplate.check()
    assert result.code == 2
    assert f"playbooks/sample.yml:{place}: the argument_specs of role sizing do not know" in result.out
    bedplate.change("playbooks/sample.yml", place.rpartition(".")[2], "sizing_limit")
    assert bedplate.check().out == ""


def test_check_finds_parameters_that_their_role_does_not_know(bedplate: Bedplate) -> None:
    bedplate.write("roles/sizing/meta/argument_specs.yml", SPECS)
    bedplate.change("playbooks/products/sample.yml", "name: size,", "name: sizing_limt,")
    bedplate.change("roles/sizing/templates/size.j2", "size", "sizing_limt")
    sentence = (
        "parameters[0].name: the argument_specs of role sizing do not know sizing_limt; did you mean sizing_limit?"
    )
    assert f"playbooks/products/sample.yml:9: {sentence}" in bedplate.check().out


def test_check_finds_owners_that_are_no_team(bedplate: Bedplate, monkeypatch: pytest.MonkeyPatch) -> None:
    bedplate.write("teams.yml", "teams:\n  platform: {members: [kim]}\n")
    monkeypatch.setenv("BEDPLATE_TEAMS_FILE", "teams.yml")
    assert bedplate.check().code == 0
    bedplate.change("playbooks/products/sample.yml", "team: platform", "team: platfrom")
    bedplate.change("playbooks/products/sample.yml", "docs:", "access: {view: [all], run: [platform, web]}\ndocs:")
    result = bedplate.check()
    assert result.code == 2
    assert "sample.yml:4: owner.team: there is no team platfrom in teams.yml; did you mean platform?" in result.out
    assert "sample.yml:6: access.run[1]: there is no team web in teams.yml" in result.out
    assert "access.view" not in result.out
    bedplate.write("teams.yml", "teams: []\n")
    assert bedplate.check().err == "bedplate: teams.yml:1: teams must be a mapping\n"


def test_check_lets_ansible_read_the_playbook(bedplate: Bedplate) -> None:
    (bedplate.root / "plugins").symlink_to(ROOT / "plugins")
    (bedplate.root / "collections/ansible_collections/bedplate").mkdir(parents=True)
    (bedplate.root / "collections/ansible_collections/bedplate/datacenter").symlink_to(bedplate.root)
    bedplate.write(
        "roles/sizing/tasks/main.yml", "- name: Wait\n  ansible.builtin.debug:\n    msg: '{{ sample_wait }}'\n"
    )
    bedplate.write(
        "playbooks/products/second.yml", MANIFEST.replace("sample\n", "second\n", 1).replace("sample.yml", "second.yml")
    )
    bedplate.write("playbooks/second.yml", PLAYBOOK.replace("sample", "second"))
    assert bedplate("check").out == ""
    bedplate.change("roles/sizing/tasks/main.yml", "debug", "debugg")
    bedplate.write(
        "playbooks/second.yml", PLAYBOOK.replace("sample", "second").replace("hosts: all\n  vars", "host: all\n  vars")
    )
    result = bedplate("check")
    assert result.code == 2
    told = result.out.splitlines()
    assert len(told) == 2
    assert told[0].startswith("roles/sizing/tasks/main.yml:1: couldn't resolve module/action 'ansible.builtin.debugg'")
    assert told[1].startswith("playbooks/second.yml:11: ")
    assert "'host' is not a valid attribute for a Play" in told[1]


SCHEDULES = [
    ("{calendar: sometimes}", "schedule[0].calendar: must be a calendar event of systemd, such as Mon..Fri 02:30"),
    ("{calendar: daily, timezone: Europe/Nowhere}", "schedule[0].timezone: there is no time zone Europe/Nowhere"),
    (
        "{calendar: daily, parameters: {size: huge}}",
        "schedule[0].parameters: parameter size must be one of small, large",
    ),
    ("{calendar: daily}", "schedule[0].parameters: parameter size is required"),
]


@pytest.mark.parametrize(("schedule", "sentence"), SCHEDULES, ids=[case[1][:40] for case in SCHEDULES])
def test_check_finds_schedules_that_cannot_be_kept(bedplate: Bedplate, schedule: str, sentence: str) -> None:
    good = "schedule: [{calendar: daily, timezone: Europe/Berlin, parameters: {size: small}}]\ndocs:"
    bedplate.change("playbooks/products/sample.yml", "docs:", good)
    assert bedplate.check().out == ""
    bedplate.change("playbooks/products/sample.yml", good, f"schedule: [{schedule}]\ndocs:")
    assert f"playbooks/products/sample.yml:6: {sentence}" in bedplate.check().out


def test_check_follows_imported_playbooks(bedplate: Bedplate) -> None:
    bedplate.change("playbooks/sample.yml", "    - role: bedplate.datacenter.sizing\n", "    - role: other\n")
    assert "parameters[0].name: neither" in bedplate.check().out
    bedplate.write("playbooks/inner.yml", "- name: Inner\n  roles: [bedplate.datacenter.sizing]\n")
    playbook = (bedplate.root / "playbooks/sample.yml").read_text(encoding="utf-8")
    bedplate.write("playbooks/sample.yml", playbook + "- name: More\n  import_playbook: bedplate.datacenter.inner\n")
    assert bedplate.check().code == 0


def test_check_of_files_elsewhere(bedplate: Bedplate, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(tmp_path / "playbooks", other / "playbooks")
    shutil.copytree(tmp_path / "roles", other / "roles")
    result = bedplate.check("other/playbooks/products/sample.yml")
    assert result.code == 2
    assert result.out == "other/playbooks/products/sample.yml:6: docs: there is no file other/docs/products/sample.md\n"
    assert bedplate.check("other/none.yml").code == 2
    assert bedplate.check("sampel").err == "bedplate: there is no product 'sampel' (did you mean sample?)\n"


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
