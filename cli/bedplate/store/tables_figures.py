"""The tables of feedback, and of what was told of already."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table

from bedplate.store.columns import PackedNames, PlainText, UtcTime
from bedplate.store.tables import METADATA

_KEY = BigInteger().with_variant(Integer(), "sqlite")

FEEDBACK = Table(
    "feedback",
    METADATA,
    Column("key", _KEY, primary_key=True, autoincrement=True),
    Column("product", PlainText, nullable=False),
    Column("person", PlainText, nullable=False),
    Column("score", Integer, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("comment", PlainText),
    Column("run_id", PlainText),
    Index("feedback_product", "product", "at"),
)

# A row is a trouble that its receivers were told of, and that no success has ended since.
NOTICES = Table(
    "notices",
    METADATA,
    Column("cause", PlainText, primary_key=True),
    Column("product", PlainText, nullable=False),
    Column("hosts", PackedNames, nullable=False),
    Column("task", PlainText),
    Column("run_id", PlainText, nullable=False),
    Column("at", UtcTime, nullable=False),
    Index("notices_product", "product"),
)
