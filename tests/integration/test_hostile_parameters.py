"""Answers that try to be a template or a shell command are data, in every product: a fuzz test over the catalog."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from hypothesis import find, given, settings
from hypothesis import strategies as st

from bedplate.catalog import Parameter, Product, load_catalog
from bedplate.catalog.rules import UnfitValueError, convert
from bedplate.execution.untemplated import untemplated_yaml
from integration.execution_project import Project, task

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PRODUCTS = load_catalog(ROOT / "playbooks/products").products()
# One parameter of each kind that takes free text, so that there is something to try whatever the catalog has.
FREE = [
    Parameter(name="free_string", title="Free", type="string"),
    Parameter(name="free_text", title="Free", type="text"),
    Parameter(name="free_secret", title="Free", type="secret"),
    Parameter(name="free_sites", title="Free", type="choices", choices_from="sites"),
    Parameter(name="free_tenant", title="Free", type="choice", choices_from="tenants"),
]
TEMPLATES = [
    "{{ lookup('pipe', 'touch CANARY') }}",
    "{{ lookup('ansible.builtin.pipe', \"touch CANARY\") }}",
    "{% for x in [1] %}{{ lookup('pipe', 'touch CANARY') }}{% endfor %}",
    "{{ (1).__class__.__mro__ }}",
    "{{ 7 * 7 }}",
    "{# gone #}",
    "{{ '{{' }} 7 * 7 {{ '}}' }}",
    "{%raw%}{{ 7 * 7 }}{%endraw%}",
    "#jinja2: variable_start_string:'[['\n[[ 7 * 7 ]]",
]
SHELL = [
    "$(touch CANARY)", "`touch CANARY`", "; touch CANARY", "| touch CANARY", "& touch CANARY", "> CANARY",
    "'; touch CANARY; '", '"; touch CANARY; "', "\\", "--limit=all", "-e x=y", "@/etc/passwd", "!unsafe x", "!vault |",
    "<<: *x", "%0a", "~root",
]  # fmt: skip
UNICODE = [
    "\u202e{{ 7 * 7 }}",
    "\uff5b\uff5b 7 * 7 \uff5d\uff5d",
    "\u200b$(id)",
    "a\u0300",
    "\ufeff{{ 7 * 7 }}",
    "\u2028",
    "\u0085",
    "\U0001f427",
]
WORDS = [
    "true",
    "no",
    "null",
    "~",
    "1e3",
    "0x10",
    "2026-11-25",
    "[]",
    "{}",
    "{a: b}",
    "- a",
    "a: b",
    "",
    " ",
    "\n",
    "a\nb",
    "\t",
]
HOSTILE = [*TEMPLATES, *SHELL, *UNICODE, *WORDS]
_TEXT = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=6), min_size=1, max_size=4).map("".join)


def accepted(parameter: Parameter, text: str) -> Any:
    """Return what a parameter makes of a text; None where it refuses it."""
    try:
        return convert(parameter, text)
    except UnfitValueError:
        return None


def seen_by_a_template(value: Any) -> Any:
    """Return what a template of a playbook sees of a variable that was handed to ansible."""
    loader = DataLoader()
    return Templar(loader, variables=loader.load(untemplated_yaml({"it": value}))).template(
        trust_as_template("{{ it }}")
    )


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.name)
def test_answers_to_products_stay_as_they_are(
    product: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    @settings(max_examples=40, deadline=None)
    @given(text=_TEXT)
    def try_text(text: str) -> None:
        for parameter in [*product.parameters, *FREE]:
            value = accepted(parameter, text)
            if value is not None:
                assert seen_by_a_template(value) == value

    try_text()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", HOSTILE)
def test_each_kind_of_text_stays_as_it_is(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    values = [accepted(parameter, text) for parameter in FREE]
    assert seen_by_a_template(values) == values
    assert seen_by_a_template({"outer": {"inner": [text]}}) == {"outer": {"inner": [text]}}
    assert not list(tmp_path.iterdir())


def hostile_answers(product: Product, turn: int, canary: Path) -> dict[str, Any]:
    """Return an answer that is hostile for each parameter that is asked and takes one, another one each turn."""
    answers: dict[str, Any] = {}
    for parameter in product.parameters:
        known = {each.name: each.default for each in product.parameters if each.default is not None} | answers
        if any(known.get(name) != answer for name, answer in (parameter.when or {}).items()):
            continue
        tried = [] if parameter.source else [text.replace("CANARY", str(canary)) for text in HOSTILE]
        taken = [value for text in tried if (value := accepted(parameter, text)) is not None]
        if taken:
            answers[parameter.name] = taken[turn % len(taken)]
        elif parameter.required:
            answers[parameter.name] = good_answer(parameter)
    return answers


def good_answer(parameter: Parameter) -> Any:
    """Return an answer that a required parameter takes."""
    plain: dict[str, Any] = {
        "integer": 1,
        "number": 1,
        "boolean": True,
        "duration": "30m",
        "date": "2030-01-01",
        "host": "one",
        "group": "all",
    }
    candidates = [
        *(parameter.choices or ()),
        parameter.min,
        plain.get(parameter.type),
        "nginx",
        "nginx.service",
        "10.0.0.1",
        "a" * 20,
    ]
    for each in candidates:
        if each is not None and accepted(parameter, each) is not None:
            return accepted(parameter, each)
    if parameter.pattern is not None:
        return find(
            st.from_regex(parameter.pattern, fullmatch=True), lambda text: accepted(parameter, text) is not None
        )
    pytest.fail(f"no answer is known that {parameter.name} takes; add one to good_answer")


@pytest.mark.parametrize("turn", [0, 7])
def test_the_catalog_s_check_hands_on_what_was_given(tmp_path: Path, turn: int) -> None:
    """Every product's own first task, in a real play, with hostile answers to all that takes them."""
    canary = tmp_path / "canary"
    answers = {product.name: hostile_answers(product, turn, canary) for product in PRODUCTS}
    plays = [_play(product, list(answers[product.name]), tmp_path) for product in PRODUCTS]
    (tmp_path / "play.yml").write_text(yaml.safe_dump(plays), encoding="utf-8")
    variables = {name: value for of_product in answers.values() for name, value in of_product.items()}
    (tmp_path / "variables.yml").write_text(untemplated_yaml(variables), encoding="utf-8")
    environment = {
        "PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
    }  # fmt: skip
    command = [str(BIN / "ansible-playbook"), "-i", "one,", "-c", "local", "play.yml", "-e", "@variables.yml"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    for product in PRODUCTS:
        fact, seen = json.loads(base64.b64decode((tmp_path / f"{product.name}.txt").read_text()))
        public = {name: value for name, value in answers[product.name].items() if name not in product.secret_names}
        assert {name: fact[name] for name in public} == public
        assert seen == answers[product.name]
    assert not canary.exists()


def _play(product: Product, names: list[str], folder: Path) -> dict[str, Any]:
    seen = ", ".join(f"'{name}': {name}" for name in names)
    content = f"{{{{ [ansible_facts['bedplate_parameters'], {{{seen}}}] | to_json | b64encode }}}}"
    record = {"content": content, "dest": f"{folder}/{product.name}.txt", "mode": "0600"}
    return {
        "name": product.title,
        "hosts": "all",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": sys.executable},
        "tasks": [
            {"name": "Check", "bedplate.datacenter.validate_parameters": {"product": product.name}, "run_once": True},
            {"name": "Record", "ansible.builtin.copy": record},
        ],
    }


@pytest.mark.parametrize("turn", [3, 11])
def test_a_real_run_hands_on_what_was_typed(tmp_path: Path, turn: int) -> None:
    """The questions of the whole catalog as one product, ordered with `bedplate run` as a person would."""
    canary = tmp_path / "canary"
    answers = {k: v for product in PRODUCTS for k, v in hostile_answers(product, turn, canary).items()}
    free = {
        parameter.name: text.replace("CANARY", str(canary))
        for parameter, text in zip(FREE[:3], HOSTILE[turn:], strict=False)
    }
    answers |= {name: value for name, value in free.items() if accepted(_free(name), value) is not None}
    project = Project(tmp_path / "project")
    project.write_inventory({"one": {}})
    questions = [each for product in PRODUCTS for each in product.parameters] + FREE[:3]
    seen = ", ".join(f"'{name}': {name}" for name in answers)
    content = f"{{{{ [ansible_facts['bedplate_parameters'], {{{seen}}}] | to_json | b64encode }}}}"
    project.product(
        "everything",
        [
            task(
                "Check", "bedplate.datacenter.validate_parameters", arguments={"product": "everything"}, run_once=True
            ),
            task("Record", "copy", arguments={"content": content, "dest": f"{tmp_path}/seen.txt", "mode": "0600"}),
        ],
        parameters=[each.model_dump(mode="json", exclude_none=True, exclude_defaults=True) for each in questions],
    )
    typed = [word for name, value in answers.items() if isinstance(value, str) for word in ("-p", f"{name}={value}")]
    others = {name: value for name, value in answers.items() if not isinstance(value, str)}
    (tmp_path / "answers.json").write_text(json.dumps(others), encoding="utf-8")
    done = project.bedplate("run", "everything", "--params-file", str(tmp_path / "answers.json"), *typed)
    assert done.returncode == 0, done.stdout + done.stderr
    fact, arrived = json.loads(base64.b64decode((tmp_path / "seen.txt").read_text()))
    assert arrived == answers
    secret = {each.name for each in questions if each.is_secret}
    assert {name: fact[name] for name in answers.keys() - secret} == {
        name: value for name, value in answers.items() if name not in secret
    }
    assert not canary.exists()


def _free(name: str) -> Parameter:
    return next(each for each in FREE if each.name == name)
