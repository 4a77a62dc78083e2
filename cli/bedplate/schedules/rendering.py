"""Schedules as systemd's units and as a file for cron."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bedplate.catalog.calendar import cron_fields, parse_calendar
from bedplate.errors import UsageError
from bedplate.schedules.entries import Entry, Program

MARK = "# Written by bedplate schedule; change the product's manifest, not this file."
_PLAIN = re.compile(r"[A-Za-z0-9_@+=:,./-]+")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "%": "%%"}


def units(entry: Entry, program: Program) -> dict[str, str]:
    """Return name and text of the timer and of the service that it starts."""
    title = _line(f"Bedplate: {entry.product.title}")
    schedule = entry.schedule
    timer = [MARK, "[Unit]", f"Description={title}, {_line(entry.calendar)}", "", "[Timer]"]
    timer += [f"OnCalendar={_line(entry.calendar)}"]
    timer += [f"RandomizedDelaySec={int(schedule.jitter.total_seconds())}"] if schedule.jitter else []
    timer += [f"Persistent={'true' if schedule.catch_up else 'false'}", "", "[Install]", "WantedBy=timers.target", ""]
    service = [MARK, "[Unit]", f"Description={title}", "Wants=network-online.target", "After=network-online.target"]
    service += ["", "[Service]", "Type=oneshot"]
    service += [f"Environment={quote(f'{name}={value}')}" for name, value in sorted(program.environment.items())]
    service += [f"WorkingDirectory={_line(str(program.folder))}"] if program.folder else []
    command = [quote(word).replace("$", "$$") for word in entry.command]
    service += [f"ExecStart={' '.join(command)}", ""]
    return {f"{entry.name}.timer": "\n".join(timer), f"{entry.name}.service": "\n".join(service)}


def quote(word: str) -> str:
    """Return a word as systemd reads it: nothing in it is a specifier, an escape or a separator."""
    if _PLAIN.fullmatch(word):
        return word
    return '"' + "".join(_ESCAPES.get(character, character) for character in word) + '"'


def _line(text: str) -> str:
    return " ".join(text.split()).replace("%", "%%")


def cron_file(entries: Sequence[Entry], program: Program, user: str) -> tuple[str, list[str]]:
    """Return a file for /etc/cron.d, and what cron does not do of what was asked.

    Raises:
        UsageError: cron cannot say when a product is to run, or what.
    """
    lines, warnings = [MARK, "SHELL=/bin/sh"], []
    lines += [f"{name}={value}" for name, value in sorted(program.environment.items())]
    for entry in entries:
        schedule, name = entry.schedule, entry.product.name
        try:
            when = cron_fields(parse_calendar(schedule.calendar))
        except ValueError as error:
            raise UsageError(f"{error}: {schedule.calendar}", where=name, hint="use systemd's timers") from error
        command = shlex.join(entry.command)
        if "\n" in command:
            raise UsageError("cron takes no text of many lines", where=name, hint="use systemd's timers")
        if schedule.jitter:
            command = f'sleep "$(shuf -n 1 -i 0-{int(schedule.jitter.total_seconds())})"; {command}'
        if program.folder:
            command = f"cd {shlex.quote(str(program.folder))} && {{ {command}; }}"
        warnings += [f"{name}: cron does not make up for a start that was missed"] if schedule.catch_up else []
        lines += [f"CRON_TZ={schedule.timezone}", f"{when} {user} {command.replace('%', chr(92) + '%')}"]
    if any(entry.schedule.timezone != "UTC" for entry in entries):
        warnings.append("only some crons know CRON_TZ (cronie does, Debian's does not): the others take the local zone")
    return "\n".join([*lines, ""]), warnings


def verify(files: Mapping[str, str]) -> str | None:
    """Return what systemd finds wrong with units; None when nothing, or when there is no systemd to ask.

    Whether the programs that they start are there is left out: the units may be for another machine.
    """
    program = shutil.which("systemd-analyze")
    if program is None:
        return None
    with tempfile.TemporaryDirectory(prefix="bedplate-units-") as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        paths = [str(Path(folder) / name) for name in files]
        command = [program, "verify", "--man=no", "--recursive-errors=no", *paths]
        done = subprocess.run(command, capture_output=True, check=False, encoding="utf-8", errors="replace")
    told = [line for line in done.stderr.splitlines() if folder in line or any(name in line for name in files)]
    wrong = [line for line in told if "is not executable" not in line]
    return "\n".join(wrong).replace(f"{folder}/", "") or None
