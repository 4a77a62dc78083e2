"""Which executions of other engines are runs here, and up to where they were brought in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bedplate.store.columns import PlainText

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "engine_runs",
        sa.Column("engine", PlainText, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("run_id", PlainText, nullable=False),
        sa.Column("complete", sa.Boolean, nullable=False),
    )
    op.create_table(
        "engine_positions",
        sa.Column("engine", PlainText, primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
