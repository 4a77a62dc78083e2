"""Answers to secret questions: from the environment, from a file, or asked for at a terminal. They are never kept."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

import click

from bedplate.errors import ParameterError

_PREFIX, _FILE = "BEDPLATE_SECRET_", "_FILE"


def secret_answers(questions: Mapping[str, str], required: Collection[str]) -> dict[str, str]:
    """Return answers to secret questions, and take those in the environment out of it, so that no child sees them.

    `BEDPLATE_SECRET_NAME` has the answer, or `BEDPLATE_SECRET_NAME_FILE` names the file in which it stands; one line
    break at the file's end is not part of it. What is required and nowhere is asked for, if somebody is there.

    Args:
        questions: parameter name → what to ask a person.
        required: the names without which nothing goes on.

    Raises:
        ParameterError: a file cannot be read.
    """
    answers = {}
    for name, question in questions.items():
        given = _given(name)
        if given is not None:
            answers[name] = given
        elif name in required and sys.stdin.isatty():
            answers[name] = click.prompt(question, hide_input=True, err=True)
    return answers


def _given(name: str) -> str | None:
    variable = _PREFIX + name.upper()
    answer, file = os.environ.pop(variable, None), os.environ.pop(variable + _FILE, None)
    if answer is not None or file is None:
        return answer
    try:
        return Path(file).expanduser().read_text(encoding="utf-8").removesuffix("\n")
    except OSError as error:
        raise ParameterError(f"cannot be read: {error.strerror}", where=f"{variable}{_FILE}") from error
    except UnicodeDecodeError as error:
        raise ParameterError("names a file that is not UTF-8 text", where=f"{variable}{_FILE}") from error
