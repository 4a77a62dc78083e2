"""Runs, their hosts and their events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bedplate.store.columns import Json, PackedNames, PathText, PlainText, UtcTime

revision = "0001"
down_revision = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _make_runs()
    _make_run_hosts()
    _make_events()


def _make_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("key", _KEY, primary_key=True, autoincrement=True),
        sa.Column("id", PlainText, nullable=False, unique=True),
        sa.Column("product", PlainText, nullable=False),
        sa.Column("status", PlainText, nullable=False),
        sa.Column("mode", PlainText, nullable=False),
        sa.Column("requester", PlainText, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("diff", sa.Boolean, nullable=False),
        sa.Column("reason", PlainText),
        sa.Column("product_title", PlainText, nullable=False),
        sa.Column("product_digest", PlainText, nullable=False),
        sa.Column("content_digest", PlainText, nullable=False),
        sa.Column("git_commit", PlainText),
        sa.Column("parameters", Json, nullable=False),
        sa.Column("host_limit", PlainText),
        sa.Column("hosts", PackedNames, nullable=False),
        sa.Column("host_count", sa.Integer, nullable=False),
        sa.Column("engine", PlainText, nullable=False),
        sa.Column("inventory", PlainText, nullable=False),
        sa.Column("folder", PathText),
        sa.Column("host_id", PlainText),
        sa.Column("boot_id", PlainText),
        sa.Column("pid", sa.Integer),
        sa.Column("queued_at", UtcTime),
        sa.Column("started_at", UtcTime),
        sa.Column("finished_at", UtcTime),
        sa.Column("heartbeat_at", UtcTime),
        sa.Column("stop_requested_at", UtcTime),
        sa.Column("exit_code", sa.Integer),
        sa.Column("error", PlainText),
        sa.Column("rerun_of", PlainText),
        sa.Column("tasks", sa.Integer),
        sa.Column("event_count", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        *(_counter(f"hosts_{outcome}") for outcome in ("ok", "changed", "failed", "unreachable", "skipped", "unknown")),
        sqlite_autoincrement=True,
    )
    op.create_index("runs_created_at", "runs", ["created_at"])
    for column in ("product", "status", "requester"):
        op.create_index(f"runs_{column}", "runs", [column, "created_at"])


def _make_run_hosts() -> None:
    counters = ("ok", "changed", "failed", "unreachable", "skipped", "rescued", "ignored")
    op.create_table(
        "run_hosts",
        sa.Column("run_key", _KEY, sa.ForeignKey("runs.key", ondelete="CASCADE"), primary_key=True),
        sa.Column("host", PlainText, primary_key=True),
        sa.Column("outcome", PlainText),
        *(_counter(name) for name in counters),
        sqlite_with_rowid=False,
    )
    op.create_index("run_hosts_host", "run_hosts", ["host", "run_key"])


def _make_events() -> None:
    op.create_table(
        "events",
        sa.Column("run_key", _KEY, sa.ForeignKey("runs.key", ondelete="CASCADE"), primary_key=True),
        sa.Column("counter", sa.Integer, primary_key=True),
        sa.Column("kind", PlainText, nullable=False),
        sa.Column("created", UtcTime, nullable=False),
        sa.Column("host", PlainText),
        sa.Column("changed", sa.Boolean, nullable=False),
        sa.Column("failed", sa.Boolean, nullable=False),
        sa.Column("bulk", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    where = sa.text("failed")
    op.create_index("events_failed", "events", ["run_key", "counter"], sqlite_where=where, postgresql_where=where)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE events ALTER bulk SET STORAGE EXTERNAL")


def _counter(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default=sa.text("0"))
