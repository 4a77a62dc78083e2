"""A store with 10,000 runs and 5 million events, and how long the questions of `bedplate runs` take in it.

Example: python -m tests.benchmarks.big_store /tmp/big
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, literal, select

from bedplate.runs import (
    Event,
    EventQuery,
    HostResult,
    Run,
    RunMode,
    RunQuery,
    RunRepository,
    RunStatus,
    new_run_id,
)
from bedplate.settings import Settings, StoreSettings
from bedplate.store import open_store, upgrade_store
from bedplate.store.address import address_of
from bedplate.store.connections import Database
from bedplate.store.rows import outcome_row, row_of_event, row_of_result, row_of_run
from bedplate.store.tables import EVENTS, RUN_HOSTS, RUNS

RUNS_IN_STORE = 10_000
EVENTS_IN_STORE = 5_000_000
_HOSTS_OF_A_RUN = 20
_START = datetime(2026, 1, 1, tzinfo=UTC)
_PRODUCTS = ("baseline", "patch", "reboot", "certificates", "kernel")
_PEOPLE = ("ada", "bob", "cyd", "dee")
_AT_ONCE = 200


def fill(settings: Settings, runs: int = RUNS_IN_STORE, events: int = EVENTS_IN_STORE) -> None:
    """Fill a new store. One run has a fifth of all events; the others share the rest alike.

    The database itself copies the events of the first run to the others: what is measured later is reading.
    """
    upgrade_store(settings)
    database = Database(address_of(settings), settings.store.busy_timeout)
    keys: list[int] = []
    for start in range(0, runs, _AT_ONCE):
        with database.writing() as connection:
            keys += _add_runs(connection, [_run(number) for number in range(start, min(start + _AT_ONCE, runs))])
        _progress("runs", len(keys), runs)
    _fill_events(database, keys, events)
    database.close()


def _add_runs(connection: Connection, runs: Sequence[Run]) -> list[int]:
    results = [[_result(host, index) for index, host in enumerate(run.hosts)] for run in runs]
    rows = [
        row_of_run(run) | outcome_row(Counter(result.outcome.value for result in of_run))
        for run, of_run in zip(runs, results, strict=True)
    ]
    keys = connection.execute(RUNS.insert().returning(RUNS.c.key, sort_by_parameter_order=True), rows).scalars().all()
    hosts = [row_of_result(key, result) for key, of_run in zip(keys, results, strict=True) for result in of_run]
    connection.execute(RUN_HOSTS.insert(), hosts)
    return list(keys)


def _run(number: int) -> Run:
    created = _START + timedelta(minutes=45 * number)
    first = number * 7 % 980
    return Run(
        id=new_run_id(created),
        product=_PRODUCTS[number % 5],
        status=RunStatus.FAILED if number % 11 == 0 else RunStatus.SUCCESSFUL,
        mode=RunMode.CHECK if number % 3 == 0 else RunMode.APPLY,
        requester=_PEOPLE[number % 4],
        created_at=created,
        started_at=created,
        finished_at=created + timedelta(seconds=60 + number % 300),
        reason="a change that was asked for",
        parameters={"version": "1.2.3", "reboot": False, "hosts": ["a", "b"]},
        hosts=tuple(f"host-{first + index:04}" for index in range(_HOSTS_OF_A_RUN)),
        exit_code=0,
        tasks=25,
    )


def _result(host: str, kind: int) -> HostResult:
    return HostResult(host, ok=20, changed=5 if kind % 3 == 0 else 0, failed=int(kind == 7))


def _fill_events(database: Database, keys: Sequence[int], events: int) -> None:
    most = events // 5
    each = (events - most) // (len(keys) - 1)
    with database.writing() as connection:
        connection.execute(EVENTS.insert(), [row_of_event(keys[0], event) for event in _events(each)])
    done = 0
    for start in range(0, len(keys), _AT_ONCE):
        with database.writing() as connection:
            for key in keys[start : start + _AT_ONCE]:
                count = most if key == keys[len(keys) // 2] else each
                for offset in range(0 if key != keys[0] else each, count, each):
                    _copy_events(connection, keys[0], key, offset, min(each, count - offset))
                connection.execute(RUNS.update().where(RUNS.c.key == key).values(event_count=count))
                done += count
        _progress("events", done, events)


def _copy_events(connection: Connection, source: int, target: int, offset: int, count: int) -> None:
    others = [column for column in EVENTS.c if column.name not in {"run_key", "counter"}]
    copied = select(literal(target), EVENTS.c.counter + offset, *others)
    copied = copied.where(EVENTS.c.run_key == source, EVENTS.c.counter <= count)
    names = ["run_key", "counter", *(column.name for column in others)]
    connection.execute(EVENTS.insert().from_select(names, copied))


def _events(count: int) -> Iterator[Event]:
    """Yield events as ansible-runner gives them for a small module, with bulk that does not compress away."""
    for number in range(1, count + 1):
        failed = number % 100 == 0
        host = f"host-{number % 200:04}"
        yield Event(
            counter=number,
            kind="runner_on_failed" if failed else "runner_on_ok" if number % 2 else "runner_on_start",
            created=_START + timedelta(milliseconds=10 * number),
            uuid=f"{os.urandom(4).hex()}-0002-a1b2-c3d4-{os.urandom(6).hex()}",
            parent_uuid=f"02fc0000-0001-d3d2-6d7a-{number // 40:012}",
            host=host,
            play="Bring hosts to the baseline",
            role="time_sync",
            task=f"Configure chrony, step {number // 40}",
            action="ansible.builtin.template",
            changed=number % 7 == 0,
            duration=0.25,
            stdout=f"\x1b[0;32mok: [{host}]\x1b[0m",
            data={
                "task_path": "/srv/bedplate/roles/time_sync/tasks/configure.yml:12",
                "res": {"changed": False, "path": "/etc/chrony/chrony.conf", "mode": "0644", "size": number,
                        "checksum": os.urandom(20).hex(), "owner": "root", "group": "root", "state": "file"},
            } if number % 2 else {},
        )  # fmt: skip


def measure_questions(settings: Settings) -> dict[str, float]:
    """Return the median seconds of each question to a filled store."""
    begun = time.perf_counter()
    store = open_store(settings)
    times = {"open_store": time.perf_counter() - begun}
    newest = store.find(RunQuery(limit=1))[0]
    middle = store.find(RunQuery(limit=1, offset=store.count(RunQuery()) // 2 - 1))[0]
    for name, question in _questions(store, newest, middle).items():
        times[name] = _median_seconds(question)
    store.close()
    return times


def _questions(store: RunRepository, newest: Run, biggest: Run) -> dict[str, Callable[[], object]]:
    def events(run: Run, **query: Any) -> list[Event]:
        return list(store.events(run.id, EventQuery(**query)))

    return {
        "find(): the newest 50": lambda: store.find(RunQuery()),
        "find(product=, statuses=)": lambda: store.find(RunQuery(product="patch", statuses=[RunStatus.FAILED])),
        "find(host=): 50 of 200": lambda: store.find(RunQuery(host="host-0500")),
        "find(host=): no such host": lambda: store.find(RunQuery(host="nowhere")),
        "find(requester=, offset=2000)": lambda: store.find(RunQuery(requester="ada", offset=2000)),
        "find(limit=None): all runs": lambda: store.find(RunQuery(limit=None)),
        "count()": lambda: store.count(RunQuery()),
        "unfinished()": store.unfinished,
        "durations()": lambda: store.durations("baseline", RunMode.APPLY),
        "get() by end of id": lambda: store.get(newest.id[-9:]),
        "host_results()": lambda: store.host_results(newest.id),
        "events(): all of a usual run": lambda: events(newest),
        "events(limit=1000) of the biggest": lambda: events(biggest, limit=1000),
        "events(after=end) of the biggest": lambda: events(biggest, after=EVENTS_IN_STORE // 5 - 100),
        "events(only_failed=) of the biggest": lambda: events(biggest, only_failed=True, limit=1000),
        "events(host=, limit=100) of the biggest": lambda: events(biggest, host="host-0007", limit=100),
        "events(host=) of the biggest": lambda: events(biggest, host="host-0007"),
        "add_events(500)": lambda: store.add_events(newest.id, list(_events(500))),
    }


def _median_seconds(question: Callable[[], object], samples: int = 5) -> float:
    times = []
    for _ in range(samples):
        begun = time.perf_counter()
        question()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def _progress(what: str, done: int, total: int) -> None:
    terminal = sys.stderr.isatty()
    if terminal or done == total or done % (total // 10 or 1) == 0:
        end = "\r" if terminal and done != total else "\n"
        print(f"{what}: {done:,} of {total:,}", end=end, file=sys.stderr, flush=True)


def main() -> None:
    """Fill the store where it is missing, ask it, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path, help="folder of the store; a store that is there is only asked")
    parser.add_argument("--url", default="", help="PostgreSQL instead of SQLite in that folder")
    parser.add_argument("--runs", type=int, default=RUNS_IN_STORE)
    parser.add_argument("--events", type=int, default=EVENTS_IN_STORE)
    given = parser.parse_args()
    settings = Settings(home=given.home.absolute(), store=StoreSettings(url=given.url))
    upgrade_store(settings)
    store = open_store(settings)
    filled = store.count(RunQuery()) > 0
    store.close()
    if not filled:
        begun = time.perf_counter()
        fill(settings, given.runs, given.events)
        print(f"filled in {time.perf_counter() - begun:.0f} s")
    for name, seconds in measure_questions(settings).items():
        print(f"{name:<42}{seconds * 1000:10.1f} ms")


if __name__ == "__main__":
    main()
