"""Serves a fake AWX whose one product's job has so many events, until standard input ends."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

from fake_awx.catalog import Awx, product
from fake_awx.executions import Course, Entry, numbered, playbook
from fake_awx.server import awx_server

_RESULT = {
    "cmd": ["true"],
    "rc": 0,
    "stdout": "x" * 200,
    "stdout_lines": ["x" * 200],
    "invocation": {"module_args": {}},
}


def events(count: int) -> list[Entry]:
    """A playbook over 500 hosts, cut to so many events; the last is its summary."""
    hosts = [f"host-{number}" for number in range(500)]
    whole = playbook(hosts, tasks=count // 1000 + 1, **_RESULT)
    return numbered([*whole[: count - 1], whole[-1]])


def main() -> None:
    course = Course(events(int(sys.argv[1])))
    with awx_server() as fake:
        Awx(fake).apply(product(parameters=[]))
        fake.jobs.course = lambda _template: course
        sys.stdout.write(f"{fake.url}\n")
        sys.stdout.flush()
        sys.stdin.read()


main()
