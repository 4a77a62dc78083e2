"""Locks, approvals and the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bedplate.store.columns import PlainText, UtcTime

revision = "0002"
down_revision = "0001"

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "locks",
        sa.Column("name", PlainText, primary_key=True),
        sa.Column("run_key", _KEY, sa.ForeignKey("runs.key", ondelete="CASCADE"), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("locks_run_key", "locks", ["run_key"])
    op.create_table(
        "approvals",
        sa.Column("run_key", _KEY, sa.ForeignKey("runs.key", ondelete="CASCADE"), primary_key=True),
        sa.Column("person", PlainText, primary_key=True),
        sa.Column("decision", PlainText, nullable=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.Column("digest", PlainText, nullable=False),
        sa.Column("comment", PlainText),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit",
        sa.Column("number", _KEY, primary_key=True, autoincrement=False),
        sa.Column("body", PlainText, nullable=False),
        sa.Column("previous", PlainText, nullable=False),
        sa.Column("hash", PlainText, nullable=False),
    )
