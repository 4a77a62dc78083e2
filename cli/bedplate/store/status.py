"""What `bedplate db status` shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select, text

from bedplate.runs import RunStatus
from bedplate.store.connections import Database
from bedplate.store.schema import Schema
from bedplate.store.tables import METADATA, RUN_HOSTS, RUNS

_POSTGRESQL_SIZE = text(
    "SELECT coalesce(sum(pg_total_relation_size(to_regclass(name))), 0)"
    " FROM unnest(CAST(:names AS text[])) AS ours(name)"
)


@dataclass(frozen=True)
class StoreStatus:
    """The run store as it is.

    Attributes:
        url: without a password.
        revision: the schema's revision; None if the store was not made yet.
        latest: the revision that this version of Bedplate works with.
        upgrade: what `bedplate db upgrade` would do: `none`, `create`, `upgrade`, or `newer` if it would refuse.
        size: bytes on disk.
        runs, unfinished, hosts, events: how many there are; 0 where the schema is not the latest.
    """

    url: str
    backend: str
    revision: str | None
    latest: str
    upgrade: str
    size: int
    runs: int = 0
    unfinished: int = 0
    hosts: int = 0
    events: int = 0


def read_status(database: Database) -> StoreStatus:
    """Return the status of the store in this database.

    Raises:
        StoreError: it cannot be reached or read.
    """
    schema = Schema(database)
    revision = schema.current()
    latest = schema.latest
    counts = _counts(database) if revision == latest else {}
    return StoreStatus(
        url=database.address.shown,
        backend=database.address.backend,
        revision=revision,
        latest=latest,
        upgrade=_upgrade(revision, schema),
        size=_size(database),
        **counts,
    )


def _upgrade(revision: str | None, schema: Schema) -> str:
    if revision is None:
        return "create"
    if revision == schema.latest:
        return "none"
    return "upgrade" if revision in schema.known else "newer"


def _counts(database: Database) -> dict[str, int]:
    unfinished = [status.value for status in RunStatus if not status.ended]
    with database.reading() as connection:
        runs, events = connection.execute(select(func.count(), func.coalesce(func.sum(RUNS.c.event_count), 0))).one()
        return {
            "runs": runs,
            "unfinished": connection.execute(
                select(func.count()).select_from(RUNS).where(RUNS.c.status.in_(unfinished))
            ).scalar_one(),
            "hosts": connection.execute(select(func.count(RUN_HOSTS.c.host.distinct()))).scalar_one(),
            "events": int(events),
        }


def _size(database: Database) -> int:
    path = database.address.path
    if path is not None:
        files = (Path(f"{path}{suffix}") for suffix in ("", "-wal", "-shm"))
        return sum(file.stat().st_size for file in files if file.exists())
    with database.reading() as connection:
        return int(
            connection.execute(
                _POSTGRESQL_SIZE, {"names": [table.name for table in METADATA.sorted_tables]}
            ).scalar_one()
        )
