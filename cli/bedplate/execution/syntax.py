"""Whether ansible itself can read playbooks: modules, roles, keywords and templates, before anything runs."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bedplate.content import Content
from bedplate.errors import EngineError
from bedplate.execution.inventory_process import inventory_environment, own_environment, program
from bedplate.settings import Settings

_NEW_PLACE = re.compile(r"^Origin: (?P<file>.+?):(?P<line>[0-9]+)(:(?P<column>[0-9]+))?\s*$", re.MULTILINE)
_OLD_PLACE = re.compile(r"in '(?P<file>[^']+)': line (?P<line>[0-9]+), column (?P<column>[0-9]+)")
_ERROR = re.compile(r"^(?:\[ERROR\]|ERROR!?): ?(?P<text>.+?)(?:\n\n|\nOrigin: |\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class SyntaxFault:
    """What ansible says of a playbook, and where; `line` and `column` count from 1."""

    file: Path
    line: int
    column: int
    sentence: str


def syntax_faults(playbooks: Sequence[Path], content: Content, settings: Settings) -> Iterator[SyntaxFault]:
    """Yield what ansible cannot read in playbooks: the first fault of each.

    All are asked for at once; only where that fails, one after the other.

    Raises:
        EngineError: ansible could not be started.
    """
    if not playbooks or _ask(playbooks, content, settings) is None:
        return
    for playbook in playbooks:
        said = _ask([playbook], content, settings)
        if said is not None:
            yield _fault(playbook, said)


def _ask(playbooks: Sequence[Path], content: Content, settings: Settings) -> str | None:
    """Return what ansible complained of; None where it can read all."""
    command = [program("ansible-playbook"), "--syntax-check", "-i", "localhost,", *map(str, playbooks)]
    environment = own_environment(settings) | inventory_environment(content, ("ansible.builtin.host_list",))
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8",
            errors="replace", check=False,
        )  # fmt: skip
    except OSError as error:
        raise EngineError(f"cannot be started: {error.strerror}", where=command[0]) from error
    return done.stderr + done.stdout if done.returncode else None


def _fault(playbook: Path, said: str) -> SyntaxFault:
    found = _ERROR.search(said)
    sentence = " ".join(found["text"].split()) if found else "ansible-playbook --syntax-check cannot read it"
    place = _NEW_PLACE.search(said) or _OLD_PLACE.search(said)
    if place is None:
        return SyntaxFault(playbook, 1, 1, sentence.rstrip("."))
    # Through the collection's link ansible sees the same file at another place.
    return SyntaxFault(
        Path(place["file"]).resolve(), int(place["line"]), int(place["column"] or 1), sentence.rstrip(".")
    )
