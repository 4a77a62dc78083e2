"""Where answers to secret questions come from, and what asks for choices."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bedplate.catalog import Product
from bedplate.commands.secret_answers import secret_answers
from bedplate.errors import ParameterError
from bedplate.execution.choices import command_answers


def test_the_environment_answers_and_forgets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("two\nlines\n", encoding="utf-8")
    monkeypatch.setenv("BEDPLATE_SECRET_TOKEN", "")
    monkeypatch.setenv("BEDPLATE_SECRET_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("BEDPLATE_SECRET_OTHER", "not asked for")
    questions = {"token": "Token", "key": "Key", "none": "None"}
    assert secret_answers(questions, ["none"]) == {"token": "", "key": "two\nlines"}
    assert not {"BEDPLATE_SECRET_TOKEN", "BEDPLATE_SECRET_KEY_FILE"} & set(os.environ)
    assert secret_answers(questions, []) == {}


def test_a_person_is_asked_for_what_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("click.prompt", lambda text, **options: f"{text} {options['hide_input']}")
    assert secret_answers({"a": "The A", "b": "The B"}, ["b"]) == {"b": "The B True"}


def test_files_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff")
    for file, sentence in (
        (tmp_path / "key", "is not UTF-8 text"),
        (tmp_path / "none", "cannot be read: No such file"),
    ):
        monkeypatch.setenv("BEDPLATE_SECRET_KEY_FILE", str(file))
        with pytest.raises(ParameterError, match=f"BEDPLATE_SECRET_KEY_FILE: .*{sentence}"):
            secret_answers({"key": "Key"}, [])


def product(*command: str) -> Product:
    parameter = {
        "name": "v",
        "title": "V",
        "type": "choice",
        "choices_from": "command",
        "choices_command": list(command),
    }
    return Product.model_validate(
        {
            "name": "sample", "title": "S", "summary": "S", "owner": {"team": "a", "contact": "b"},
            "lifecycle": {"stage": "beta"}, "playbook": "playbooks/sample.yml", "parameters": [parameter],
        }
    )  # fmt: skip


def test_a_command_says_what_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    script = tmp_path / "tools/versions"
    script.write_text('#!/bin/sh\necho " 1.2 "\necho\necho "$1"\n', encoding="utf-8")
    script.chmod(0o755)
    assert command_answers(product("tools/versions", "$(id)"), ["v"], tmp_path) == {"v": ["1.2", "$(id)"]}
    assert command_answers(product("tools/versions"), [], tmp_path) == {}


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("false", "false ended with 1"),
        ("tools/none", "tools/none: No such file or directory"),
        ("no-such-program", "No such file"),
    ],
)
def test_a_command_that_says_nothing(tmp_path: Path, command: str, why: str) -> None:
    with pytest.raises(ParameterError, match=f"parameter v cannot be checked: .*{why}"):
        command_answers(product(command), ["v"], tmp_path)
