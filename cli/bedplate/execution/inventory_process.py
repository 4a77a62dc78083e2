"""Asking ansible about an inventory in a subprocess, and what it says when it cannot answer."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bedplate.content import Content
from bedplate.errors import EngineError, InventoryError
from bedplate.settings import Settings

OUR_PLUGIN = "bedplate.datacenter.netbox"
_CONFIG = Path(__file__).with_name("inventory.cfg")
_OTHER_COLLECTIONS = "~/.ansible/collections:/usr/share/ansible/collections"
_FORMATS = ("ansible.builtin.script", "ansible.builtin.yaml", "ansible.builtin.ini", "ansible.builtin.toml")
# What a person may set for ansible itself; everything else that would change an answer is ours to say.
_KEPT = ("ANSIBLE_HOME", "ANSIBLE_LOCAL_TEMP", "ANSIBLE_VAULT")
_MESSAGE = re.compile(r"^\[(ERROR|WARNING|DEPRECATION WARNING)\]: ", re.MULTILINE)
_PLUGIN_FAILED = re.compile(r"Failed to parse inventory with '([^']+)' plugin: (.*)", re.DOTALL)
_UNPARSED = "Completely failed to parse inventory source "


@dataclass(frozen=True)
class Answer:
    """What an ansible command printed.

    Attributes:
        warnings: its warnings, each in one line.
    """

    stdout: str
    warnings: tuple[str, ...] = ()


def inventory_environment(content: Content, plugins: Sequence[str] = ()) -> dict[str, str]:
    """Return the variables that make ansible read an inventory as Bedplate does: for asking and for running.

    Args:
        plugins: inventory plugins that the inventory's files ask for, besides ours.
    """
    enabled = dict.fromkeys((OUR_PLUGIN, *plugins, *_FORMATS))
    return {
        "ANSIBLE_COLLECTIONS_PATH": str(content.collections_path),
        "ANSIBLE_INVENTORY_ENABLED": ",".join(enabled),
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "True",
    }


def ask(
    command: Sequence[str], content: Content, settings: Settings, plugins: Sequence[str], extra: Mapping[str, str]
) -> Answer:
    """Run an ansible command that reads an inventory.

    Args:
        command: the program's name and its arguments; the program is the one of this Python environment.
        extra: environment variables for this call.

    Raises:
        InventoryError: ansible could not read the inventory; the sentence is the plugin's own.
        PatternError: a part of a pattern matches nothing.
        EngineError: ansible could not be started.
    """
    executable = program(command[0])
    environment = own_environment(settings) | inventory_environment(content, plugins) | dict(extra)
    others = os.environ.get("ANSIBLE_COLLECTIONS_PATH", _OTHER_COLLECTIONS)
    environment["ANSIBLE_COLLECTIONS_PATH"] = f"{content.collections_path}:{others}"
    try:
        done = subprocess.run(
            [executable, *command[1:]],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise EngineError(f"cannot be started: {error.strerror}", where=executable) from error
    messages = _messages(done.stderr)
    if done.returncode:
        raise _failure(messages, done)
    return Answer(done.stdout, tuple(_one_line(text) for kind, text in messages if kind == "WARNING"))


class PatternError(InventoryError):
    """A pattern, or a part of one, matches no host and no group.

    Attributes:
        parts: the parts that match nothing; empty where only the whole matches nothing.
    """

    def __init__(self, message: str, parts: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.parts = parts


def program(name: str) -> str:
    """Return a program of this Python environment, or else of the PATH. Raises EngineError."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        raise EngineError(f"{name} is not installed", hint="install ansible-core where Bedplate is installed")
    return found


def own_environment(settings: Settings) -> dict[str, str]:
    """Return the environment of an ansible command that asks: the person's own, less what would change an answer."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_") or name.startswith(_KEPT)
    }
    kept |= {
        "ANSIBLE_CONFIG": str(_CONFIG),
        "ANSIBLE_NOCOLOR": "True",
        "BEDPLATE_HOME": str(settings.home),
        "BEDPLATE_INVENTORY_MAX_AGE": str(settings.inventory.max_age),
        "BEDPLATE_INVENTORY_SHRINK_PERCENT": str(settings.inventory.shrink_percent),
        "PYTHONUTF8": "1",
    }
    if settings.execution.vault_password_file:
        kept["ANSIBLE_VAULT_PASSWORD_FILE"] = settings.execution.vault_password_file
    return kept


def _messages(stderr: str) -> list[tuple[str, str]]:
    marks = list(_MESSAGE.finditer(stderr))
    starts = [mark.start() for mark in marks]
    return [
        (mark[1], stderr[mark.end() : end].strip())
        for mark, end in zip(marks, [*starts[1:], len(stderr)], strict=False)
    ]


def _one_line(text: str) -> str:
    paragraph = text.split("\n\n", 1)[0].split("\nOrigin: ", 1)[0]
    return " ".join(paragraph.split())


def _failure(messages: list[tuple[str, str]], done: subprocess.CompletedProcess[str]) -> InventoryError:
    errors = [_one_line(text) for kind, text in messages if kind == "ERROR"]
    unmatched = tuple(part for _, text in messages if (part := unmatched_part(_one_line(text))) is not None)
    if unmatched or any("leaves us with no hosts" in text for text in errors):
        return PatternError("the limit matches no host", unmatched)
    said = _plugin_sentence(messages)
    source = next((text.removeprefix(_UNPARSED) for text in errors if text.startswith(_UNPARSED)), None)
    if said:
        return InventoryError(said.rstrip("."), where=source)
    if source:
        return InventoryError("is not an inventory that Ansible can read", where=source)
    text = errors[0] if errors else _last_line(done.stderr) or f"ansible ended with code {done.returncode}"
    return InventoryError(text.rstrip("."))


def _plugin_sentence(messages: list[tuple[str, str]]) -> str | None:
    failed = [found.groups() for _, text in messages if (found := _PLUGIN_FAILED.match(text))]
    ours = [text for plugin, text in failed if plugin.endswith((".netbox", OUR_PLUGIN))]
    told = ours or [text for _, text in failed]
    return _one_line(told[0]) if told else None


def unmatched_part(warning: str) -> str | None:
    """Return the pattern that a warning of ansible says matches nothing, or None if it says something else."""
    _, found, part = warning.partition("Could not match supplied host pattern, ignoring: ")
    return part if found else None


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""
