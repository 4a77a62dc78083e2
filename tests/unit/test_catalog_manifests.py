"""Manifests: what is accepted, and where each fault is said to be."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from textwrap import dedent

import pytest

from bedplate.catalog import Catalog, InvalidManifestError, Product, load_catalog, read_manifest
from bedplate.catalog.parameter import RESERVED_NAMES
from bedplate.errors import ManifestError, NotFoundError

HEAD = """\
name: sample
title: Sample
summary: A sample.
owner:
  team: platform
  contact: "#platform"
lifecycle:
  stage: beta
playbook: playbooks/sample.yml
"""
FIRST = HEAD.count("\n") + 1  # the line after the head


def write(folder: Path, text: str, name: str = "sample") -> Path:
    path = folder / f"{name}.yml"
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, more: str = "") -> Product:
    return read_manifest(write(folder, HEAD + dedent(more))).product


def faults(folder: Path, text: str) -> list[tuple[int, str, str]]:
    with pytest.raises(InvalidManifestError) as caught:
        read_manifest(write(folder, text))
    return [(fault.line, fault.key, fault.sentence) for fault in caught.value.faults]


def test_a_manifest_of_nothing_but_the_required_keys(tmp_path: Path) -> None:
    product = read(tmp_path)
    assert product.targets.context == "hosts"
    assert product.parameters == []
    assert product.idempotent is False


def test_a_manifest_with_every_key(tmp_path: Path) -> None:
    product = read(
        tmp_path,
        """\
        description: Long.
        sla: {support_hours: "Mon-Fri 09:00-17:00 UTC", response: 4h}
        slo:
          - {objective: success_ratio, target: 0.99, window: 30d}
          - {objective: lead_time_p95, target: 2h, window: 4w}
        cost: {amount: 0.5, currency: EUR, per: host_hour}
        roadmap: [{when: 2027-Q1, what: More, status: in_progress}]
        docs: docs/products/sample.md
        tags: [a, b-c]
        targets:
          classes: [bare_metal, colo, cloud]
          context: fleet
          default_limit: role_server
          force_limit: "!role_observer"
          max_hosts: 10
          max_percent: 12.5
        parameters:
          - {name: reboot, type: boolean, title: Reboot, default: false}
          - {name: wait, type: duration, title: Wait, default: 5m, min: 1m, max: 1h, when: {reboot: true}}
          - {name: size, type: choice, title: Size, choices: [s, l], default: s}
          - {name: sites, type: choices, title: Sites, choices_from: sites}
          - {name: until_day, type: date, title: Until, min: 2026-01-01}
          - {name: token, type: secret, title: Token, secret: true, min: 8}
        access: {view: [all], run: [web], approve: [platform]}
        guardrails:
          approval: {approvers: 2, expires: 24h}
          concurrency: 1
          freeze: [company]
          window: {days: [sat, sun], start: "22:00", end: "04:00", timezone: Europe/Berlin}
          dry_run_first: 24h
          canary: 1
          serial_by: rack
          max_fail_percent: 0
        idempotent: true
        schedule: [{calendar: "Mon..Fri 02:30", jitter: 10m, catch_up: true, parameters: {size: l}}]
        notifications: [{outcomes: [failed], to: [ops]}]
        """,
    )
    assert product.secret_names == {"token"}
    assert product.slo[1].window == timedelta(days=28)
    assert Product.model_validate(product.model_dump(mode="json", exclude_none=True)) == product


def test_a_fault_is_told_as_file_line_key_and_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path, HEAD + "parameters:\n  - name: size\n    title: Size\n    type: strin\n")
    with pytest.raises(ManifestError) as caught:
        read_manifest(path)
    assert str(caught.value) == (
        f"sample.yml:{FIRST + 3}: parameters[0].type: must be one of string, text, secret, integer, number, boolean, "
        "choice, choices, host, group, duration, date, not 'strin'"
    )


TOP_LEVEL = [
    ("colour: red", 0, "colour", "unknown key; known are name, title, "),
    ("ownr: x", 0, "ownr", "unknown key; did you mean owner?"),
    ("max-hosts: 5", 0, "max-hosts", "unknown key; known are name, title, "),
    ("a b: 5", 0, "a b", "unknown key; known are"),
    ("<<: {ownr: x}", 0, "<<", "unknown key; known are"),
    ("targets:\n  max-hosts: 5", 1, "targets.max-hosts", "unknown key; did you mean max_hosts?"),
    ("docs:", 0, "docs", "is empty; give it a value or leave the key out"),
    ("docs: ../x.md", 0, "docs", "must match "),
    ("tags: a", 0, "tags", "must be a list, not 'a'"),
    ("tags: [a, 1]", 0, "tags[1]", "must be text, not 1"),
    ("idempotent: yes", 0, "idempotent", "must be true or false, not 'yes'"),
    ("cost: {amount: free, currency: EUR, per: run}", 0, "cost.amount", "must be a number, not 'free'"),
    ("cost: {amount: -1, currency: EUR, per: run}", 0, "cost.amount", "must be at least 0"),
    ("cost: {amount: 1e999, currency: EUR, per: run}", 0, "cost.amount", "must be a number, not inf"),
    ("cost: {amount: 1, currency: Euro, per: run}", 0, "cost.currency", "must match ^[A-Z]{3}$, not 'Euro'"),
    ("cost: {amount: 1, currency: EUR, per: day}", 0, "cost.per", "must be one of run, host, host_hour, not 'day'"),
    ("sla: {support_hours: always}", 0, "sla.response", "is missing"),
    ("sla: {support_hours: always, response: soon}", 0, "sla.response", "must be a duration such as 30m or 1h30m"),
    ("sla: {support_hours: always, response: 4}", 0, "sla.response", "must be a duration such as 30m or 1h30m, not 4"),
    ("slo:\n  - {objective: success_ratio, target: 99, window: 1d}", 1, "slo[0].target", "must be a ratio over 0"),
    ("slo:\n  - {objective: duration_p95, target: 9, window: 1d}", 1, "slo[0].target", "must be a duration such as"),
    ("slo:\n  - {objective: success_ratio, target: 1, window: 0s}", 1, "slo[0].window", "must be more than 0s"),
    ("guardrails: {dry_run_first: 0s}", 0, "guardrails.dry_run_first", "must be more than 0s"),
    ("guardrails: {dry_run_first: 9999w}", 0, "guardrails.dry_run_first", "must be at most 36500d, not '9999w'"),
    ("guardrails: {approval: {expires: 0d}}", 0, "guardrails.approval.expires", "must be more than 0s"),
    (
        "guardrails: {window: {custom_field: w, days: [mon]}}",
        0,
        "guardrails.window.days",
        "is said by the custom field",
    ),
    (
        "guardrails: {window: {custom_field: w, timezone: UTC}}",
        0,
        "guardrails.window.timezone",
        "is said by the custom field",
    ),
    ("roadmap:\n  - when: soon\n    what: x", 1, "roadmap[0].when", "must match "),
    ("targets: {clases: [colo]}", 0, "targets.clases", "unknown key; did you mean classes?"),
    (
        "targets:\n  classes:\n    - colo\n    - metal",
        3,
        "targets.classes[1]",
        "must be one of bare_metal, colo, cloud",
    ),
    ("targets: {classes: []}", 0, "targets.classes", "must not be empty"),
    ("targets: {max_hosts: 0}", 0, "targets.max_hosts", "must be at least 1, not 0"),
    ("targets: {max_hosts: many}", 0, "targets.max_hosts", "must be an integer, not 'many'"),
    ("targets: {max_percent: 101}", 0, "targets.max_percent", "must be at most 100, not 101"),
    ("guardrails: {window: {start: '22:00'}}", 0, "guardrails.window.end", "start and end go together"),
    (
        "guardrails: {window: {start: '22:00', end: '23:00', timezone: Europe}}",
        0,
        "guardrails.window.timezone",
        "there is no time zone Europe",
    ),
    ("guardrails: {window: {days: [mon]}}", 0, "guardrails.window.custom_field", "a window is either custom_field or"),
    ("guardrails: {freeze: company}", 0, "guardrails.freeze", "must be a list, not 'company'"),
    ("parameters: {name: x}", 0, "parameters", "must be a list, not a mapping"),
]
PARAMETER = [
    ("title: X", "name", "is missing"),
    ("{name: Size, title: X}", "name", "must match "),
    ("{name: hosts, title: X}", "name", "hosts means something else to Ansible; choose another name"),
    ("{name: lambda, title: X}", "name", "lambda means something else to Ansible; choose another name"),
    ("{name: ansible_host, title: X}", "name", "names that start with ansible_ are reserved"),
    ("{name: bedplate_run, title: X}", "name", "names that start with bedplate_ are reserved"),
    ("{name: x}", "title", "is missing"),
    ("{name: x, title: X, defualt: 1}", "defualt", "unknown key; did you mean default?"),
    ("{name: x, title: X, type: choice}", "type", "a choice needs either choices or choices_from"),
    ("{name: x, title: X, choices: [a]}", "choices", "only choice and choices have choices, not string"),
    ("{name: x, title: X, type: choice, choices: []}", "choices", "must not be empty"),
    ("{name: x, title: X, type: choice, choices: [a, a]}", "choices[1]", "'a' is there twice"),
    ("{name: x, title: X, type: choice, choices: [a, 2]}", "choices[1]", "must be text, not 2"),
    ("{name: x, title: X, type: choice, choices: [true]}", "choices[0]", "must be text, not true"),
    ("{name: x, title: X, type: choices, choices: ['a,b']}", "choices[0]", "must have no comma"),
    ("{name: x, title: X, type: choice, choices: [' a']}", "choices[0]", "must be one line of text without space"),
    ('{name: x, title: X, type: choice, choices: ["a\\u2028b"]}', "choices[0]", "must be one line of text"),
    (
        "{name: x, title: X, type: choice, choices_from: command}",
        "choices_from",
        "choices_from: command and choices_command go",
    ),
    (
        "{name: x, title: X, type: choice, choices_from: else}",
        "choices_from",
        "must be one of hosts, groups, sites, tenants",
    ),
    (
        "{name: x, title: X, type: choice, choices_from: sites, choices_command: [a]}",
        "choices_from",
        "choices_from: command and choices_command go",
    ),
    ("{name: x, title: X, choices_from: sites}", "choices_from", "only choice and choices take answers from the fleet"),
    ("{name: x, title: X, pattern: '['}", "pattern", "is not a regular expression: "),
    ("{name: x, title: X, pattern: 'a{99999999999}'}", "pattern", "is not a regular expression: "),
    (f"{{name: x, title: X, pattern: '{'(' * 3000}'}}", "pattern", "is not a regular expression: "),
    ("{name: x, title: X, type: integer, pattern: a}", "pattern", "the type integer has no pattern"),
    ("{name: x, title: X, type: boolean, min: 1}", "min", "the type boolean has no min"),
    (f"{{name: x, title: X, type: number, max: {10**400}}}", "max", "must be a number, not 1000"),
    ("{name: x, title: X, min: -1}", "min", "must be a number of characters"),
    ("{name: x, title: X, type: integer, min: 5, max: 4}", "max", "must not be under min, which is 5"),
    ("{name: x, title: X, type: duration, min: 1h, max: 30m}", "max", "must not be under min, which is 1h"),
    ("{name: x, title: X, type: duration, max: 30}", "max", "must be a duration, not 30"),
    ("{name: x, title: X, type: date, min: tomorrow}", "min", "must be a date such as 2026-03-31, not 'tomorrow'"),
    ("{name: x, title: X, type: integer, max: '4'}", "max", "must be an integer, not '4'"),
    ("{name: x, title: X, type: integer, default: 5, max: '4'}", "max", "must be an integer, not '4'"),
    ("{name: x, title: X, type: duration, default: 5m, min: 4}", "min", "must be a duration, not 4"),
    ("{name: x, title: X, default: a, min: one}", "min", "must be a number of characters"),
    ("{name: x, title: X, type: integer, default: 5, max: 4}", "default", "must be at most 4, not 5"),
    ("{name: x, title: X, type: integer, default: '5'}", "default", "must be an integer, not '5'"),
    ("{name: x, title: X, type: boolean, default: 'no'}", "default", "must be true or false, not 'no'"),
    ("{name: x, title: X, type: choice, choices: [a], default: b}", "default", "must be one of a, not 'b'"),
    ("{name: x, title: X, type: choices, choices: [a, b], default: 'a,b'}", "default", "must be a list, not 'a,b'"),
    ("{name: x, title: X, pattern: '[a-z]+', default: A}", "default", "must match [a-z]+, not 'A'"),
    ("{name: x, title: X, default: 1}", "default", "must be text, not 1"),
    ("{name: x, title: X, required: true, default: a}", "default", "a required parameter has no default"),
    ("{name: x, title: X, type: secret, default: a}", "default", "a secret has no default"),
    ("{name: x, title: X, secret: true, default: a}", "default", "a secret has no default"),
    ("{name: x, title: X, type: secret, secret: false}", "secret", "must be true or left out for the type secret"),
    ("{name: x, title: X, type: integer, secret: true}", "secret", "only string, text and secret can be kept secret"),
    ("{name: x, title: X, when: {y: 1}}", "when.y", "no parameter y is defined further up"),
    ("{name: x, title: X, when: {x: a}}", "when.x", "no parameter x is defined further up"),
    ("{name: x, title: X, when: {first: 'yes'}}", "when.first", "must be written as True"),
    ("{name: x, title: X, when: {first: 3}}", "when.first", "must be true or false, not 3"),
    ("{name: first, title: X}", "name", "there is another parameter first"),
]


@pytest.mark.parametrize(("text", "line", "key", "sentence"), TOP_LEVEL, ids=[case[0] for case in TOP_LEVEL])
def test_a_fault_names_line_and_key(tmp_path: Path, text: str, line: int, key: str, sentence: str) -> None:
    found = faults(tmp_path, HEAD + text + "\n")
    assert [(where, what) for where, what, _ in found] == [(FIRST + line, key)]
    assert found[0][2].startswith(sentence)


@pytest.mark.parametrize(("text", "key", "sentence"), PARAMETER, ids=[case[0] for case in PARAMETER])
def test_a_fault_of_a_parameter_names_line_and_key(tmp_path: Path, text: str, key: str, sentence: str) -> None:
    head = HEAD + "parameters:\n  - {name: first, title: First, type: boolean}\n"
    found = faults(tmp_path, f"{head}  - {text}\n")
    assert [(where, what) for where, what, _ in found] == [(FIRST + 2, f"parameters[1].{key}")]
    assert found[0][2].startswith(sentence)


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "sentence"),
    [
        ("name: sample", "name: other", 1, "name", "must be sample, like the file's name"),
        ("title: Sample\n", "", 1, "title", "is missing"),
        ("title: Sample", "title: ''", 2, "title", "must not be empty"),
        ("  team: platform\n", "", 4, "owner.team", "is missing"),
        ("stage: beta", "stage: alpha", 8, "lifecycle.stage", "must be one of experimental, beta, ga, deprecated, not"),
        ("stage: beta", "stage: deprecated", 8, "lifecycle.stage", "deprecated needs replaced_by or sunset"),
        ("stage: beta", "stage: beta\n  since: 2026-02-30", 9, "lifecycle.since", "must be a date such as 2026-03-31"),
        (
            "stage: beta",
            "stage: ga\n  since: 2026-02-01\n  sunset: 2026-01-01",
            10,
            "lifecycle.sunset",
            "must be after since, which is 2026-02-01",
        ),
        (
            "stage: beta",
            "stage: ga\n  replaced_by: sample",
            9,
            "lifecycle.replaced_by",
            "a product cannot replace itse",
        ),
        ("playbooks/sample.yml", "../sample.yml", 9, "playbook", "must match "),
        ("owner:", "name: again\nowner:", 4, "name", "is there twice, first in line 1"),
        ("owner:", "1: again\nowner:", 4, "", "has a key that is not text"),
        ("title: Sample", "title: [", 4, "", "is not YAML: "),
        ("title: Sample", "title: !vault x", 2, "", "is not YAML: could not determine a constructor for the tag"),
        ("title: Sample", "title: &a [*a]", 2, "title[0]", "refers to itself"),
    ],
)
def test_a_fault_of_the_head(  # noqa: PLR0917 (one case)
    tmp_path: Path, old: str, new: str, line: int, key: str, sentence: str
) -> None:
    found = faults(tmp_path, HEAD.replace(old, new))
    assert found[0][:2] == (line, key)
    assert found[0][2].startswith(sentence)


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just text\n", "# a comment\n"])
def test_what_is_no_mapping(tmp_path: Path, text: str) -> None:
    assert faults(tmp_path, text) == [(1, "", "must be a mapping with the keys of a product")]


def test_what_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "sample.yml"
    path.write_bytes(b"name: \xff\n")
    with pytest.raises(InvalidManifestError, match="is not UTF-8 text"):
        read_manifest(path)


def test_all_faults_are_told_in_order(tmp_path: Path) -> None:
    found = faults(tmp_path, HEAD.replace("beta", "alpha") + "tags: 1\nidempotent: 2\n")
    assert [line for line, _, _ in found] == [8, FIRST, FIRST + 1]


def test_words_are_read_as_editors_read_them(tmp_path: Path) -> None:
    product = read(
        tmp_path,
        """\
        parameters:
          - {name: answer, type: choice, title: Answer, choices: [yes, no, on, 12:30, 2026-01-01]}
        """,
    )
    assert product.parameters[0].choices == ["yes", "no", "on", "12:30", "2026-01-01"]


def test_reserved_names_are_those_of_ansible() -> None:
    reserved = pytest.importorskip("ansible.vars.reserved")
    assert {name for name in reserved.get_reserved_names() if name.isidentifier() and name != "with_"} <= RESERVED_NAMES


def catalog_of(folder: Path, *names: str) -> Catalog:
    for name in names:
        write(folder, HEAD.replace("sample", name), name)
    return load_catalog(folder)


def test_a_catalog_knows_names_without_reading(tmp_path: Path) -> None:
    write(tmp_path, "}{", "broken")
    write(tmp_path, "", ".hidden")
    assert catalog_of(tmp_path, "patch", "drain").names() == ("broken", "drain", "patch")


def test_a_catalog_names_what_was_nearly_asked_for(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, "patch", "drain")
    assert catalog.get("patch").name == "patch"
    with pytest.raises(NotFoundError, match=r"there is no product 'pach'.*did you mean patch"):
        catalog.get("pach")
    with pytest.raises(NotFoundError, match="known are drain, patch"):
        catalog.get("zzz")
    with pytest.raises(NotFoundError):
        catalog.get("../patch")


def test_a_broken_manifest_does_not_hide_the_others(tmp_path: Path) -> None:
    write(tmp_path, "name: 1\n", "broken")
    catalog = catalog_of(tmp_path, "patch")
    good, broken = catalog.survey()
    assert [product.name for product in good] == ["patch"]
    assert len(broken) == 1
    with pytest.raises(ManifestError, match=r"broken\.yml:1: name: must be text, not 1"):
        catalog.products()


def test_no_folder_is_no_empty_catalog(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no folder of manifests"):
        load_catalog(tmp_path / "nowhere")
