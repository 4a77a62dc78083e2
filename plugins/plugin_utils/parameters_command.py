# Copyright: (c) 2026, The Bedplate developers
# Apache-2.0 (see LICENSE)
"""Asks the commands that say which answers parameters take. The C(bedplate) command asks them in the same way."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection, Mapping, Sequence
from typing import Any

ROOT = os.path.normpath(os.path.join(os.path.dirname(__file__), "..", ".."))
SECONDS = 30


def answers(
    parameters: Sequence[Mapping[str, Any]], given: Collection[str], root: str = ROOT
) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Return (accepted answers by parameter, sentences by parameter) for those that are given and have a command."""
    found: dict[str, list[str]] = {}
    faults: dict[str, str] = {}
    for parameter in parameters:
        command = parameter.get("choices_command")
        name = parameter["name"]
        if not command or name not in given:
            continue
        program = os.path.join(root, command[0]) if "/" in command[0] else command[0]
        try:
            done = subprocess.run(
                [program, *command[1:]], cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, timeout=SECONDS, check=True, encoding="utf-8", errors="replace",
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            faults[name] = "parameter %s cannot be checked: %s took longer than %d s" % (name, command[0], SECONDS)
        except subprocess.CalledProcessError as error:
            faults[name] = "parameter %s cannot be checked: %s ended with %d" % (name, command[0], error.returncode)
        except OSError as error:
            faults[name] = "parameter %s cannot be checked: %s: %s" % (name, command[0], error.strerror)
        else:
            found[name] = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    return found, faults
