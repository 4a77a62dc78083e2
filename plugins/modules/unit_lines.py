# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Lines of the journal, or of a log file, by time and pattern, up to a size."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: unit_lines
short_description: Lines of the journal or of a log file, by time and pattern, up to a size
description:
  - Reads the journal of a unit, the whole journal, or a log file under C(/var/log). It changes nothing.
  - When there is more than fits, the newest lines are kept, and it says so.
options:
  unit:
    description: The unit; empty for the whole journal.
    type: str
    default: ""
  file:
    description: A file under C(/var/log), in place of the journal.
    type: path
  since:
    description: The first moment, in seconds since the epoch.
    type: float
    required: true
  last:
    description: The last moment, in seconds since the epoch.
    type: float
    required: true
  pattern:
    description: A regular expression that a line must match somewhere.
    type: str
    default: ""
  most_lines:
    description: The most lines that are returned.
    type: int
    default: 10000
  most_bytes:
    description: The most bytes of text that are returned.
    type: int
    default: 1000000
attributes:
  check_mode:
    support: full
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: What sshd said since an hour
  bedplate.datacenter.unit_lines:
    unit: ssh
    since: "{{ now().timestamp() - 3600 }}"
    last: "{{ now().timestamp() }}"
"""

RETURN = r"""
lines:
  description: By line, the moment in microseconds since the epoch and the text, oldest first.
  returned: always
  type: list
  elements: list
dropped:
  description: How many older lines did not fit.
  returned: always
  type: int
undated:
  description: How many lines of a file had no time of their own that could be read; they have that of the line before.
  returned: always
  type: int
"""

_LONGEST = 8192
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,6})\d*)?\s?(Z|[+-]\d\d:?\d\d)?")
_SYSLOG = re.compile(r"([A-Z][a-z]{2}) +(\d{1,2}) (\d\d:\d\d:\d\d)\b")
_CLF = re.compile(r"\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
Line = tuple[int, str]


def moment(text: str, now: datetime) -> int | None:
    """Return when a line of a log file was written, in microseconds since the epoch; None if it does not say.

    Args:
        now: the present with the host's time zone, for times that leave out the year or the zone.
    """
    iso = _ISO.search(text[:80])
    if iso:
        day, clock, fraction, zone = iso.groups()
        found = datetime.fromisoformat("{0}T{1}.{2}".format(day, clock, (fraction or "0").ljust(6, "0")))
        return _micro(found.replace(tzinfo=_zone(zone) or now.tzinfo))
    clf = _CLF.search(text[:200])
    if clf:
        return _micro(datetime.strptime(clf.group(1), "%d/%b/%Y:%H:%M:%S %z"))
    old = _SYSLOG.match(text)
    if old and old.group(1) in _MONTHS:
        return _of_this_year(_MONTHS.index(old.group(1)) + 1, int(old.group(2)), old.group(3), now)
    return None


def _of_this_year(month: int, day: int, clock: str, now: datetime) -> int | None:
    """Return a moment of this year, or of the last one where this year's is still to come."""
    hours, minutes, seconds = (int(part) for part in clock.split(":"))
    for year in (now.year, now.year - 1):
        try:
            found = datetime(year, month, day, hours, minutes, seconds, 0, now.tzinfo)
        except ValueError:  # 29 February
            continue
        if found <= now + timedelta(days=1):
            return _micro(found)
    return None


def _zone(text: str | None) -> timezone | None:
    if not text:
        return None
    if text == "Z":
        return timezone.utc
    hours, minutes = int(text[1:3]), int(text[-2:])
    return timezone((1 if text[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes))


def _micro(found: datetime) -> int:
    return int(found.timestamp() * 1_000_000)


class Window:
    """The lines that fit: between two moments, matching, and the newest up to a size.

    Args:
        since: the first moment, in microseconds since the epoch.
        until: the last one.
    """

    def __init__(self, since: int, until: int, pattern: str, most_lines: int, most_bytes: int) -> None:
        self._since, self._until = since, until
        self._pattern = re.compile(pattern) if pattern else None
        self._most_lines, self._most_bytes = most_lines, most_bytes
        self._bytes = 0
        self.lines: deque[Line] = deque()
        self.dropped = 0

    def add(self, when: int, text: str) -> None:
        """Take a line in, if it is asked for; the oldest go when there are too many."""
        if not self._since <= when <= self._until or (self._pattern and not self._pattern.search(text)):
            return
        kept = text if len(text) <= _LONGEST else text[:_LONGEST] + " …"
        self.lines.append((when, kept))
        self._bytes += len(kept.encode())
        while len(self.lines) > self._most_lines or (self._bytes > self._most_bytes and self.lines):
            self._bytes -= len(self.lines.popleft()[1].encode())
            self.dropped += 1


def read_journal(unit: str, since: float, until: float) -> Iterator[Line]:
    """Yield time and text of the journal's lines; raises OSError when journalctl refuses."""
    command = ["journalctl", "--output", "json", "--no-pager", "--quiet", "--all"]
    command += ["--output-fields", "MESSAGE,SYSLOG_IDENTIFIER,_PID,_COMM"]
    command += ["--since", "@{0}".format(int(since)), "--until", "@{0}".format(int(until) + 1)]
    command += ["--unit", unit] if unit else []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    for raw in process.stdout or ():
        entry = json.loads(raw)
        yield int(entry["__REALTIME_TIMESTAMP"]), _text(entry)
    error = process.stderr.read().decode(errors="replace") if process.stderr else ""
    if process.wait() != 0:
        message = "journalctl: {0}".format(error.strip() or process.returncode)
        raise OSError(message)


def _text(entry: dict[str, object]) -> str:
    message = entry.get("MESSAGE")
    if isinstance(message, list):  # not UTF-8
        message = bytes(message).decode(errors="replace")
    name = entry.get("SYSLOG_IDENTIFIER") or entry.get("_COMM") or "-"
    return "{0}[{1}]: {2}".format(name, entry.get("_PID", "-"), message if message is not None else "")


def dated(lines: Iterable[str], now: datetime) -> Iterator[tuple[int | None, str]]:
    """Yield time and text of a file's lines; a line without a time has that of the line before."""
    last = None
    for line in lines:
        text = line.rstrip("\n")
        own = moment(text, now)
        last = own if own is not None else last
        yield last, text


def file_fault(path: str) -> str:
    """Return why a file is not read, or an empty string."""
    real = os.path.realpath(path)
    if not real.startswith("/var/log/"):
        return "{0} is not under /var/log".format(real)
    return "" if os.path.isfile(real) else "there is no file {0} on this host".format(path)


def read(params: dict[str, Any]) -> Iterator[tuple[int | None, str]]:
    """Yield time and text of the lines of the journal or of the file; raises OSError where there are none to read."""
    if not params["file"]:
        yield from read_journal(params["unit"], params["since"], params["last"])
        return
    fault = file_fault(params["file"])
    if fault:
        raise OSError(fault)
    with open(params["file"], encoding="utf-8", errors="replace") as file:
        yield from dated(file, datetime.now().astimezone())


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "unit": {"type": "str", "default": ""},
            "file": {"type": "path"},
            "since": {"type": "float", "required": True},
            "last": {"type": "float", "required": True},
            "pattern": {"type": "str", "default": ""},
            "most_lines": {"type": "int", "default": 10000},
            "most_bytes": {"type": "int", "default": 1000000},
        },
        supports_check_mode=True,
    )
    params = module.params
    since, until = (int(params[name] * 1_000_000) for name in ("since", "last"))
    undated = 0
    try:
        window = Window(since, until, params["pattern"], params["most_lines"], params["most_bytes"])
        for when, text in read(params):
            undated += when is None
            if when is not None:
                window.add(when, text)
    except re.error as error:
        module.fail_json(msg="the pattern is no regular expression: {0}".format(error))
    except OSError as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=False, lines=[list(line) for line in window.lines], dropped=window.dropped, undated=undated
    )


if __name__ == "__main__":
    main()
