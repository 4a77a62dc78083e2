"""Feedback, and what was told of already."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bedplate.store.columns import PackedNames, PlainText, UtcTime

revision = "0004"
down_revision = "0003"

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("key", _KEY, primary_key=True, autoincrement=True),
        sa.Column("product", PlainText, nullable=False),
        sa.Column("person", PlainText, nullable=False),
        sa.Column("score", sa.Integer, nullable=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.Column("comment", PlainText),
        sa.Column("run_id", PlainText),
    )
    op.create_index("feedback_product", "feedback", ["product", "at"])
    op.create_table(
        "notices",
        sa.Column("cause", PlainText, primary_key=True),
        sa.Column("product", PlainText, nullable=False),
        sa.Column("hosts", PackedNames, nullable=False),
        sa.Column("task", PlainText),
        sa.Column("run_id", PlainText, nullable=False),
        sa.Column("at", UtcTime, nullable=False),
    )
    op.create_index("notices_product", "notices", ["product"])
