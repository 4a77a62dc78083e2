"""Asks the commands that say which answers parameters take."""

from __future__ import annotations

import subprocess
from collections.abc import Collection, Sequence
from pathlib import Path

from bedplate.catalog import Product
from bedplate.errors import ParameterError

_SECONDS = 30


def command_answers(product: Product, given: Collection[str], root: Path) -> dict[str, list[str]]:
    """Return the accepted answers of each parameter that is given and has a command.

    Args:
        root: the content's root, where the commands start and where those with a slash are found.

    Raises:
        ParameterError: a command cannot be started, fails or takes longer than 30 s.
    """
    return {
        parameter.name: _ask(parameter.name, parameter.choices_command, root)
        for parameter in product.parameters
        if parameter.choices_command and parameter.name in given
    }


def _ask(parameter: str, command: Sequence[str], root: Path) -> list[str]:
    name, arguments = command[0], command[1:]
    program = str(root / name) if "/" in name else name
    try:
        done = subprocess.run(
            [program, *arguments], cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, timeout=_SECONDS, check=True, encoding="utf-8", errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise _fault(parameter, f"{name} took longer than {_SECONDS} s") from error
    except subprocess.CalledProcessError as error:
        raise _fault(parameter, f"{name} ended with {error.returncode}") from error
    except OSError as error:
        raise _fault(parameter, f"{name}: {error.strerror}") from error
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def _fault(parameter: str, why: str) -> ParameterError:
    return ParameterError(f"parameter {parameter} cannot be checked: {why}")
