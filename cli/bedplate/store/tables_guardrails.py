"""The tables of locks, approvals and the audit log."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table

from bedplate.store.columns import PlainText, UtcTime
from bedplate.store.tables import METADATA

_KEY = BigInteger().with_variant(Integer(), "sqlite")

# `name` is `host/NAME`, or `product/NAME/PLACE` for one of the places that a product has at once.
LOCKS = Table(
    "locks",
    METADATA,
    Column("name", PlainText, primary_key=True),
    Column("run_key", _KEY, ForeignKey("runs.key", ondelete="CASCADE"), nullable=False),
    Index("locks_run_key", "run_key"),
    sqlite_with_rowid=False,
)

APPROVALS = Table(
    "approvals",
    METADATA,
    Column("run_key", _KEY, ForeignKey("runs.key", ondelete="CASCADE"), primary_key=True),
    Column("person", PlainText, primary_key=True),
    Column("decision", PlainText, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("digest", PlainText, nullable=False),
    Column("comment", PlainText),
    sqlite_with_rowid=False,
)

# Everything that an entry says is in `body`, because only what is hashed can be trusted.
AUDIT = Table(
    "audit",
    METADATA,
    Column("number", _KEY, primary_key=True, autoincrement=False),
    Column("body", PlainText, nullable=False),
    Column("previous", PlainText, nullable=False),
    Column("hash", PlainText, nullable=False),
)
