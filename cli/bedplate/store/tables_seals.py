"""The tables of seals: one a host and product, and the texts of files that they name, each kept once."""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, Table

from bedplate.store.columns import PackedNames, PlainText, UtcTime
from bedplate.store.tables import METADATA

SEALS = Table(
    "seals",
    METADATA,
    Column("host", PlainText, primary_key=True),
    Column("product", PlainText, primary_key=True),
    Column("run_id", PlainText, nullable=False),
    Column("taken_at", UtcTime, nullable=False),
    Column("digest", PlainText, nullable=False),
    Column("texts", PackedNames, nullable=False),
    Column("signed", PlainText, nullable=False),
)

SEAL_TEXTS = Table(
    "seal_texts",
    METADATA,
    Column("digest", PlainText, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
