"""The tables. Their history is in `migrations/`; a test proves that both agree."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    text,
)

from bedplate.runs import HostOutcome
from bedplate.store.columns import Json, PackedNames, PathText, PlainText, UtcTime

METADATA = MetaData()
VERSION_TABLE = "alembic_version"

# How many hosts of a run came to each outcome: what listings show, without reading run_hosts.
OUTCOME_COLUMNS = {outcome: f"hosts_{outcome.value}" for outcome in HostOutcome}

_KEY = BigInteger().with_variant(Integer(), "sqlite")

RUNS = Table(
    "runs",
    METADATA,
    Column("key", _KEY, primary_key=True, autoincrement=True),
    Column("id", PlainText, nullable=False, unique=True),
    Column("product", PlainText, nullable=False),
    Column("status", PlainText, nullable=False),
    Column("mode", PlainText, nullable=False),
    Column("requester", PlainText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("diff", Boolean, nullable=False),
    Column("reason", PlainText),
    Column("product_title", PlainText, nullable=False),
    Column("product_digest", PlainText, nullable=False),
    Column("content_digest", PlainText, nullable=False),
    Column("git_commit", PlainText),
    Column("parameters", Json, nullable=False),
    Column("host_limit", PlainText, key="limit"),
    Column("hosts", PackedNames, nullable=False),
    Column("host_count", Integer, nullable=False),
    Column("engine", PlainText, nullable=False),
    Column("inventory", PlainText, nullable=False),
    Column("folder", PathText),
    Column("host_id", PlainText),
    Column("boot_id", PlainText),
    Column("pid", Integer),
    Column("queued_at", UtcTime),
    Column("started_at", UtcTime),
    Column("finished_at", UtcTime),
    Column("heartbeat_at", UtcTime),
    Column("stop_requested_at", UtcTime),
    Column("exit_code", Integer),
    Column("error", PlainText),
    Column("rerun_of", PlainText),
    Column("tasks", Integer),
    Column("event_count", BigInteger, nullable=False, server_default=text("0")),
    *(Column(name, Integer, nullable=False, server_default=text("0")) for name in OUTCOME_COLUMNS.values()),
    Index("runs_created_at", "created_at"),
    Index("runs_product", "product", "created_at"),
    Index("runs_status", "status", "created_at"),
    Index("runs_requester", "requester", "created_at"),
    sqlite_autoincrement=True,
)

# A row is a host that the run means (outcome is null until there is one) or that it touched.
RUN_HOSTS = Table(
    "run_hosts",
    METADATA,
    Column("run_key", _KEY, ForeignKey("runs.key", ondelete="CASCADE"), primary_key=True),
    Column("host", PlainText, primary_key=True),
    Column("outcome", PlainText),
    Column("ok", Integer, nullable=False, server_default=text("0")),
    Column("changed", Integer, nullable=False, server_default=text("0")),
    Column("failed", Integer, nullable=False, server_default=text("0")),
    Column("unreachable", Integer, nullable=False, server_default=text("0")),
    Column("skipped", Integer, nullable=False, server_default=text("0")),
    Column("rescued", Integer, nullable=False, server_default=text("0")),
    Column("ignored", Integer, nullable=False, server_default=text("0")),
    Index("run_hosts_host", "host", "run_key"),
    sqlite_with_rowid=False,
)

EVENTS = Table(
    "events",
    METADATA,
    Column("run_key", _KEY, ForeignKey("runs.key", ondelete="CASCADE"), primary_key=True),
    Column("counter", Integer, primary_key=True),
    Column("kind", PlainText, nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("host", PlainText),
    Column("changed", Boolean, nullable=False),
    Column("failed", Boolean, nullable=False),
    Column("bulk", LargeBinary, nullable=False),
    Index("events_failed", "run_key", "counter", sqlite_where=text("failed"), postgresql_where=text("failed")),
    sqlite_with_rowid=False,
)
