"""Seals, and the texts of files that they name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bedplate.store.columns import PackedNames, PlainText, UtcTime

revision = "0006"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "seals",
        sa.Column("host", PlainText, primary_key=True),
        sa.Column("product", PlainText, primary_key=True),
        sa.Column("run_id", PlainText, nullable=False),
        sa.Column("taken_at", UtcTime, nullable=False),
        sa.Column("digest", PlainText, nullable=False),
        sa.Column("texts", PackedNames, nullable=False),
        sa.Column("signed", PlainText, nullable=False),
    )
    op.create_table(
        "seal_texts",
        sa.Column("digest", PlainText, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
